//! The specification's own documents, where they are present.

use std::path::{Path, PathBuf};

use tutti_dsl::{Severity, parse, render};

/// The specification, if it is there.
pub(crate) fn spec_dir() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec");
    let dir = std::env::var_os("TUTTI_SPEC_DIR").map_or(beside, PathBuf::from);
    dir.is_dir().then_some(dir)
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
        eprintln!("skipped: the specification is not beside the repository");
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
