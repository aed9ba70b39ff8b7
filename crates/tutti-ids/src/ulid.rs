//! The part of an id that is the same for every kind: a ULID in lowercase.

use std::fmt;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: usize = 26;

/// 48 bits of time and 80 of chance; its text form is 26 characters that sort as the bits do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Ulid(pub(crate) u128);

impl Ulid {
    /// Made at this time (milliseconds since the Unix epoch, 48 bits used) with 80 bits of chance.
    pub(crate) fn new(created_at_ms: u64, chance: u128) -> Self {
        let time = u128::from(created_at_ms & 0xFFFF_FFFF_FFFF);
        Self(time << 80 | chance & ((1 << 80) - 1))
    }

    /// When it was made, in milliseconds since the Unix epoch.
    pub(crate) fn created_at_ms(self) -> u64 {
        u64::try_from(self.0 >> 80).unwrap_or(u64::MAX)
    }

    /// Reads the text form, and nothing that only resembles it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() != LENGTH || text.as_bytes()[0] > b'7' {
            return None;
        }
        let mut bits = 0_u128;
        for letter in text.bytes() {
            let digit = ALPHABET.iter().position(|known| *known == letter)?;
            bits = bits << 5 | digit as u128;
        }
        Some(Self(bits))
    }
}

impl fmt::Display for Ulid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for position in (0..LENGTH).rev() {
            let index = (self.0 >> (5 * position)) & 31;
            let letter = ALPHABET[usize::try_from(index).unwrap_or(0)];
            fmt::Write::write_char(f, char::from(letter))?;
        }
        Ok(())
    }
}
