//! `tutti list` and `tutti get`.

use super::place::{Place, WAITS};

#[test]
fn everything_is_listed_as_a_table_json_and_yaml() {
    let place = Place::with_admin();
    place.publish("waits", WAITS);
    place.good(&["start", "waits"]);
    place.publish("yearly", "schedule: { cron: '0 0 1 1 *' }\ndo: [{ a: { set: { n: 1 } } }]");
    place.tutti_reading(&["secrets", "set", "TOKEN"], "hunter2\n");
    let lists = [
        ("workflows", "NAME"),
        ("executions", "EXECUTION"),
        ("schedules", "WORKFLOW"),
        ("secrets", "NAME"),
        ("tokens", "ID"),
        ("principals", "ID"),
        ("audit", "NUMBER"),
    ];
    for (what, head) in lists {
        let table = place.good(&["list", what]);
        assert!(table.starts_with(head), "{what}: {table}");
        assert!(table.lines().count() > 1, "{what}: {table}");
        let json = place.good(&["list", what, "-o", "json"]);
        let json: serde_json::Value = serde_json::from_str(&json).expect("one line of JSON");
        assert_eq!(json.as_array().map(Vec::len), Some(table.lines().count() - 1), "{what}");
        let yaml = place.good(&["list", what, "-o", "yaml"]);
        assert!(yaml.starts_with("- "), "{what}: {yaml}");
        for text in [table, json.to_string(), yaml] {
            assert!(!text.contains("hunter2"), "{what}: {text}");
            assert!(!text.contains(place.server.token.as_deref().unwrap_or("-")), "{what}");
        }
    }
}

#[test]
fn a_list_ends_at_its_limit_and_says_so() {
    let place = Place::open();
    place.publish("waits", WAITS);
    for _time in 0..3 {
        place.good(&["start", "waits"]);
    }
    let count = |arguments: &[&str]| {
        let said = place.tutti(&[&["list", "executions"], arguments].concat());
        (said.stdout.lines().count().saturating_sub(1), said.stderr)
    };
    let (rows, more) = count(&["--limit", "2"]);
    assert_eq!((rows, more.contains("give a higher --limit")), (2, true), "{more}");
    assert_eq!(count(&["--limit", "3"]), (3, String::new()));
    assert_eq!(count(&["--status", "completed"]).0, 0);
    assert_eq!(count(&["--workflow", "waits"]).0, 3);
    assert_eq!(count(&["--since", "2100-01-01T00:00:00Z"]).0, 0);
    let odd = place.bad(&["list", "executions", "--status", "paused"], 2);
    assert!(odd.starts_with("error[E0304]: "), "{odd}");
}

#[test]
fn one_thing_is_shown_as_it_is() {
    let place = Place::open();
    let file = place.publish("double", "do: [{ a: { set: { n: '${ .n * 2 }' } } }]");
    assert_eq!(
        place.good(&["get", "workflow", "double", "--document"]) + "\n",
        place.world.read(&file)
    );
    let version = place.good(&["get", "workflow", "double", "1.0.0", "-o", "json"]);
    assert!(version.contains("\"state\":\"active\""), "{version}");
    place.good(&["start", "double", "--set", "n:=4", "--wait", "--key", "k"]);
    let list = place.good(&["list", "executions", "-o", "json"]);
    let list: serde_json::Value = serde_json::from_str(&list).expect("JSON");
    let id = list[0]["id"].as_str().expect("an id");
    let shown = place.good(&["get", "execution", id, "-o", "json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown["output"], serde_json::json!({ "n": 8 }));
    assert!(place.good(&["get", "execution", id]).contains("  completed  k  "));
    place.bad(&["get", "workflow", "double", "2.0.0"], 2);
}
