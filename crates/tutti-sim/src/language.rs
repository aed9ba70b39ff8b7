//! The reference of the language's support, made from the rows and the scenarios that prove them.

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{ROWS, RowState, Scenario};

const HEAD: &str = "\
# Language support

What this version does with each part of the workflow language, and the scenarios that prove it. *Executed* is run as the
language says. *Checked* validates, and then faults with a `configuration` error that says so. Each scenario is run on the
store in memory, on SQLite, and again with a crash and a lost answer at every commit; its file is
`crates/tutti-sim/scenarios/NAME.yaml`. This page is generated: `cargo xtask generate`.

| row | about | state | scenarios |
|---|---|---|---|
";

/// The whole page.
pub fn language_reference(scenarios: &[Scenario]) -> String {
    let mut proofs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for scenario in scenarios {
        for row in &scenario.semantics {
            proofs.entry(row).or_default().push(&scenario.name);
        }
    }
    let mut page = HEAD.to_owned();
    for row in ROWS {
        let state = match row.state {
            RowState::Executed => "executed",
            RowState::Checked => "checked",
            RowState::Elsewhere(_) => "—",
        };
        let proof = match row.state {
            RowState::Elsewhere(reason) => reason.to_owned(),
            _ => proofs.get(row.id).cloned().unwrap_or_default().join(", "),
        };
        // Writing to a string cannot fail.
        writeln!(page, "| {} | {} | {state} | {proof} |", row.id, row.what).ok();
    }
    page
}
