//! Who is let in.

use super::client::Server;

#[test]
fn the_first_administrator_is_made_once_with_what_the_server_printed() {
    let server = Server::start(&[]);
    let setup = server.setup_token();
    assert_eq!(server.get("/api/v1/server").code(), "E0301");
    assert_eq!(server.as_somebody(&setup, "GET", "/api/v1/server", "").code(), "E0301");
    let made = server.as_somebody(&setup, "POST", "/api/v1/setup", r#"{"name":"ada"}"#).expect(201);
    let token = made["text"].as_str().expect("a token").to_owned();
    server.as_somebody(&token, "GET", "/api/v1/server", "").expect(200);
    let again = server.as_somebody(&setup, "POST", "/api/v1/setup", r#"{"name":"eve"}"#);
    assert_eq!((again.status, again.code().as_str()), (401, "E0301"));
    let other = server.as_somebody(&token, "POST", "/api/v1/setup", r#"{"name":"eve"}"#);
    assert_eq!(other.code(), "E0307");
}

#[test]
fn what_is_not_a_good_token_is_refused_and_written_down() {
    let server = Server::with_admin();
    let token = server.token.clone().expect("an administrator");
    let flipped =
        token[..token.len() - 1].to_owned() + if token.ends_with('A') { "B" } else { "A" };
    for bad in ["", "x", &flipped, &token[..token.len() - 1], &format!("{token}x")] {
        let refused = server.as_somebody(bad, "GET", "/api/v1/server", "");
        assert_eq!((refused.status, refused.code().as_str()), (401, "E0301"), "{bad}");
        assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    }
    let audit = server.get("/api/v1/audit").body;
    assert!(audit.contains("token.use-failed"), "{audit}");
    assert!(!audit.contains(&token), "a token is in the audit trail");
}

#[test]
fn a_token_is_revoked_expires_and_never_has_more_than_whose_it_is() {
    let server = Server::with_admin();
    let issue = |body: &str| server.post("/api/v1/tokens", body);
    let narrow =
        issue(r#"{"name":"ci","grants":[{"role":"operator","namespace":"test"}]}"#).expect(201);
    let (id, text) = (narrow["id"].as_str().unwrap_or(""), narrow["text"].as_str().unwrap_or(""));
    server.as_somebody(text, "GET", "/api/v1/namespaces/test/executions", "").expect(200);
    server.as_somebody(text, "GET", "/api/v1/namespaces/other/executions", "").expect(404);
    let wider = server.as_somebody(text, "POST", "/api/v1/tokens", r#"{"name":"wide"}"#);
    assert_eq!(wider.code(), "E0302");
    assert_eq!(server.ask("DELETE", &format!("/api/v1/tokens/{id}"), &[], "").status, 204);
    assert_eq!(server.as_somebody(text, "GET", "/api/v1/server", "").code(), "E0301");
    let past = issue(r#"{"name":"old","expiresAt":"2020-01-01T00:00:00Z"}"#).expect(201);
    let past = past["text"].as_str().unwrap_or("");
    assert_eq!(server.as_somebody(past, "GET", "/api/v1/server", "").code(), "E0301");
    let listed = server.get("/api/v1/tokens").body;
    assert!(listed.contains("revokedAt") && !listed.contains(text), "{listed}");
}

#[test]
fn without_login_the_server_listens_on_loopback_only() {
    let refused = std::process::Command::new(env!("CARGO_BIN_EXE_tutti"))
        .args(["server", "--no-login", "--listen", "0.0.0.0:0", "--store", "/nonexistent/x"])
        .output()
        .expect("it runs");
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("loopback only"));
}
