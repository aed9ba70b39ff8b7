//! The items of an array with what is known about them.

use std::sync::Arc;

use super::{Node, Value, live::Charge};

/// Items, and their size, depth and taint.
#[derive(Clone)]
pub(crate) struct Array {
    items: Vec<Value>,
    size: u64,
    depth: u32,
    tainted: bool,
    strange: bool,
    charge: Charge,
}

impl Array {
    pub(crate) fn new(items: Vec<Value>) -> Self {
        let mut array = Self {
            size: 2,
            depth: 1,
            tainted: false,
            strange: false,
            charge: Charge::new(bytes(items.capacity())),
            items,
        };
        for item in &array.items {
            array.size = array.size.saturating_add(item.size() + 1);
            array.depth = array.depth.max(item.depth().saturating_add(1));
            array.tainted |= item.is_tainted();
            array.strange |= item.is_strange();
        }
        array
    }

    pub(crate) fn items(&self) -> &[Value] {
        &self.items
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }

    pub(super) fn is_strange(&self) -> bool {
        self.strange
    }

    pub(crate) fn push(&mut self, item: Value) {
        self.size = self.size.saturating_add(item.size() + 1);
        self.depth = self.depth.max(item.depth().saturating_add(1));
        self.tainted |= item.is_tainted();
        self.strange |= item.is_strange();
        self.items.push(item);
        self.charge.set(bytes(self.items.capacity()));
    }

    /// Replaces the item at `index`, filling up with `null` where the array is shorter.
    pub(crate) fn set(&mut self, index: usize, item: Value) {
        while self.items.len() <= index {
            self.push(Value::NULL);
        }
        let old = std::mem::replace(&mut self.items[index], Value::NULL);
        self.size = self.size.saturating_sub(old.size()).saturating_add(item.size());
        let stale = old.depth() + 1 == self.depth && item.depth() < old.depth();
        self.depth = self.depth.max(item.depth().saturating_add(1));
        let clean = old.is_tainted() && !item.is_tainted();
        self.tainted |= item.is_tainted();
        self.strange |= item.is_strange();
        self.items[index] = item;
        if stale || clean {
            self.depth = 1 + self.items.iter().map(Value::depth).max().unwrap_or(0);
            self.tainted = self.items.iter().any(Value::is_tainted);
        }
    }

    /// Takes the item at `index` out, leaving `null`, for a caller that puts one back with [`Array::set`].
    pub(crate) fn take(&mut self, index: usize) -> Value {
        match self.items.get_mut(index) {
            Some(slot) => {
                let item = std::mem::replace(slot, Value::NULL);
                self.size = self.size.saturating_sub(item.size()) + Value::NULL.size();
                item
            }
            None => Value::NULL,
        }
    }
}

fn bytes(items: usize) -> usize {
    96 + items * size_of::<Value>()
}

impl From<Array> for Value {
    fn from(array: Array) -> Self {
        let tainted = array.tainted;
        Self { node: Node::Array(Arc::new(array)), tainted }
    }
}

impl Value {
    /// This array to change: its own where nobody else holds it, else a copy. Gives the value back if it is no array.
    pub(crate) fn into_array(self) -> Result<Array, Self> {
        match self.node {
            Node::Array(array) => {
                Ok(Arc::try_unwrap(array).unwrap_or_else(|shared| (*shared).clone()))
            }
            _ => Err(self),
        }
    }

    /// Whether nobody else holds this array or object, so that changing it copies nothing.
    pub(crate) fn is_unshared(&self) -> bool {
        match &self.node {
            Node::Array(array) => Arc::strong_count(array) == 1,
            Node::Object(object) => Arc::strong_count(object) == 1,
            _ => true,
        }
    }

    /// Moves the parts out of a container that nobody else holds, so that deep values drop without deep recursion.
    pub(super) fn dismantle(self, parts: &mut Vec<Self>) {
        match self.node {
            Node::Array(array) => {
                if let Ok(mut array) = Arc::try_unwrap(array) {
                    parts.append(&mut array.items);
                }
            }
            Node::Object(object) => {
                if let Ok(mut object) = Arc::try_unwrap(object) {
                    object.give_up(parts);
                }
            }
            _ => {}
        }
    }
}

/// Drops parts that may be nested deeper than the stack.
pub(super) fn drop_deep(mut parts: Vec<Value>) {
    while let Some(part) = parts.pop() {
        part.dismantle(&mut parts);
    }
}

impl Drop for Array {
    fn drop(&mut self) {
        if self.depth > Value::MAX_DEPTH {
            drop_deep(std::mem::take(&mut self.items));
        }
    }
}
