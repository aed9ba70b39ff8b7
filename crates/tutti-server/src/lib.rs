//! The server: HTTP in front of the runtime, with access checked on every way in.
//!
//! A route is declared in one place ([`routes`]) and cannot be declared without saying what it needs; the gate asks who
//! calls and whether they may, and only then hands a proof of that to the handler. Namespaces come from the route or from
//! what is stored, never from a body.
//!
//! **Invariant:** what is acknowledged is durable, with its audit record in the same transaction. Nothing a caller sends is
//! evaluated, echoed unescaped or used as the name of a file; nothing of a driver's words reaches a caller.
//!
//! Start reading at [`Server`], then `routes.rs` for what there is, `gate.rs` for who may, `handlers` for what is done.

mod admission;
mod admissions;
mod answer;
mod asked;
mod audit;
mod board;
mod clockwork;
mod desk;
mod feed;
mod gate;
mod handlers;
mod keyed;
mod load_error;
mod log;
mod measured;
mod metrics;
mod moment;
mod pacer;
mod past;
mod publications;
mod refusals;
mod request_id;
mod requests;
mod roster;
mod routes;
mod serve;
mod usher;
mod vault;
mod views;
mod watcher;

pub use clockwork::keep_schedules;
pub use desk::{Access, Desk, DeskOptions, LoadResources};
pub use feed::Feed;
pub use load_error::LoadError;
pub use log::{Log, LogLevel, LogRecord};
pub use measured::MeasuredStore;
pub use metrics::{CallEnd, METRICS, Metric, MetricKind, Metrics, MetricsOptions};
pub use pacer::keep_cooldowns;
pub use requests::forget_old_requests;
pub use roster::{IssuedToken, issue_token};
pub use serve::{ServeError, Server};
pub use usher::keep_admissions;
pub use vault::Vault;
pub use watcher::Watcher;
