//! Every scenario file.

use std::path::Path;

use tutti_sim::{check_scenario, load_scenarios};

#[test]
fn every_scenario_ends_as_it_says_however_it_is_run() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let scenarios = load_scenarios(&directory).expect("the scenario files are readable");
    assert!(!scenarios.is_empty());
    let wanted = std::env::var("SCENARIO").unwrap_or_default();
    let mut failed = Vec::new();
    for scenario in scenarios.iter().filter(|scenario| scenario.name.contains(&wanted)) {
        let problems = check_scenario(scenario);
        if !problems.is_empty() {
            failed.push(format!("{}\n  {}", scenario.name, problems.join("\n  ")));
        }
    }
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
}
