//! The commands that ask a server, from the outside: the real binary and a real server.

mod access;
mod applying;
mod controlling;
mod emitting;
mod listing;
mod place;
mod settings;
mod starting;
mod watching;
