//! What an execution that is not free to begin is admitted by.

use minicbor::{Decode, Encode};

/// What an execution that is not free to begin is admitted by: whoever keeps limits among executions admits it when there
/// is room.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Hold {
    /// What `concurrency.by` gave, as JSON; none where its workflow limits no groups.
    #[n(0)]
    pub group: Option<String>,
}
