//! As much of HTTP/1.1 as the examples speak: requests with a content length, kept alive.

use std::{
    collections::BTreeMap,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
};

use serde_json::Value;

/// The longest head of a request, in bytes.
const LONGEST_HEAD: u64 = 32 * 1024;
/// The largest body of a request, in bytes.
const LARGEST_BODY: usize = 1024 * 1024;

/// A request as it was received.
pub(crate) struct Request {
    pub(crate) method: String,
    /// Without the query.
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    /// By their names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    /// `null` where there is none or where it is not JSON.
    pub(crate) body: Value,
}

/// One client.
pub(crate) struct Connection<'s> {
    reader: BufReader<TcpStream>,
    writer: &'s TcpStream,
}

impl<'s> Connection<'s> {
    pub(crate) fn new(stream: &'s TcpStream) -> io::Result<Self> {
        Ok(Self { reader: BufReader::new(stream.try_clone()?), writer: stream })
    }

    /// The next request; none when the client has left.
    pub(crate) fn receive(&mut self) -> io::Result<Option<Request>> {
        let mut head = Vec::new();
        let mut reader = (&mut self.reader).take(LONGEST_HEAD);
        while !head.ends_with(b"\r\n\r\n") {
            if reader.read_until(b'\n', &mut head)? == 0 {
                return if head.is_empty() { Ok(None) } else { Err(malformed()) };
            }
        }
        let head = String::from_utf8(head).map_err(io::Error::other)?;
        let mut lines = head.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Err(malformed());
        };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers: BTreeMap<_, _> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        Ok(Some(Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body: self.body(&headers)?,
            headers,
        }))
    }

    fn body(&mut self, headers: &BTreeMap<String, String>) -> io::Result<Value> {
        let length = headers.get("content-length").map_or(Ok(0), |length| length.parse::<usize>());
        let length = length.map_err(io::Error::other)?;
        if length > LARGEST_BODY {
            return Err(malformed());
        }
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body)?;
        Ok(serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    pub(crate) fn send(&mut self, status: u16, body: &Value) -> io::Result<()> {
        let body = body.to_string();
        let length = body.len();
        let message = format!(
            "HTTP/1.1 {status} {}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}",
            reason(status)
        );
        self.writer.write_all(message.as_bytes())
    }

    /// Says nothing more, until the client gives up.
    pub(crate) fn wait_for_the_end(&mut self) -> io::Result<()> {
        io::copy(&mut self.reader, &mut io::sink()).map(drop)
    }
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a malformed request")
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        404 => "Not Found",
        _ => "Conflict",
    }
}
