//! Writes the journal of all samples to standard output, to be kept as a golden journal.

use std::io::{self, Write as _};

#[path = "../tests/it/container.rs"]
#[expect(dead_code, reason = "the recorder does not read")]
mod container;
#[path = "../tests/it/samples.rs"]
#[expect(dead_code, reason = "the tests use what the recorder does not")]
mod samples;

fn main() -> io::Result<()> {
    let (rows, blobs) = samples::encode(&samples::journal());
    io::stdout().write_all(&container::write(&rows, &blobs))
}
