//! Publishing.

use super::client::{Server, document};

const PATH: &str = "/api/v1/namespaces/test/workflows";
const ONE: &str = "do: [{ a: { set: { n: 1 } } }]";

#[test]
fn a_version_is_published_once_and_never_changes() {
    let server = Server::open();
    let published = server.post(PATH, &document("w", "1.0.0", ONE)).expect(201);
    assert_eq!((&published["name"], &published["state"]), (&"w".into(), &"active".into()));
    let again = server.post(PATH, &document("w", "1.0.0", ONE)).expect(200);
    assert_eq!(again["digest"], published["digest"]);
    let other = server.post(PATH, &document("w", "1.0.0", "do: [{ a: { set: { n: 2 } } }]"));
    assert_eq!((other.status, other.code().as_str()), (409, "E0306"));
    assert!(other.body.contains("--bump patch"), "{}", other.body);
    let read = server.get(&format!("{PATH}/w")).expect(200);
    assert_eq!(read["document"], document("w", "1.0.0", ONE));
}

#[test]
fn every_error_of_a_document_is_told_with_its_place() {
    let server = Server::open();
    let text =
        document("w", "1.0.0", "do: [{ a: { sett: { n: 1 } } }, { b: { set: '${ . | }' } }]");
    let refused = server.post(PATH, &text);
    let problem = refused.expect(422);
    assert_eq!(refused.code(), "E0305");
    let found = problem["diagnostics"].as_array().expect("a list");
    assert!(found.len() >= 2 && found.iter().all(|it| it["line"] == 2), "{problem}");
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    let checked = server.post(&format!("{PATH}:validate"), &text).expect(200);
    assert_eq!(
        (&checked["valid"], &checked["diagnostics"]),
        (&false.into(), &problem["diagnostics"])
    );
    server.get(&format!("{PATH}/w")).expect(404);
}

#[test]
fn the_namespace_of_the_path_counts() {
    let server = Server::open();
    let elsewhere = server.post("/api/v1/namespaces/other/workflows", &document("w", "1.0.0", ONE));
    assert_eq!((elsewhere.status, elsewhere.code().as_str()), (400, "E0304"));
}

#[test]
fn a_version_that_an_open_execution_keeps_is_not_deleted() {
    let server = Server::open();
    server.publish("waits", "do: [{ a: { wait: PT1H } }]");
    let id = server.start_one("waits", "");
    let delete = || server.ask("DELETE", &format!("{PATH}/waits/1.0.0"), &[], "");
    let refused = delete();
    assert_eq!((refused.status, refused.code().as_str()), (409, "E0316"));
    assert!(refused.body.contains(&id), "{}", refused.body);
    server.post(&format!("/api/v1/executions/{id}/cancel"), "").expect(200);
    assert_eq!(delete().status, 204);
}

#[test]
fn latest_passes_over_what_is_deprecated_deleted_or_no_release() {
    let mut server = Server::open();
    for version in ["1.0.0", "1.1.0", "2.0.0", "3.0.0-rc.1"] {
        let text =
            document("w", version, &format!("do: [{{ a: {{ set: {{ v: '{version}' }} }} }}]"));
        server.post(PATH, &text).expect(201);
    }
    let latest = |server: &Server| server.begin("w", "?wait=10s", "").expect(200)["v"].clone();
    assert_eq!(latest(&server), "2.0.0");
    server.post(&format!("{PATH}/w/2.0.0/deprecate"), "").expect(200);
    assert_eq!(latest(&server), "1.1.0");
    assert_eq!(server.begin("w", "?wait=10s&version=2.0.0", "").expect(200)["v"], "2.0.0");
    assert_eq!(server.ask("DELETE", &format!("{PATH}/w/1.1.0"), &[], "").status, 204);
    assert_eq!(latest(&server), "1.0.0");
    server.kill();
    let server = Server::start_on(&server.directory, &["--no-login"]);
    assert_eq!(latest(&server), "1.0.0");
    let page = server.get(&format!("{PATH}?limit=2")).expect(200);
    let cursor = page["next"].as_str().expect("there is more").to_owned();
    let rest = server.get(&format!("{PATH}?limit=2&cursor={cursor}")).expect(200);
    let versions = |page: &serde_json::Value| {
        let items = page["items"].as_array().expect("a list");
        items.iter().map(|it| it["version"].to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(versions(&page) + " " + &versions(&rest), r#""1.0.0" "2.0.0" "3.0.0-rc.1""#);
    assert!(rest["next"].is_null());
}
