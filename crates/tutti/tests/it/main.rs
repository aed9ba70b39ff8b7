//! The real binary, from the outside.

mod answers;
mod documents;
mod resuming;
mod running;
mod secrecy;
mod surface;
mod world;
