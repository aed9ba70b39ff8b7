//! The keys of calls that had not ended well: their re-runs take them over.

use std::{collections::BTreeMap, sync::Arc};

use minicbor::{Decoder, Encoder, decode::Error as DecodeError, encode::Write};
use tutti_dsl::TaskId;

use crate::places::{Encoded, length};

/// Where a task execution stands, the same for its re-run: the tasks from the workflow down to it, each with the iteration
/// it runs in. An undoing has its own number there: what it takes back is not taken back again.
pub(crate) type Place = Vec<(TaskId, Option<u64>)>;

/// Keys of failed calls by place, with the attempts made under them.
pub(crate) type KeyRing = BTreeMap<Place, (Arc<str>, u32)>;

pub(crate) fn encode<C, W: Write>(
    value: &KeyRing,
    encoder: &mut Encoder<W>,
    _: &mut C,
) -> Encoded<W> {
    encoder.array(value.len() as u64)?;
    for (place, (key, attempts)) in value {
        let place: Vec<(u32, Option<u64>)> =
            place.iter().map(|(task, iteration)| (task.0, *iteration)).collect();
        encoder.encode((place, &**key, attempts))?;
    }
    Ok(())
}

pub(crate) fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<KeyRing, DecodeError> {
    let length = length(decoder.array()?)?;
    let mut ring = KeyRing::new();
    for _ in 0..length {
        let (place, key, attempts): (Vec<(u32, Option<u64>)>, &str, u32) = decoder.decode()?;
        let place = place.into_iter().map(|(task, iteration)| (TaskId(task), iteration)).collect();
        ring.insert(place, (Arc::from(key), attempts));
    }
    Ok(ring)
}
