//! What a person running a house command sees. A closed pipe is no error here: nobody is left to tell.

use std::io::{self, Write as _};

/// Prints one line, at once.
pub(crate) fn say(line: &str) {
    let mut out = io::stdout().lock();
    if writeln!(out, "{line}").is_ok() {
        drop(out.flush());
    }
}
