//! Messages as bytes: a header with the length, then JSON.

use std::io::{self, BufRead, Read as _, Write};

use serde_json::{Value, json};

/// Bytes of one message.
pub(super) const MAX_MESSAGE: u64 = 16 * 1024 * 1024;
/// Bytes of one line of a header.
const MAX_HEADER_LINE: u64 = 4096;
/// Lines of one header.
const MAX_HEADER_LINES: usize = 64;

/// What was read.
#[derive(Debug)]
pub(super) enum Incoming {
    /// A message, whatever JSON it is.
    Message(Value),
    /// Bytes that are no JSON.
    NotJson,
    /// A message of this many bytes, which was skipped.
    TooLarge(u64),
}

impl Incoming {
    /// Whether this takes back the request with an id.
    pub(super) fn cancels(&self, id: &Value) -> bool {
        let Self::Message(message) = self else { return false };
        message["method"] == json!("$/cancelRequest") && message["params"]["id"] == *id
    }
}

/// Reads the next message; nothing at the end of the input.
pub(super) fn read(input: &mut impl BufRead) -> io::Result<Option<Incoming>> {
    let Some(length) = header(input)? else { return Ok(None) };
    if length > MAX_MESSAGE {
        let skipped = io::copy(&mut input.take(length), &mut io::sink())?;
        return if skipped == length { Ok(Some(Incoming::TooLarge(length))) } else { Ok(None) };
    }
    let mut body = Vec::new();
    input.take(length).read_to_end(&mut body)?;
    if (body.len() as u64) < length {
        return Ok(None);
    }
    let message = serde_json::from_slice(&body);
    Ok(Some(message.map_or(Incoming::NotJson, Incoming::Message)))
}

/// The length that a header states.
fn header(input: &mut impl BufRead) -> io::Result<Option<u64>> {
    let mut length = None;
    for _ in 0..MAX_HEADER_LINES {
        let mut line = Vec::new();
        input.by_ref().take(MAX_HEADER_LINE).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            let missing =
                || io::Error::new(io::ErrorKind::InvalidData, "a header without Content-Length");
            return length.ok_or_else(missing).map(Some);
        }
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.trim().eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok();
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidData, "a header that does not end"))
}

/// Writes a message.
pub(super) fn write(output: &mut dyn Write, message: &Value) -> io::Result<()> {
    let body = message.to_string();
    write!(output, "Content-Length: {}\r\n\r\n{body}", body.len())?;
    output.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_messages_or_an_end() {
        let check = |bytes: &[u8], expected: &str| {
            let found = match read(&mut &bytes[..]) {
                Ok(Some(Incoming::Message(message))) => message.to_string(),
                Ok(Some(Incoming::NotJson)) => "no JSON".to_owned(),
                Ok(Some(Incoming::TooLarge(length))) => format!("{length} bytes"),
                Ok(None) => "the end".to_owned(),
                Err(error) => error.to_string(),
            };
            assert_eq!(found, expected, "{}", String::from_utf8_lossy(bytes));
        };
        check(b"Content-Length: 2\r\n\r\n17", "17");
        check(b"content-length:2\nContent-Type: x\n\n17", "17");
        check(b"Content-Length: 2\r\n\r\n]]", "no JSON");
        check(b"", "the end");
        check(b"Content-Le", "the end");
        check(b"Content-Length: 20\r\n\r\n17", "the end");
        check(b"Content-Length: 99999999999\r\n\r\n17", "the end");
        check(b"Content-Length: -1\r\n\r\n17", "a header without Content-Length");
        check(b"\r\n", "a header without Content-Length");
        check(&b"a: b\n".repeat(100), "a header that does not end");
        check(&b"x".repeat(1_000_000), "a header that does not end");
    }

    #[test]
    fn what_is_too_large_is_skipped_and_the_next_message_read() {
        let length = usize::try_from(MAX_MESSAGE).expect("it fits") + 1;
        let mut bytes = format!("Content-Length: {length}\r\n\r\n").into_bytes();
        bytes.resize(bytes.len() + length, b' ');
        bytes.extend_from_slice(b"Content-Length: 2\r\n\r\n17");
        let mut input = &bytes[..];
        assert!(matches!(read(&mut input), Ok(Some(Incoming::TooLarge(_)))));
        assert!(matches!(read(&mut input), Ok(Some(Incoming::Message(_)))));
    }
}
