//! The first start: nobody has any password, so somebody who can read what the server prints creates the administrator, or a
//! file holds the token of one.

use std::{fs::File, io::Read as _, net::SocketAddr, path::Path};

use tutti_auth::{
    Action, Actor, AuditRecord, Detail, Grants, Label, Outcome, Principal, Purpose, Rights, Role,
    Text, Timestamp, Token, TokenText,
};
use tutti_ids::{PrincipalId, PrincipalKind};
use tutti_runtime::{Clock as _, SystemClock};
use tutti_server::{Desk, IssuedToken, Log, LogLevel, LogRecord, issue_token};
use tutti_store::{AuditFact, Commit, Expected, Lookup, RecordChange, RecordId, RecordKind};

use super::settings::Settings;
use crate::{console::Console, exit::Failure};

/// How long a setup token is good, in milliseconds: a day.
const GOOD_FOR_MS: i64 = 24 * 3_600 * 1_000;
/// The largest file that may hold a token, in bytes.
const LARGEST_FILE: u64 = 4_096;

/// Where to listen. As long as there is no administrator, on loopback only, with a setup token that is printed once; unless a
/// file says the token of the administrator, who is then made.
pub(super) async fn prepare(
    desk: &Desk,
    store: &dyn Lookup,
    settings: &Settings,
    (log, console): (&dyn Log, &Console),
) -> Result<SocketAddr, Failure> {
    let listen = settings.listen;
    if !desk.needs_setup() {
        return Ok(listen);
    }
    if let Some(file) = &settings.bootstrap_token_file {
        let admin = bootstrap(desk, store, file).await?;
        let record = LogRecord::new(LogLevel::Info, "the first administrator is made");
        log.write(record.with_text("principal", &admin).with_text("tokenFile", &file.display()));
        return Ok(listen);
    }
    let issued = setup_token()?;
    write(store, &issued.token).await?;
    desk.know_token(issued.token);
    // No line of the log: what is logged holds no token, and this is for whoever starts the server.
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

/// Makes the first administrator, whose token is in the file.
async fn bootstrap(desk: &Desk, store: &dyn Lookup, file: &Path) -> Result<PrincipalId, Failure> {
    let text = read_token(file)?;
    let now = Timestamp(SystemClock.now().0);
    let admin = administrator(now)?;
    let purpose = Purpose::Access { principal: admin.id, rights: Rights::Whole };
    let token = Token::issue(&text, label("bootstrap"), purpose, None);
    let (id, token_id) = (admin.id.to_string(), token.id.to_string());
    let commit = Commit {
        records: vec![
            change(RecordKind::Principal, id.clone(), admin.encode()),
            change(RecordKind::Token, token_id.clone(), token.encode()),
        ],
        audit: vec![fact(Action::PrincipalCreate, &id), fact(Action::TokenIssue, &token_id)],
        ..Commit::default()
    };
    store.commit(commit).await.map_err(|error| Failure::of("cannot write the token", &error))?;
    let made = admin.id;
    desk.know_principal(admin);
    desk.know_token(token);
    Ok(made)
}

/// The token in a file. What the file holds instead is not told.
fn read_token(path: &Path) -> Result<TokenText, Failure> {
    let fail = |error| Failure::of(&format!("cannot read the token in {}", path.display()), &error);
    let mut text = String::new();
    let file = File::open(path).map_err(fail)?;
    file.take(LARGEST_FILE).read_to_string(&mut text).map_err(fail)?;
    text.trim().parse().map_err(|_malformed| {
        Failure::usage(format!("{} does not hold a token", path.display())).hint(
            "a token is `tutti_`, 26 characters of a ULID, `_` and 32 random bytes in base64url; docs/reference/server.md says how to make one",
        )
    })
}

/// The first administrator, made at `now`.
pub(crate) fn administrator(now: Timestamp) -> Result<Principal, Failure> {
    let mut chance = [0; 16];
    getrandom::fill(&mut chance).map_err(no_chance)?;
    let at = u64::try_from(now.0).unwrap_or(0);
    Ok(Principal {
        id: PrincipalId::new(PrincipalKind::User, at, u128::from_be_bytes(chance)),
        name: label("admin"),
        grants: Grants::everywhere(Role::Admin),
    })
}

fn setup_token() -> Result<IssuedToken, Failure> {
    let now = SystemClock.now().0;
    let expires = Some(Timestamp(now.saturating_add(GOOD_FOR_MS)));
    issue_token(label("setup"), Purpose::Setup, Timestamp(now), expires).map_err(no_chance)
}

fn label(word: &str) -> Label {
    word.parse().expect("invariant: it is a label")
}

async fn write(store: &dyn Lookup, token: &Token) -> Result<(), Failure> {
    let id = token.id.to_string();
    let commit = Commit {
        records: vec![change(RecordKind::Token, id.clone(), token.encode())],
        audit: vec![fact(Action::TokenIssue, &id)],
        ..Commit::default()
    };
    store.commit(commit).await.map_err(|error| Failure::of("cannot write the token", &error))
}

/// A record that is new.
pub(crate) fn change(kind: RecordKind, key: String, value: Vec<u8>) -> RecordChange {
    let id = RecordId { kind, namespace: None, key };
    RecordChange { id, expected: Expected::Nothing, value: Some(value) }
}

/// The operating system gave no chance.
pub(crate) fn no_chance(error: getrandom::Error) -> Failure {
    Failure::usage(format!("the operating system gives no chance: {error}"))
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
