//! Values from and to other types.

use std::sync::Arc;

use super::{Array, Kind, Node, Object, Text, Value};

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
        Self::from(Arc::from(value))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::from(Arc::from(value))
    }
}

impl From<Arc<str>> for Value {
    fn from(value: Arc<str>) -> Self {
        Self::leaf(Node::String(Text::new(value)))
    }
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::NULL,
            serde_json::Value::Bool(value) => Self::from(value),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(integer) => Self::from(integer),
                None if number.is_u64() => Self::number(&number.to_string(), false),
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
        if let Node::Decimal(decimal) = &value.node
            && let Ok(number) = decimal.text().parse::<u64>()
        {
            return Self::from(number);
        }
        match value.kind() {
            Kind::Null => Self::Null,
            Kind::Bool(value) => Self::Bool(value),
            Kind::Integer(value) => Self::from(value),
            Kind::Float(value) => Self::from(value),
            Kind::String(value) => Self::from(&**value),
            Kind::Array(items) => items.iter().map(Self::from).collect(),
            Kind::Object(object) => {
                let members =
                    object.iter().map(|(key, value)| (key.to_string(), Self::from(value)));
                Self::Object(members.collect())
            }
        }
    }
}

impl Value {
    /// Whether there is, or was, a number in this value that JSON does not have.
    pub(super) fn is_strange(&self) -> bool {
        match &self.node {
            Node::Float(number) => !number.is_finite(),
            Node::Array(array) => array.is_strange(),
            Node::Object(object) => object.is_strange(),
            _ => false,
        }
    }

    /// This value with only what JSON has: not-a-number becomes `null`, the infinities the largest numbers.
    pub(crate) fn into_finite(self) -> Self {
        if !self.is_strange() {
            return self;
        }
        let tainted = self.tainted;
        let node = match &self.node {
            Node::Float(number) if number.is_nan() => Node::Null,
            Node::Float(number) => Node::Float(number.clamp(f64::MIN, f64::MAX)),
            Node::Array(array) => {
                let items = array.items().iter().cloned().map(Self::into_finite);
                Node::Array(Arc::new(Array::new(items.collect())))
            }
            Node::Object(object) => {
                let mut copy = Object::default();
                for (key, value) in object.iter() {
                    copy.insert(key.clone(), value.clone().into_finite());
                }
                if object.keys_tainted() {
                    copy.mark_keys();
                }
                Node::Object(Arc::new(copy))
            }
            _ => return self,
        };
        Self { node, tainted }
    }
}
