//! What each operation does, once the gate has let it in.

pub(crate) mod audit;
pub(crate) mod controls;
pub(crate) mod events;
pub(crate) mod executions;
pub(crate) mod grants;
pub(crate) mod health;
pub(crate) mod principals;
pub(crate) mod schedules;
pub(crate) mod secrets;
pub(crate) mod stream;
pub(crate) mod tokens;
pub(crate) mod views;
pub(crate) mod workflows;
