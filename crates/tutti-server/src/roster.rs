//! Who may ask: principals and tokens, kept in memory as the store has them.

use std::{
    collections::BTreeMap,
    sync::{PoisonError, RwLock},
};

use tutti_auth::{
    Caller, Label, Principal, Purpose, Refused, Role, Setup, Timestamp, Token, TokenText, Verified,
};
use tutti_ids::{PrincipalId, TokenId};
use tutti_store::{Expected, Lookup, Record, RecordChange, RecordId, RecordKind, RecordRange};

use crate::load_error::LoadError;

/// How many records are read at once.
const PAGE: usize = 500;

/// Principals and tokens.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    inner: RwLock<Lists>,
}

#[derive(Debug, Default)]
struct Lists {
    principals: BTreeMap<PrincipalId, Principal>,
    tokens: BTreeMap<TokenId, Token>,
}

/// Who showed a token.
#[derive(Debug)]
pub(crate) enum Shown {
    /// A principal.
    Caller(Caller),
    /// Whoever was given the setup token.
    Setup(Setup),
}

impl Roster {
    /// Reads all of them.
    pub(crate) async fn load(store: &dyn Lookup) -> Result<Self, LoadError> {
        let mut lists = Lists::default();
        for record in all(store, RecordKind::Principal).await? {
            let principal = Principal::decode(&record.value);
            let principal = principal.map_err(|_damaged| damaged("principal", &record))?;
            lists.principals.insert(principal.id, principal);
        }
        for record in all(store, RecordKind::Token).await? {
            let token =
                Token::decode(&record.value).map_err(|_damaged| damaged("token", &record))?;
            lists.tokens.insert(token.id, token);
        }
        Ok(Self { inner: RwLock::new(lists) })
    }

    /// Says who shows this.
    pub(crate) fn know(&self, shown: &TokenText, now: Timestamp) -> Result<Shown, Refused> {
        let lists = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        let token = lists.tokens.get(&shown.id()).ok_or(Refused::Unknown)?;
        match token.verify(shown, now)? {
            Verified::Setup(setup) => Ok(Shown::Setup(setup)),
            Verified::Access(access) => {
                let principal = lists.principals.get(&access.principal()).cloned();
                access.caller(principal.ok_or(Refused::Unknown)?).map(Shown::Caller)
            }
        }
    }

    pub(crate) fn has_admin(&self) -> bool {
        let is_admin =
            |principal: &Principal| principal.grants.role_everywhere() == Some(Role::Admin);
        let lists = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        lists.principals.values().any(is_admin)
    }

    pub(crate) fn principals(&self) -> Vec<Principal> {
        let lists = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        lists.principals.values().cloned().collect()
    }

    pub(crate) fn principal(&self, id: PrincipalId) -> Option<Principal> {
        let lists = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        lists.principals.get(&id).cloned()
    }

    pub(crate) fn tokens(&self) -> Vec<Token> {
        let lists = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        lists.tokens.values().cloned().collect()
    }

    pub(crate) fn token(&self, id: TokenId) -> Option<Token> {
        let lists = self.inner.read().unwrap_or_else(PoisonError::into_inner);
        lists.tokens.get(&id).cloned()
    }

    /// A principal is durable.
    pub(crate) fn put_principal(&self, principal: Principal) {
        let mut lists = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        lists.principals.insert(principal.id, principal);
    }

    /// That a principal is gone is durable.
    pub(crate) fn remove_principal(&self, id: PrincipalId) {
        let mut lists = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        lists.principals.remove(&id);
    }

    /// A token is durable as it is now.
    pub(crate) fn put_token(&self, token: Token) {
        let mut lists = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        lists.tokens.insert(token.id, token);
    }
}

async fn all(store: &dyn Lookup, kind: RecordKind) -> Result<Vec<Record>, tutti_store::Error> {
    let mut found: Vec<Record> = Vec::new();
    loop {
        let after = found.last().map(|last| last.id.clone());
        let page = store.records(RecordRange { kind, namespace: None, after, limit: PAGE }).await?;
        if page.is_empty() {
            return Ok(found);
        }
        found.extend(page);
    }
}

fn damaged(what: &'static str, record: &Record) -> LoadError {
    LoadError::Damaged { what, key: record.id.key.clone() }
}

/// The change that writes a principal.
pub(crate) fn write_principal(principal: &Principal, expected: Expected) -> RecordChange {
    let id = principal_record(principal.id);
    RecordChange { id, expected, value: Some(principal.encode()) }
}

/// The name of a principal's record.
pub(crate) fn principal_record(id: PrincipalId) -> RecordId {
    RecordId { kind: RecordKind::Principal, namespace: None, key: id.to_string() }
}

/// The change that writes a token.
pub(crate) fn write_token(token: &Token, expected: Expected) -> RecordChange {
    let id = RecordId { kind: RecordKind::Token, namespace: None, key: token.id.to_string() };
    RecordChange { id, expected, value: Some(token.encode()) }
}

/// A token that was issued, and its text.
#[derive(Debug)]
pub struct IssuedToken {
    /// What is kept.
    pub token: Token,
    /// What is shown once.
    pub text: TokenText,
}

/// Draws a token.
///
/// # Errors
/// If the operating system gives no chance.
pub fn issue_token(
    name: Label,
    purpose: Purpose,
    now: Timestamp,
    expires_at: Option<Timestamp>,
) -> Result<IssuedToken, getrandom::Error> {
    let mut chance = [0; 48];
    getrandom::fill(&mut chance)?;
    let (of_id, secret) = chance.split_at(16);
    let of_id = of_id.iter().fold(0, |bits: u128, byte| bits << 8 | u128::from(*byte));
    let secret = std::array::from_fn(|at| secret[at]);
    let id = TokenId::new(u64::try_from(now.0).unwrap_or(0), of_id);
    let text = TokenText::new(id, secret);
    Ok(IssuedToken { token: Token::issue(&text, name, purpose, expires_at), text })
}
