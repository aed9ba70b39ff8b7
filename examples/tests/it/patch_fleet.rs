//! `patch-fleet.yaml`

use serde_json::json;

use crate::program::{Ended, Scratch};

fn patch(count: u32, max_failed: u32) -> Ended {
    let input = json!({ "count": count, "seconds": 0, "maxFailed": max_failed });
    Scratch::new().run(&["examples/patch-fleet.yaml", "-q", "--input", &input.to_string()])
}

#[test]
fn hosts_that_fail_are_collected_with_the_reason() {
    let report = patch(38, 20).output();
    assert_eq!(report["status"], "patched, but for some");
    assert_eq!((&report["hosts"], &report["patched"]), (&json!(38), &json!(31)), "{report}");
    let hosts: Vec<_> =
        report["failed"].as_array().expect("a list").iter().map(|it| &it["host"]).collect();
    assert_eq!(hosts, ["web-7", "web-14", "web-19", "web-21", "web-28", "web-35", "web-38"]);
    let problem = report["failed"][2]["problem"].as_str().expect("a reason");
    assert!(problem.contains("no route to host"), "{problem}");
}

#[test]
fn too_many_failures_are_an_error_that_names_the_hosts() {
    let problem = patch(38, 5).problem();
    assert_eq!(problem["type"], "https://tutti.example/errors/too-many-hosts-failed");
    assert_eq!(problem["instance"], "/do/2/giveUp");
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(detail.starts_with("7 of 38 hosts failed (18 %, allowed 5 %): web-7,"), "{detail}");
}

#[test]
fn a_fleet_without_failures_is_patched() {
    for count in [0, 1, 6] {
        let report = patch(count, 0).output();
        assert_eq!(
            (&report["status"], &report["patched"]),
            (&json!("patched"), &json!(count)),
            "{report}"
        );
    }
}
