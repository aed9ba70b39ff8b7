//! `tutti tokens create --store`: a token without a server, for who may write the data directory anyway.

use std::path::Path;

use tutti_auth::{
    Action, Grant, Grants, Label, Principal, Purpose, Reach, Rights, Role, Timestamp,
};
use tutti_ids::PrincipalId;
use tutti_runtime::{Clock as _, SystemClock};
use tutti_secrets::KeyFiles;
use tutti_server::{IssuedToken, issue_token};
use tutti_store::{Commit, Lookup as _, RecordKind, RecordRange, SqliteStore, Store as _};

use super::{grants, issued};
use crate::{
    command_line::CreateTokenArguments,
    console::{self, Console},
    exit::{Exit, Failure, causes},
    export::block_on,
    run::cannot_open,
    server::{administrator, change, fact, no_chance},
};

/// How many records are read at once.
const PAGE: usize = 500;

/// Writes a token into a data directory that no server uses.
pub(super) fn create(
    directory: &Path,
    arguments: &CreateTokenArguments,
    console: &Console,
) -> Result<Exit, Failure> {
    if SqliteStore::is_in_use(directory) {
        let message = format!("a server uses {}", directory.display());
        return Err(Failure::usage(message)
            .hint("ask it: tutti tokens create, without --store; or stop it first"));
    }
    let store = open(directory)?;
    let issued = block_on(issue(&store, arguments, console))??;
    issued::tell(&issued.token.id.to_string(), issued.token.name.as_str(), console);
    console::print(&format!("{}\n", *issued.text.expose()))
}

/// The store; a directory that is new gets its keys with it, as the first start of a server gives them.
fn open(directory: &Path) -> Result<SqliteStore, Failure> {
    let is_new = !directory.join("journal.sqlite").is_file();
    let store = SqliteStore::open(directory).map_err(|error| cannot_open(directory, &error))?;
    if is_new {
        let keys = KeyFiles::in_directory(directory).open_or_create();
        keys.map_err(|error| Failure::usage(causes(&error)))?;
    }
    Ok(store)
}

async fn issue(
    store: &SqliteStore,
    arguments: &CreateTokenArguments,
    console: &Console,
) -> Result<IssuedToken, Failure> {
    let rights = rights(&arguments.grant)?;
    let known = principals(store).await?;
    let now = Timestamp(SystemClock.now().0);
    let mut commit = Commit::default();
    let principal = match whose(&known, arguments.principal)? {
        Some(principal) => principal,
        None => first_administrator(&mut commit, now, console)?,
    };
    let name: Label = arguments.name.parse().map_err(|error| {
        Failure::usage(format!("`{}` is no name of a token: {error}", arguments.name))
    })?;
    let purpose = Purpose::Access { principal, rights };
    let expires_at = issued::expiry(arguments).map(Timestamp);
    let issued = issue_token(name, purpose, now, expires_at).map_err(no_chance)?;
    let id = issued.token.id.to_string();
    commit.records.push(change(RecordKind::Token, id.clone(), issued.token.encode()));
    commit.audit.push(fact(Action::TokenIssue, &id));
    store.commit(commit).await.map_err(|error| Failure::of("cannot write the token", &error))?;
    Ok(issued)
}

/// For whom: the one named, else an administrator; nobody where there is none yet.
fn whose(known: &[Principal], named: Option<PrincipalId>) -> Result<Option<PrincipalId>, Failure> {
    match named {
        Some(id) if known.iter().any(|principal| principal.id == id) => Ok(Some(id)),
        Some(id) => Err(Failure::usage(format!("there is no principal {id}"))),
        None => {
            let is_admin =
                |principal: &&Principal| principal.grants.role_everywhere() == Some(Role::Admin);
            Ok(known.iter().find(is_admin).map(|principal| principal.id))
        }
    }
}

fn first_administrator(
    commit: &mut Commit,
    now: Timestamp,
    console: &Console,
) -> Result<PrincipalId, Failure> {
    let admin = administrator(now)?;
    let id = admin.id.to_string();
    console.line(&format!("created: {id}, the first administrator"));
    commit.audit.push(fact(Action::PrincipalCreate, &id));
    commit.records.push(change(RecordKind::Principal, id, admin.encode()));
    Ok(admin.id)
}

fn rights(texts: &[String]) -> Result<Rights, Failure> {
    let views = grants::parsed(texts)?;
    if views.is_empty() {
        return Ok(Rights::Whole);
    }
    let grants: Result<Vec<Grant>, Failure> = views
        .iter()
        .map(|view| {
            let refused = |why: String| Failure::usage(format!("--grant: {why}"));
            let role = view.role.parse().map_err(|error| refused(format!("{error}")))?;
            let reach = match &view.namespace {
                None => Reach::All,
                Some(name) => {
                    Reach::Namespace(name.parse().map_err(|error| refused(format!("{error}")))?)
                }
            };
            Ok(Grant { role, reach })
        })
        .collect();
    let grants = Grants::new(grants?);
    grants.map(Rights::Within).map_err(|error| Failure::usage(format!("--grant: {error}")))
}

async fn principals(store: &SqliteStore) -> Result<Vec<Principal>, Failure> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let kind = RecordKind::Principal;
        let range = RecordRange { kind, namespace: None, after, limit: PAGE };
        let page = store.records(range).await.map_err(|error| Failure::unread(&error))?;
        let Some(last) = page.last() else { return Ok(found) };
        after = Some(last.id.clone());
        for record in &page {
            found.push(Principal::decode(&record.value).map_err(|error| {
                Failure::usage(format!("the record of {} is damaged: {error}", record.id.key))
                    .exit(Exit::Unfinished)
            })?);
        }
    }
}
