//! The specification's own documents, where they are present.

use std::path::{Path, PathBuf};

use tutti_dsl::{Severity, parse, render};

/// The specification, if it is there.
pub(crate) fn spec_dir() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec");
    let dir = std::env::var_os("TUTTI_SPEC_DIR").map_or(beside, PathBuf::from);
    dir.is_dir().then_some(dir)
}

/// Says visibly that a test did not look at everything.
#[expect(clippy::print_stderr, reason = "a skipped test says so to the person who runs it")]
pub(crate) fn skip(why: &str) {
    eprintln!("skipped: {why}");
}

/// The YAML files of a directory, sorted.
pub(crate) fn documents(dir: &Path) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(dir).expect("a readable directory");
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    files
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .map(|path| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            (name.unwrap_or_default(), std::fs::read_to_string(&path).expect("a readable file"))
        })
        .collect()
}

#[test]
fn every_example_of_the_specification_validates() {
    let Some(spec) = spec_dir() else {
        skip("the specification is not beside the repository");
        return;
    };
    let mut failures = String::new();
    for dir in ["examples", "ows-main/examples"] {
        for (name, text) in documents(&spec.join(dir)) {
            let parsed = parse(&text);
            for diagnostic in &parsed.diagnostics {
                if diagnostic.severity() == Severity::Error {
                    failures.push_str(&render(diagnostic, &format!("{dir}/{name}"), &text));
                }
            }
            assert_eq!(parsed.workflow.is_none(), parsed.has_errors(), "{dir}/{name}");
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

#[test]
fn definitions_that_must_not_validate_do_not() {
    let Some(spec) = spec_dir() else {
        skip("the specification is not beside the repository");
        return;
    };
    let expected = [
        ("extra-property-in-call.yaml", "E0107"),
        ("listen-any-until-any-until.yaml", "E0102"),
        ("two-tasks-in-one-item.yaml", "E0109"),
    ];
    let found = documents(&spec.join("ci-invalid"));
    assert_eq!(found.len(), expected.len());
    for ((name, text), (expected_name, code)) in found.iter().zip(expected) {
        assert_eq!(name, expected_name);
        let parsed = parse(text);
        let codes: Vec<&str> = parsed.diagnostics.iter().map(|found| found.code.as_str()).collect();
        assert!(codes.contains(&code), "{name}: {codes:?}");
        assert!(parsed.workflow.is_none());
    }
}

/// The definitions of the conformance kit: the texts after "a workflow with definition".
fn kit_definitions(feature: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = feature.lines();
    while let Some(line) = lines.next() {
        if !line.contains("a workflow with definition") {
            continue;
        }
        let opening = lines.next().unwrap_or("");
        let indentation = opening.len() - opening.trim_start().len();
        let text: Vec<&str> = lines
            .by_ref()
            .take_while(|line| line.trim() != "\"\"\"")
            .map(|line| line.get(indentation..).unwrap_or(""))
            .collect();
        found.push(text.join("\n"));
    }
    found
}

#[test]
fn every_definition_of_the_conformance_kit_validates() {
    let Some(spec) = spec_dir() else {
        skip("the specification is not beside the repository");
        return;
    };
    let mut count = 0;
    let mut failures = String::new();
    for kit in ["ctk/features", "ows-main/ctk/features"] {
        for entry in std::fs::read_dir(spec.join(kit)).expect("the kit") {
            let path = entry.expect("an entry").path();
            let feature = std::fs::read_to_string(&path).expect("a feature");
            for text in kit_definitions(&feature) {
                count += 1;
                for found in parse(&text).diagnostics {
                    if found.severity() == Severity::Error {
                        failures.push_str(&render(&found, &path.to_string_lossy(), &text));
                    }
                }
            }
        }
    }
    assert!(count > 20, "{count}");
    assert!(failures.is_empty(), "\n{failures}");
}
