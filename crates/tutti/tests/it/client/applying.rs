//! `tutti apply`.

use super::place::Place;
use crate::server::client::document;

const ONE: &str = "do: [{ a: { set: { n: 1 } } }] # 1.0.0";
const TWO: &str = "do: [{ a: { set: { n: 2 } } }] # 1.0.0";
const THREE: &str = "do: [{ a: { set: { n: 3 } } }] # 1.0.0";

#[test]
fn a_version_is_raised_until_it_is_free_and_nothing_else_changes() {
    let place = Place::open();
    let apply = |text: &str, more: &[&str]| {
        place.world.write("w.yaml", text);
        place.tutti(&[&["apply", "w.yaml"], more].concat())
    };
    let first = document("w", "1.0.0", ONE);
    assert_eq!(apply(&first, &[]).stdout, "published test/w 1.0.0\n");
    assert_eq!(apply(&first, &["--bump", "patch"]).stdout, "unchanged test/w 1.0.0\n");
    let second = document("w", "1.0.0", TWO);
    let taken = apply(&second, &[]);
    assert_eq!((taken.code, taken.stdout.as_str()), (Some(2), ""));
    assert!(taken.stderr.starts_with("error[E0306]: w.yaml: "), "{}", taken.stderr);
    assert!(taken.stderr.contains("hint: raise `document.version`: `tutti apply --bump patch`"));
    assert_eq!(place.world.read("w.yaml"), second, "what is refused is left as it is");
    assert_eq!(apply(&second, &["--bump", "patch"]).stdout, "published test/w 1.0.1\n");
    assert_eq!(place.world.read("w.yaml"), second.replace("version: '1.0.0'", "version: '1.0.1'"));
    let third = document("w", "1.0.0", THREE);
    assert_eq!(apply(&third, &["--bump", "patch"]).stdout, "published test/w 1.0.2\n");
    assert_eq!(apply(&third, &["--bump", "minor"]).stdout, "published test/w 1.1.0\n");
    assert_eq!(apply(&third, &["--bump", "major"]).stdout, "published test/w 2.0.0\n");
    // Raised to what is published with the same content: the file says so, and nothing is published.
    assert_eq!(apply(&second, &["--bump", "patch"]).stdout, "unchanged test/w 1.0.1\n");
}

#[test]
fn mistakes_are_shown_where_they_are_and_the_rest_is_published() {
    let place = Place::open();
    std::fs::create_dir(place.world.path().join("all")).expect("a directory");
    place.world.write("all/b.yaml", &document("b", "1.0.0", ONE));
    place.world.write("all/a.yaml", &document("a", "1.0.0", "do:\n  - a: { sett: { n: 1 } }"));
    place.world.write("all/c.json", r#"{"document":{"dsl":"1.0.3","namespace":"other","name":"c","version":"0.1.0"},"do":[{"a":{"set":{"n":1}}}]}"#);
    place.world.write("all/readme.md", "no workflow");
    let said = place.tutti(&["apply", "all"]);
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    assert_eq!(said.stdout, "published test/b 1.0.0\npublished other/c 0.1.0\n");
    let validated = place.tutti(&["validate", "all/a.yaml"]).stderr;
    let (diagnostics, _verdict) = validated.split_once("invalid all/a.yaml").expect("a verdict");
    assert!(!diagnostics.is_empty() && said.stderr.contains(diagnostics), "{}", said.stderr);
    assert!(said.stderr.contains("all/a.yaml:3:"), "{}", said.stderr);
}

#[test]
fn what_cannot_be_published_is_told_by_its_file() {
    let place = Place::open();
    place.world.write("w.yaml", &document("w", "1.0.0", ONE));
    let check = |arguments: &[&str], code: i32, expected: &str| {
        let told = place.bad(arguments, code);
        assert!(told.contains(expected), "{arguments:?}: {told}");
    };
    check(&["apply", "none.yaml"], 2, "cannot read none.yaml: No such file");
    check(&["apply", "w.yaml", "-n", "elsewhere"], 2, "w.yaml: the document says namespace `test`");
    check(&["apply", "w.yaml", "--url", "http://127.0.0.1:1"], 5, "cannot reach the server");
    std::fs::create_dir(place.world.path().join("empty")).expect("a directory");
    check(&["apply", "empty"], 2, "there is no .yaml, .yml or .json file in empty");
}
