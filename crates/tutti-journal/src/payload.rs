//! Values in encoded form: kept beside the structure, sealed where they came from a secret, in blobs where they are big.

use std::{collections::BTreeMap, fmt, sync::Arc};

use minicbor::{
    Decoder, Encoder,
    data::{Tag, Type},
    decode::Error as DecodeError,
    encode::{Error as EncodeError, Write},
};
use sha2::{Digest as _, Sha256};
use tutti_expr::{Kind, Value};
use tutti_ids::Digest;

use crate::Sealer;

/// Marks a leaf that is sealed.
const SEALED: Tag = Tag::new(0x7475_0001);
/// Marks a value that stands in a blob.
const IN_BLOB: Tag = Tag::new(0x7475_0002);
/// Marks a number that only its text holds exactly.
const DECIMAL: Tag = Tag::new(0x7475_0003);
/// How deep a stored value may be nested; deeper bytes are damage.
const MAX_DEPTH: usize = 256;

/// A big value's bytes, addressed by their content.
#[derive(Clone, PartialEq, Eq)]
pub struct Blob {
    /// The SHA-256 of the bytes.
    pub digest: Digest,
    /// The encoded value.
    pub bytes: Arc<[u8]>,
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({}, {} bytes)", self.digest, self.bytes.len())
    }
}

/// The values of one turn or image while it is encoded or decoded. Structure refers to them by position.
#[derive(Debug)]
pub struct Payloads {
    values: Vec<Value>,
    /// Where each shared value stands already; none where every value is written on its own.
    shared: Option<BTreeMap<Identity, u64>>,
}

/// What two values share that are one in memory: its place there, its length, and whether it is marked.
type Identity = (usize, usize, bool);

impl Payloads {
    pub(crate) fn new(values: Vec<Value>) -> Self {
        Self { values, shared: None }
    }

    /// Payloads in which a value that is shared in memory stands once.
    pub(crate) fn sharing() -> Self {
        Self { values: Vec::new(), shared: Some(BTreeMap::new()) }
    }

    /// Where the value stands.
    fn place(&mut self, value: &Value) -> u64 {
        let next = self.values.len() as u64;
        if let (Some(shared), Some(identity)) = (&mut self.shared, identity(value)) {
            let place = *shared.entry(identity).or_insert(next);
            if place < next {
                return place;
            }
        }
        // It is kept, so nothing else can come to stand at its place in memory.
        self.values.push(value.clone());
        next
    }

    pub(crate) fn into_values(self) -> Vec<Value> {
        self.values
    }
}

fn identity(value: &Value) -> Option<Identity> {
    let (place, length) = match value.kind() {
        Kind::String(text) => (Arc::as_ptr(text).addr(), text.len()),
        Kind::Array(items) => (items.as_ptr().addr(), items.len()),
        Kind::Object(members) => (std::ptr::from_ref(members).addr(), members.len()),
        Kind::Null | Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) => return None,
    };
    Some((place, length, value.is_tainted()))
}

impl AsMut<Payloads> for Payloads {
    fn as_mut(&mut self) -> &mut Payloads {
        self
    }
}

/// Writes a value: its position among the payloads.
pub fn encode<C: AsMut<Payloads>, W: Write>(
    value: &Value,
    encoder: &mut Encoder<W>,
    context: &mut C,
) -> Result<(), EncodeError<W::Error>> {
    encoder.u64(context.as_mut().place(value))?;
    Ok(())
}

/// Reads a value.
pub fn decode<C: AsMut<Payloads>>(
    decoder: &mut Decoder<'_>,
    context: &mut C,
) -> Result<Value, DecodeError> {
    let position = usize::try_from(decoder.u64()?).unwrap_or(usize::MAX);
    let value = context.as_mut().values.get(position).cloned();
    value.ok_or_else(|| DecodeError::message("a value is missing"))
}

/// The same for values that may be left out.
pub mod optional {
    use super::{DecodeError, Decoder, EncodeError, Encoder, Payloads, Type, Value, Write};

    /// Writes a value, or that there is none.
    pub fn encode<C: AsMut<Payloads>, W: Write>(
        value: &Option<Value>,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        match value {
            Some(value) => super::encode(value, encoder, context),
            None => encoder.null().map(|_| ()),
        }
    }

    /// Reads a value, or that there is none.
    pub fn decode<C: AsMut<Payloads>>(
        decoder: &mut Decoder<'_>,
        context: &mut C,
    ) -> Result<Option<Value>, DecodeError> {
        if decoder.datatype()? == Type::Null {
            decoder.null()?;
            return Ok(None);
        }
        super::decode(decoder, context).map(Some)
    }

