//! Every row of the language has a scenario, and every scenario names rows that exist.

use std::{collections::BTreeSet, path::Path};

use tutti_sim::{ROWS, RowState, load_scenarios};

#[test]
fn every_row_that_is_built_has_a_scenario() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let scenarios = load_scenarios(&directory).expect("the scenario files are readable");
    let proved: BTreeSet<&str> =
        scenarios.iter().flat_map(|scenario| &scenario.semantics).map(String::as_str).collect();
    let known: BTreeSet<&str> = ROWS.iter().map(|row| row.id).collect();
    let strangers: Vec<_> = proved.difference(&known).collect();
    assert!(strangers.is_empty(), "scenarios name rows that do not exist: {strangers:?}");
    let missing: Vec<_> = ROWS
        .iter()
        .filter(|row| !matches!(row.state, RowState::Elsewhere(_)))
        .map(|row| row.id)
        .filter(|id| !proved.contains(id))
        .collect();
    assert!(missing.is_empty(), "rows without a scenario: {missing:?}");
}

#[test]
fn every_scenario_proves_something() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let scenarios = load_scenarios(&directory).expect("the scenario files are readable");
    let bare: Vec<_> = scenarios
        .iter()
        .filter(|scenario| scenario.semantics.is_empty())
        .map(|scenario| &scenario.name)
        .collect();
    assert!(bare.is_empty(), "scenarios without rows: {bare:?}");
}
