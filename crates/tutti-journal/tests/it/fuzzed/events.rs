//! Any text is an event that is told as it came, or none. The fuzz target of this name calls the same function.

use std::sync::Arc;

use tutti_expr::Value;
use tutti_journal::{CloudEvent, MAX_EVENT_BYTES, SealError, Sealer};

/// Takes `bytes` for an event in structured form, for the data of one in binary form, and for an event of the log.
pub(crate) fn check(bytes: &[u8]) {
    if let Ok(event) = CloudEvent::decode(bytes, &Reversed) {
        drop((event.id().len(), event.kind().len(), event.raw(), event.data()));
    }
    let text = String::from_utf8_lossy(bytes);
    let Ok(value) = Value::from_json(&text) else { return check_parts("application/json", bytes) };
    for envelope in [value.clone(), value.clone().tainted()] {
        check_envelope(&envelope);
    }
    let kind = value.get("datacontenttype").and_then(Value::as_str).unwrap_or("text/plain");
    check_parts(kind, bytes);
}

fn check_envelope(envelope: &Value) {
    let Ok(event) = CloudEvent::from_value(envelope) else { return };
    assert!(!event.id().is_empty() && !event.source().is_empty() && !event.kind().is_empty());
    assert!(event.envelope().size() <= 2 * MAX_EVENT_BYTES as u64);
    let again = CloudEvent::from_value(event.envelope()).expect("an event is one");
    assert_eq!(again, event);
    let stored = event.encode(&Reversed);
    let read = CloudEvent::decode(&stored, &Reversed).expect("what was written can be read");
    assert_eq!(read, event);
    assert_eq!(read.envelope().to_redacted_json(), event.envelope().to_redacted_json());
    assert_eq!(read.raw().to_redacted_json(), event.raw().to_redacted_json());
    let whole = envelope.is_tainted() && envelope.size() > 64;
    assert!(!whole || event.data().is_null() || event.data().is_tainted(), "{envelope:?}");
}

/// An event with these bytes as its data.
fn check_parts(kind: &str, data: &[u8]) {
    let attributes = [
        ("specversion", "1.0"),
        ("id", "1"),
        ("source", "s"),
        ("type", "t"),
        ("datacontenttype", kind),
    ];
    let attributes = attributes.map(|(name, text)| (Arc::from(name), Value::from(text)));
    let Ok(event) = CloudEvent::from_parts(attributes, Some(data)) else { return };
    check_envelope(event.envelope());
}

/// Seals by turning round, so that what is opened without having been sealed shows.
#[derive(Debug)]
struct Reversed;

impl Sealer for Reversed {
    fn seal(&self, plain: &[u8]) -> Vec<u8> {
        plain.iter().rev().copied().collect()
    }

    fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        Ok(self.seal(sealed))
    }
}
