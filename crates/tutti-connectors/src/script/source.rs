//! Where a script's text comes from when it does not stand in the document.

use std::{fs::File, io::Read, path::PathBuf};

use percent_encoding::percent_decode_str;
use tutti_journal::{Error, ErrorType};

/// The largest script, in bytes.
pub(super) const MOST: u64 = 4 * 1024 * 1024;

/// Loads the script at a `file:` URI.
pub(super) fn load(uri: &str) -> Result<String, Error> {
    let path = path(uri)?;
    let fail = |what: String| {
        Error::new(ErrorType::Configuration, format!("the script at `{uri}` {what}"))
    };
    let file = File::open(&path).map_err(|error| fail(format!("cannot be opened: {error}")))?;
    // Only a regular file: another kind could make us wait for ever.
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err(fail("is no file".to_owned()));
    }
    let mut bytes = Vec::new();
    let read = file.take(MOST + 1).read_to_end(&mut bytes);
    read.map_err(|error| fail(format!("cannot be read: {error}")))?;
    if bytes.len() as u64 > MOST {
        return Err(fail(format!("is larger than {MOST} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| fail(format!("is not UTF-8: {error}")))
}

/// The path of a `file:` URI of this machine.
fn path(uri: &str) -> Result<PathBuf, Error> {
    let refuse = |why: &str| {
        Error::new(ErrorType::Configuration, format!("the script's source `{uri}` {why}"))
    };
    let rest = uri
        .strip_prefix("file:")
        .ok_or_else(|| refuse("is not a `file:` URI: others are not loaded by this version"))?;
    let path = match rest.strip_prefix("//") {
        Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
        None => rest,
    };
    if !path.starts_with('/') || path.contains(['?', '#']) {
        return Err(refuse("does not name a file of this machine, such as `file:///srv/a.py`"));
    }
    let path = percent_decode_str(path).decode_utf8();
    Ok(PathBuf::from(path.map_err(|_not_text| refuse("is not UTF-8"))?.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(uri: &str, expected: Option<&str>) {
        assert_eq!(path(uri).ok(), expected.map(PathBuf::from), "{uri}");
    }

    #[test]
    fn only_files_of_this_machine_are_named() {
        check("file:///srv/a%20b.py", Some("/srv/a b.py"));
        check("file:/srv/a.py", Some("/srv/a.py"));
        check("file://localhost/srv/a.py", Some("/srv/a.py"));
        check("file://other/srv/a.py", None);
        check("file://localhostile/srv/a.py", None);
        check("file:a.py", None);
        check("file:///a?b", None);
        check("https://host/a.py", None);
    }
}
