//! The members of an object.

use std::{fmt, sync::Arc};

use indexmap::IndexMap;

use super::{Node, Value, array::drop_deep, live::Charge};

/// An object's members in the order they were written, found by name in constant time.
#[derive(Clone)]
pub struct Object {
    members: IndexMap<Arc<str>, Value>,
    size: u64,
    depth: u32,
    tainted: bool,
    keys_tainted: bool,
    strange: bool,
    charge: Charge,
}

impl Default for Object {
    fn default() -> Self {
        Self {
            members: IndexMap::new(),
            size: 2,
            depth: 1,
            tainted: false,
            keys_tainted: false,
            strange: false,
            charge: Charge::new(128),
        }
    }
}

/// What a member costs beside its value.
fn member_size(key: &str) -> u64 {
    key.len() as u64 + 4
}

impl Object {
    /// The member called `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.members.get(key)
    }

    /// The members, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Arc<str>, &Value)> + DoubleEndedIterator {
        self.members.iter()
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The members sorted by name.
    pub(crate) fn sorted(&self) -> Vec<(&Arc<str>, &Value)> {
        let mut members: Vec<_> = self.members.iter().collect();
        members.sort_unstable_by(|left, right| left.0.cmp(right.0));
        members
    }

    pub(crate) fn at(&self, index: usize) -> Option<(&Arc<str>, &Value)> {
        self.members.get_index(index)
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }

    /// Whether the names of its members came from a secret.
    pub fn keys_tainted(&self) -> bool {
        self.keys_tainted
    }

    pub(super) fn is_strange(&self) -> bool {
        self.strange
    }

    pub(crate) fn mark_keys(&mut self) {
        self.keys_tainted = true;
        self.tainted = true;
    }

    /// Adds or replaces a member; a replaced one keeps its place.
    pub(crate) fn insert(&mut self, key: Arc<str>, value: Value) {
        self.size = self.size.saturating_add(value.size());
        self.depth = self.depth.max(value.depth().saturating_add(1));
        self.tainted |= value.is_tainted();
        self.strange |= value.is_strange();
        let name = member_size(&key);
        let (depth, clean) = (value.depth(), !value.is_tainted());
        if let Some(old) = self.members.insert(key, value) {
            self.forget(&old, depth, clean);
        } else {
            self.size += name;
            self.charge();
        }
    }

    pub(crate) fn remove(&mut self, key: &str) {
        if let Some((key, old)) = self.members.shift_remove_entry(key) {
            self.size = self.size.saturating_sub(member_size(&key));
            self.forget(&old, 0, true);
        }
    }

    /// Takes a member's value out, leaving `null` in an existing place, for a caller that inserts it again.
    pub(crate) fn take(&mut self, key: &str) -> Value {
        match self.members.get_mut(key) {
            Some(slot) => {
                let value = std::mem::replace(slot, Value::NULL);
                self.size = self.size.saturating_sub(value.size()) + Value::NULL.size();
                value
            }
            None => Value::NULL,
        }
    }

    /// Forgets a value in whose place one of `depth` stands, or none.
    fn forget(&mut self, old: &Value, depth: u32, clean: bool) {
        self.size = self.size.saturating_sub(old.size());
        if old.depth() + 1 == self.depth && depth < old.depth() {
            self.depth = 1 + self.members.values().map(Value::depth).max().unwrap_or(0);
        }
        if old.is_tainted() && clean {
            self.tainted = self.keys_tainted || self.members.values().any(Value::is_tainted);
        }
    }

    fn charge(&mut self) {
        const MEMBER: usize = size_of::<(Arc<str>, Value, u64, u64)>();
        self.charge.set(
            128 + self.members.capacity() * MEMBER + usize::try_from(self.size).unwrap_or(0) / 4,
        );
    }

    pub(super) fn give_up(&mut self, parts: &mut Vec<Value>) {
        parts.extend(std::mem::take(&mut self.members).into_values());
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        let tainted = object.tainted;
        Self { node: Node::Object(Arc::new(object)), tainted }
    }
}

impl Value {
    /// This object to change: its own where nobody else holds it, else a copy. Gives the value back if it is no object.
    pub(crate) fn into_object(self) -> Result<Object, Self> {
        match self.node {
            Node::Object(object) => {
                Ok(Arc::try_unwrap(object).unwrap_or_else(|shared| (*shared).clone()))
            }
            _ => Err(self),
        }
    }
}

impl fmt::Debug for Object {
    /// Redacted JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Value::from(self.clone()).to_redacted_json())
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        if self.depth > Value::MAX_DEPTH {
            let mut parts = Vec::new();
            self.give_up(&mut parts);
            drop_deep(parts);
        }
    }
}
