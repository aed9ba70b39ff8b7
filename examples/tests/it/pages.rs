//! Every example is a valid document with a page.

use std::{collections::BTreeSet, fs};

use crate::program::{Scratch, repository, tutti};

fn examples() -> BTreeSet<String> {
    let entries = fs::read_dir(repository().join("examples")).expect("the examples");
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter_map(|name| name.strip_suffix(".yaml").map(str::to_owned)).collect()
}

#[test]
fn every_example_is_valid_without_a_warning() {
    let files: Vec<_> =
        examples().into_iter().map(|name| format!("examples/{name}.yaml")).collect();
    let arguments: Vec<&str> =
        ["validate", "-o", "json"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let output = Scratch::new().command(tutti(), &arguments).output().expect("tutti starts");
    assert!(output.status.success(), "{output:?}");
    let diagnostics: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(diagnostics, serde_json::json!([]));
}

#[test]
fn every_example_has_a_page_that_shows_how_to_run_it() {
    let read = |path: &str| fs::read_to_string(repository().join(path)).expect("the page");
    let overview = read("examples/README.md");
    for name in examples() {
        let page = read(&format!("examples/{name}.md"));
        let command = format!("-p tutti -- run examples/{name}.yaml");
        assert!(page.contains(&command), "examples/{name}.md does not say `{command}`");
        assert!(
            overview.contains(&format!("({name}.md)")),
            "examples/README.md does not name {name}"
        );
    }
}
