//! Events as CloudEvents 1.0 has them, and their places among all events received.
//!
//! A [`CloudEvent`] is valid by construction: engine, runtime and whoever takes events in share the one type.

use std::{fmt, sync::Arc};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use minicbor::{Decode, Encode};
use tutti_expr::{Kind, Value};

use crate::{
    SealError, Sealer,
    payload::{self, Source},
};

/// Bytes an event may have, attributes and data together.
pub const MAX_EVENT_BYTES: usize = 1024 * 1024;
/// Attributes an event may have.
const MAX_ATTRIBUTES: usize = 64;
/// Characters of an attribute's name.
const MAX_NAME: usize = 64;

/// The attribute that addresses an event to one execution, by its id: nobody but it and what it starts receives the event.
pub const ADDRESS: &str = "tuttiexecution";

/// An event's place among all events a store received, from 1; 0 stands before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct EventPosition(#[n(0)] pub u64);

impl fmt::Display for EventPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// An event: a `CloudEvents` 1.0 envelope that was checked. Cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub struct CloudEvent {
    /// An object: attributes, and `data` or `data_base64`.
    envelope: Value,
    /// Where it was received; it is no part of the envelope.
    namespace: Option<Arc<str>>,
}

/// Why something is no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEvent {
    /// It is no JSON object.
    #[error("an event is a JSON object")]
    NotAnObject,
    /// An attribute that every event has is missing or empty.
    #[error("the attribute `{0}` is missing or is no text")]
    Missing(&'static str),
    /// It is written in another version of `CloudEvents`.
    #[error("`specversion` is not 1.0")]
    Version,
    /// An attribute's name has other characters than lower-case letters and digits, or too many of them.
    #[error("`{0}` cannot be the name of an attribute: 1 to 64 of a to z and 0 to 9")]
    Name(String),
    /// An attribute is neither text, nor a whole number of 32 bits, nor a boolean.
    #[error("the attribute `{0}` is neither text, a whole number of 32 bits, nor true or false")]
    Attribute(String),
    /// Both `data` and `data_base64`, or `data_base64` is not base64.
    #[error("`data_base64` is not base64, or stands beside `data`")]
    Base64,
    /// The data is said to be JSON and is not.
    #[error("the data is not the JSON that `datacontenttype` says it is")]
    Json,
    /// It is larger than an event may be.
    #[error("the event has more than {MAX_EVENT_BYTES} bytes or {MAX_ATTRIBUTES} attributes")]
    TooLarge,
}

impl CloudEvent {
    /// Takes an event in structured form: one JSON object. Data in base64 is decoded where it is JSON or text.
    ///
    /// # Errors
    /// What of `CloudEvents` 1.0 or of our limits it breaks.
    pub fn from_value(envelope: &Value) -> Result<Self, InvalidEvent> {
        let members = envelope.as_object().ok_or(InvalidEvent::NotAnObject)?;
        if envelope.size() > MAX_EVENT_BYTES as u64 || members.len() > MAX_ATTRIBUTES {
            return Err(InvalidEvent::TooLarge);
        }
        let mut kept: Vec<(Arc<str>, Value)> = Vec::new();
        for (name, value) in members.iter() {
            match &**name {
                "data" => kept.push((name.clone(), value.clone())),
                "data_base64" => {}
                _ if value.is_null() => {}
                _ => {
                    check_attribute(name, value)?;
                    kept.push((name.clone(), value.clone()));
                }
            }
        }
        if let Some(encoded) = envelope.get("data_base64").filter(|encoded| !encoded.is_null()) {
            kept.push(decoded(encoded, envelope)?);
        }
        let event = Self { envelope: Value::object(kept), namespace: None };
        for name in ["id", "source", "type"] {
            if event.text(name).is_empty() {
                return Err(InvalidEvent::Missing(name));
            }
        }
        if event.text("specversion") != "1.0" {
            return Err(InvalidEvent::Version);
        }
        Ok(event)
    }

    /// Takes an event in binary form: its attributes, and its data as bytes of the media type `datacontenttype`.
    ///
    /// # Errors
    /// What of `CloudEvents` 1.0 or of our limits it breaks.
    pub fn from_parts(
        attributes: impl IntoIterator<Item = (Arc<str>, Value)>,
        data: Option<&[u8]>,
    ) -> Result<Self, InvalidEvent> {
        if data.is_some_and(|data| data.len() > MAX_EVENT_BYTES) {
            return Err(InvalidEvent::TooLarge);
        }
        let is_data = |name: &str| matches!(name, "data" | "data_base64");
        let attributes = attributes.into_iter().filter(|(name, _)| !is_data(name));
        let data = data.map(|data| ("data_base64".into(), BASE64_STANDARD.encode(data).into()));
        Self::from_value(&Value::object(attributes.chain(data)))
    }

    /// The whole event as one JSON object.
    pub fn envelope(&self) -> &Value {
        &self.envelope
    }

    /// `id`: with the source unique for each event.
    pub fn id(&self) -> &str {
        self.text("id")
    }

    /// `source`: where it comes from.
    pub fn source(&self) -> &str {
        self.text("source")
    }

    /// `type`: what happened.
    pub fn kind(&self) -> &str {
        self.text("type")
    }

    /// The execution that it is addressed to, see [`ADDRESS`]; none where everybody may receive it.
    pub fn address(&self) -> Option<&str> {
        self.envelope.get(ADDRESS).map(|address| address.as_str().unwrap_or_default())
    }

