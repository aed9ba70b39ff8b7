//! Who may ask.

use tutti_api::{
    Code, CreatedToken, GrantView, NewPrincipal, Page, PrincipalView, Problem, SetupRequest,
};
use tutti_auth::{
    Action, Authorized, Everywhere, Grant, Grants, Label, Principal, Purpose, Reach, Rights, Setup,
    Timestamp, Token,
};
use tutti_ids::{PrincipalId, PrincipalKind};
use tutti_store::{Commit, Expected, RecordChange};

use crate::{
    answer::{Answer, invalid, json, not_found, nothing, of_store},
    asked::{Asked, short},
    audit::Deed,
    handlers::tokens,
    roster::{self, IssuedToken, issue_token},
};

/// The first administrator, and a token for it; the setup token is used up.
pub(crate) async fn set_up(asked: Asked, setup: Setup) -> Answer {
    let request: SetupRequest = asked.json()?;
    let desk = &asked.desk;
    let _held = desk.keyed.hold("setup").await;
    let (id, name, used) =
        (draw(&asked, PrincipalKind::User)?, label(&request.name)?, setup.token());
    let existing = desk.roster.principals();
    let admin = setup
        .first_admin(&existing, id, name.clone())
        .map_err(|refused| Problem::new(Code::NotNow, refused.to_string()))?;
    let now = Timestamp(desk.clock.now().0);
    let purpose = Purpose::Access { principal: id, rights: Rights::Whole };
    let IssuedToken { token, text } = issue_token(name, purpose, now, None).map_err(no_chance)?;
    let revoked = desk.roster.token(used).map(|token| Token { revoked_at: Some(now), ..token });
    let revoked = revoked.ok_or_else(|| not_found("such token"))?;
    let subject = id.to_string();
    let deed = deed(Action::SetupComplete, &subject);
    let commit = Commit {
        records: vec![
            roster::write_principal(&admin, Expected::Nothing),
            roster::write_token(&token, Expected::Nothing),
            roster::write_token(&revoked, Expected::Anything),
        ],
        audit: vec![asked.fact(&deed)],
        ..Commit::default()
    };
    desk.store.commit(commit).await.map_err(|error| of_store(&error))?;
    desk.roster.put_principal(admin);
    desk.roster.put_token(revoked);
    desk.roster.put_token(token.clone());
    let text = text.expose().to_string();
    Ok(json(201, &CreatedToken { token: tokens::view(&token), text }))
}

pub(crate) async fn create(asked: Asked, _proof: Authorized<Everywhere>) -> Answer {
    let request: NewPrincipal = asked.json()?;
    let kind = match request.kind.as_deref() {
        None | Some("service") => PrincipalKind::Service,
        Some("user") => PrincipalKind::User,
        Some(_) => return Err(invalid("`kind` is `user` or `service`")),
    };
    let id = draw(&asked, kind)?;
    let principal = Principal { id, name: label(&request.name)?, grants: grants(&request.grants)? };
    let subject = id.to_string();
    let commit = Commit {
        records: vec![roster::write_principal(&principal, Expected::Nothing)],
        audit: vec![asked.fact(&deed(Action::PrincipalCreate, &subject))],
        ..Commit::default()
    };
    asked.desk.store.commit(commit).await.map_err(|error| of_store(&error))?;
    asked.desk.roster.put_principal(principal.clone());
    Ok(json(201, &view(&principal)))
}

pub(crate) async fn list(asked: Asked, _proof: Authorized<Everywhere>) -> Answer {
    let limit = asked.limit()?;
    let after: Option<PrincipalId> = asked.parsed("cursor", |text| text.parse().ok())?;
    let all = asked.desk.roster.principals();
    let later: Vec<&Principal> =
        all.iter().filter(|it| after.is_none_or(|after| it.id > after)).collect();
    let items: Vec<_> = later.iter().take(limit).map(|principal| view(principal)).collect();
    let next = (later.len() > limit).then(|| items.last().map(|last| last.id.clone())).flatten();
    Ok(json(200, &Page { items, next }))
}

pub(crate) async fn delete(asked: Asked, proof: Authorized<Everywhere>) -> Answer {
    let text = asked.part("id");
    let missing = || not_found(&format!("principal `{}`", short(text)));
    let id: PrincipalId = text.parse().map_err(|_malformed| missing())?;
    let known = asked.desk.roster.principal(id).ok_or_else(missing)?;
    if id == proof.principal() {
        return Err(Problem::new(Code::NotNow, "nobody deletes itself"));
    }
    let change = RecordChange {
        id: roster::principal_record(id),
        expected: Expected::Value(known.encode()),
        value: None,
    };
    let commit = Commit {
        records: vec![change],
        audit: vec![asked.fact(&deed(Action::PrincipalDelete, text))],
        ..Commit::default()
    };
    asked.desk.store.commit(commit).await.map_err(|error| of_store(&error))?;
    asked.desk.roster.remove_principal(id);
    Ok(nothing())
}

fn deed(action: Action, subject: &str) -> Deed<'_> {
    Deed { action, namespace: None, subject, execution: None, reason: None }
}

fn draw(asked: &Asked, kind: PrincipalKind) -> Result<PrincipalId, Problem> {
    let mut chance = [0; 16];
    getrandom::fill(&mut chance).map_err(no_chance)?;
    let now = u64::try_from(asked.desk.clock.now().0).unwrap_or(0);
    Ok(PrincipalId::new(kind, now, u128::from_be_bytes(chance)))
}

pub(crate) fn no_chance(error: getrandom::Error) -> Problem {
    Problem::new(Code::Internal, format!("the operating system gives no chance: {error}"))
}

pub(crate) fn label(text: &str) -> Result<Label, Problem> {
    text.parse().map_err(|error| invalid(format!("`name`: {error}")))
}

pub(crate) fn grants(views: &[GrantView]) -> Result<Grants, Problem> {
    let grants: Result<Vec<Grant>, Problem> = views
        .iter()
        .map(|view| {
            let role = view.role.parse().map_err(|error| invalid(format!("`role`: {error}")))?;
            let reach = match &view.namespace {
                None => Reach::All,
                Some(name) => Reach::Namespace(
                    name.parse().map_err(|error| invalid(format!("`namespace`: {error}")))?,
                ),
            };
            Ok(Grant { role, reach })
        })
        .collect();
    Grants::new(grants?).map_err(|error| invalid(format!("`grants`: {error}")))
}

pub(crate) fn grant_views(grants: &Grants) -> Vec<GrantView> {
    let view = |grant: Grant| GrantView {
        role: grant.role.to_string(),
        namespace: match grant.reach {
            Reach::All => None,
            Reach::Namespace(name) => Some(name.to_string()),
        },
    };
    grants.iter().map(view).collect()
}

fn view(principal: &Principal) -> PrincipalView {
    PrincipalView {
        id: principal.id.to_string(),
        name: principal.name.to_string(),
        kind: match principal.kind() {
            PrincipalKind::User => "user".to_owned(),
            PrincipalKind::Service => "service".to_owned(),
        },
        grants: grant_views(&principal.grants),
    }
}
