//! `tutti server`, from the outside: the real binary, its HTTP, its death.

mod access;
mod checkpoints;
pub(crate) mod client;
mod executions;
mod limits;
mod logging;
mod metrics;
mod routes;
mod secrets;
mod settings;
mod starting;
mod stopping;
mod workflows;
