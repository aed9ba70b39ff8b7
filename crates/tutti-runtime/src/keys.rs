//! The journal's sealer over a ring of master keys.

use tutti_journal::{SealError, Sealer};
use tutti_secrets::Keyring;

/// Seals what came from a secret under the newest key of a ring.
#[derive(Debug)]
pub struct RowSealer(Keyring);

impl RowSealer {
    /// A sealer over these keys.
    pub fn new(keys: Keyring) -> Self {
        Self(keys)
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
