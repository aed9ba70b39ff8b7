//! Any text is judged: a workflow or an error, each diagnostic in its place. The fuzz target of this name calls the
//! same function.

use tutti_dsl::{parse, parse_value, render};

/// More diagnostics than this of one document help nobody.
const SHOWN: usize = 20;

/// Parses a document and shows what is wrong with it.
pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let parsed = parse(&text);
    assert_eq!(parsed.workflow.is_some(), !parsed.has_errors(), "{text:?}");
    for found in parsed.diagnostics.iter().take(SHOWN) {
        assert!(text.get(found.span.bytes.clone()).is_some(), "{found:?} of {text:?}");
        assert!(render(found, "x.yaml", &text).contains(found.code.as_str()));
    }
    if let Ok(value) = parse_value(&text) {
        let printed = value.to_json();
        let again = parse_value(&printed).expect("JSON is read as it is written");
        assert!(again == value, "{text:?} is read as {printed:?}");
    }
}
