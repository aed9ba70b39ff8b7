//! The IO shell around the engine: owns executions, commits their turns, makes their calls, wakes them in time.
//!
//! What decides is sans-IO: [`Loop`] takes what happened and the time, and returns what to do. A thin shell
//! ([`Runtime`]) does it, on a thread of the loop's own and on tokio. The simulator drives the very same [`Loop`].
//!
//! **Invariant:** nothing is acknowledged, dispatched or shown before the turn that says so is durable.

pub mod admission;
mod clock;
mod dispatch;
mod happening;
mod keys;
mod library;
mod owner;
mod partition;
mod reading;
mod resident;
mod retention;
pub mod schedule;
mod service;
mod timers;

/// What calls print, as an [`Observer`] is told it.
pub use tutti_connectors::LogLine;

pub use clock::{Clock, SystemClock};
pub use happening::{
    Awaited, Beside, Happening, Incident, Message, Output, Refusal, RequestId, Settlement,
    Standing, Stored, Unread,
};
pub use keys::RowSealer;
pub use library::{Draft, Library, PublishError};
pub use owner::{Loop, LoopOptions};
pub use partition::Partition;
pub use reading::{Reader, Reading};
pub use retention::EventsKept;
pub use service::{
    DEFAULT_MAX_RESIDENTS, Error, Handle, NewExecution, Observer, Options, Runtime, draw_id,
};
