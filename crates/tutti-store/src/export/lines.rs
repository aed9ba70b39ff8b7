//! Lines, each with a digest over itself and all lines before it.

use std::io::{self, BufRead, Read as _, Write};

use sha2::Digest as _;
use tutti_ids::Digest;

use super::{
    closing::{TAIL, hasher, tail},
    flaw::Wrong,
    record::Record,
    trial,
};

/// How long a line may be (bytes): more than a row or blob of the largest size needs.
pub(super) const LONGEST_LINE: u64 = 256 * 1024 * 1024;

/// Writes records as lines.
#[derive(Debug)]
pub struct LineWriter<W> {
    sink: W,
    previous: Digest,
}

impl<W: Write> LineWriter<W> {
    /// Begins at the first line.
    pub fn new(sink: W) -> Self {
        Self { sink, previous: Digest::ZERO }
    }

    /// Writes one line.
    ///
    /// # Errors
    /// If the sink does not take it.
    pub fn write(&mut self, record: &Record) -> io::Result<()> {
        let (line, digest) = closed(record, self.previous);
        self.previous = digest;
        self.sink.write_all(line.as_bytes())
    }

    /// Hands everything on.
    ///
    /// # Errors
    /// If the sink does not take it.
    pub fn finish(mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

/// A record as the line after the one with the digest `previous`, and its digest.
fn closed(record: &Record, previous: Digest) -> (String, Digest) {
    let mut line = record.to_json();
    line.pop();
    let digest = Digest(hasher(previous).chain_update(&line).finalize().into());
    line.push_str(&tail(digest));
    (line, digest)
}

/// Reads lines and checks the digest of each.
pub(super) struct LineReader<R> {
    source: R,
    previous: Digest,
    line: Vec<u8>,
    /// The number of the line read last, counted from 1.
    pub(super) number: u64,
    /// Where it begins in the file.
    pub(super) offset: u64,
}

impl<R: BufRead> LineReader<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, previous: Digest::ZERO, line: Vec::new(), number: 0, offset: 0 }
    }

    /// The next line; nothing at the end of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<Result<Record, Wrong>>> {
        self.offset += self.line.len() as u64;
        self.number += 1;
        self.line.clear();
        self.read_line()?;
        if self.line.is_empty() {
            return Ok(None);
        }
        let read = self.record();
        let Err(wrong) = read else { return Ok(Some(read)) };
        let at = self.altered_byte()?.unwrap_or(wrong.at);
        Ok(Some(Err(Wrong { at, ..wrong })))
    }

    fn read_line(&mut self) -> io::Result<()> {
        let mut bounded = (&mut self.source).take(LONGEST_LINE);
        bounded.read_until(b'\n', &mut self.line)?;
        Ok(())
    }

    /// The one byte that makes the line wrong, if it is one.
    fn altered_byte(&mut self) -> io::Result<Option<usize>> {
        let found = trial::altered_byte(self.previous, &self.line)
            .or_else(|| trial::altered_end(self.previous, &self.line));
        if found.is_some() {
            return Ok(found);
        }
        // A byte within the line may have become its end.
        self.read_line()?;
        Ok(trial::altered_byte(self.previous, &self.line))
    }

    fn record(&mut self) -> Result<Record, Wrong> {
        let line = &self.line[..];
        let Some(body) = line.strip_suffix(b"\n") else {
            return Err(Wrong { at: line.len(), what: "the line does not end".to_owned() });
        };
        let record = parsed(body)?;
        let (canonical, digest) = closed(&record, self.previous);
        let differs = line.iter().zip(canonical.as_bytes()).position(|(is, must)| is != must);
        let lengths = (line.len() != canonical.len()).then(|| line.len().min(canonical.len()));
        match differs.or(lengths) {
            Some(at) if at < canonical.len().saturating_sub(TAIL) => {
                Err(Wrong { at, what: "the line is not in its one form".to_owned() })
            }
            Some(_) => {
                Err(Wrong::line("the line or one before it was altered: its digest differs"))
            }
            None => {
                self.previous = digest;
                Ok(record)
            }
        }
    }
}

fn parsed(line: &[u8]) -> Result<Record, Wrong> {
    let json = serde_json::from_slice(line).map_err(|error| Wrong {
        at: error.column().saturating_sub(1),
        what: "the line is not JSON".to_owned(),
    })?;
    Record::from_json(&json)
}
