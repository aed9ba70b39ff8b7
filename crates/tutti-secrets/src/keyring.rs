//! Sealing: authenticated encryption under a master key.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use sha2::{Digest as _, Sha256};

use crate::Secret;

/// The version of the sealed form, its first byte.
const FORMAT: u8 = 1;
/// Version, id of the key, nonce.
const HEADER: usize = 1 + 8 + 24;

/// The key that everything sealed depends on: 32 bytes of chance.
#[derive(Clone)]
pub struct MasterKey {
    bytes: Secret<[u8; 32]>,
}

/// Seals with one key, opens with any of several.
pub struct Keyring {
    keys: Vec<(KeyId, XChaCha20Poly1305)>,
    /// The first part of every nonce, drawn when the ring was made; the rest counts. So sealing cannot fail, and no
    /// nonce is used twice: not by this ring, which counts, and not by another, whose chance is different.
    nonce: [u8; 16],
    sealed: AtomicU64,
}

type KeyId = [u8; 8];

/// The operating system gave no random bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no random bytes: {reason}")]
pub struct NoRandomness {
    reason: String,
}

/// Sealed bytes that do not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// They were altered, or were never sealed.
    #[error("the sealed bytes were altered")]
    Altered,
    /// They were sealed under a key that is not on the ring.
    #[error("the bytes were sealed under another key")]
    UnknownKey,
}

impl MasterKey {
    /// Takes key material, which must be 32 bytes of chance.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self { bytes: Secret::new(bytes) }
    }

    /// Draws a new key.
    ///
    /// # Errors
    /// If the operating system gives no random bytes.
    pub fn generate() -> Result<Self, NoRandomness> {
        draw().map(Self::from_bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        self.bytes.expose()
    }

    /// Names the key without telling it.
    fn id(&self) -> KeyId {
        let digest: [u8; 32] = Sha256::new()
            .chain_update(b"tutti key id 1\0")
            .chain_update(self.bytes())
            .finalize()
            .into();
        std::array::from_fn(|index| digest[index])
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(«secret»)")
    }
}

impl Keyring {
    /// A ring that seals with `key`.
    ///
    /// # Errors
    /// If the operating system gives no random bytes.
    pub fn new(key: &MasterKey) -> Result<Self, NoRandomness> {
        let ring = Self { keys: Vec::new(), nonce: draw()?, sealed: AtomicU64::new(0) };
        Ok(ring.with_old(key))
    }

    /// This ring, which also opens what was sealed with `key`.
    #[must_use]
    pub fn with_old(mut self, key: &MasterKey) -> Self {
        self.keys.push((key.id(), XChaCha20Poly1305::new(key.bytes().into())));
        self
    }

    /// Seals `plain`; the same text gives other bytes each time. The result is 49 bytes longer.
    pub fn seal(&self, plain: &[u8]) -> Vec<u8> {
        let (id, cipher) = &self.keys[0];
        let mut sealed = vec![FORMAT];
        sealed.extend(id);
        sealed.extend(self.nonce);
        sealed.extend(self.sealed.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        let (header, nonce) =
            split_header(&sealed).expect("invariant: the header was just written");
        let payload = Payload { msg: plain, aad: header };
        let text =
            cipher.encrypt(&nonce, payload).expect("invariant: memory holds less than 2^38 bytes");
        sealed.extend(text);
        sealed
    }

    /// Opens what [`Keyring::seal`] gave, here or elsewhere under a key on this ring.
    ///
    /// # Errors
    /// If the bytes were altered, or sealed under a key that is not on the ring.
    pub fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let (header, nonce) = split_header(sealed).ok_or(OpenError::Altered)?;
        let known = self.keys.iter().find(|(id, _)| header[1..] == *id);
        let (_, cipher) = known.ok_or(OpenError::UnknownKey)?;
        let payload = Payload { msg: &sealed[HEADER..], aad: header };
        cipher.decrypt(&nonce, payload).map_err(|_opaque| OpenError::Altered)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({} keys)", self.keys.len())
    }
}

/// The version with the id of the key, and the nonce.
fn split_header(sealed: &[u8]) -> Option<(&[u8], XNonce)> {
    let (header, rest) = sealed.split_at_checked(9)?;
    let nonce: [u8; 24] = *rest.first_chunk()?;
    (header[0] == FORMAT).then(|| (header, nonce.into()))
}

pub(crate) fn draw<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| NoRandomness { reason: error.to_string() })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(byte: u8) -> Keyring {
        Keyring::new(&MasterKey::from_bytes([byte; 32])).expect("there is chance")
    }

    #[test]
    fn what_was_sealed_opens_and_shows_nothing() {
        let ring = ring(1);
        for plain in [&b""[..], b"x", b"a longer secret text", &[0xA5; 10_000]] {
            let sealed = ring.seal(plain);
            assert_eq!(sealed.len(), plain.len() + 49);
            assert_eq!(ring.open(&sealed).as_deref(), Ok(plain));
            assert_ne!(ring.seal(plain), sealed, "the same text gives other bytes");
            assert!(plain.len() < 8 || !sealed.windows(8).any(|window| window == &plain[..8]));
        }
    }

    #[test]
    fn altered_bytes_do_not_open() {
        let ring = ring(1);
        let sealed = ring.seal(b"secret");
        for position in 0..sealed.len() {
            for bit in 0..8 {
                let mut altered = sealed.clone();
                altered[position] ^= 1 << bit;
                assert!(ring.open(&altered).is_err(), "bit {bit} of byte {position}");
            }
            assert!(ring.open(&sealed[..position]).is_err(), "cut to {position}");
        }
        assert!(ring.open(&[&sealed[..], b"x"].concat()).is_err());
    }

    #[test]
    fn old_keys_open_but_do_not_seal() {
        let (old, new) = (MasterKey::from_bytes([1; 32]), MasterKey::from_bytes([2; 32]));
        let sealed = ring(1).seal(b"secret");
        let both = Keyring::new(&new).expect("there is chance").with_old(&old);
        assert_eq!(both.open(&sealed).as_deref(), Ok(&b"secret"[..]));
        assert_eq!(ring(2).open(&sealed), Err(OpenError::UnknownKey));
        assert_eq!(ring(1).open(&both.seal(b"secret")), Err(OpenError::UnknownKey));
    }

    #[test]
    fn rings_of_one_key_never_share_a_nonce() {
        let nonces = [ring(1), ring(1)].map(|ring| ring.seal(b"x")[9..HEADER].to_vec());
        assert_ne!(nonces[0], nonces[1]);
    }

    #[test]
    fn keys_are_not_printed() {
        let key = MasterKey::from_bytes([0xAB; 32]);
        assert_eq!(format!("{key:?}"), "MasterKey(«secret»)");
        assert_eq!(format!("{:?}", Keyring::new(&key)), "Ok(Keyring(1 keys))");
    }
}
