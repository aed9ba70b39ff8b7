//! The real binary, from the outside.

mod documents;
mod resuming;
mod running;
mod secrecy;
mod surface;
mod world;
