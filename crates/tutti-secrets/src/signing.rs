//! Signatures that anybody can check: Ed25519 (RFC 8032).

use std::{fmt, path::Path};

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

use crate::{
    KeyFileError, MasterKey,
    key_file::{self, Use},
};

/// A key that signs, kept in a file of its own.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

/// What a signature is checked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(pub [u8; 32]);

/// That the holder of a key said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

impl SigningKey {
    /// Reads the key in `path`, and draws and writes one if there is none.
    ///
    /// # Errors
    /// If the file cannot be read or written, others than its owner may read it, or it does not hold such a key.
    pub fn open_or_create(path: &Path) -> Result<Self, KeyFileError> {
        if !path.exists() {
            key_file::write(path, &key_file::text_of(&MasterKey::generate()?, Use::Signs))?;
        }
        let (seed, _) = key_file::read_key(path, &[Use::Signs])?;
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.bytes());
        let pair = pair.expect("invariant: every 32 bytes are a seed");
        let public = pair.public_key().as_ref().try_into();
        let public = public.expect("invariant: a public key of Ed25519 has 32 bytes");
        Ok(Self { pair, public: PublicKey(public) })
    }

    /// What its signatures are checked with.
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> Signature {
        let signed = self.pair.sign(message);
        let bytes = signed.as_ref().try_into();
        Signature(bytes.expect("invariant: an Ed25519 signature has 64 bytes"))
    }
}

impl PublicKey {
    /// Whether this key's holder signed exactly this message.
    pub fn signed(&self, message: &[u8], signature: &Signature) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(message, &signature.0).is_ok()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.public).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_signed_is_recognised_and_nothing_else() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("checkpoint.key");
        let key = SigningKey::open_or_create(&path).expect("a key is drawn");
        let again = SigningKey::open_or_create(&path).expect("it is read");
        assert_eq!(key.public(), again.public());
        let signature = again.sign(b"said");
        assert!(key.public().signed(b"said", &signature));
        assert!(!key.public().signed(b"sayd", &signature));
        let mut altered = signature;
        altered.0[5] ^= 1;
        assert!(!key.public().signed(b"said", &altered));
        let other = SigningKey::open_or_create(&directory.path().join("other")).expect("a key");
        assert!(!other.public().signed(b"said", &signature));
        assert!(!format!("{key:?}").contains("pair"));
    }

    #[test]
    fn a_key_that_seals_does_not_sign() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("master.key");
        let master = MasterKey::generate().expect("chance");
        key_file::write(&path, &key_file::text_of(&master, Use::SealsKeys)).expect("written");
        let error = SigningKey::open_or_create(&path).expect_err("it is for something else");
        assert!(matches!(error, KeyFileError::NotAKey { .. }), "{error}");
    }
}
