//! Prints the OpenAPI document, for `docs/reference/openapi.json`.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    let document = tutti_api::openapi::document(env!("CARGO_PKG_VERSION"));
    let text = serde_json::to_string_pretty(&document)?;
    writeln!(std::io::stdout(), "{text}")
}
