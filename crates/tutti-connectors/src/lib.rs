//! The connector port, and one folder per protocol behind it.
//!
//! A [`Connector`] makes calls for one function (`http`, `shell`). It knows nothing of workflows: it gets evaluated
//! arguments and a stable key, and says what came of the call, honestly enough that recovery may rely on it.
//!
//! Start reading at `port.rs`, then `http/call.rs`, and `process/attempt.rs` for what starts programs. Nothing here may repeat a secret unmarked, open
//! a connection past [`Guard`], or claim to know what it does not.

#![expect(
    clippy::result_large_err,
    reason = "problem details are what the port returns, and calls are not hot enough to box them"
)]

mod arguments;
mod guard;
pub mod http;
mod port;
mod process;
mod redact;
mod registry;
pub mod script;
pub mod shell;

pub use guard::{Denied, Guard, GuardOptions, Policy, Resolve, Roots, SystemResolver};
pub use port::{
    BoxFuture, Call, CallContext, Cancellation, Canceller, Connector, Failure, LogLine, LogStream,
    Probe,
};
pub use process::still_running;
pub use registry::{Registry, RegistryBuilder};
