//! What documents name and this program loads for them: files below their directory, and what is on the web.

use std::{
    fs::File,
    io::Read as _,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use tutti_connectors::http;
use tutti_dsl::{Authentication, LoadError, MAX_RESOURCE, Need, Resources, SchemeParameters};
use tutti_expr::{Environment, Value};
use tutti_journal::Error;

/// Loads what a document names.
pub(crate) struct Loader<'w> {
    /// The directory of the document; none where no file is read.
    pub(crate) directory: Option<PathBuf>,
    /// How the web is reached; none where it is not.
    pub(crate) web: Option<&'w Web>,
}

/// What the web is reached with.
pub(crate) struct Web {
    client: http::Http,
    /// `$secrets` of those authentications that read them.
    secrets: Value,
    tokio: tokio::runtime::Runtime,
}

impl<'w> Loader<'w> {
    /// Loads from the web, and no file.
    pub(crate) fn web_only(web: &'w Web) -> Self {
        Self { directory: None, web: Some(web) }
    }

    /// Loads everything a document needs, and what its functions need; what cannot be loaded is in it as that. Without the
    /// web, what is there is left out.
    pub(crate) fn load(&self, text: &str) -> Resources {
        let mut resources = Resources::default();
        // Every round loads something that was not loaded, and there is an end to how much may be.
        loop {
            let needs = tutti_dsl::parse_with(text, &resources).needs;
            let needs: Vec<Need> = needs.into_iter().filter(|need| self.reaches(need)).collect();
            if needs.is_empty() {
                return resources;
            }
            for need in needs {
                let loaded = self.one(&need);
                let loaded = loaded.as_deref().map_err(LoadError::clone);
                resources.insert(need.uri, loaded);
            }
        }
    }

    fn reaches(&self, need: &Need) -> bool {
        need.uri.starts_with("file:") || self.web.is_some()
    }

    fn one(&self, need: &Need) -> Result<Vec<u8>, LoadError> {
        match (need.uri.strip_prefix("file:"), self.web) {
            (Some(path), _) => self.file(path),
            (None, Some(web)) => web.load(need),
            (None, None) => Err(unavailable("is on the web, which is not reached here")),
        }
    }

    fn file(&self, path: &str) -> Result<Vec<u8>, LoadError> {
        let directory = self.directory.as_ref();
        let directory = directory.ok_or_else(|| unavailable("is a file, and none is read here"))?;
        let path = decoded(path)?;
        let path = if let Some(absolute) = path.strip_prefix("//") {
            PathBuf::from(absolute)
        } else {
            beneath(directory, Path::new(&path))?
        };
        let cannot =
            |error: std::io::Error| LoadError::Unavailable(format!("cannot be read: {error}"));
        // Only a regular file: another kind could make us wait for ever.
        if !path.metadata().map_err(cannot)?.is_file() {
            return Err(unavailable("is no file"));
        }
        let mut bytes = Vec::new();
        let file = File::open(&path).map_err(cannot)?;
        file.take(MAX_RESOURCE as u64 + 1).read_to_end(&mut bytes).map_err(cannot)?;
        Ok(bytes)
    }
}

/// A path below a directory, links followed.
fn beneath(directory: &Path, path: &Path) -> Result<PathBuf, LoadError> {
    let leaves = || unavailable("leaves the directory of the document");
    if path.components().any(|part| !matches!(part, Component::Normal(_))) {
        return Err(leaves());
    }
    let cannot = |error: std::io::Error| LoadError::Unavailable(format!("cannot be read: {error}"));
    let directory = directory.canonicalize().map_err(cannot)?;
    let found = directory.join(path).canonicalize().map_err(cannot)?;
    if found.starts_with(&directory) { Ok(found) } else { Err(leaves()) }
}

fn decoded(path: &str) -> Result<String, LoadError> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(code) = code.filter(|_| *byte == b'%') {
            bytes.push(code);
            rest = &after[2..];
        } else {
            bytes.push(*byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).map_err(|_not_text| unavailable("has a name that is not UTF-8"))
}

impl Web {
    /// The web as `client` reaches it; `secrets` are those that were given, by name.
    pub(crate) fn new(client: http::Http, secrets: Value) -> std::io::Result<Self> {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { client, secrets, tokio })
    }

    fn load(&self, need: &Need) -> Result<Vec<u8>, LoadError> {
        let authentication = need.authentication.as_ref().map(|how| self.credentials(how));
        let authentication = authentication.transpose()?;
        let loaded = self.tokio.block_on(self.client.fetch(&need.uri, authentication));
        loaded
            .map_err(|error| LoadError::Unavailable(format!("cannot be loaded: {}", told(&error))))
    }

    fn credentials(&self, how: &Authentication) -> Result<Value, LoadError> {
        let parameters = match &how.parameters {
            SchemeParameters::Inline(template) => {
                template.evaluate(&Value::NULL, self).map_err(|error| {
                    LoadError::Unavailable(format!("cannot be authenticated for: {error}"))
                })?
            }
            SchemeParameters::Secret(name) => self.secrets.get(name).cloned().ok_or_else(|| {
                LoadError::Unavailable(format!("needs the secret `{name}`, which was not given"))
            })?,
        };
        let scheme = Value::from(how.scheme.clone());
        Ok(Value::object([("scheme", scheme), ("parameters", parameters.tainted())]))
    }
}

impl Environment for Web {
    fn variable(&self, name: &str) -> Option<Value> {
        (name == "secrets").then(|| self.secrets.clone())
    }

    fn now_ms(&self) -> i64 {
        0
    }
}

fn told(error: &Error) -> Arc<str> {
    let detail = error.detail.as_ref().and_then(Value::as_str);
    Arc::from(detail.unwrap_or(&error.kind))
}

fn unavailable(why: &str) -> LoadError {
    LoadError::Unavailable(why.to_owned())
}

/// Where the files that a document names are.
pub(crate) fn directory_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_below_the_directory_only() {
        let outer = tempfile::tempdir().expect("a directory");
        let inner = outer.path().join("inner");
        std::fs::create_dir_all(inner.join("a")).expect("a directory");
        std::fs::write(outer.path().join("secret"), "s").expect("a file");
        std::fs::write(inner.join("a/b c.txt"), "b").expect("a file");
        #[cfg(unix)]
        std::os::unix::fs::symlink(outer.path().join("secret"), inner.join("link"))
            .expect("a link");
        let loader = Loader { directory: Some(inner.clone()), web: None };
        let check = |path: &str, expected: Option<&str>| {
            let read =
                loader.file(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            assert_eq!(read.as_deref(), expected, "{path}");
        };
        check("a/b%20c.txt", Some("b"));
        check("a/b c.txt", Some("b"));
        check("../secret", None);
        check("a/../../secret", None);
        check("%2e%2e/secret", None);
        check("/etc/passwd", None);
        check("link", None);
        check("a", None);
        check("none", None);
        check(&format!("//{}", outer.path().join("secret").display()), Some("s"));
    }
}
