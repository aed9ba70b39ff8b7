//! Journals as callers see them. Pure: turns in, views out; what came from a secret is shown as that.

mod facts;
mod plain;
mod tasks;
mod waiting;

pub(crate) use self::{
    facts::{journal_entry, suspension},
    plain::{plain, wire_status},
    tasks::task_views,
    waiting::{admission, pause, waiting_view},
};
