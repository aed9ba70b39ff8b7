//! The connectors against real sockets and processes.

mod conformance;
mod fuzzed;
mod guard;
mod http;
mod recovery;
mod script;
mod script_recovery;
mod server;
mod shell;
mod strays;
mod tls;
mod variables;
mod world;
