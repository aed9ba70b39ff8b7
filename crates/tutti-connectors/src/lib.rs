//! The connector port, and one folder per protocol behind it.
//!
//! A [`Connector`] makes calls for one function (`http`, `shell`). It knows nothing of workflows: it gets evaluated
//! arguments and a stable key, and says what came of the call, honestly enough that recovery may rely on it.

mod port;

pub use port::{
    BoxFuture, Call, CallContext, Cancellation, Canceller, Connector, Failure, LogLine, LogStream,
    Probe,
};
