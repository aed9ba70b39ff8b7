//! What a response's bytes mean.

use std::io::{self, Read};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use encoding_rs::{Encoding, UTF_8};
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::{
    HeaderMap,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};
use percent_encoding::percent_decode_str;
use tutti_expr::Value;

/// Why bytes mean nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum ContentError {
    #[error("is larger than {limit} bytes when decompressed")]
    TooLarge { limit: usize },
    #[error("is not the {coding} it says it is")]
    Coding { coding: &'static str, source: io::Error },
    #[error("has the content coding `{coding}`, which was not asked for")]
    UnknownCoding { coding: String },
    #[error("is not JSON at line {line}, column {column}")]
    Json { line: usize, column: usize },
    #[error("is not YAML")]
    Yaml { source: Unreadable },
}

/// Reads text in a format that is not this crate's to parse.
pub type ReadText = fn(&str) -> Result<Value, Unreadable>;

/// Text that could not be read. It says where and what for, and quotes nothing: there may be a secret in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {what}")]
pub struct Unreadable {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong, or which limit was met.
    pub what: &'static str,
}

/// The bytes without their content codings.
pub(super) fn decompressed(
    headers: &HeaderMap,
    bytes: Bytes,
    limit: usize,
) -> Result<Bytes, ContentError> {
    let codings = headers.get_all(CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut codings: Vec<_> = codings.flat_map(|value| value.split(',')).map(str::trim).collect();
    codings.retain(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity"));
    if bytes.is_empty() {
        return Ok(bytes);
    }
    codings.iter().rev().try_fold(bytes, |bytes, coding| {
        match coding.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => read("gzip", MultiGzDecoder::new(&*bytes), limit),
            "deflate" => inflate(&bytes, limit),
            _ => Err(ContentError::UnknownCoding { coding: (*coding).to_owned() }),
        }
    })
}

/// `deflate` means zlib, but some servers send the bare stream.
fn inflate(bytes: &[u8], limit: usize) -> Result<Bytes, ContentError> {
    match bytes {
        [first, second, ..]
            if first & 0x0f == 8 && (u16::from(*first) * 256 + u16::from(*second)) % 31 == 0 =>
        {
            read("deflate", ZlibDecoder::new(bytes), limit)
        }
        _ => read("deflate", DeflateDecoder::new(bytes), limit),
    }
}

fn read(coding: &'static str, reader: impl Read, limit: usize) -> Result<Bytes, ContentError> {
    let mut decoded = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    reader
        .take(most)
        .read_to_end(&mut decoded)
        .map_err(|source| ContentError::Coding { coding, source })?;
    if decoded.len() > limit { Err(ContentError::TooLarge { limit }) } else { Ok(decoded.into()) }
}

/// The bytes as base64, whatever they are; null where there are none.
pub(super) fn raw(bytes: &[u8]) -> Value {
    if bytes.is_empty() { Value::NULL } else { Value::from(STANDARD.encode(bytes)) }
}

/// The bytes as their media type says; YAML stays text where nobody reads it.
pub(super) fn content(
    headers: &HeaderMap,
    bytes: &[u8],
    read_yaml: Option<ReadText>,
) -> Result<Value, ContentError> {
    if bytes.is_empty() {
        return Ok(Value::NULL);
    }
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind(&essence) {
        Kind::Json => json(&text(media, bytes)),
        Kind::Form => Ok(form(&text(media, bytes))),
        Kind::Yaml => match read_yaml {
            Some(read) => yaml(read, &text(media, bytes)),
            None => Ok(Value::from(text(media, bytes))),
        },
        Kind::Text => Ok(Value::from(text(media, bytes))),
        Kind::Binary => Ok(raw(bytes)),
    }
}

enum Kind {
    Json,
    Form,
    Yaml,
    Text,
    Binary,
}

fn kind(essence: &str) -> Kind {
    match essence {
        "application/json" | "text/json" => Kind::Json,
        "application/x-www-form-urlencoded" => Kind::Form,
        "application/yaml" | "application/x-yaml" | "text/yaml" | "text/x-yaml" => Kind::Yaml,
        "application/xml" => Kind::Text,
        _ if essence.ends_with("+json") => Kind::Json,
        _ if essence.ends_with("+yaml") => Kind::Yaml,
        _ if essence.ends_with("+xml") => Kind::Text,
        _ if essence.starts_with("text/") => Kind::Text,
        _ => Kind::Binary,
    }
}

fn text(media: &str, bytes: &[u8]) -> String {
    let charset = media.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    let encoding = charset.and_then(|label| Encoding::for_label(label.as_bytes())).unwrap_or(UTF_8);
    encoding.decode(bytes).0.into_owned()
}

fn json(text: &str) -> Result<Value, ContentError> {
    if text.trim().is_empty() {
        return Ok(Value::NULL);
    }
    // The parser's own message may quote the text, and with it a secret.
    Value::from_json(text)
        .map_err(|error| ContentError::Json { line: error.line, column: error.column })
}

fn yaml(read: ReadText, text: &str) -> Result<Value, ContentError> {
    if text.trim().is_empty() {
        return Ok(Value::NULL);
    }
    read(text).map_err(|source| ContentError::Yaml { source })
}

/// A name given several times becomes an array.
fn form(text: &str) -> Value {
    let mut members: Vec<(String, Vec<Value>)> = Vec::new();
    for pair in text.trim().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (unescaped(name), Value::from(unescaped(value)));
        match members.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => members.push((name, vec![value])),
        }
    }
    Value::object(members.into_iter().map(|(name, mut values)| {
        let only = if values.len() == 1 { values.pop() } else { None };
        (name, only.unwrap_or_else(|| Value::array(values)))
    }))
}

