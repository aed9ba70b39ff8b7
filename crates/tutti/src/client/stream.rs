//! Server-sent events: bytes in, events out. Pure.

use crate::exit::{Exit, Failure};

/// The longest event that is taken, in bytes.
const LONGEST: usize = 64 * 1024 * 1024;

/// An event, as far as it matters here: what it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// Where a client that lost the connection goes on.
    pub(super) id: String,
    /// What it says.
    pub(super) data: String,
}

/// Reads events from bytes as they come.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// What came of the last line.
    rest: Vec<u8>,
    id: String,
    data: Vec<String>,
    size: usize,
}

impl Reader {
    /// Takes in bytes, and gives the events that they complete.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Vec<Event>, Failure> {
        let mut events = Vec::new();
        let mut left = bytes;
        while let Some(end) = left.iter().position(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(&left[..end]);
            left = &left[end + 1..];
            let line = std::mem::take(&mut self.rest);
            events.extend(self.line(String::from_utf8_lossy(&line).trim_end_matches('\r')));
        }
        self.rest.extend_from_slice(left);
        if self.rest.len() + self.size > LONGEST {
            let message = format!("the server sends an event of more than {LONGEST} bytes");
            return Err(Failure::usage(message).exit(Exit::Unreachable));
        }
        Ok(events)
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            self.size = 0;
            let event = Event { id: self.id.clone(), data: data.join("\n") };
            return (!data.is_empty()).then_some(event);
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => value.clone_into(&mut self.id),
            "data" => {
                self.size += value.len();
                self.data.push(value.to_owned());
            }
            // A comment, or what is not needed here.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_however_their_bytes_come() {
        let text = ": still here\n\nid: 1\nevent: TaskStarted\ndata: {\"a\":\n\nid: 2\r\ndata: one\r\ndata:two\r\n\r\nid: 3\ndata: cut";
        let event = |id: &str, data: &str| Event { id: id.to_owned(), data: data.to_owned() };
        let expected = [event("1", "{\"a\":"), event("2", "one\ntwo")];
        for size in [1, 2, 7, text.len()] {
            let mut reader = Reader::default();
            let chunks = text.as_bytes().chunks(size);
            let events: Vec<Event> =
                chunks.flat_map(|chunk| reader.take(chunk).expect("it is short")).collect();
            assert_eq!(events, expected, "{size} bytes at once");
        }
    }
}
