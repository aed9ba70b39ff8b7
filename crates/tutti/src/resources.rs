//! What documents name and this program loads for them: files below their directory, and what is on the web.

use std::{
    cell::RefCell,
    fs::File,
    io::Read as _,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use tutti_connectors::http;
use tutti_dsl::{Authentication, LoadError, MAX_RESOURCE, Need, Resources, SchemeParameters};
use tutti_expr::{Environment, Reads, Template, Value};
use tutti_journal::{Error, ErrorType};

use crate::resource_cache::{Cache, Copy};

/// What can be done where somebody else has to do something first.
const TRANSIENT: &str = "nothing was started, and it may pass: try again later";

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
    /// Where copies are for when it cannot be reached; none where nowhere.
    copies: Option<Cache>,
    told: RefCell<Told>,
    tokio: tokio::runtime::Runtime,
}

/// What people should know of what was loaded.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Where a copy had to do, and why.
    pub(crate) copies: Vec<String>,
    /// What could not be loaded, and what can be done about it.
    pub(crate) missing: Vec<Missing>,
}

/// Something that could not be loaded, though the document may be right.
#[derive(Debug)]
pub(crate) struct Missing {
    pub(crate) what: String,
    pub(crate) hint: String,
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
        let copies = Cache::usual();
        Ok(Self { client, secrets, copies, told: RefCell::default(), tokio })
    }

    /// What people should know of what was loaded since this was last asked.
    pub(crate) fn told(&self) -> Told {
        self.told.take()
    }

    fn load(&self, need: &Need) -> Result<Vec<u8>, LoadError> {
        let authentication = match &need.authentication {
            Some(how) => {
                self.secrets_for(how).map_err(|name| self.lacks_secret(need, &name))?;
                Some(self.credentials(how)?)
            }
            None => None,
        };
        // What was loaded as somebody is for them alone.
        let copies = self.copies.as_ref().filter(|_| authentication.is_none());
        match self.tokio.block_on(self.client.fetch(&need.uri, authentication)) {
            Ok(bytes) => {
                if let Some(copies) = copies {
                    // Without a copy, the next one who cannot reach it has none.
                    copies.keep(&need.uri, &bytes).ok();
                }
                Ok(bytes)
            }
            Err(error) => {
                let copy = copies.filter(|_| is_out_of_reach(&error));
                match copy.and_then(|copies| copies.find(&need.uri)) {
                    Some(copy) => Ok(self.make_do_with(need, copy, &error)),
                    None => Err(self.misses(need, &error)),
                }
            }
        }
    }

    fn make_do_with(&self, need: &Need, copy: Copy, error: &Error) -> Vec<u8> {
        let at = jiff::Timestamp::try_from(copy.at).unwrap_or_default();
        let (uri, why) = (&need.uri, told(error));
        let message =
            format!("{uri} cannot be reached ({why}): what it was at {at:.0} is used instead");
        self.told.borrow_mut().copies.push(message);
        copy.bytes
    }

    fn misses(&self, need: &Need, error: &Error) -> LoadError {
        let why = format!("cannot be loaded: {}", told(error));
        let hint = match error.status {
            _ if is_out_of_reach(error) => TRANSIENT,
            408 | 429 | 500.. => TRANSIENT,
            401 | 403 => {
                "nothing was started: see as whom the document loads it, and with which secrets"
            }
            _ => "nothing was started: see whether the address is right",
        };
        self.note_missing(need, why, hint.to_owned())
    }

    fn lacks_secret(&self, need: &Need, name: &str) -> LoadError {
        let why = format!("needs the secret `{name}`, which was not given");
        let hint = format!("give it with --secret {name} (environment) or {name}=@FILE");
        self.note_missing(need, why, hint)
    }

    fn note_missing(&self, need: &Need, why: String, hint: String) -> LoadError {
        let what = format!("{} {why}", need.uri);
        self.told.borrow_mut().missing.push(Missing { what, hint });
        LoadError::Unavailable(why)
    }

    /// Whether all secrets that an authentication names were given; else the name of one.
    fn secrets_for(&self, how: &Authentication) -> Result<(), Arc<str>> {
        let names: Vec<Arc<str>> = match &how.parameters {
            SchemeParameters::Inline(template) => named_in(template),
            SchemeParameters::Secret(name) => vec![name.clone()],
        };
        names.into_iter().find(|name| self.secrets.get(name).is_none()).map_or(Ok(()), Err)
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

/// The secrets that a template names.
fn named_in(template: &Template) -> Vec<Arc<str>> {
    let reads = template.expressions().filter_map(|expression| expression.reads("secrets"));
    let names = reads.flat_map(|reads| match reads {
        Reads::Members(names) => names.iter().cloned().collect(),
        Reads::All => Vec::new(),
    });
    names.collect()
}

/// Whether no answer came, whatever it would have been.
fn is_out_of_reach(error: &Error) -> bool {
    let answer = error.extra.as_ref().and_then(|members| members.get("response"));
    answer.is_none() && (error.is(ErrorType::Communication) || error.is(ErrorType::Timeout))
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
