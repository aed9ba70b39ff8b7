//! Any duration, URI template or cron expression is judged. The fuzz target of this name calls the same function.

use tutti_dsl::{Duration, UriTemplate, parse};
use tutti_expr::Value;

/// Tries the text as each of them.
pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    duration(&Value::from(&*text));
    if let Ok(value) = Value::from_json(&text) {
        duration(&value);
    }
    template(&text);
    cron(&text);
}

fn duration(value: &Value) {
    let Ok(duration) = Duration::from_value(value) else { return };
    for start in [i64::MIN, -1, 0, 1_425_599_621_678, i64::MAX] {
        assert!(duration.after(start) >= start, "{value:?} goes back from {start}");
    }
}

fn template(text: &str) {
    let Ok(template) = UriTemplate::compile(text) else { return };
    assert!(template.variables().all(|name| !name.is_empty()), "{text:?}");
    let list = Value::array([Value::from("a/b"), Value::from("ü")]);
    let input = Value::object([("a", Value::from(1)), ("b", Value::from("x y")), ("c", list)]);
    if let Ok(expanded) = template.expand(&input) {
        assert!(expanded.as_str().is_some(), "{text:?} expands to no text");
    }
}

fn cron(text: &str) {
    let document = format!(
        r#"{{"document":{{"dsl":"1.0.3","namespace":"docs","name":"page","version":"1.0.0"}},"schedule":{{"cron":{}}},"do":[{{"a":{{"set":{{}}}}}}]}}"#,
        Value::from(text).to_json()
    );
    let parsed = parse(&document);
    for found in &parsed.diagnostics {
        assert!(document.get(found.span.bytes.clone()).is_some(), "{found:?} of {text:?}");
    }
}
