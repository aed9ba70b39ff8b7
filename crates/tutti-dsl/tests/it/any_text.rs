//! No text makes the reader panic or hang, and each gives a workflow or an error.

use proptest::prelude::*;
use tutti_dsl::{Duration, Schema, UriTemplate, assist::Reading, parse, render};
use tutti_expr::Value;

const DOCUMENT: &str = r#"document: { dsl: '1.0.3', namespace: docs, name: page, version: '1.0.0' }
use:
  secrets: [key]
  retries: { again: { delay: PT1S, backoff: { exponential: {} } } }
do:
  - first: &first
      if: ${ .a == "b" }
      call: http
      with: { method: get, endpoint: 'https://example.com/{id}', headers: { a: "x\n\u00e9" } }
  - second:
      try:
        - inner: { run: { shell: { command: "echo ${A}", arguments: ['it''s'] } } }
      catch: { retry: again, do: [{ log: { set: { error: '${ $error }' } } }], then: end }
  - third: *first
  - text:
      set:
        literal: |
          one
            two ${ .x }
        folded: >-
          ${ "a" +
          $secrets.key }
"#;

fn judge(text: &str) {
    let parsed = parse(text);
    assert_eq!(parsed.workflow.is_some(), !parsed.has_errors(), "{text:?}");
    for found in &parsed.diagnostics {
        let shown = render(found, "x.yaml", text);
        assert!(shown.contains(found.code.as_str()));
        assert!(text.get(found.span.bytes.clone()).is_some(), "{found:?}");
    }
}

/// Help at some places of a text, and inside its characters.
fn help(text: &str) {
    let reading = Reading::new(text);
    for symbol in reading.symbols() {
        assert!(text.get(symbol.span.clone()).is_some(), "{symbol:?} in {text:?}");
        assert!(text.get(symbol.name_span.clone()).is_some(), "{symbol:?} in {text:?}");
    }
    for offset in (0..=text.len() + 1).step_by(text.len() / 20 + 1) {
        if let Some(hover) = reading.hover(offset) {
            assert!(text.get(hover.span.clone()).is_some(), "{hover:?} in {text:?}");
        }
        if let Some(span) = reading.definition(offset) {
            assert!(text.get(span).is_some(), "at {offset} of {text:?}");
        }
        for found in reading.candidates(offset) {
            assert!(text.get(found.replace.clone()).is_some(), "{found:?} in {text:?}");
        }
    }
}

proptest! {
    #[test]
    fn help_in_arbitrary_texts_stays_inside_them(text in "\\PC{0,80}") {
        help(&text);
    }

    #[test]
    fn help_in_documents_cut_short_stays_inside_them(
        at in 0..DOCUMENT.len(),
        inserted in "[-:{}\\[\\],&*!|>'\"#? a1\\n\\r\\t$.\\\\é🎉]{0,12}",
        whole in any::<bool>(),
    ) {
        let (Some(before), Some(after)) = (DOCUMENT.get(..at), DOCUMENT.get(at..)) else { return Ok(()) };
        help(&format!("{before}{inserted}{}", if whole { after } else { "" }));
    }

    #[test]
    fn arbitrary_texts_are_judged(text in "\\PC{0,200}") {
        judge(&text);
    }

    #[test]
    fn texts_of_the_signs_that_matter_are_judged(text in "[-:{}\\[\\],&*!|>'\"%@`#?~a1 \\n\\t$.]{0,80}") {
        judge(&text);
        judge(&format!("{DOCUMENT}{text}"));
    }

    #[test]
    fn mutilated_documents_are_judged(
        at in 0..DOCUMENT.len(),
        length in 0_usize..12,
        inserted in "[-:{}\\[\\],&*!|>'\"#? a1\\n$.\\\\é]{0,4}",
    ) {
        let end = (at + length).min(DOCUMENT.len());
        let (Some(before), Some(after)) = (DOCUMENT.get(..at), DOCUMENT.get(end..)) else { return Ok(()) };
        judge(&format!("{before}{inserted}{after}"));
    }

    #[test]
    fn json_like_texts_are_judged(text in "\\{[-:{}\\[\\],\"\\\\untrfalse0-9dD.eE ]{0,80}") {
        judge(&text);
    }

    #[test]
    fn durations_and_uris_never_panic(text in "[PTYMWDHS0-9.,+-]{0,40}", uri in "\\PC{0,60}", start: i64) {
        if let Ok(duration) = Duration::from_value(&Value::from(text)) {
            prop_assert!(duration.after(start) >= start);
        }
        if let Ok(template) = UriTemplate::compile(&uri) {
            let input = Value::object([("a", Value::from(1))]);
            let _expanded = template.expand(&input);
        }
    }

    #[test]
    fn schemas_never_panic(
        keyword in "(type|properties|items|\\$ref|pattern|allOf|not|if|required|\\$defs|format|enum|multipleOf)",
        value in "(1|0|-1|\"#\"|\"string\"|\"\\[\"|\\{\\}|\\[\\]|\\[\\{\\}\\]|\\{\"a\":\\{\"\\$ref\":\"#\"\\}\\}|true|null)",
        instance in "(1|\"a\"|\\{\"a\":\\{\"a\":1\\}\\}|\\[1,\\[2\\]\\]|null)",
    ) {
        let schema = Value::from_json(&format!("{{\"{keyword}\":{value}}}")).expect("JSON");
        let instance = Value::from_json(&instance).expect("JSON");
        if let Ok(schema) = Schema::compile(&schema) {
            let _verdict = schema.validate(&instance);
        }
    }
}
