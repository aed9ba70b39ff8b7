//! How tasks, lists and what runs beside each other are encoded in an image.

use std::{collections::BTreeMap, sync::Arc};

use minicbor::{
    Decoder, Encoder,
    decode::Error as DecodeError,
    encode::{Error as EncodeError, Write},
};
use tutti_dsl::{ListId, TaskId};
use tutti_expr::Value;
use tutti_journal::{Error, Payloads, codec};

/// What an encoder gives.
pub(crate) type Encoded<W> = Result<(), EncodeError<<W as Write>::Error>>;

/// A list of tasks, by its place.
pub(crate) mod list {
    use super::{DecodeError, Decoder, Encoded, Encoder, ListId, Write};

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the shape that the derive macro asks for"
    )]
    pub(crate) fn encode<C, W: Write>(
        value: &ListId,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Encoded<W> {
        encoder.u32(value.0).map(|_| ())
    }

    pub(crate) fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<ListId, DecodeError> {
        decoder.u32().map(ListId)
    }
}

/// A task, by its place.
pub(crate) mod task {
    use super::{DecodeError, Decoder, Encoded, Encoder, TaskId, Write};

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the shape that the derive macro asks for"
    )]
    pub(crate) fn encode<C, W: Write>(
        value: &TaskId,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Encoded<W> {
        encoder.u32(value.0).map(|_| ())
    }

    pub(crate) fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<TaskId, DecodeError> {
        decoder.u32().map(TaskId)
    }
}

/// A task, by its place, or none.
pub(crate) mod optional_task {
    use super::{DecodeError, Decoder, Encoded, Encoder, TaskId, Write};

    #[expect(
        clippy::ref_option,
        clippy::trivially_copy_pass_by_ref,
        reason = "the shape that the derive macro asks for"
    )]
    pub(crate) fn encode<C, W: Write>(
        value: &Option<TaskId>,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Encoded<W> {
        encoder.encode_with(value.map(|task| task.0), context).map(|_| ())
    }

    pub(crate) fn decode<C>(
        decoder: &mut Decoder<'_>,
        context: &mut C,
    ) -> Result<Option<TaskId>, DecodeError> {
        let read: Option<u32> = decoder.decode_with(context)?;
        Ok(read.map(TaskId))
    }
}

/// How each of the branches ended, if it has.
pub(crate) mod results {
    use super::{
        DecodeError, Decoder, Encoded, Encoder, Error, Payloads, Value, Write, codec, length,
    };

    type Results = Vec<Option<Result<Value, Error>>>;

    pub(crate) fn encode<C: AsMut<Payloads>, W: Write>(
        value: &Results,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Encoded<W> {
        encoder.array(value.len() as u64)?;
        for result in value {
            match result {
                Some(result) => codec::result::encode(result, encoder, context)?,
                None => _ = encoder.null()?,
            }
        }
        Ok(())
    }

    pub(crate) fn decode<C: AsMut<Payloads>>(
        decoder: &mut Decoder<'_>,
        context: &mut C,
    ) -> Result<Results, DecodeError> {
        let length = length(decoder.array()?)?;
        let mut results = Vec::new();
        for _ in 0..length {
            let is_none = decoder.datatype()? == minicbor::data::Type::Null;
            results.push(if is_none {
                decoder.null()?;
                None
            } else {
                Some(codec::result::decode(decoder, context)?)
            });
        }
        Ok(results)
    }
}

/// `$context` by branch.
pub(crate) mod contexts {
    use super::{
        BTreeMap, DecodeError, Decoder, Encoded, Encoder, Payloads, Value, Write, codec, length,
    };

    pub(crate) fn encode<C: AsMut<Payloads>, W: Write>(
        value: &BTreeMap<usize, Value>,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Encoded<W> {
        encoder.map(value.len() as u64)?;
        for (branch, value) in value {
            encoder.u64(*branch as u64)?;
            codec::value::encode(value, encoder, context)?;
        }
        Ok(())
    }

    pub(crate) fn decode<C: AsMut<Payloads>>(
        decoder: &mut Decoder<'_>,
        context: &mut C,
    ) -> Result<BTreeMap<usize, Value>, DecodeError> {
        let length = length(decoder.map()?)?;
        let mut contexts = BTreeMap::new();
        for _ in 0..length {
            let branch: usize = decoder.decode()?;
            contexts.insert(branch, codec::value::decode(decoder, context)?);
        }
        Ok(contexts)
    }
}

/// Variables and what they are bound to.
pub(crate) mod bindings {
    use super::{
        Arc, DecodeError, Decoder, Encoded, Encoder, Payloads, Value, Write, codec, length,
    };

    type Bindings = Vec<(Arc<str>, Value)>;

    pub(crate) fn encode<C: AsMut<Payloads>, W: Write>(
        value: &Bindings,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Encoded<W> {
        encoder.map(value.len() as u64)?;
        for (name, value) in value {
            encoder.str(name)?;
            codec::value::encode(value, encoder, context)?;
        }
        Ok(())
    }

    pub(crate) fn decode<C: AsMut<Payloads>>(
        decoder: &mut Decoder<'_>,
        context: &mut C,
    ) -> Result<Bindings, DecodeError> {
        let length = length(decoder.map()?)?;
        let mut bindings = Bindings::new();
        for _ in 0..length {
            let name = Arc::from(decoder.str()?);
            bindings.push((name, codec::value::decode(decoder, context)?));
        }
        Ok(bindings)
    }
}

/// Values by name.
pub(crate) mod learned {
    use super::{
        Arc, BTreeMap, DecodeError, Decoder, Encoded, Encoder, Payloads, Value, Write, bindings,
    };

    pub(crate) fn encode<C: AsMut<Payloads>, W: Write>(
        value: &BTreeMap<Arc<str>, Value>,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Encoded<W> {
        let list = value.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        bindings::encode(&list, encoder, context)
    }

    pub(crate) fn decode<C: AsMut<Payloads>>(
        decoder: &mut Decoder<'_>,
        context: &mut C,
    ) -> Result<BTreeMap<Arc<str>, Value>, DecodeError> {
        bindings::decode(decoder, context).map(BTreeMap::from_iter)
    }
}

/// Values in order.
pub(crate) mod values {
    use super::{DecodeError, Decoder, Encoded, Encoder, Payloads, Value, Write, codec, length};

    pub(crate) fn encode<C: AsMut<Payloads>, W: Write>(
        value: &[Value],
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Encoded<W> {
        encoder.array(value.len() as u64)?;
        value.iter().try_for_each(|value| codec::value::encode(value, encoder, context))
    }

    pub(crate) fn decode<C: AsMut<Payloads>>(
        decoder: &mut Decoder<'_>,
        context: &mut C,
    ) -> Result<Vec<Value>, DecodeError> {
        let length = length(decoder.array()?)?;
        (0..length).map(|_| codec::value::decode(decoder, context)).collect()
    }
}

/// The length of a list or map.
pub(crate) fn length(length: Option<u64>) -> Result<u64, DecodeError> {
    length.ok_or_else(|| DecodeError::message("a list without a length"))
}
