//! What audit records are about.

use minicbor::{Decode, Encode};

use crate::words::words;

words! {
    /// What was done, or asked for and refused; a stable word for whoever filters the audit.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
    #[cbor(index_only)]
    pub enum Action: "audited action" {
        /// A principal signed in.
        #[n(0)]
        Login = "login",
        /// A principal signed out.
        #[n(1)]
        Logout = "logout",
        /// The first administrator was created.
        #[n(2)]
        SetupComplete = "setup.complete",
        /// A caller asked for what it may not; the subject is the permission it lacks.
        #[n(3)]
        AccessDeny = "access.deny",
        /// A token was issued.
        #[n(4)]
        TokenIssue = "token.issue",
        /// A token was revoked.
        #[n(5)]
        TokenRevoke = "token.revoke",
        /// Somebody showed a token that is not good.
        #[n(6)]
        TokenUseFailed = "token.use-failed",
        /// A principal was created.
        #[n(7)]
        PrincipalCreate = "principal.create",
        /// A principal's name or grants were changed.
        #[n(8)]
        PrincipalChange = "principal.change",
        /// A principal was deleted.
        #[n(9)]
        PrincipalDelete = "principal.delete",
        /// A version of a workflow was published.
        #[n(10)]
        WorkflowPublish = "workflow.publish",
        /// A workflow was deleted.
        #[n(11)]
        WorkflowDelete = "workflow.delete",
        /// An execution was started.
        #[n(12)]
        ExecutionStart = "execution.start",
        /// An execution was suspended.
        #[n(13)]
        ExecutionSuspend = "execution.suspend",
        /// An execution was resumed.
        #[n(14)]
        ExecutionResume = "execution.resume",
        /// An execution was cancelled.
        #[n(15)]
        ExecutionCancel = "execution.cancel",
        /// A task of an execution was retried.
        #[n(16)]
        ExecutionRetry = "execution.retry",
        /// A task of an execution was skipped.
        #[n(17)]
        ExecutionSkip = "execution.skip",
        /// A person decided what became of a call, or another incident.
        #[n(18)]
        ExecutionResolve = "execution.resolve",
        /// What an execution worked with was erased.
        #[n(19)]
        ExecutionErase = "execution.erase",
        /// An event was published.
        #[n(20)]
        EventPublish = "event.publish",
        /// A schedule was suspended.
        #[n(21)]
        ScheduleSuspend = "schedule.suspend",
        /// A schedule was resumed.
        #[n(22)]
        ScheduleResume = "schedule.resume",
        /// A schedule was triggered by hand.
        #[n(23)]
        ScheduleTrigger = "schedule.trigger",
        /// A secret was written.
        #[n(24)]
        SecretWrite = "secret.write",
        /// A secret was deleted.
        #[n(25)]
        SecretDelete = "secret.delete",
        /// Audit records were read.
        #[n(26)]
        AuditRead = "audit.read",
        /// A version of a workflow was deprecated.
        #[n(27)]
        WorkflowDeprecate = "workflow.deprecate",
        /// Nominal times of a schedule were not kept.
        #[n(28)]
        ScheduleMiss = "schedule.miss",
        /// The master key that secrets are sealed with was changed.
        #[n(29)]
        KeyChange = "key.change",
    }
}
