//! Events from outside: `CloudEvents` over HTTP, structured, binary or in a batch.

use tutti_api::{EventReceipt, Problem, ReceivedEvents};
use tutti_auth::Authorized;
use tutti_expr::Value;
use tutti_ids::Name;
use tutti_journal::CloudEvent;
use tutti_store::Receipt;

use crate::{
    answer::{Answer, invalid, json, of_runtime},
    asked::Asked,
};

/// What the headers of a binary event begin with.
const PREFIX: &str = "ce-";

pub(crate) async fn publish(asked: Asked, proof: Authorized<Name>) -> Answer {
    let events = events(&asked)?.into_iter();
    let events: Vec<_> = events.map(|event| event.within(proof.namespace().as_str())).collect();
    let receipts = asked.desk.handle.publish(&events).await.map_err(|error| of_runtime(&error))?;
    let told = events.iter().zip(receipts).map(|(event, receipt)| {
        let (position, duplicate) = match receipt {
            Receipt::Logged(position) => (position, false),
            Receipt::Duplicate(position) => (position, true),
        };
        let (source, id) = (event.source().to_owned(), event.id().to_owned());
        EventReceipt { source, id, position: position.0, duplicate }
    });
    Ok(json(202, &ReceivedEvents { events: told.collect() }))
}

fn events(asked: &Asked) -> Result<Vec<CloudEvent>, Problem> {
    let kind = asked.header("content-type").unwrap_or("application/json");
    let kind = kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if asked.headers.contains_key("ce-specversion") {
        return Ok(vec![event(&binary(asked, &kind)?)?]);
    }
    let value = value(asked.text()?)?;
    let items = match (kind.as_str(), value.as_array()) {
        ("application/cloudevents-batch+json" | "application/json", Some(items)) => items.to_vec(),
        _ => vec![value],
    };
    let numbered = items.iter().enumerate();
    numbered
        .map(|(at, item)| {
            event(item).map_err(|problem| match items.len() {
                1 => problem,
                _ => invalid(format!("event {at}: {}", problem.detail.unwrap_or_default())),
            })
        })
        .collect()
}

fn event(envelope: &Value) -> Result<CloudEvent, Problem> {
    CloudEvent::from_value(envelope).map_err(|error| invalid(format!("this is no event: {error}")))
}

fn value(text: &str) -> Result<Value, Problem> {
    Value::from_json(text)
        .map_err(|error| invalid(format!("the body is no JSON: {}", error.message)))
}

/// The envelope of an event whose attributes are headers, and whose data is the body.
fn binary(asked: &Asked, kind: &str) -> Result<Value, Problem> {
    let mut members: Vec<(String, Value)> = Vec::new();
    for (name, text) in &asked.headers {
        let Some(name) = name.as_str().strip_prefix(PREFIX) else { continue };
        let text =
            text.to_str().map_err(|_other| invalid(format!("`{PREFIX}{name}` is no text")))?;
        let text = percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        members.push((name.to_owned(), Value::from(text)));
    }
    if !asked.body.is_empty() {
        let is_json = kind == "application/json" || kind.ends_with("+json");
        let data = if is_json { value(asked.text()?)? } else { Value::from(asked.text()?) };
        members.push(("datacontenttype".to_owned(), Value::from(kind)));
        members.push(("data".to_owned(), data));
    }
    Ok(Value::object(members))
}
