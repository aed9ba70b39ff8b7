//! Secrets, tokens and principals.

use super::place::Place;
use crate::world::output;

#[test]
fn a_secret_comes_from_a_file_stdin_or_the_environment_and_never_from_the_command_line() {
    let place = Place::with_admin();
    place.publish(
        "tells",
        "use: { secrets: [A] }\ndo:\n  - a: { switch: [{ four: { when: '${ ($secrets.A | length) == 4 }', then: four } }, { five: { when: '${ ($secrets.A | length) == 5 }', then: five } }] }\n  - six: { set: { length: 6 }, then: end }\n  - five: { set: { length: 5 }, then: end }\n  - four: { set: { length: 4 } }",
    );
    let length = || place.good(&["start", "tells", "--wait"]);
    place.world.write("a.txt", "four\n");
    place.good(&["secrets", "set", "A", "@a.txt"]);
    assert_eq!(length(), r#"{"length":4}"#);
    let said = place.tutti_reading(&["secrets", "set", "A"], "fives\r\n");
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_eq!(length(), r#"{"length":5}"#);
    let said =
        output(place.command(&["secrets", "set", "A", "--env", "MINE"]).env("MINE", "six666"));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_eq!(length(), r#"{"length":6}"#);
    let refused = place.bad(&["secrets", "set", "A", "seven77"], 2);
    assert!(refused.contains("not taken from the command line"), "{refused}");
    assert!(!refused.contains("seven77"), "{refused}");
    place.bad(&["secrets", "set", "A", "--env", "UNSET_HERE"], 2);
    assert!(place.good(&["secrets", "list"]).contains("\nA "));
    place.good(&["secrets", "delete", "A"]);
    assert!(place.bad(&["secrets", "delete", "A"], 2).starts_with("error[E0303]: "));
}

#[test]
fn a_token_is_good_for_what_it_was_issued_for_until_it_is_revoked() {
    let place = Place::with_admin();
    place.publish("w", "do: [{ a: { set: { n: 1 } } }]");
    let principal = place.good(&["principals", "create", "ci", "--grant", "operator@test"]);
    assert!(principal.starts_with("svc_"), "{principal}");
    let created =
        place.tutti(&["tokens", "create", "ci", "--principal", &principal, "--expires", "90d"]);
    assert_eq!(created.code, Some(0), "{}", created.stderr);
    let id = created.stderr.split_whitespace().nth(1).expect("its id").to_owned();
    assert!(!created.stderr.contains(created.stdout.trim()), "{}", created.stderr);
    place.world.write("ci.token", &created.stdout);
    let as_ci =
        |arguments: &[&str]| place.tutti(&[arguments, &["--token-file", "ci.token"]].concat());
    assert_eq!(as_ci(&["start", "w"]).code, Some(0));
    let denied = as_ci(&["list", "audit"]);
    assert_eq!((denied.code, denied.stdout.as_str()), (Some(5), ""));
    assert!(denied.stderr.contains("error[E0302]: "), "{}", denied.stderr);
    assert!(place.good(&["tokens", "list"]).contains(&id));
    place.good(&["tokens", "revoke", &id]);
    let revoked = as_ci(&["start", "w"]);
    assert_eq!(revoked.code, Some(5), "{}", revoked.stderr);
    assert!(revoked.stderr.contains("error[E0301]: "), "{}", revoked.stderr);
    place.good(&["principals", "delete", &principal]);
    assert!(!place.good(&["principals", "list"]).contains(&principal));
    let odd = place.bad(&["principals", "create", "x", "--grant", "root"], 2);
    assert!(odd.contains("roles are viewer, operator, author, admin"), "{odd}");
}

#[test]
fn a_token_is_issued_without_a_server_but_not_beside_one() {
    let mut place = Place::with_admin();
    let directory = place.server.directory.to_str().expect("UTF-8").to_owned();
    let offline = ["tokens", "create", "rescue", "--store", &directory];
    let refused = place.bad(&offline, 2);
    assert!(refused.contains("a server uses "), "{refused}");
    place.server.stop();
    let said = place.tutti(&offline);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(!said.stderr.contains("created: "), "there was an administrator: {}", said.stderr);
    let again = crate::server::client::Server::start_on(&place.server.directory, &[]);
    again.as_somebody(said.stdout.trim(), "GET", "/api/v1/audit", "").expect(200);
    assert!(again.said.iter().all(|line| !line.contains("no administrator")), "{:?}", again.said);
}

#[test]
fn a_directory_that_is_new_gets_its_administrator_and_its_keys() {
    let world = crate::world::World::new();
    let directory = world.path().join("data");
    let said = world.tutti(&["tokens", "create", "--store", "data", "--grant", "viewer"]);
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stderr.contains("created: usr_"), "{}", said.stderr);
    let server = crate::server::client::Server::start_on(&directory, &[]);
    assert!(server.said.iter().all(|line| !line.contains("no administrator")), "it needs no setup");
    let token = said.stdout.trim();
    server.as_somebody(token, "GET", "/api/v1/namespaces/x/workflows", "").expect(200);
    server.as_somebody(token, "GET", "/api/v1/audit", "").expect(403);
}
