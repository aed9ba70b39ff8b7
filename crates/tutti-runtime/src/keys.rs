//! The journal's sealer over a master key.

use tutti_journal::{SealError, Sealer};
use tutti_secrets::MasterKey;

/// Seals what came from a secret under a master key.
#[derive(Debug)]
pub struct RowSealer(MasterKey);

impl RowSealer {
    /// A sealer over this key.
    pub fn new(key: MasterKey) -> Self {
        Self(key)
    }
}

impl Sealer for RowSealer {
    fn seal(&self, plain: &[u8]) -> Vec<u8> {
        self.0.seal(plain)
    }

    fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        self.0.open(sealed).map_err(|_wrong_key_or_altered| SealError)
    }
}
