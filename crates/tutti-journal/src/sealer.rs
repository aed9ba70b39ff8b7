//! How values that came from a secret are written down.

use std::fmt::Debug;

/// Seals and opens values that came from a secret. Implemented above, over a master key; the journal knows only bytes.
pub trait Sealer: Debug + Send + Sync {
    /// Seals `plain`; the same text gives other bytes each time.
    fn seal(&self, plain: &[u8]) -> Vec<u8>;

    /// Opens what [`Sealer::seal`] gave.
    ///
    /// # Errors
    /// If the bytes were altered or sealed under another key.
    fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, SealError>;
}

/// Sealed bytes that do not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value does not open: it was altered or sealed under another key")]
pub struct SealError;
