//! `host-report.yaml`

use serde_json::{Value, json};

use crate::program::Scratch;

const FILE: &str = "examples/host-report.yaml";

#[test]
fn the_report_has_every_fact_of_this_machine() {
    let report = Scratch::new().run(&[FILE]).output();
    let facts = &report["facts"];
    for (pointer, is_plausible) in [
        ("/host", (|it| it.as_str().is_some_and(|host| !host.is_empty())) as fn(&Value) -> bool),
        ("/kernel", |it| it.as_str().is_some_and(|kernel| kernel.starts_with("Linux "))),
        ("/uptime", |it| it.as_str().is_some_and(|uptime| uptime.ends_with(" min"))),
        ("/load/cpus", |it| it.as_u64().is_some_and(|cpus| cpus > 0)),
        ("/load/perCpu", |it| it.as_f64().is_some_and(|load| load >= 0.0)),
        ("/memory/totalGiB", |it| it.as_f64().is_some_and(|total| total > 0.0)),
        ("/memory/usedPercent", |it| it.as_f64().is_some_and(|used| (0.0..=100.0).contains(&used))),
        ("/disks/0/path", |it| it.as_str().is_some_and(|path| path.starts_with('/'))),
        ("/largestProcesses/4", |it| it.as_str().is_some_and(|process| process.ends_with(" MiB"))),
    ] {
        let fact = facts.pointer(pointer).unwrap_or(&Value::Null);
        assert!(is_plausible(fact), "{pointer}: {fact} in {report}");
    }
}

#[test]
fn levels_decide_between_the_three_verdicts() {
    let check = |memory: Value, factor: Value, status: &str, findings: Value| {
        let levels = json!({
            "loadPerCpu": 1e6, "diskPercent": 100, "memoryPercent": memory, "criticalFactor": factor,
        });
        let report = Scratch::new().run(&[FILE, "-q", "--input", &levels.to_string()]).output();
        // A file system that is full would be a finding at any level.
        let found = report["findings"].as_array().expect("findings are a list").iter();
        let found: Vec<_> = found
            .filter(|it| it["what"] == "memory in use, %")
            .map(|it| it["severity"].clone())
            .collect();
        assert_eq!((report["status"].as_str(), json!(found)), (Some(status), findings), "{report}");
    };
    check(json!(100), json!(2), "ok", json!([]));
    check(json!(0), json!(1), "critical", json!(["critical"]));
    check(json!(1), json!(1000), "warning", json!(["warning"]));
}

#[test]
fn a_level_of_the_wrong_type_is_refused_before_anything_is_done() {
    let ended = Scratch::new().run(&[FILE, "--set", "memoryPercent=high"]);
    let problem = ended.problem();
    assert_eq!(
        (&problem["status"], &problem["instance"]),
        (&json!(400), &json!("/input")),
        "{ended:?}"
    );
}
