//! The audit trail, for who may read it.

use tutti_api::{AuditEntry, Code, Page, Problem};
use tutti_auth::{Actor, AuditRecord, Authorized, Everywhere, Outcome};
use tutti_journal::Timestamp;
use tutti_store::StoredAudit;

use crate::{
    answer::{Answer, json, of_store},
    asked::Asked,
    moment::show,
};

pub(crate) async fn list(asked: Asked, _proof: Authorized<Everywhere>) -> Answer {
    let limit = asked.limit()?;
    let after = asked.parsed("cursor", |text| text.parse().ok())?.unwrap_or(0);
    let found = asked.desk.store.audit_after(after, limit + 1).await;
    let found = found.map_err(|error| of_store(&error))?;
    let items: Vec<AuditEntry> = found.iter().take(limit).map(view).collect::<Result<_, _>>()?;
    let next =
        (found.len() > limit).then(|| items.last().map(|last| last.number.to_string())).flatten();
    Ok(json(200, &Page { items, next }))
}

fn view(stored: &StoredAudit) -> Result<AuditEntry, Problem> {
    let record = AuditRecord::decode(&stored.fact.bytes).map_err(|_damaged| {
        Problem::new(Code::Internal, format!("audit record {} cannot be read", stored.number))
    })?;
    let (actor, actor_name, token) = match &record.actor {
        Actor::Anonymous => ("anonymous".to_owned(), None, None),
        Actor::System => ("system".to_owned(), None, None),
        Actor::Principal { id, name, token } => {
            (id.to_string(), Some(name.to_string()), token.map(|token| token.to_string()))
        }
    };
    Ok(AuditEntry {
        number: stored.number,
        commit: stored.commit,
        at: show(Timestamp(record.at.0)),
        actor,
        actor_name,
        token,
        action: record.action.to_string(),
        outcome: match record.outcome {
            Outcome::Allowed => "allowed".to_owned(),
            Outcome::Refused(why) => why.to_string(),
        },
        namespace: record.namespace.as_ref().map(ToString::to_string),
        subject: record.subject.to_string(),
        reason: record.reason.as_ref().map(ToString::to_string),
        detail: record
            .detail
            .iter()
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .collect(),
        request: record.request.as_ref().map(ToString::to_string),
        address: record.address.map(|address| address.to_string()),
    })
}
