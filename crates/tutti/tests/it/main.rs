//! The real binary, from the outside.

mod answers;
mod documents;
mod events;
mod editors;
mod resuming;
mod running;
mod secrecy;
mod surface;
mod world;
