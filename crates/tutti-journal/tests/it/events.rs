//! What is an event, and how its data is read.

use std::sync::Arc;

use tutti_expr::Value;
use tutti_journal::{CloudEvent, InvalidEvent, MAX_EVENT_BYTES};

use crate::samples::{KEY, TestSealer};

fn event(more: &str) -> Result<CloudEvent, InvalidEvent> {
    let text = format!(r#"{{"specversion":"1.0","id":"1","source":"/s","type":"t"{more}}}"#);
    CloudEvent::from_value(&Value::from_json(&text).expect("it is JSON"))
}

#[test]
fn only_what_the_specification_of_events_allows_is_one() {
    let check = |text: &str, expected: &InvalidEvent| {
        let value = Value::from_json(text).expect("it is JSON");
        assert_eq!(CloudEvent::from_value(&value).as_ref(), Err(expected), "{text}");
    };
    check("[]", &InvalidEvent::NotAnObject);
    check("{}", &InvalidEvent::Missing("id"));
    check(
        r#"{"id":"1","source":"","type":"t","specversion":"1.0"}"#,
        &InvalidEvent::Missing("source"),
    );
    check(
        r#"{"id":"1","source":"s","type":7,"specversion":"1.0"}"#,
        &InvalidEvent::Missing("type"),
    );
    check(r#"{"id":"1","source":"s","type":"t"}"#, &InvalidEvent::Version);
    check(r#"{"id":"1","source":"s","type":"t","specversion":"0.3"}"#, &InvalidEvent::Version);
    let refused =
        |more: &str, expected: InvalidEvent| assert_eq!(event(more), Err(expected), "{more}");
    refused(r#","some_key":1"#, InvalidEvent::Name("some_key".to_owned()));
    refused(r#","":1"#, InvalidEvent::Name(String::new()));
    refused(r#","big":2147483648"#, InvalidEvent::Attribute("big".to_owned()));
    refused(r#","part":1.5"#, InvalidEvent::Attribute("part".to_owned()));
    refused(r#","list":[]"#, InvalidEvent::Attribute("list".to_owned()));
    refused(r#","subject":7"#, InvalidEvent::Attribute("subject".to_owned()));
    refused(r#","data":1,"data_base64":"AA==""#, InvalidEvent::Base64);
    refused(r#","data_base64":"no base64""#, InvalidEvent::Base64);
    refused(r#","data_base64":7"#, InvalidEvent::Base64);
    refused(r#","datacontenttype":"application/json","data_base64":"AA==""#, InvalidEvent::Json);
    let many: Vec<_> = (0..64).map(|number| format!(r#","k{number}":1"#)).collect();
    let many = many.concat();
    refused(&many, InvalidEvent::TooLarge);
    let large = format!(r#","data":"{}""#, "x".repeat(MAX_EVENT_BYTES));
    refused(&large, InvalidEvent::TooLarge);
    let wide = format!(r#","{}":1"#, "k".repeat(65));
    assert!(matches!(event(&wide), Err(InvalidEvent::Name(_))));
}

#[test]
fn data_is_read_as_what_it_is_and_as_it_was_written() {
    let check = |more: &str, data: &str, raw: &str| {
        let event = event(more).expect("it is an event");
        assert_eq!((&*event.data().to_json(), &*event.raw().to_json()), (data, raw), "{more}");
    };
    check("", "null", "null");
    check(r#","data":{"a":1}"#, r#"{"a":1}"#, r#""{\"a\":1}""#);
    check(r#","data":"text""#, r#""text""#, r#""\"text\"""#);
    check(r#","datacontenttype":"text/plain; charset=utf-8","data":"hi""#, r#""hi""#, r#""aGk=""#);
    check(r#","datacontenttype":"text/plain","data_base64":"aGk=""#, r#""hi""#, r#""aGk=""#);
    check(r#","datacontenttype":"text/plain","data_base64":"/w==""#, r#""/w==""#, r#""/w==""#);
    check(r#","datacontenttype":"image/svg+xml","data_base64":"aGk=""#, r#""hi""#, r#""aGk=""#);
    check(r#","datacontenttype":"image/png","data_base64":"aGk=""#, r#""aGk=""#, r#""aGk=""#);
    check(r#","data_base64":"aGk=""#, r#""aGk=""#, r#""aGk=""#);
    check(r#","datacontenttype":"application/vnd.x+json","data_base64":"WzFd""#, "[1]", r#""[1]""#);
}

#[test]
fn an_event_in_parts_is_the_event_as_a_whole() {
    let attributes = || {
        [
            ("specversion", "1.0"),
            ("id", "1"),
            ("source", "/s"),
            ("type", "t"),
            ("datacontenttype", "application/json"),
        ]
        .map(|(name, value)| (Arc::from(name), Value::from(value)))
    };
    let parts = CloudEvent::from_parts(attributes(), Some(b"[1]"));
    let whole = event(r#","datacontenttype":"application/json","data":[1]"#);
    assert_eq!(parts, whole);
    let large = vec![0; MAX_EVENT_BYTES + 1];
    assert_eq!(CloudEvent::from_parts(attributes(), Some(&large)), Err(InvalidEvent::TooLarge));
}

#[test]
fn an_event_is_read_as_it_was_stored_and_its_secrets_only_with_their_key() {
    let envelope = event("").expect("it is an event").envelope().clone();
    let members = envelope.as_object().expect("an object").iter();
    let members = members.map(|(name, value)| (name.clone(), value.clone()));
    let secret = (Arc::from("data"), Value::from("hunter2").tainted());
    let event = CloudEvent::from_value(&Value::object(members.chain([secret]))).expect("an event");
    let bytes = event.encode(&TestSealer(KEY.0));
    let read = CloudEvent::decode(&bytes, &KEY).expect("it opens");
    assert_eq!(read, event);
    assert!(read.data().is_tainted(), "the mark stays");
    assert!(CloudEvent::decode(&bytes, &TestSealer(KEY.0 + 1)).is_err(), "another key");
    for end in 0..bytes.len() {
        assert!(CloudEvent::decode(&bytes[..end], &KEY).is_err(), "cut at {end}");
    }
}
