//! What a route requires, and from which role on one has it.

use minicbor::{Decode, Encode};

use crate::words::words;

words! {
    /// What a principal is in a namespace; each role includes the ones before it.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
    #[cbor(index_only)]
    pub enum Role: "role" {
        /// Sees what there is and how it stands, but not the data it works with.
        #[n(0)]
        Viewer = "viewer",
        /// Starts and controls executions, and sees their data.
        #[n(1)]
        Operator = "operator",
        /// Publishes workflows.
        #[n(2)]
        Author = "author",
        /// Writes secrets and reads the audit; everywhere, manages principals and tokens too.
        #[n(3)]
        Admin = "admin",
    }
}

impl Role {
    /// Whether this role has the permission, where it was granted.
    pub fn grants(self, permission: Permission) -> bool {
        self >= permission.least_role()
    }
}

words! {
    /// What a route requires of its caller; a route cannot exist without one.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Permission: "permission" {
        /// Read workflow definitions.
        WorkflowRead = "workflow.read",
        /// Publish a version of a workflow.
        WorkflowPublish = "workflow.publish",
        /// Delete a workflow.
        WorkflowDelete = "workflow.delete",
        /// Read how executions stand, without the data they work with.
        ExecutionRead = "execution.read",
        /// Read the data of executions: input, output, journal, logs.
        ExecutionReadValues = "execution.read-values",
        /// Start an execution.
        ExecutionStart = "execution.start",
        /// Suspend, resume, cancel, retry an execution or resolve its incident.
        ExecutionControl = "execution.control",
        /// Publish an event.
        EventPublish = "event.publish",
        /// Read schedules.
        ScheduleRead = "schedule.read",
        /// Suspend, resume and trigger schedules.
        ScheduleControl = "schedule.control",
        /// List the names of secrets; nobody reads their values.
        SecretList = "secret.list",
        /// Write and delete secrets.
        SecretWrite = "secret.write",
        /// Issue, list and revoke the tokens of others.
        TokenManage = "token.manage",
        /// Create, change and delete principals.
        PrincipalManage = "principal.manage",
        /// Read audit records.
        AuditRead = "audit.read",
        /// Read metrics and the status of the server.
        ServerRead = "server.read",
    }
}

impl Permission {
    /// The least of the roles that have it.
    pub const fn least_role(self) -> Role {
        match self {
            Self::WorkflowRead | Self::ExecutionRead | Self::ScheduleRead | Self::ServerRead => {
                Role::Viewer
            }
            Self::ExecutionReadValues
            | Self::ExecutionStart
            | Self::ExecutionControl
            | Self::EventPublish
            | Self::ScheduleControl => Role::Operator,
            Self::WorkflowPublish | Self::WorkflowDelete | Self::SecretList => Role::Author,
            Self::SecretWrite | Self::TokenManage | Self::PrincipalManage | Self::AuditRead => {
                Role::Admin
            }
        }
    }

    /// Whether it concerns the whole server, so that only a grant on all namespaces gives it.
    pub const fn is_server_wide(self) -> bool {
        match self {
            // A principal has grants in many namespaces: whoever could change one, or act as one, from within a
            // namespace would reach the others.
            Self::TokenManage | Self::PrincipalManage | Self::ServerRead => true,
            Self::WorkflowRead
            | Self::WorkflowPublish
            | Self::WorkflowDelete
            | Self::ExecutionRead
            | Self::ExecutionReadValues
            | Self::ExecutionStart
            | Self::ExecutionControl
            | Self::EventPublish
            | Self::ScheduleRead
            | Self::ScheduleControl
            | Self::SecretList
            | Self::SecretWrite
            | Self::AuditRead => false,
        }
    }
}
