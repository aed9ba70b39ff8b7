//! The value that flows through workflows.
//!
//! A [`Value`] is 32 bytes: leaves stand in it, containers and texts are shared behind an `Arc`. Containers know their
//! size, depth and taint, so that asking is free. Nothing here recurses deeper than a value's own checked depth:
//! dropping, comparing and printing walk with a stack of their own.

mod array;
mod convert;
mod live;
mod number;
mod object;
mod order;
mod parse;
mod print;

use std::{fmt, sync::Arc};

pub(crate) use array::Array;
use live::Text;
pub(crate) use live::live_bytes;
pub(crate) use number::Decimal;
pub use object::Object;
pub use parse::ParseError;

/// A JSON value: immutable, shared, cheap to clone, with a *tainted by a secret* mark on every leaf.
#[derive(Clone)]
pub struct Value {
    node: Node,
    tainted: bool,
}

#[derive(Clone)]
enum Node {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Decimal(Arc<Decimal>),
    String(Text),
    Array(Arc<Array>),
    Object(Arc<Object>),
}

/// A view of a value to match on.
#[derive(Debug, Clone, Copy)]
pub enum Kind<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number that fits 64 bits.
    Integer(i64),
    /// Any other number; always finite.
    Float(f64),
    /// A string.
    String(&'a Arc<str>),
    /// An array.
    Array(&'a [Value]),
    /// An object.
    Object(&'a Object),
}

impl Value {
    /// `null`
    pub const NULL: Self = Self { node: Node::Null, tainted: false };

    /// The deepest nesting of a value that text or an expression can make.
    pub const MAX_DEPTH: u32 = 128;

    fn leaf(node: Node) -> Self {
        Self { node, tainted: false }
    }

    /// An array of these values.
    pub fn array(items: impl IntoIterator<Item = Self>) -> Self {
        Self::from(Array::new(items.into_iter().collect()))
    }

    /// An object of these members; of two with one name the later wins, in the earlier's place.
    pub fn object<K: Into<Arc<str>>>(members: impl IntoIterator<Item = (K, Self)>) -> Self {
        let mut object = Object::default();
        for (key, value) in members {
            object.insert(key.into(), value);
        }
        Self::from(object)
    }

    /// A number; `null` where `number` is not finite.
    pub fn float(number: f64) -> Self {
        if number.is_finite() { Self::leaf(Node::Float(number)) } else { Self::NULL }
    }

    /// The result of a computation: whole numbers become integers, and what is not finite stays, inside evaluations only.
    pub(crate) fn computed(number: f64) -> Self {
        const WHOLE: f64 = 9_007_199_254_740_992.0;
        if number.abs() <= WHOLE
            && number.fract() == 0.0
            && (number != 0.0 || number.is_sign_positive())
        {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a whole number of at most 53 bits"
            )]
            return Self::leaf(Node::Integer(number as i64));
        }
        Self::leaf(Node::Float(number))
    }

    /// A view to match on.
    pub fn kind(&self) -> Kind<'_> {
        match &self.node {
            Node::Null => Kind::Null,
            Node::Bool(value) => Kind::Bool(*value),
            Node::Integer(value) => Kind::Integer(*value),
            Node::Float(value) if value.is_nan() => Kind::Null,
            Node::Float(value) => Kind::Float(value.clamp(f64::MIN, f64::MAX)),
            Node::Decimal(decimal) => Kind::Float(decimal.number()),
            Node::String(text) => Kind::String(text.shared()),
            Node::Array(array) => Kind::Array(array.items()),
            Node::Object(object) => Kind::Object(object),
        }
    }

    /// The member called `key`, if this is an object that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_object().and_then(|object| object.get(key))
    }

    /// The value an RFC 6901 JSON pointer names.
    pub fn pointer(&self, pointer: &str) -> Option<&Self> {
        let mut tokens = pointer.split('/');
        if tokens.next() != Some("") {
            return None;
        }
        tokens.try_fold(self, |value, token| {
            let token = token.replace("~1", "/").replace("~0", "~");
            match value.kind() {
                Kind::Object(object) => object.get(&token),
                Kind::Array(items) => {
                    token.parse::<usize>().ok().and_then(|index| items.get(index))
                }
                _ => None,
            }
        })
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.node, Node::Null)
    }

    /// This value if it is a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        if let Node::Bool(value) = self.node { Some(value) } else { None }
    }

    /// jq's truth: everything but `false` and `null`.
    pub(crate) fn is_truthy(&self) -> bool {
        !self.is_null() && self.as_bool() != Some(false)
    }

    /// This value if it is a whole number that fits 64 bits.
    pub fn as_i64(&self) -> Option<i64> {
        if let Node::Integer(value) = self.node { Some(value) } else { None }
    }

    /// This value if it is a number.
    pub fn as_f64(&self) -> Option<f64> {
        match &self.node {
            #[expect(clippy::cast_precision_loss, reason = "JSON numbers are doubles to jq")]
            Node::Integer(value) => Some(*value as f64),
            Node::Float(value) => Some(*value),
            Node::Decimal(decimal) => Some(decimal.number()),
            _ => None,
        }
    }

    /// This value if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Node::String(text) = &self.node { Some(text.shared()) } else { None }
    }

    /// This value's items if it is an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        if let Node::Array(array) = &self.node { Some(array.items()) } else { None }
    }

    /// This value's members if it is an object.
    pub fn as_object(&self) -> Option<&Object> {
        if let Node::Object(object) = &self.node { Some(object) } else { None }
    }

    /// The name of this value's type as jq's `type` gives it: `null`, `boolean`, `number`, `string`, `array`, `object`.
    pub fn type_name(&self) -> &'static str {
        match &self.node {
            Node::Null => "null",
            Node::Bool(_) => "boolean",
            Node::Integer(_) | Node::Float(_) | Node::Decimal(_) => "number",
            Node::String(_) => "string",
            Node::Array(_) => "array",
            Node::Object(_) => "object",
        }
    }

    /// About how many bytes this value's compact JSON takes, escapes not counted; free to ask.
    pub fn size(&self) -> u64 {
        match &self.node {
            Node::Null | Node::Bool(_) => 4,
            Node::Integer(_) | Node::Float(_) => 8,
            Node::Decimal(decimal) => decimal.text().len() as u64,
            Node::String(text) => text.shared().len() as u64 + 2,
            Node::Array(array) => array.size(),
            Node::Object(object) => object.size(),
        }
    }

    /// How many levels of arrays and objects this value nests: 0 for a leaf; free to ask.
    pub fn depth(&self) -> u32 {
        match &self.node {
            Node::Array(array) => array.depth(),
            Node::Object(object) => object.depth(),
            _ => 0,
        }
    }

    /// Whether both are the same shared value, or equal leaves: a cheap answer that never errs towards yes.
    pub fn is_same(&self, other: &Self) -> bool {
        if self.tainted != other.tainted {
            return false;
        }
        match (&self.node, &other.node) {
            (Node::Null, Node::Null) => true,
            (Node::Bool(left), Node::Bool(right)) => left == right,
            (Node::Integer(left), Node::Integer(right)) => left == right,
            (Node::Float(left), Node::Float(right)) => left.to_bits() == right.to_bits(),
            (Node::Decimal(left), Node::Decimal(right)) => Arc::ptr_eq(left, right),
            (Node::String(left), Node::String(right)) => Arc::ptr_eq(left.shared(), right.shared()),
            (Node::Array(left), Node::Array(right)) => Arc::ptr_eq(left, right),
            (Node::Object(left), Node::Object(right)) => Arc::ptr_eq(left, right),
            _ => false,
        }
    }

    /// Whether this value or a part of it came from a secret.
    pub fn is_tainted(&self) -> bool {
        self.tainted
    }

    /// This value with every leaf marked as coming from a secret, and the names of members too.
    #[must_use]
    pub fn tainted(self) -> Self {
        self.marked(0)
    }

    fn marked(self, level: u32) -> Self {
        let node = match self.node {
            Node::Array(array) if level <= Self::MAX_DEPTH => {
                let items = array.items().iter().cloned().map(|item| item.marked(level + 1));
                Node::Array(Arc::new(Array::new(items.collect())))
            }
            Node::Object(object) if level <= Self::MAX_DEPTH => {
                let mut copy = Object::default();
                for (key, value) in object.iter() {
                    copy.insert(key.clone(), value.clone().marked(level + 1));
                }
                copy.mark_keys();
                Node::Object(Arc::new(copy))
            }
            node => node,
        };
        Self { node, tainted: true }
    }

    /// This value, marked if `mark` says so.
    pub(crate) fn tainted_if(self, mark: bool) -> Self {
        if mark { self.tainted() } else { self }
    }

    /// This value with every leaf that came from a secret replaced by the string `«secret»`, names of members too.
    #[must_use]
    pub fn redacted(&self) -> Self {
        self.redacted_at(0)
    }

    fn redacted_at(&self, level: u32) -> Self {
        match &self.node {
            _ if !self.tainted => self.clone(),
            Node::Array(array) if level <= Self::MAX_DEPTH && !array.items().is_empty() => {
                Self::array(array.items().iter().map(|item| item.redacted_at(level + 1)))
            }
            Node::Object(object) if level <= Self::MAX_DEPTH && !object.keys_tainted() => {
                Self::object(
                    object.iter().map(|(key, value)| (key.clone(), value.redacted_at(level + 1))),
                )
            }
            _ => Self::from(Self::REDACTED),
        }
    }

    /// What a redacted leaf reads.
    pub(crate) const REDACTED: &str = "«secret»";
}

impl fmt::Debug for Value {
    /// Redacted JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_redacted_json())
    }
}