    /// What a field that is not there reads as.
    pub fn nil() -> Option<Option<Value>> {
        Some(None)
    }

    /// Whether there is none.
    pub fn is_nil(value: &Option<Value>) -> bool {
        value.is_none()
    }
}

/// Writes values; those of more than `threshold` bytes go into blobs.
pub(crate) fn write_values(
    values: &[Value],
    threshold: usize,
    sealer: &dyn Sealer,
) -> (Vec<u8>, Vec<Blob>) {
    let mut blobs = Vec::new();
    let mut encoder = Encoder::new(Vec::new());
    let mut scratch = Vec::new();
    for value in values {
        scratch.clear();
        write_value(value, &mut Encoder::new(&mut scratch), sealer);
        if scratch.len() <= threshold {
            encoder.writer_mut().extend_from_slice(&scratch);
            continue;
        }
        let blob = Blob {
            digest: Digest(Sha256::digest(&scratch).into()),
            bytes: Arc::from(&scratch[..]),
        };
        infallible(&encoder.tag(IN_BLOB).and_then(|encoder| encoder.bytes(&blob.digest.0)));
        blobs.push(blob);
    }
    (encoder.into_writer(), blobs)
}

fn write_value(value: &Value, encoder: &mut Encoder<&mut Vec<u8>>, sealer: &dyn Sealer) {
    if is_sealed_whole(value) {
        let mut plain = Vec::new();
        write_plain(value, &mut Encoder::new(&mut plain));
        let sealed = sealer.seal(&plain);
        return infallible(&encoder.tag(SEALED).and_then(|encoder| encoder.bytes(&sealed)));
    }
    match value.kind() {
        Kind::Array(items) => {
            infallible(&encoder.array(items.len() as u64));
            for item in items {
                write_value(item, encoder, sealer);
            }
        }
        Kind::Object(members) => {
            infallible(&encoder.map(members.len() as u64));
            for (key, member) in members.iter() {
                infallible(&encoder.str(key));
                write_value(member, encoder, sealer);
            }
        }
        _ => write_leaf(value, encoder),
    }
}

/// Whether a value goes under one seal: a leaf that came from a secret, an object whose names did, what is empty but
/// marked.
fn is_sealed_whole(value: &Value) -> bool {
    value.is_tainted()
        && match value.kind() {
            Kind::Array(items) => items.is_empty(),
            Kind::Object(members) => members.is_empty() || members.keys_tainted(),
            _ => true,
        }
}

/// Writes a value that stands under a seal.
fn write_plain(value: &Value, encoder: &mut Encoder<&mut Vec<u8>>) {
    match value.kind() {
        Kind::Array(items) => {
            infallible(&encoder.array(items.len() as u64));
            for item in items {
                write_plain(item, encoder);
            }
        }
        Kind::Object(members) => {
            infallible(&encoder.map(members.len() as u64));
            for (key, member) in members.iter() {
                infallible(&encoder.str(key));
                write_plain(member, encoder);
            }
        }
        _ => write_leaf(value, encoder),
    }
}

fn write_leaf(leaf: &Value, encoder: &mut Encoder<&mut Vec<u8>>) {
    match leaf.kind() {
        Kind::Null | Kind::Array(_) | Kind::Object(_) => infallible(&encoder.null()),
        Kind::Bool(value) => infallible(&encoder.bool(value)),
        Kind::Integer(value) => infallible(&encoder.i64(value)),
        Kind::Float(value) => write_number(leaf, value, encoder),
        Kind::String(value) => infallible(&encoder.str(value)),
    }
}

/// Writes a number as a double where that is all of it, else as the text it was written as.
fn write_number(leaf: &Value, nearest: f64, encoder: &mut Encoder<&mut Vec<u8>>) {
    let text = leaf.to_json();
    if text == Value::float(nearest).to_json() {
        return infallible(&encoder.f64(nearest));
    }
    infallible(&encoder.tag(DECIMAL).and_then(|encoder| encoder.str(&text)));
}

/// Encoding into memory cannot fail.
fn infallible<T, E>(result: &Result<T, E>) {
    debug_assert!(result.is_ok(), "invariant: encoding into memory cannot fail");
}

/// How many values to read and where blobs are found.
pub(crate) struct Source<'a> {
    pub(crate) sealer: &'a dyn Sealer,
    pub(crate) blob: &'a dyn Fn(&Digest) -> Option<Arc<[u8]>>,
}