    /// The event, addressed to an execution.
    ///
    /// # Errors
    /// If it has no room for one more attribute.
    pub fn addressed_to(&self, execution: &str) -> Result<Self, InvalidEvent> {
        let members = self.envelope.as_object().into_iter().flat_map(tutti_expr::Object::iter);
        let members = members.map(|(name, value)| (name.clone(), value.clone()));
        let address = (Arc::from(ADDRESS), Value::from(execution));
        let addressed = Self::from_value(&Value::object(members.chain([address])))?;
        Ok(Self { namespace: self.namespace.clone(), ..addressed })
    }

    /// The namespace it was received or emitted in: nobody else's executions receive it. None where everybody's may.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// The event, received or emitted in a namespace.
    #[must_use]
    pub fn within(mut self, namespace: &str) -> Self {
        self.namespace = Some(Arc::from(namespace));
        self
    }

    /// The attribute called `name`.
    pub fn attribute(&self, name: &str) -> Option<&Value> {
        self.envelope.get(name).filter(|_| !matches!(name, "data" | "data_base64"))
    }

    /// Its data: JSON as it is, text as a string, anything else in base64; `null` where it has none.
    pub fn data(&self) -> Value {
        let data = self.envelope.get("data").or_else(|| self.envelope.get("data_base64"));
        data.cloned().unwrap_or(Value::NULL)
    }

    /// Its data as it was written: JSON text where it is JSON, else the bytes in base64; `null` where it has none.
    pub fn raw(&self) -> Value {
        if let Some(encoded) = self.envelope.get("data_base64") {
            return encoded.clone();
        }
        let Some(data) = self.envelope.get("data") else { return Value::NULL };
        let text = match data.as_str().filter(|_| !is_json(self.text("datacontenttype"))) {
            Some(text) => BASE64_STANDARD.encode(text),
            None => data.to_json(),
        };
        if data.is_tainted() { Value::from(text).tainted() } else { Value::from(text) }
    }

    /// The event as bytes, what came from a secret sealed.
    pub fn encode(&self, sealer: &dyn Sealer) -> Vec<u8> {
        let namespace = self.namespace.as_deref().map(Value::from);
        let values: Vec<Value> = std::iter::once(self.envelope.clone()).chain(namespace).collect();
        payload::write_values(&values, usize::MAX, sealer).0
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// If the bytes are damaged or a secret does not open.
    pub fn decode(bytes: &[u8], sealer: &dyn Sealer) -> Result<Self, SealError> {
        let source = Source { sealer, blob: &|_| None };
        let mut values = payload::read_values(bytes, &source).map_err(|_damaged| SealError)?;
        let namespace = match values.len() {
            1 => None,
            2 => Some(Arc::from(values.pop().as_ref().and_then(Value::as_str).ok_or(SealError)?)),
            _ => return Err(SealError),
        };
        let envelope = values.pop().filter(|envelope| envelope.as_object().is_some());
        Ok(Self { envelope: envelope.ok_or(SealError)?, namespace })
    }

    fn text(&self, name: &str) -> &str {
        self.envelope.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

fn check_attribute(name: &str, value: &Value) -> Result<(), InvalidEvent> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(fits) {
        return Err(InvalidEvent::Name(name.chars().take(MAX_NAME).collect()));
    }
    let fits = match value.kind() {
        Kind::String(_) => true,
        _ if matches!(name, "subject" | "time" | "datacontenttype" | "dataschema") => false,
        Kind::Bool(_) => true,
        Kind::Integer(number) => i32::try_from(number).is_ok(),
        _ => false,
    };
    if fits { Ok(()) } else { Err(InvalidEvent::Attribute(name.to_owned())) }
}

/// Data that came in base64, as the member it becomes.
fn decoded(encoded: &Value, envelope: &Value) -> Result<(Arc<str>, Value), InvalidEvent> {
    let text = encoded.as_str().filter(|_| envelope.get("data").is_none());
    let bytes = text.and_then(|text| BASE64_STANDARD.decode(text).ok());
    let bytes = bytes.ok_or(InvalidEvent::Base64)?;
    let kind = envelope.get("datacontenttype").and_then(Value::as_str).unwrap_or_default();
    let as_text = std::str::from_utf8(&bytes);
    let data = if kind.is_empty() {
        None
    } else if is_json(kind) {
        let text = as_text.map_err(|_bytes| InvalidEvent::Json)?;
        Some(Value::from_json(text).map_err(|_text| InvalidEvent::Json)?)
    } else if is_text(kind) {
        as_text.ok().map(Value::from)
    } else {
        None
    };
    let (name, value) = match data {
        Some(data) => ("data", data),
        None => ("data_base64", Value::from(BASE64_STANDARD.encode(&bytes))),
    };
    let value = if encoded.is_tainted() { value.tainted() } else { value };
    Ok((Arc::from(name), value))
}

/// Whether data of this media type is JSON; where none is given it is.
fn is_json(kind: &str) -> bool {
    let kind = essence(kind);
    kind.is_empty() || kind == "application/json" || kind == "text/json" || kind.ends_with("+json")
}

fn is_text(kind: &str) -> bool {
    let kind = essence(kind);
    kind.starts_with("text/") || kind == "application/xml" || kind.ends_with("+xml")
}

/// A media type without its parameters.
fn essence(kind: &str) -> String {
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
