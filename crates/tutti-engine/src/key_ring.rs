//! The keys of calls that had not ended well: their re-runs take them over.

use std::{collections::BTreeMap, sync::Arc};

use minicbor::{Decoder, Encoder, decode::Error as DecodeError, encode::Write};
use tutti_dsl::TaskId;

use crate::places::{Encoded, length};

/// Keys of failed calls by (task, iteration path), with the attempts made under them.
pub(crate) type KeyRing = BTreeMap<(TaskId, Vec<u64>), (Arc<str>, u32)>;

pub(crate) fn encode<C, W: Write>(
    value: &KeyRing,
    encoder: &mut Encoder<W>,
    _: &mut C,
) -> Encoded<W> {
    encoder.array(value.len() as u64)?;
    for ((task, iterations), (key, attempts)) in value {
        encoder.encode((task.0, iterations, &**key, attempts))?;
    }
    Ok(())
}

pub(crate) fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<KeyRing, DecodeError> {
    let length = length(decoder.array()?)?;
    let mut ring = KeyRing::new();
    for _ in 0..length {
        let (task, iterations, key, attempts): (u32, Vec<u64>, &str, u32) = decoder.decode()?;
        ring.insert((TaskId(task), iterations), (Arc::from(key), attempts));
    }
    Ok(ring)
}
