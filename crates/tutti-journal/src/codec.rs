//! How values, ids and names are encoded, for the `with` attribute of types that go into a [`Snapshot`](crate::Snapshot).
//!
//! A value is written as its position among the [`Payloads`](crate::Payloads), so structure and values stay apart.

pub use crate::{
    names::{definition, digest, execution, optional_sequence, sequence, task_ref, text},
    payload::optional,
};

/// Encodes and decodes a value.
pub mod value {
    pub use crate::payload::{decode, encode};
}

/// Encodes and decodes what gives a value or ends with an error.
pub mod result {
    use minicbor::{
        Decoder, Encoder,
        decode::Error as DecodeError,
        encode::{Error as EncodeError, Write},
    };
    use tutti_expr::Value;

    use crate::{
        Error,
        payload::{self, Payloads},
    };

    /// Writes how it ended.
    pub fn encode<C: AsMut<Payloads>, W: Write>(
        value: &Result<Value, Error>,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        encoder.array(2)?.bool(value.is_ok())?;
        match value {
            Ok(value) => payload::encode(value, encoder, context),
            Err(error) => encoder.encode_with(error, context).map(|_| ()),
        }
    }

    /// Reads how it ended.
    pub fn decode<C: AsMut<Payloads>>(
        decoder: &mut Decoder<'_>,
        context: &mut C,
    ) -> Result<Result<Value, Error>, DecodeError> {
        if decoder.array()? != Some(2) {
            return Err(DecodeError::message("a result has two parts"));
        }
        if decoder.bool()? {
            return payload::decode(decoder, context).map(Ok);
        }
        decoder.decode_with(context).map(Err)
    }
}
