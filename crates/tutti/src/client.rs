//! The command line as a client: it asks a server over its HTTP contract (`tutti-api`) and prints what it says.
//!
//! [`settings`] says which server is asked and as whom, [`transport`] is the way there, [`ask`] what is asked and what became
//! of it; every other file is a command. Start reading at [`ask::Client`].
//!
//! **Invariant:** a token goes to the server it was given for and nowhere else: into no output, no error, and never along a
//! redirect.

mod address;
mod apply;
mod ask;
mod bump;
mod config;
mod controls;
mod describe;
mod emit;
mod facts;
mod follow;
mod get;
mod grants;
mod issued;
mod list;
mod moment;
mod offline;
mod pages;
mod principals;
mod problem;
mod secrets;
mod settings;
mod start;
mod stream;
mod table;
mod tasks;
mod tokens;
mod transport;
mod watch;

pub(crate) use self::{
    apply::apply,
    controls::{cancel, resolve, resume, retry, suspend},
    describe::describe,
    emit::{emit, is_meant},
    get::get,
    list::list,
    principals::principals,
    secrets::secrets,
    start::start,
    tokens::tokens,
    watch::watch,
};
