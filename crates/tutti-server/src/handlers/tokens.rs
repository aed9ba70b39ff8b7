//! Tokens: one's own for anybody who is known, those of others for who manages tokens.

use tutti_api::{Code, CreatedToken, NewToken, Page, Problem, TokenView};
use tutti_auth::{
    Action, Caller, Permission, Purpose, Rights, Timestamp, Token, authorize_everywhere,
};
use tutti_ids::{PrincipalId, TokenId};
use tutti_journal::Timestamp as Moment;
use tutti_store::{Commit, Expected};

use crate::{
    answer::{Answer, invalid, json, not_found, nothing, of_denied, of_store},
    asked::{Asked, short},
    audit::Deed,
    handlers::grants::{grant_views, grants, label, no_chance},
    moment::{parse, show},
    roster::{self, IssuedToken, issue_token},
};

pub(crate) async fn create(asked: Asked, caller: Caller) -> Answer {
    let request: NewToken = asked.json()?;
    let rights = match &request.grants {
        None => Rights::Whole,
        Some(views) => Rights::Within(grants(views)?),
    };
    let principal = whose(&asked, &caller, request.principal.as_deref())?;
    if principal == caller.principal() && !caller.may_hand_on(&rights) {
        let detail = "the token shown has fewer rights than the one that is asked for";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    let expires_at = match &request.expires_at {
        None => None,
        Some(text) => {
            Some(parse(text).ok_or_else(|| invalid("`expiresAt` is no moment in RFC 3339"))?)
        }
    };
    let now = Timestamp(asked.desk.clock.now().0);
    let purpose = Purpose::Access { principal, rights };
    let issued =
        issue_token(label(&request.name)?, purpose, now, expires_at.map(|at| Timestamp(at.0)));
    let IssuedToken { token, text } = issued.map_err(no_chance)?;
    write(&asked, Action::TokenIssue, &token, Expected::Nothing).await?;
    let text = text.expose().to_string();
    Ok(json(201, &CreatedToken { token: view(&token), text }))
}

/// For whom a token is asked: oneself, or another where one may.
fn whose(asked: &Asked, caller: &Caller, named: Option<&str>) -> Result<PrincipalId, Problem> {
    let Some(text) = named else { return Ok(caller.principal()) };
    let missing = || not_found(&format!("principal `{}`", short(text)));
    let id: PrincipalId = text.parse().map_err(|_malformed| missing())?;
    if id != caller.principal() {
        manage(caller)?;
        asked.desk.roster.principal(id).ok_or_else(missing)?;
    }
    Ok(id)
}

fn manage(caller: &Caller) -> Result<(), Problem> {
    let proof = authorize_everywhere(caller, Permission::TokenManage);
    proof.map(|_proof| ()).map_err(|denied| of_denied(&denied, "such token"))
}

pub(crate) async fn list(asked: Asked, caller: Caller) -> Answer {
    let limit = asked.limit()?;
    let after: Option<TokenId> = asked.parsed("cursor", |text| text.parse().ok())?;
    let sees_all = manage(&caller).is_ok();
    let all = asked.desk.roster.tokens();
    let visible: Vec<&Token> = all
        .iter()
        .filter(|token| sees_all || owner(token) == Some(caller.principal()))
        .filter(|token| after.is_none_or(|after| token.id > after))
        .collect();
    let items: Vec<_> = visible.iter().take(limit).map(|token| view(token)).collect();
    let next = (visible.len() > limit).then(|| items.last().map(|last| last.id.clone())).flatten();
    Ok(json(200, &Page { items, next }))
}

pub(crate) async fn revoke(asked: Asked, caller: Caller) -> Answer {
    let text = asked.part("id");
    let missing = || not_found(&format!("token `{}`", short(text)));
    let id: TokenId = text.parse().map_err(|_malformed| missing())?;
    let token = asked.desk.roster.token(id).ok_or_else(missing)?;
    if owner(&token) != Some(caller.principal()) {
        manage(&caller).map_err(|_denied| missing())?;
    }
    let before = Expected::Value(token.encode());
    let now = Timestamp(asked.desk.clock.now().0);
    let revoked = Token { revoked_at: token.revoked_at.or(Some(now)), ..token };
    write(&asked, Action::TokenRevoke, &revoked, before).await?;
    Ok(nothing())
}

async fn write(
    asked: &Asked,
    action: Action,
    token: &Token,
    expected: Expected,
) -> Result<(), Problem> {
    let subject = token.id.to_string();
    let deed = Deed { action, namespace: None, subject: &subject, execution: None, reason: None };
    let commit = Commit {
        records: vec![roster::write_token(token, expected)],
        audit: vec![asked.fact(&deed)],
        ..Commit::default()
    };
    asked.desk.store.commit(commit).await.map_err(|error| of_store(&error))?;
    asked.desk.roster.put_token(token.clone());
    Ok(())
}

fn owner(token: &Token) -> Option<PrincipalId> {
    match &token.purpose {
        Purpose::Access { principal, .. } => Some(*principal),
        Purpose::Setup => None,
    }
}

pub(crate) fn view(token: &Token) -> TokenView {
    let grants = match &token.purpose {
        Purpose::Access { rights: Rights::Within(grants), .. } => Some(grant_views(grants)),
        _ => None,
    };
    TokenView {
        id: token.id.to_string(),
        name: token.name.to_string(),
        principal: owner(token).map(|id| id.to_string()),
        grants,
        expires_at: token.expires_at.map(|at| show(Moment(at.0))),
        revoked_at: token.revoked_at.map(|at| show(Moment(at.0))),
    }
}
