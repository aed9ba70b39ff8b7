//! `provision.yaml`: a server that is set up, one that is taken back, and a death in the middle of that.

use serde_json::{Value, json};

use crate::{
    program::{Ended, Scratch},
    shop::Shop,
};

const FILE: &str = "examples/provision.yaml";

fn arguments(shop: &Shop, rehearse: Option<&str>) -> Vec<String> {
    let mut input = json!({ "host": "db-1", "role": "db", "machines": shop.place("machines"), "retryAfter": "PT0.01S" });
    if let Some(rehearse) = rehearse {
        input["rehearse"] = json!(rehearse);
    }
    [FILE, "--input", &input.to_string()].map(str::to_owned).to_vec()
}

fn provision(scratch: &Scratch, shop: &Shop, rehearse: Option<&str>, more: &[&str]) -> Ended {
    let arguments = arguments(shop, rehearse);
    let all: Vec<&str> = arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
    scratch.run(&all)
}

/// The kinds of what there is in the machine room.
fn held(shop: &Shop) -> Vec<String> {
    let held = shop.get("machines", "/held");
    let things = held.as_array().expect("a list");
    things.iter().filter_map(|thing| Some(thing["kind"].as_str()?.to_owned())).collect()
}

/// What was removed, in order, without the numbers.
fn removed(shop: &Shop) -> Vec<String> {
    let kind = |removal: &Value| Some(removal["of"].as_str()?.split('-').next()?.to_owned());
    shop.effects("removal").iter().filter_map(kind).collect()
}

/// That nothing was made or removed twice: only repetitions under a known key, of which there are this many.
#[track_caller]
fn check_taken_back(shop: &Shop, repeats: usize) {
    assert_eq!(held(shop), [""; 0]);
    assert_eq!(removed(shop), ["name", "machine", "address"]);
    assert_eq!(shop.effects("repeat").len(), repeats);
}

#[test]
fn a_server_is_set_up() {
    for (rehearse, failures) in [(None, 0), (Some("busy"), 2)] {
        let (scratch, shop) = (Scratch::new(), Shop::open());
        let ended = provision(&scratch, &shop, rehearse, &[]);
        let expected = json!({ "host": "db-1", "status": "ready", "ip": "10.20.0.11", "machine": "machine-2" });
        assert_eq!(ended.output(), expected);
        assert_eq!(held(&shop), ["address", "machine", "name", "watch"]);
        assert_eq!(ended.stderr.matches("package database is locked").count(), 3 * failures);
    }
}

#[test]
fn what_was_made_is_taken_back_when_the_configuration_fails() {
    let (scratch, shop) = (Scratch::new(), Shop::open());
    let ended = provision(&scratch, &shop, Some("fail"), &[]);
    let problem = ended.problem();
    assert_eq!(problem["exitCode"], 65, "{problem}");
    assert_eq!(problem["instance"], "/do/4/configure/try/0/install");
    check_taken_back(&shop, 0);
}

#[test]
fn a_death_while_it_is_taken_back_is_gone_on_from() {
    let (scratch, shop) = (Scratch::new(), Shop::open());
    let store = scratch.path("store");
    let arguments = arguments(&shop, Some("hold"));
    let all: Vec<&str> = arguments.iter().map(String::as_str).chain(["--store", &store]).collect();
    let mut tutti = scratch.start(&all);
    // The machine is removed, and nobody is told.
    assert_eq!(shop.wait_for("removal", 2).len(), 2);
    tutti.kill().expect("tutti can be killed");
    assert_eq!(tutti.wait().expect("tutti has ended").code(), None, "it did not end by itself");
    assert_eq!(held(&shop), ["address"]);

    let problem = scratch.run(&["--store", &store, "--resume"]).problem();
    assert_eq!(problem["exitCode"], 65, "{problem}");
    check_taken_back(&shop, 1);
}

#[test]
fn what_cannot_be_taken_back_is_left_to_a_person() {
    let (scratch, shop) = (Scratch::new(), Shop::open());
    let store = scratch.path("store");
    let asked = provision(&scratch, &shop, Some("forget"), &["--store", &store]);
    assert_eq!(asked.code, Some(4), "{asked:?}");
    assert!(asked.stderr.contains("name-4 still needs machine-2"), "{asked:?}");
    assert_eq!(held(&shop), ["address", "machine", "name"]);

    shop.delete("machines", "/names/name-4");
    let resume = ["--store", &store, "--resume", "--unknown", "retry"];
    let problem = scratch.run(&resume).problem();
    assert_eq!(problem["exitCode"], 65, "{problem}");
    assert_eq!(held(&shop), [""; 0]);
    assert_eq!(removed(&shop), ["name", "name", "machine", "address"]);
}
