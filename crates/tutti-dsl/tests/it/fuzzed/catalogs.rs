//! Whatever a catalog is called and whatever is found in it, loading comes to an end and leaves no directory. The fuzz
//! target of this name calls the same function.

use std::{borrow::Cow, sync::Arc};

use tutti_dsl::{LoadError, MAX_RESOURCES, Need, Resources, parse_with};
use tutti_expr::Value;

/// The first line is where the catalog is, the second what is called; the rest is what is found wherever one looks, as one
/// text or, divided by NULs, one after the other.
pub(crate) fn check(bytes: &[u8]) {
    let mut lines = bytes.splitn(3, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (endpoint, call, found) = (text(line()), text(line()), line());
    let document = document(&endpoint, &call);
    let mut found = found.split(|byte| *byte == 0).cycle();
    let mut resources = Resources::default();
    let mut names: Vec<Arc<str>> = Vec::new();
    loop {
        let needs = parse_with(&document, &resources).needs;
        if needs.is_empty() {
            break;
        }
        for need in needs {
            check_place(&need, &endpoint, &call);
            assert!(!names.contains(&need.uri), "{} is asked for again", need.uri);
            names.push(need.uri.clone());
            let next = found.next().unwrap_or_default();
            resources.insert(need.uri, if next == b"-" { Err(missing()) } else { Ok(next) });
        }
        assert!(names.len() < 1_000 * MAX_RESOURCES, "{} resources are asked for", names.len());
    }
    let parsed = parse_with(&document, &resources);
    let (again, unbundled) = Resources::unbundle(&resources.bundle(&document));
    assert_eq!(again, document);
    if !parsed.has_errors() {
        assert!(!parse_with(&document, &unbundled).has_errors(), "{document:?} in its bundle");
    }
    drop(Resources::unbundle(&text(bytes)));
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

fn missing() -> LoadError {
    LoadError::Unavailable("is not there".to_owned())
}

/// A workflow that calls something of a catalog, and the same through `each`.
fn document(endpoint: &str, call: &str) -> String {
    let object = |members: &[(&'static str, Value)]| Value::object(members.iter().cloned());
    let header = [("dsl", "1.0.3"), ("namespace", "test"), ("name", "w"), ("version", "1.0.0")];
    let catalog = object(&[("endpoint", Value::from(endpoint))]);
    let catalogs = object(&[("own", catalog)]);
    let task = object(&[("call", Value::from(call)), ("with", object(&[]))]);
    object(&[
        ("document", Value::object(header.map(|(key, text)| (key, Value::from(text))))),
        ("use", object(&[("catalogs", catalogs)])),
        ("do", Value::array([object(&[("a", task)])])),
    ])
    .to_json()
}

/// A file is below the document, or named as a whole by the document; the web never names files.
fn check_place(need: &Need, endpoint: &str, call: &str) {
    let uri = &*need.uri;
    let is_web = |text: &str| {
        let text = text.to_ascii_lowercase();
        text.starts_with("http://") || text.starts_with("https://")
    };
    if let Some(path) = uri.strip_prefix("file:").filter(|path| !path.starts_with("//")) {
        assert!(!path.starts_with('/'), "{uri}");
        let names = path.split('/').map(|name| name.to_ascii_lowercase().replace("%2e", "."));
        assert!(names.into_iter().all(|name| name != ".." && name != "."), "{uri}");
    } else {
        assert!(is_web(uri) || uri.starts_with("file:///"), "{uri}");
    }
    assert!(
        is_web(uri) || !is_web(endpoint) || !call.contains('@') || call.contains("file:"),
        "{uri}"
    );
}
