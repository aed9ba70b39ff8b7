//! Where resources are: URIs made absolute or relative to the document, catalogs' layout, pages of Git hosts made raw.

use std::sync::Arc;

use crate::version;

/// The URI to load what `written` names from, where it stands in the document (`base` is none) or in the resource at `base`.
///
/// # Errors
/// Why it is not loaded, as the end of a sentence that begins with the URI.
pub(crate) fn resolve(base: Option<&str>, written: &str) -> Result<Arc<str>, &'static str> {
    if is_web(written) {
        return Ok(Arc::from(raw(written)));
    }
    let Some(rest) = written.strip_prefix("file:") else {
        return Err("is not a `file:`, `http:` or `https:` URI");
    };
    if base.is_some_and(is_web) {
        return Err("is a file, and what comes from the network may not read files");
    }
    if rest.contains(['?', '#', '\\']) {
        return Err("has a `?`, `#` or `\\`, which the name of a file cannot have here");
    }
    let rest = match rest.strip_prefix("//") {
        Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
        None if rest.starts_with('/') => rest,
        None => return relative(base, rest),
    };
    if !rest.starts_with('/') {
        return Err("is on another machine; a file below the document's directory is `file:name`");
    }
    Ok(Arc::from(format!("file:///{}", below(rest)?)))
}

/// A path from the directory of `base`, or of the document, that does not leave it.
fn relative(base: Option<&str>, path: &str) -> Result<Arc<str>, &'static str> {
    let Some(base) = base.and_then(|base| base.strip_prefix("file:")) else {
        return Ok(Arc::from(format!("file:{}", below(path)?)));
    };
    let directory = base.rsplit_once('/').map_or("", |(directory, _)| directory);
    // Below the document's directory for what is there; below its own for what has an absolute name.
    if base.starts_with("//") {
        return Ok(Arc::from(format!("file:{directory}/{}", below(path)?)));
    }
    Ok(Arc::from(format!("file:{}", below(&format!("{directory}/{path}"))?)))
}

/// A path without `.`, `..` and empty names.
fn below(path: &str) -> Result<String, &'static str> {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name.to_ascii_lowercase().replace("%2e", ".").as_str() {
            "" | "." => {}
            ".." => _ = names.pop().ok_or("leaves the directory of the document")?,
            decoded
                if decoded.contains("%2f")
                    || decoded.contains("%5c")
                    || decoded.contains("%00") =>
            {
                return Err("has an encoded separator in the name of a file");
            }
            _ => names.push(name),
        }
    }
    if names.is_empty() {
        return Err("names no file");
    }
    Ok(names.join("/"))
}

fn is_web(uri: &str) -> bool {
    let starts = |scheme: &str| {
        uri.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    starts("http://") || starts("https://")
}

/// Whether the name of a called function is a URI.
pub(crate) fn is_uri(name: &str) -> bool {
    name.contains("://") || name.starts_with("file:")
}

/// The parts of `name:version@catalog` or `name:version`.
pub(crate) struct Cataloged<'t> {
    pub(crate) name: &'t str,
    pub(crate) version: &'t str,
    pub(crate) catalog: Option<&'t str>,
}

impl<'t> Cataloged<'t> {
    /// Reads the name of a called function that is no URI.
    pub(crate) fn read(text: &'t str) -> Option<Self> {
        let (function, catalog) = match text.split_once('@') {
            Some((function, catalog)) => (function, Some(catalog)),
            None => (text, None),
        };
        let (name, version) = function.split_once(':')?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_name = !name.is_empty() && !name.starts_with('.') && name.bytes().all(plain);
        (is_name && version::is_semantic(version)).then_some(Self { name, version, catalog })
    }

    /// Where the function is in the catalog at `root`.
    pub(crate) fn below(&self, root: &str) -> String {
        let Self { name, version, .. } = self;
        raw(&format!("{}/functions/{name}/{version}/function.yaml", root.trim_end_matches('/')))
    }
}

/// A page of GitHub or GitLab that shows a file, as the address of the file itself; any other URI as it is. A repository
/// without a branch stands for its default branch; a branch is one segment long.
fn raw(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else { return uri.to_owned() };
    let Some((host, path)) = rest.split_once('/') else { return uri.to_owned() };
    match host {
        "github.com" | "www.github.com" => github(path),
        "gitlab.com" => gitlab(scheme, host, path),
        _ => None,
    }
    .unwrap_or_else(|| uri.to_owned())
}

fn github(path: &str) -> Option<String> {
    let mut segments = path.splitn(3, '/');
    let (owner, repository) = (segments.next()?, segments.next()?);
    let rest = segments.next()?;
    let repository = repository.strip_suffix(".git").unwrap_or(repository);
    let raw = format!("https://raw.githubusercontent.com/{owner}/{repository}");
    let shown = rest.strip_prefix("tree/").or_else(|| rest.strip_prefix("blob/"));
    Some(match shown {
        Some(shown) => format!("{raw}/{shown}"),
        None if rest.starts_with("raw/") => return None,
        None => format!("{raw}/HEAD/{rest}"),
    })
}

