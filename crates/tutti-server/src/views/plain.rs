//! Values and statuses on the wire.

use tutti_api::ExecutionStatus;
use tutti_expr::Value;
use tutti_store::Status;

/// A value on the wire; what came from a secret is shown as that.
pub(crate) fn plain(value: &Value) -> serde_json::Value {
    serde_json::from_str(&value.to_redacted_json()).unwrap_or(serde_json::Value::Null)
}

pub(crate) fn wire_status(status: Status) -> ExecutionStatus {
    match status {
        Status::Pending => ExecutionStatus::Pending,
        Status::Running => ExecutionStatus::Running,
        Status::Waiting => ExecutionStatus::Waiting,
        Status::Suspended => ExecutionStatus::Suspended,
        Status::Cancelled => ExecutionStatus::Cancelled,
        Status::Faulted => ExecutionStatus::Faulted,
        Status::Completed => ExecutionStatus::Completed,
    }
}