/// Reads all values of a payload.
pub(crate) fn read_values(bytes: &[u8], source: &Source<'_>) -> Result<Vec<Value>, DecodeError> {
    let mut decoder = Decoder::new(bytes);
    let mut values = Vec::new();
    while decoder.position() < bytes.len() {
        values.push(read_value(&mut decoder, source, 0)?);
    }
    Ok(values)
}

fn read_value(
    decoder: &mut Decoder<'_>,
    source: &Source<'_>,
    depth: usize,
) -> Result<Value, DecodeError> {
    if depth > MAX_DEPTH {
        return Err(DecodeError::message("a value is nested too deeply"));
    }
    match decoder.datatype()? {
        Type::Null => decoder.null().map(|()| Value::NULL),
        Type::Bool => decoder.bool().map(Value::from),
        Type::F16 | Type::F32 | Type::F64 => decoder.f64().map(Value::float),
        Type::String => decoder.str().map(Value::from),
        Type::Array => read_array(decoder, source, depth),
        Type::Map => read_object(decoder, source, depth),
        Type::Tag => read_tagged(decoder, source, depth),
        _ => decoder.i64().map(Value::from),
    }
}

fn read_array(
    decoder: &mut Decoder<'_>,
    source: &Source<'_>,
    depth: usize,
) -> Result<Value, DecodeError> {
    let length =
        decoder.array()?.ok_or_else(|| DecodeError::message("an array without a length"))?;
    let items: Result<Vec<_>, _> =
        (0..length).map(|_| read_value(decoder, source, depth + 1)).collect();
    items.map(Value::array)
}

fn read_object(
    decoder: &mut Decoder<'_>,
    source: &Source<'_>,
    depth: usize,
) -> Result<Value, DecodeError> {
    let length =
        decoder.map()?.ok_or_else(|| DecodeError::message("an object without a length"))?;
    let mut members = Vec::new();
    for _ in 0..length {
        let key: Arc<str> = Arc::from(decoder.str()?);
        members.push((key, read_value(decoder, source, depth + 1)?));
    }
    Ok(Value::object(members))
}

fn read_tagged(
    decoder: &mut Decoder<'_>,
    source: &Source<'_>,
    depth: usize,
) -> Result<Value, DecodeError> {
    match decoder.tag()? {
        tag if tag == DECIMAL => {
            let text = decoder.str()?;
            let number = Value::from_json(text).map_err(DecodeError::custom)?;
            match number.kind() {
                Kind::Integer(_) | Kind::Float(_) => Ok(number),
                _ => Err(DecodeError::message("a number is none")),
            }
        }
        tag if tag == SEALED => {
            let plain = source.sealer.open(decoder.bytes()?).map_err(DecodeError::custom)?;
            read_whole(&plain, source, depth + 1).map(Value::tainted)
        }
        // Only whole values stand in blobs; a blob within another could grow without bounds.
        tag if tag == IN_BLOB && depth == 0 => {
            let digest: [u8; 32] = decoder.bytes()?.try_into().map_err(DecodeError::custom)?;
            let bytes = (source.blob)(&Digest(digest))
                .ok_or_else(|| DecodeError::message("a blob is missing"))?;
            if Sha256::digest(&bytes)[..] != digest {
                return Err(DecodeError::message("a blob was altered"));
            }
            read_whole(&bytes, source, depth + 1)
        }
        _ => Err(DecodeError::message("an unknown tag")),
    }
}

/// Reads the one value that `bytes` hold, a blob's or a sealed leaf's.
fn read_whole(bytes: &[u8], source: &Source<'_>, depth: usize) -> Result<Value, DecodeError> {
    let mut decoder = Decoder::new(bytes);
    let value = read_value(&mut decoder, source, depth)?;
    if decoder.position() < bytes.len() {
        return Err(DecodeError::message("more follows a value"));
    }
    Ok(value)
}

/// The digests of the blobs that values stand in.
pub(crate) fn blob_digests(bytes: &[u8]) -> Result<Vec<Digest>, DecodeError> {
    let mut decoder = Decoder::new(bytes);
    let mut digests = Vec::new();
    while decoder.position() < bytes.len() {
        if decoder.datatype()? == Type::Tag {
            let mut ahead = decoder.probe();
            if ahead.tag()? == IN_BLOB {
                let digest: [u8; 32] = ahead.bytes()?.try_into().map_err(DecodeError::custom)?;
                digests.push(Digest(digest));
            }
        }
        decoder.skip()?;
    }
    Ok(digests)
}
