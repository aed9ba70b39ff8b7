//! What ends every evaluation: ticks, bytes, depth.

use std::fmt;

/// The limits that end every evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// Evaluation ticks.
    Ticks,
    /// Bytes of all values an evaluation holds, and of any one value.
    Bytes,
    /// Depth of one value.
    ValueDepth,
    /// Depth of calls.
    CallDepth,
    /// Bytes of the output.
    Output,
    /// Nesting of a source, operator chains included.
    SyntaxDepth,
    /// Bytes of a source.
    Source,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ticks => "1,000,000 ticks",
            Self::Bytes => "64 MiB of values",
            Self::ValueDepth => "128 levels of nesting in a value",
            Self::CallDepth => "call depth",
            Self::Output => "8 MiB of output",
            Self::SyntaxDepth => "200 levels of nesting in the source",
            Self::Source => "16 KiB of source",
        })
    }
}

/// The ticks one evaluation has.
pub(crate) const TICKS: u64 = 1_000_000;
/// The bytes one evaluation may hold, and one value may have.
pub(crate) const BYTES: u64 = 64 << 20;
/// The bytes of all results together.
pub(crate) const OUTPUT: u64 = 8 << 20;
/// The depth of a source.
pub(crate) const SYNTAX_DEPTH: u16 = 200;
/// The bytes of a source.
pub(crate) const SOURCE: usize = 16 << 10;