fn unescaped(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(media: &str, bytes: &[u8], expected: &str) {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, media.parse().expect("a header"));
        let shown = match content(&headers, bytes, None) {
            Ok(value) => value.to_json(),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected, "{media}");
    }

    #[test]
    fn content_follows_the_media_type() {
        check("application/json", b"{\"a\":1}", r#"{"a":1}"#);
        check("application/problem+json; charset=utf-8", b"[]", "[]");
        check("application/json", b"", "null");
        check("application/json", b" \n", "null");
        check("application/json", b"{\n \"a\": x}", "is not JSON at line 2, column 7");
        check(
            "application/x-www-form-urlencoded",
            b"a=1&b=x+y&a=%C3%BC&c",
            r#"{"a":["1","ü"],"b":"x y","c":""}"#,
        );
        check("text/plain; charset=iso-8859-1", b"\xfc", r#""ü""#);
        check("text/plain; charset=\"utf-16le\"", b"h\0i\0", r#""hi""#);
        check("text/plain", b"\xff", "\"\u{fffd}\"");
        check("application/atom+xml", b"<a/>", r#""<a/>""#);
        check("application/yaml", b"a: 1", r#""a: 1""#);
        check("application/octet-stream", b"hi", r#""aGk=""#);
        check("", b"hi", r#""aGk=""#);
        check("image/png", b"", "null");
    }

    #[test]
    fn yaml_is_read_by_whoever_is_given_for_it() {
        let read: ReadText = |text| match text {
            "bad" => Err(Unreadable { line: 1, column: 2, what: "it is bad" }),
            _ => Ok(Value::from(true)),
        };
        for media in ["application/yaml", "text/x-yaml", "application/openapi+yaml; version=3"] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, media.parse().expect("a header"));
            let read = |bytes: &[u8]| content(&headers, bytes, Some(read));
            assert_eq!(read(b"a: 1").map_or_else(|e| e.to_string(), |v| v.to_json()), "true");
            assert_eq!(read(b" \n").map_or_else(|e| e.to_string(), |v| v.to_json()), "null");
            assert!(matches!(read(b"bad"), Err(ContentError::Yaml { .. })));
        }
    }

    #[test]
    fn json_nested_too_deeply_is_an_error() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, "application/json".parse().expect("a header"));
        assert!(matches!(content(&headers, deep.as_bytes(), None), Err(ContentError::Json { .. })));
    }
}
