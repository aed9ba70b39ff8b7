//! How what is stored becomes bytes: a byte that says which version, then CBOR with numbered fields.
//!
//! There is one encoding of a thing: bytes that decode, and are not what encoding gives again, are refused. So nothing
//! in a record can change without a change of its meaning, and a reader older than a field says so instead of dropping
//! it.

use std::{fmt::Display, str::FromStr};

use minicbor::{
    Decode, Decoder, Encode, Encoder,
    data::Type,
    decode::Error as DecodeError,
    encode::{Error as EncodeError, Write},
};

/// Version of all encodings of this crate.
const VERSION: u8 = 1;

/// Bytes that are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read {what}: {reason}")]
pub struct Damaged {
    /// What should have been read.
    pub what: &'static str,
    /// Why it could not.
    pub reason: String,
}

/// The encoding of a thing.
pub(crate) fn write<T: Encode<()>>(thing: &T) -> Vec<u8> {
    let mut encoder = Encoder::new(vec![VERSION]);
    let written = encoder.encode(thing).map(|_| ());
    debug_assert!(written.is_ok(), "invariant: encoding into memory cannot fail");
    encoder.into_writer()
}

/// Reads what [`write`] wrote, and nothing else.
pub(crate) fn read<T>(what: &'static str, bytes: &[u8]) -> Result<T, Damaged>
where
    T: Encode<()> + for<'b> Decode<'b, ()>,
{
    let fail = |reason: String| Damaged { what, reason };
    let Some((&VERSION, structure)) = bytes.split_first() else {
        return Err(fail(format!("expected version {VERSION} of its encoding")));
    };
    let thing: T = minicbor::decode(structure).map_err(|error| fail(error.to_string()))?;
    if write(&thing) != bytes {
        return Err(fail("it is not in its one form, or newer than this program".to_owned()));
    }
    Ok(thing)
}

/// Encodes and decodes an id, name or digest as its text.
pub(crate) mod text {
    use super::{DecodeError, Decoder, Display, EncodeError, Encoder, FromStr, Write};

    /// Writes one.
    pub(crate) fn encode<C, T: Display, W: Write>(
        value: &T,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        encoder.str(&value.to_string()).map(|_| ())
    }

    /// Reads one.
    pub(crate) fn decode<C, T: FromStr>(
        decoder: &mut Decoder<'_>,
        _: &mut C,
    ) -> Result<T, DecodeError> {
        let malformed = |_| DecodeError::message("malformed id, name or digest");
        decoder.str()?.parse().map_err(malformed)
    }
}

/// The same for what may be absent.
#[expect(
    clippy::option_option,
    clippy::ref_option,
    clippy::unnecessary_wraps,
    reason = "the shapes that derived code calls"
)]
pub(crate) mod optional_text {
    use super::{DecodeError, Decoder, Display, EncodeError, Encoder, FromStr, Type, Write, text};

    /// Writes one, or that there is none.
    pub(crate) fn encode<C, T: Display, W: Write>(
        value: &Option<T>,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        match value {
            Some(value) => text::encode(value, encoder, context),
            None => encoder.null().map(|_| ()),
        }
    }

    /// Reads one, or that there is none.
    pub(crate) fn decode<C, T: FromStr>(
        decoder: &mut Decoder<'_>,
        context: &mut C,
    ) -> Result<Option<T>, DecodeError> {
        if decoder.datatype()? == Type::Null {
            decoder.null()?;
            return Ok(None);
        }
        text::decode(decoder, context).map(Some)
    }

    /// What a field that is not there reads as.
    pub(crate) fn nil<T>() -> Option<Option<T>> {
        Some(None)
    }

    /// Whether there is none.
    pub(crate) fn is_nil<T>(value: &Option<T>) -> bool {
        value.is_none()
    }
}
