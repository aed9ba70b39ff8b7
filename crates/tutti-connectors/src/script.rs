//! `run: script`: one script for the Python or Node of the machine, in a process of its own with limits.
//!
//! The script and its arguments reach the interpreter on its standard input, ahead of what the script is to read there:
//! they are data all the way and stand in no file and no list of processes. Between us and the interpreter is the
//! launcher ([`launch`]): this program started again, which lowers its limits, leaves the network and becomes the
//! interpreter.

mod call;
mod config;
mod interpreter;
mod launcher;
mod limits;
mod source;

pub use call::{Script, ScriptOptions};
pub use launcher::{LAUNCHER, launch};
pub use limits::ScriptLimits;
