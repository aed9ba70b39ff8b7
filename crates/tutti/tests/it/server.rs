//! `tutti server`, from the outside: the real binary, its HTTP, its death.

mod access;
pub(crate) mod client;
mod executions;
mod limits;
mod routes;
mod secrets;
mod starting;
mod stopping;
mod workflows;
