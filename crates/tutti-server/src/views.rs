//! Journals as callers see them. Pure: turns in, views out; what came from a secret is shown as that.

mod facts;
mod tasks;
mod waiting;

pub(crate) use self::{facts::journal_entry, tasks::task_views, waiting::waiting_view};
