//! Ids and names of `tutti-ids` in encoded form.

use std::sync::Arc;

use minicbor::{
    Decoder, Encoder,
    decode::Error as DecodeError,
    encode::{Error as EncodeError, Write},
};
use tutti_ids::{DefinitionRef, Digest, ExecutionId, Name, Sequence, TaskRef, Version};

macro_rules! codec {
    ($module:ident, $what:literal, $type:ty, |$value:ident| $text:expr, $kind:ident, |$read:ident| $parse:expr) => {
        #[doc = concat!("Encodes and decodes ", $what, ".")]
        pub mod $module {
            use super::*;

            /// Writes one.
            pub fn encode<Ctx, W: Write>(
                $value: &$type,
                encoder: &mut Encoder<W>,
                _: &mut Ctx,
            ) -> Result<(), EncodeError<W::Error>> {
                encoder.$kind($text)?;
                Ok(())
            }

            /// Reads one.
            pub fn decode<Ctx>(
                decoder: &mut Decoder<'_>,
                _: &mut Ctx,
            ) -> Result<$type, DecodeError> {
                let $read = decoder.$kind()?;
                $parse
            }
        }
    };
}

codec!(text, "a shared text", Arc<str>, |value| value, str, |read| Ok(Arc::from(read)));
codec!(sequence, "a sequence", Sequence, |value| value.0, u64, |read| Ok(Sequence(read)));
codec!(task_ref, "the place of a task", TaskRef, |value| value.as_str(), str, |read| Ok(
    TaskRef::new(read)
));
codec!(digest, "a digest", Digest, |value| &value.0, bytes, |read| {
    let bytes =
        read.try_into().map_err(|_wrong_length| DecodeError::message("a digest has 32 bytes"))?;
    Ok(Digest(bytes))
});
/// The same for a sequence that may be left out.
pub mod optional_sequence {
    use super::{DecodeError, Decoder, EncodeError, Encoder, Sequence, Write};

    /// Writes one, or that there is none.
    pub fn encode<Ctx, W: Write>(
        value: &Option<Sequence>,
        encoder: &mut Encoder<W>,
        context: &mut Ctx,
    ) -> Result<(), EncodeError<W::Error>> {
        encoder.encode_with(value.map(|value| value.0), context).map(|_| ())
    }

    /// Reads one, or that there is none.
    pub fn decode<Ctx>(
        decoder: &mut Decoder<'_>,
        context: &mut Ctx,
    ) -> Result<Option<Sequence>, DecodeError> {
        let read: Option<u64> = decoder.decode_with(context)?;
        Ok(read.map(Sequence))
    }
}
codec!(
    execution,
    "the id of an execution",
    ExecutionId,
    |value| &value.to_bits().to_be_bytes(),
    bytes,
    |read| {
        let bytes =
            read.try_into().map_err(|_wrong_length| DecodeError::message("an id has 16 bytes"))?;
        Ok(ExecutionId::from_bits(u128::from_be_bytes(bytes)))
    }
);

/// Encodes and decodes the name of a definition.
pub mod definition {
    use super::{DecodeError, Decoder, DefinitionRef, EncodeError, Encoder, Name, Version, Write};

    /// Writes one.
    pub fn encode<Ctx, W: Write>(
        value: &DefinitionRef,
        encoder: &mut Encoder<W>,
        _: &mut Ctx,
    ) -> Result<(), EncodeError<W::Error>> {
        encoder.array(3)?;
        encoder
            .str(value.namespace.as_str())?
            .str(value.name.as_str())?
            .str(value.version.as_str())?;
        Ok(())
    }

    /// Reads one.
    pub fn decode<Ctx>(
        decoder: &mut Decoder<'_>,
        _: &mut Ctx,
    ) -> Result<DefinitionRef, DecodeError> {
        if decoder.array()? != Some(3) {
            return Err(DecodeError::message("a definition's name has three parts"));
        }
        let malformed = |_| DecodeError::message("malformed name");
        Ok(DefinitionRef {
            namespace: decoder.str()?.parse::<Name>().map_err(malformed)?,
            name: decoder.str()?.parse::<Name>().map_err(malformed)?,
            version: decoder.str()?.parse::<Version>().map_err(malformed)?,
        })
    }
}
