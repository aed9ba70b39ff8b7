//! What a token that is issued with or without a server has in common.

use tutti_runtime::{Clock as _, SystemClock};

use crate::{command_line::CreateTokenArguments, console::Console};

/// From when on it is refused, in milliseconds since the epoch.
pub(super) fn expiry(arguments: &CreateTokenArguments) -> Option<i64> {
    arguments.expires.map(|length| length.after(SystemClock.now().0))
}

/// Says what was issued, beside its text.
pub(super) fn tell(id: &str, name: &str, console: &Console) {
    console.line(&format!("issued: {id} ({name}); its text is shown this once"));
}
