//! Ids of things that live: `<kind>_<ulid>`.

use std::{fmt, str::FromStr};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: usize = 26;

/// Identifies one execution of a workflow: `exec_` and a lowercase ULID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionId(u128);

impl ExecutionId {
    const PREFIX: &str = "exec_";

    /// Makes an id from its creation time (milliseconds since the Unix epoch, 48 bits used) and 80 bits of chance.
    pub fn new(created_at_ms: u64, chance: u128) -> Self {
        let time = u128::from(created_at_ms & 0xFFFF_FFFF_FFFF);
        Self(time << 80 | chance & ((1 << 80) - 1))
    }

    /// The id's 128 bits, as stored and hashed.
    pub fn to_bits(self) -> u128 {
        self.0
    }

    /// The id whose bits are `bits`: the inverse of [`ExecutionId::to_bits`].
    pub fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// When the id was made, in milliseconds since the Unix epoch.
    pub fn created_at_ms(self) -> u64 {
        u64::try_from(self.0 >> 80).unwrap_or(u64::MAX)
    }
}

impl fmt::Display for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::PREFIX)?;
        for position in (0..LENGTH).rev() {
            let index = (self.0 >> (5 * position)) & 31;
            let letter = ALPHABET[usize::try_from(index).unwrap_or(0)];
            fmt::Write::write_char(f, char::from(letter))?;
        }
        Ok(())
    }
}

impl fmt::Debug for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ExecutionId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || InvalidId { text: text.chars().take(64).collect() };
        let ulid = text.strip_prefix(Self::PREFIX).ok_or_else(invalid)?;
        if ulid.len() != LENGTH || ulid.as_bytes()[0] > b'7' {
            return Err(invalid());
        }
        let mut bits = 0_u128;
        for letter in ulid.bytes() {
            let digit = ALPHABET.iter().position(|known| *known == letter).ok_or_else(invalid)?;
            bits = bits << 5 | digit as u128;
        }
        Ok(Self(bits))
    }
}

/// A text that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not an execution id: expected `exec_` and 26 characters of 0-9 a-z without i, l, o, u"
)]
pub struct InvalidId {
    /// What was given, cut at 64 characters.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_and_sorts_by_time() {
        let early = ExecutionId::new(1_700_000_000_000, 7);
        let late = ExecutionId::new(1_700_000_000_001, 3);
        assert_eq!(early.to_string().parse(), Ok(early));
        assert!(early.to_string() < late.to_string());
        assert_eq!(late.created_at_ms(), 1_700_000_000_001);
        let highest = ExecutionId::from_bits(u128::MAX);
        assert_eq!(highest.to_string(), "exec_7zzzzzzzzzzzzzzzzzzzzzzzzz");
        assert_eq!(highest.to_string().parse(), Ok(highest));
    }

    #[test]
    fn foreign_texts_are_refused() {
        for text in [
            "",
            "exec_",
            "run_7zzzzzzzzzzzzzzzzzzzzzzzzz",
            "exec_8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "exec_../../etc/passwd...........",
        ] {
            assert!(text.parse::<ExecutionId>().is_err(), "{text}");
        }
    }
}
