//! The first start: nobody has any password, so somebody who can read what the server prints creates the administrator.

use std::net::SocketAddr;

use tutti_auth::{
    Action, Actor, AuditRecord, Detail, Label, Outcome, Purpose, Text, Timestamp, Token,
};
use tutti_runtime::{Clock as _, SystemClock};
use tutti_server::{Desk, IssuedToken, issue_token};
use tutti_store::{
    AuditFact, Commit, Expected, RecordChange, RecordId, RecordKind, SqliteStore, Store as _,
};

use crate::{command_line::ServerArguments, console::Console, exit::Failure};

/// How long a setup token is good, in milliseconds: a day.
const GOOD_FOR_MS: i64 = 24 * 3_600 * 1_000;

/// Where to listen. As long as there is no administrator, on loopback only, with a setup token that is printed once.
pub(super) async fn prepare(
    desk: &Desk,
    store: &SqliteStore,
    arguments: &ServerArguments,
    console: &Console,
) -> Result<SocketAddr, Failure> {
    let listen = arguments.listen;
    if !desk.needs_setup() {
        return Ok(listen);
    }
    let issued = setup_token()?;
    write(store, &issued.token).await?;
    desk.know_token(issued.token);
    console.line("there is no administrator yet. Create one with this token, which is good once and for a day:");
    console.line(&format!("  {}", *issued.text.expose()));
    let here = SocketAddr::new([127, 0, 0, 1].into(), listen.port());
    console.line(&format!(
        "  curl -X POST http://{here}/api/v1/setup -H 'authorization: Bearer TOKEN' -H 'content-type: application/json' -d '{{\"name\":\"admin\"}}'"
    ));
    if listen.ip().is_loopback() {
        return Ok(listen);
    }
    console.line(&format!("until then it listens on loopback; start it again for {listen}"));
    Ok(here)
}

fn setup_token() -> Result<IssuedToken, Failure> {
    let now = SystemClock.now().0;
    let name: Label = "setup".parse().expect("invariant: it is a label");
    let expires = Some(Timestamp(now.saturating_add(GOOD_FOR_MS)));
    issue_token(name, Purpose::Setup, Timestamp(now), expires)
        .map_err(|error| Failure::usage(format!("cannot draw a token: {error}")))
}

async fn write(store: &SqliteStore, token: &Token) -> Result<(), Failure> {
    let id = RecordId { kind: RecordKind::Token, namespace: None, key: token.id.to_string() };
    let record = RecordChange { id, expected: Expected::Nothing, value: Some(token.encode()) };
    let audit = vec![fact(Action::TokenIssue, &token.id.to_string())];
    let commit = Commit { records: vec![record], audit, ..Commit::default() };
    store.commit(commit).await.map_err(|error| Failure::of("cannot write the token", &error))
}

/// What an administrator of the machine did, for the audit trail.
pub(crate) fn fact(action: Action, subject: &str) -> AuditFact {
    let record = AuditRecord {
        at: Timestamp(SystemClock.now().0),
        actor: Actor::System,
        action,
        outcome: Outcome::Allowed,
        namespace: None,
        subject: Text::cut(subject),
        reason: None,
        detail: Detail::default(),
        request: None,
        address: None,
    };
    AuditFact { execution: None, bytes: record.encode() }
}
