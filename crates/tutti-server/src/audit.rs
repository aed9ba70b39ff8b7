//! Writing down who did what, in the transaction that does it.

use tutti_auth::{Action, Actor, AuditRecord, Detail, Outcome, Reason, Refusal, Text, Timestamp};
use tutti_ids::{ExecutionId, Name};
use tutti_store::AuditFact;

use crate::asked::Asked;

/// What was done, for the audit trail.
#[derive(Debug)]
pub(crate) struct Deed<'a> {
    pub(crate) action: Action,
    pub(crate) namespace: Option<&'a Name>,
    /// To what: an id, a name and version.
    pub(crate) subject: &'a str,
    pub(crate) execution: Option<ExecutionId>,
    /// Why, in the words of whoever asked.
    pub(crate) reason: Option<&'a str>,
}

impl Asked {
    /// The fact that somebody did this, and was allowed to.
    pub(crate) fn fact(&self, deed: &Deed<'_>) -> AuditFact {
        self.record(deed, Outcome::Allowed)
    }

    /// The fact that somebody asked for this, and was refused.
    pub(crate) fn refused(&self, deed: &Deed<'_>, why: Refusal) -> AuditFact {
        self.record(deed, Outcome::Refused(why))
    }

    fn record(&self, deed: &Deed<'_>, outcome: Outcome) -> AuditFact {
        let record = AuditRecord {
            at: Timestamp(self.desk.clock.now().0),
            actor: self.caller.as_ref().map_or(Actor::Anonymous, Actor::from),
            action: deed.action,
            outcome,
            namespace: deed.namespace.cloned(),
            subject: Text::cut(deed.subject),
            reason: deed.reason.map(Reason::cut),
            detail: Detail::default(),
            request: Some(Text::cut(&self.request)),
            address: self.address,
        };
        AuditFact { execution: deed.execution, bytes: record.encode() }
    }
}
