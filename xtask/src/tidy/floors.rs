//! Floors: which of our crates may import which. A new edge is a decision record, then a word in [`ALLOWED`].

use super::{Violation, graph::Graph};

/// From the lowest floor up: a crate, and the crates it may import (ARCHITECTURE.md, "Floors").
const ALLOWED: &[(&str, &[&str])] = &[
    ("tutti-ids", &[]),
    ("tutti-expr", &[]),
    ("tutti-dsl", &["tutti-expr"]),
    ("tutti-journal", &["tutti-expr", "tutti-ids"]),
    ("tutti-auth", &["tutti-ids"]),
    ("tutti-secrets", &["tutti-ids"]),
    ("tutti-engine", &["tutti-dsl", "tutti-expr", "tutti-journal", "tutti-ids"]),
    ("tutti-store", &["tutti-journal", "tutti-auth", "tutti-ids"]),
    ("tutti-connectors", &["tutti-journal", "tutti-expr", "tutti-secrets", "tutti-ids"]),
    (
        "tutti-runtime",
        &[
            "tutti-engine",
            "tutti-store",
            "tutti-connectors",
            "tutti-secrets",
            "tutti-dsl",
            "tutti-expr",
            "tutti-journal",
            "tutti-ids",
        ],
    ),
    ("tutti-api", &["tutti-ids"]),
    (
        "tutti-server",
        &[
            "tutti-api",
            "tutti-auth",
            "tutti-secrets",
            "tutti-store",
            "tutti-dsl",
            "tutti-journal",
            "tutti-runtime",
            "tutti-ids",
            // Values and controls in and out of the runtime (docs/decisions/0019).
            "tutti-engine",
            "tutti-expr",
        ],
    ),
    // The wiring: everything but the simulation.
    (
        "tutti",
        &[
            "tutti-server",
            "tutti-api",
            "tutti-runtime",
            "tutti-engine",
            "tutti-store",
            "tutti-connectors",
            "tutti-dsl",
            "tutti-expr",
            "tutti-journal",
            "tutti-auth",
            "tutti-secrets",
            "tutti-ids",
        ],
    ),
    // Never shipped (docs/decisions/0008).
    (
        "tutti-sim",
        &[
            "tutti-runtime",
            "tutti-engine",
            "tutti-store",
            "tutti-connectors",
            "tutti-secrets",
            "tutti-dsl",
            "tutti-expr",
            "tutti-journal",
            "tutti-ids",
        ],
    ),
    // They know the product as a user does: by its command line.
    ("tutti-examples", &[]),
    ("xtask", &[]),
];

/// Tests of every crate may use these as well.
const ALLOWED_IN_TESTS: &[&str] = &["tutti-sim"];

/// Edges between our crates that no floor allows, and crates that have no floor.
pub(super) fn check(graph: &Graph) -> Vec<Violation> {
    let mut violations = Vec::new();
    for package in &graph.members {
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == package.name) else {
            let what = "has no floor (xtask/src/tidy/floors.rs)";
            violations.push(Violation::new(&package.name, what));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|dependency| is_ours(&dependency.name))
        {
            let name = dependency.name.as_str();
            let in_tests = dependency.dev && ALLOWED_IN_TESTS.contains(&name);
            if !in_tests && !allowed.contains(&name) {
                let what = format!("may not import {name}; a new edge needs a decision record");
                violations.push(Violation::new(&package.name, what));
            }
        }
    }
    violations
}

fn is_ours(name: &str) -> bool {
    name == "tutti" || name == "xtask" || name.starts_with("tutti-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_upward_is_found_in_code_and_in_tests() {
        for dev in [false, true] {
            let violations = check(&Graph::planted("tutti-store", "tutti-engine", dev));
            assert_eq!(violations.len(), 1, "dev: {dev}");
            assert_eq!(violations[0].place, "tutti-store");
        }
    }

    #[test]
    fn the_simulation_is_for_tests_only() {
        assert_eq!(check(&Graph::planted("tutti", "tutti-sim", false)).len(), 1);
        assert_eq!(check(&Graph::planted("tutti", "tutti-sim", true)), []);
    }

    #[test]
    fn a_crate_without_a_floor_is_found() {
        assert_eq!(check(&Graph::planted("tutti-cellar", "serde", false)).len(), 1);
    }

    #[test]
    fn an_edge_downward_is_fine() {
        assert_eq!(check(&Graph::planted("tutti-engine", "tutti-journal", false)), []);
    }
}
