//! Schedules: when executions start by themselves, and what becomes of times that could not be kept.
//!
//! [`calendar`] knows which times a trigger names, [`Spec`] is a trigger as its document means it, and [`Scheduler`] decides
//! what is started, put off or given up: a plain state machine. Whoever drives it commits what it says and
//! gives back what became durable when it begins anew.
//!
//! **Invariant:** for ever, one nominal time of one schedule is decided once: started, queued or recorded as missed. This
//! module looks at no clock and stores nothing. Start reading at [`Scheduler`].

pub mod calendar;
mod entry;
mod input;
mod output;
mod pace;
mod scheduler;
mod spec;

pub use input::{CatchUp, Input, Past};
pub use output::{Count, Missed, Output, Reason, Why};
pub use scheduler::Scheduler;
pub use spec::{InvalidSchedule, ScheduleId, Spec, Timing, Trigger, specs};
