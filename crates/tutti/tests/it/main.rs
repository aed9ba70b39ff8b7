//! The real binary, from the outside.

mod answers;
mod canary;
mod client;
mod documents;
mod editors;
mod events;
mod proving;
mod refusing;
mod resources;
mod resuming;
mod running;
mod secrecy;
mod server;
mod surface;
mod world;
