//! The value that flows through workflows.

use std::{fmt, sync::Arc};

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
    String(Arc<str>),
    Array(Arc<[Value]>),
    Object(Arc<Object>),
}

/// An object's members in the order they were written.
#[derive(Clone, Default)]
pub struct Object(Vec<(Arc<str>, Value)>);

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

impl Object {
    /// The member called `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| &**name == key).map(|(_, value)| value)
    }

    /// The members, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Value)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Value {
    /// `null`
    pub const NULL: Self = Self { node: Node::Null, tainted: false };

    fn leaf(node: Node) -> Self {
        Self { node, tainted: false }
    }

    /// An array of these values.
    pub fn array(items: impl IntoIterator<Item = Self>) -> Self {
        let items: Arc<[Self]> = items.into_iter().collect();
        let tainted = items.iter().any(Self::is_tainted);
        Self { node: Node::Array(items), tainted }
    }

    /// An object of these members; of two with one name the later wins, in the earlier's place.
    pub fn object<K: Into<Arc<str>>>(members: impl IntoIterator<Item = (K, Self)>) -> Self {
        let mut object = Object::default();
        for (key, value) in members {
            let key = key.into();
            match object.0.iter_mut().find(|(name, _)| *name == key) {
                Some((_, slot)) => *slot = value,
                None => object.0.push((key, value)),
            }
        }
        let tainted = object.0.iter().any(|(_, value)| value.tainted);
        Self { node: Node::Object(Arc::new(object)), tainted }
    }

    /// A number; `null` where `number` is not finite.
    pub fn float(number: f64) -> Self {
        if number.is_finite() { Self::leaf(Node::Float(number)) } else { Self::NULL }
    }

    /// A view to match on.
    pub fn kind(&self) -> Kind<'_> {
        match &self.node {
            Node::Null => Kind::Null,
            Node::Bool(value) => Kind::Bool(*value),
            Node::Integer(value) => Kind::Integer(*value),
            Node::Float(value) => Kind::Float(*value),
            Node::String(value) => Kind::String(value),
            Node::Array(items) => Kind::Array(items),
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

    /// Bytes this value takes, about.
    pub fn size(&self) -> u64 {
        0
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.node, Node::Null)
    }

    /// This value if it is a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        if let Node::Bool(value) = self.node { Some(value) } else { None }
    }

    /// This value if it is a whole number that fits 64 bits.
    pub fn as_i64(&self) -> Option<i64> {
        if let Node::Integer(value) = self.node { Some(value) } else { None }
    }

    /// This value if it is a number.
    pub fn as_f64(&self) -> Option<f64> {
        match self.node {
            #[expect(clippy::cast_precision_loss, reason = "JSON numbers are doubles to jq")]
            Node::Integer(value) => Some(value as f64),
            Node::Float(value) => Some(value),
            _ => None,
        }
    }

    /// This value if it is a string.
    pub fn as_str(&self) -> Option<&str> {
        if let Node::String(value) = &self.node { Some(value) } else { None }
    }

    /// This value's items if it is an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        if let Node::Array(items) = &self.node { Some(items) } else { None }
    }

    /// This value's members if it is an object.
    pub fn as_object(&self) -> Option<&Object> {
        if let Node::Object(object) = &self.node { Some(object) } else { None }
    }

    /// Whether this value or a part of it came from a secret.
    pub fn is_tainted(&self) -> bool {
        self.tainted
    }

    /// This value with every leaf marked as coming from a secret.
    #[must_use]
    pub fn tainted(self) -> Self {
        let node = match &self.node {
            Node::Array(items) => Node::Array(items.iter().cloned().map(Self::tainted).collect()),
            Node::Object(object) => Node::Object(Arc::new(Object(
                object
                    .0
                    .iter()
                    .map(|(key, value)| (key.clone(), value.clone().tainted()))
                    .collect(),
            ))),
            leaf => leaf.clone(),
        };
        Self { node, tainted: true }
    }

    /// Parses JSON text.
    ///
    /// # Errors
    /// If the text is not JSON or is nested deeper than 128.
    pub fn from_json(text: &str) -> Result<Self, ParseError> {
        let json: serde_json::Value = serde_json::from_str(text).map_err(|error| ParseError {
            message: error.to_string(),
            line: error.line(),
            column: error.column(),
        })?;
        Ok(Self::from(json))
    }

    /// This value as compact JSON, secrets included: for the wire and for calls, never for a person or a log.
    pub fn to_json(&self) -> String {
        serde_json::Value::from(self).to_string()
    }

    /// This value as compact JSON in which every leaf that came from a secret reads `«secret»`.
    pub fn to_redacted_json(&self) -> String {
        serde_json::Value::from(&self.redacted()).to_string()
    }

    /// This value with every leaf that came from a secret replaced by the string `«secret»`.
    #[must_use]
    pub fn redacted(&self) -> Self {
        match &self.node {
            _ if !self.tainted => self.clone(),
            Node::Array(items) => Self::array(items.iter().map(Self::redacted)),
            Node::Object(object) => {
                Self::object(object.iter().map(|(key, value)| (key.clone(), value.redacted())))
            }
            _ => Self::from("«secret»"),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::leaf(Node::Bool(value))
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::leaf(Node::Integer(value))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::leaf(Node::String(Arc::from(value)))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::leaf(Node::String(Arc::from(value)))
    }
}

impl From<Arc<str>> for Value {
    fn from(value: Arc<str>) -> Self {
        Self::leaf(Node::String(value))
    }
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::NULL,
            serde_json::Value::Bool(value) => Self::from(value),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(integer) => Self::from(integer),
                None => Self::float(number.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(text) => Self::from(text),
            serde_json::Value::Array(items) => Self::array(items.into_iter().map(Self::from)),
            serde_json::Value::Object(members) => {
                Self::object(members.into_iter().map(|(key, value)| (key, Self::from(value))))
            }
        }
    }
}

impl From<&Value> for serde_json::Value {
    fn from(value: &Value) -> Self {
        match value.kind() {
            Kind::Null => Self::Null,
            Kind::Bool(value) => Self::Bool(value),
            Kind::Integer(value) => Self::from(value),
            Kind::Float(value) => Self::from(value),
            Kind::String(value) => Self::from(&**value),
            Kind::Array(items) => items.iter().map(Self::from).collect(),
            Kind::Object(object) => Self::Object(
                object.iter().map(|(key, value)| (key.to_string(), Self::from(value))).collect(),
            ),
        }
    }
}

impl PartialEq for Value {
    /// JSON equality: `1` equals `1.0`, members in any order; the mark of a secret does not count.
    fn eq(&self, other: &Self) -> bool {
        match (&self.node, &other.node) {
            (Node::Array(left), Node::Array(right)) => left == right,
            (Node::Object(left), Node::Object(right)) => {
                left.len() == right.len()
                    && left.iter().all(|(key, value)| right.get(key) == Some(value))
            }
            (Node::Null, Node::Null) => true,
            (Node::Bool(left), Node::Bool(right)) => left == right,
            (Node::String(left), Node::String(right)) => left == right,
            _ => self.as_f64().is_some() && self.as_f64() == other.as_f64(),
        }
    }
}

impl fmt::Debug for Value {
    /// Redacted JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_redacted_json())
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// A text that is not JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// What is wrong.
    pub message: String,
    /// The line it is in, from 1.
    pub line: usize,
    /// The column it is at, from 1.
    pub column: usize,
}
