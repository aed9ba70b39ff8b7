//! Fences: outside crates that only some of ours may use, so that IO, clocks and protocols stay where they belong.

use super::{Violation, graph::Graph};

/// An outside crate (a trailing `*` stands for anything), and who may use it.
struct Fence {
    outside: &'static str,
    allowed: &'static [&'static str],
}

const IO: &[&str] = &[
    "tutti-store",
    "tutti-connectors",
    "tutti-runtime",
    "tutti-server",
    "tutti",
    "tutti-sim",
    "xtask",
];
const ABOVE_THE_ENGINE: &[&str] = &[
    "tutti-secrets",
    "tutti-store",
    "tutti-connectors",
    "tutti-runtime",
    "tutti-api",
    "tutti-server",
    "tutti",
    "tutti-sim",
    "xtask",
];

const FENCES: &[Fence] = &[
    Fence { outside: "tokio*", allowed: IO },
    Fence { outside: "axum*", allowed: &["tutti-server"] },
    Fence { outside: "rusqlite", allowed: &["tutti-store"] },
    Fence { outside: "libsqlite3-sys", allowed: &["tutti-store"] },
    Fence { outside: "jaq-*", allowed: &["tutti-expr"] },
    Fence { outside: "saphyr*", allowed: &["tutti-dsl"] },
    Fence { outside: "marked-yaml", allowed: &["tutti-dsl"] },
    Fence { outside: "serde_yaml*", allowed: &["tutti-dsl"] },
    Fence { outside: "yaml-rust*", allowed: &["tutti-dsl"] },
    Fence { outside: "clap*", allowed: &["tutti"] },
    Fence { outside: "anstream", allowed: &["tutti"] },
    Fence { outside: "anstyle*", allowed: &["tutti"] },
    Fence { outside: "console", allowed: &["tutti"] },
    Fence { outside: "crossterm", allowed: &["tutti"] },
    Fence { outside: "indicatif", allowed: &["tutti"] },
    Fence { outside: "owo-colors", allowed: &["tutti"] },
    Fence { outside: "terminal_size", allowed: &["tutti"] },
    Fence { outside: "anyhow", allowed: &["tutti", "xtask"] },
    Fence { outside: "tracing*", allowed: ABOVE_THE_ENGINE },
    Fence { outside: "log", allowed: &[] },
    Fence { outside: "rand*", allowed: ABOVE_THE_ENGINE },
    Fence { outside: "getrandom", allowed: ABOVE_THE_ENGINE },
    Fence { outside: "chrono", allowed: &[] },
];

/// Uses of outside crates beyond their fence; tests are held to the same fences.
pub(super) fn check(graph: &Graph) -> Vec<Violation> {
    let mut violations = Vec::new();
    for package in &graph.members {
        for dependency in &package.dependencies {
            let fence = FENCES.iter().find(|fence| matches(fence.outside, &dependency.name));
            if fence.is_some_and(|fence| !fence.allowed.contains(&package.name.as_str())) {
                let what = format!("may not use {} (xtask/src/tidy/fences.rs)", dependency.name);
                violations.push(Violation::new(&package.name, what));
            }
        }
    }
    violations
}

/// More than one package that links SQLite.
pub(super) fn one_sqlite(graph: &Graph) -> Vec<Violation> {
    let linking = graph.resolved.iter().filter(|(_, links)| links.as_deref() == Some("sqlite3"));
    let names: Vec<_> = linking.map(|(name, _)| name.as_str()).collect();
    if names.len() <= 1 {
        return Vec::new();
    }
    vec![Violation::new(
        "Cargo.lock",
        format!("more than one SQLite binding: {}", names.join(", ")),
    )]
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_beyond_the_fence_is_found() {
        let planted = [
            ("tutti-engine", "tokio"),
            ("tutti-engine", "tracing"),
            ("tutti-runtime", "rusqlite"),
            ("tutti-dsl", "jaq-core"),
            ("tutti-connectors", "saphyr-parser"),
            ("tutti-runtime", "clap"),
            ("tutti-runtime", "axum"),
        ];
        for (package, outside) in planted {
            assert_eq!(
                check(&Graph::planted(package, outside, false)).len(),
                1,
                "{package} uses {outside}"
            );
        }
    }

    #[test]
    fn tests_are_held_to_the_fences_too() {
        assert_eq!(check(&Graph::planted("tutti-engine", "tokio", true)).len(), 1);
        assert_eq!(check(&Graph::planted("tutti-engine", "proptest", true)), []);
    }

    #[test]
    fn a_use_inside_the_fence_is_fine() {
        for (package, outside) in
            [("tutti-store", "rusqlite"), ("tutti-expr", "jaq-std"), ("tutti", "clap_complete")]
        {
            assert_eq!(
                check(&Graph::planted(package, outside, false)),
                [],
                "{package} uses {outside}"
            );
        }
    }

    #[test]
    fn a_second_sqlite_binding_is_found() {
        let binding = |name: &str| (name.to_owned(), Some("sqlite3".to_owned()));
        let mut graph = Graph { resolved: vec![binding("libsqlite3-sys")], ..Graph::default() };
        assert_eq!(one_sqlite(&graph), []);
        graph.resolved.push(binding("sqlite3-src"));
        assert_eq!(one_sqlite(&graph).len(), 1);
    }
}