fn gitlab(scheme: &str, host: &str, path: &str) -> Option<String> {
    if let Some((project, rest)) = path.split_once("/-/") {
        let shown = rest.strip_prefix("tree/").or_else(|| rest.strip_prefix("blob/"))?;
        return Some(format!("{scheme}://{host}/{project}/-/raw/{shown}"));
    }
    // Only the layout of catalogs tells where the project's name ends.
    let (project, rest) = path.split_once("/functions/")?;
    let project = project.strip_suffix(".git").unwrap_or(project);
    Some(format!("{scheme}://{host}/{project}/-/raw/HEAD/functions/{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(base: Option<&str>, written: &str, expected: Option<&str>) {
        assert_eq!(resolve(base, written).ok().as_deref(), expected, "{base:?} {written}");
    }

    #[test]
    fn files_stay_below_the_directory_of_the_document() {
        check(None, "file:a/b.json", Some("file:a/b.json"));
        check(None, "file:./a//b.json", Some("file:a/b.json"));
        check(None, "file:a/../b.json", Some("file:b.json"));
        check(None, "file:../b.json", None);
        check(None, "file:a/../../b.json", None);
        check(None, "file:a/%2e%2E/../b.json", None);
        check(None, "file:a%2fb", None);
        check(None, "file:", None);
        check(None, "file:a?b", None);
        check(None, "a/b.json", None);
        check(None, "ftp://host/a", None);
    }

    #[test]
    fn an_absolute_file_is_of_this_machine() {
        check(None, "file:///srv/a.json", Some("file:///srv/a.json"));
        check(None, "file:/srv/a.json", Some("file:///srv/a.json"));
        check(None, "file://localhost/srv/../a.json", Some("file:///a.json"));
        check(None, "file://other/a.json", None);
        check(None, "file://localhostile/a.json", None);
    }

    #[test]
    fn a_function_names_files_from_where_it_is() {
        check(Some("file:f/a.yaml"), "file:s.json", Some("file:f/s.json"));
        check(Some("file:f/a.yaml"), "file:../s.json", Some("file:s.json"));
        check(Some("file:f/a.yaml"), "file:../../s.json", None);
        check(Some("file:///srv/a.yaml"), "file:s.json", Some("file:///srv/s.json"));
        check(Some("file:///srv/a.yaml"), "file:../s.json", None);
        check(Some("https://host/a.yaml"), "file:s.json", None);
        check(Some("https://host/a.yaml"), "file:///etc/passwd", None);
        check(Some("HTTP://host/a.yaml"), "file:///etc/passwd", None);
        check(Some("https://host/a.yaml"), "https://host/b.yaml", Some("https://host/b.yaml"));
    }

    #[test]
    fn pages_of_git_hosts_are_loaded_raw() {
        let of =
            |root: &str| Cataloged::read("log:1.0.0@c").expect("a cataloged function").below(root);
        let file = "functions/log/1.0.0/function.yaml";
        for (root, expected) in [
            ("https://host/c/", "https://host/c"),
            ("file:c", "file:c"),
            ("https://github.com/o/r/tree/main", "https://raw.githubusercontent.com/o/r/main"),
            ("https://github.com/o/r", "https://raw.githubusercontent.com/o/r/HEAD"),
            ("https://github.com/o/r.git", "https://raw.githubusercontent.com/o/r/HEAD"),
            (
                "https://github.com/o/r/tree/main/sub",
                "https://raw.githubusercontent.com/o/r/main/sub",
            ),
            ("https://gitlab.com/g/s/p", "https://gitlab.com/g/s/p/-/raw/HEAD"),
            ("https://gitlab.com/g/p/-/tree/v1/sub", "https://gitlab.com/g/p/-/raw/v1/sub"),
        ] {
            assert_eq!(of(root), format!("{expected}/{file}"), "{root}");
        }
        let page = resolve(None, "https://github.com/o/r/blob/main/f.yaml");
        assert_eq!(page.as_deref(), Ok("https://raw.githubusercontent.com/o/r/main/f.yaml"));
    }

    #[test]
    fn a_cataloged_function_has_a_name_and_a_semantic_version() {
        for (text, read) in [
            ("log:1.0.0@c", true),
            ("log:1.0.0", true),
            ("log:1@c", false),
            ("log", false),
            ("../x:1.0.0@c", false),
            ("..:1.0.0@c", false),
            ("a/b:1.0.0", false),
        ] {
            assert_eq!(Cataloged::read(text).is_some(), read, "{text}");
        }
    }
}
