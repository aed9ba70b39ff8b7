//! What parses as JSON prints as JSON that parses as the same. The fuzz target of this name calls the same function.

use tutti_expr::Value;

/// Parses, prints and parses again.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(value) = Value::from_json(text) else { return };
    let printed = value.to_json();
    let again = Value::from_json(&printed).expect("what is printed is JSON");
    assert!(again == value, "{text:?} prints as {printed:?}");
    assert_eq!(again.to_json(), printed);
    assert_eq!(again.depth(), value.depth());
    assert!(value.order(&again).is_eq(), "{text:?}");
    let hidden = value.tainted();
    assert!(hidden.is_tainted());
    assert!(Value::from_json(&hidden.to_redacted_json()).is_ok(), "{text:?}");
}
