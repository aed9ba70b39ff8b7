//! Equality and jq's order over all values.

use std::cmp::Ordering;

use super::{Node, Object, Value};

impl PartialEq for Value {
    /// JSON equality: `1` equals `1.0`, members in any order; the mark of a secret does not count.
    fn eq(&self, other: &Self) -> bool {
        let mut pending = Vec::new();
        let mut pair = Some((self, other));
        while let Some((left, right)) = pair {
            if !equal_here(left, right, &mut pending) {
                return false;
            }
            pair = pending.pop();
        }
        true
    }
}

/// Compares two values but for their parts, which it leaves in `pending`.
fn equal_here<'a>(
    left: &'a Value,
    right: &'a Value,
    pending: &mut Vec<(&'a Value, &'a Value)>,
) -> bool {
    match (&left.node, &right.node) {
        (Node::Null, Node::Null) => true,
        (Node::Bool(left), Node::Bool(right)) => left == right,
        (Node::Integer(left), Node::Integer(right)) => left == right,
        (Node::String(left), Node::String(right)) => left.shared() == right.shared(),
        (Node::Array(left), Node::Array(right)) => {
            let (left, right) = (left.items(), right.items());
            if left.len() != right.len() {
                return false;
            }
            if !std::ptr::eq(left, right) {
                pending.extend(left.iter().zip(right));
            }
            true
        }
        (Node::Object(left), Node::Object(right)) => {
            std::sync::Arc::ptr_eq(left, right) || pair_members(left, right, pending)
        }
        _ => match (left.as_f64(), right.as_f64()) {
            (Some(left), Some(right)) => left.partial_cmp(&right) == Some(Ordering::Equal),
            _ => false,
        },
    }
}

fn pair_members<'a>(
    left: &'a Object,
    right: &'a Object,
    pending: &mut Vec<(&'a Value, &'a Value)>,
) -> bool {
    left.len() == right.len()
        && left.iter().all(|(key, value)| match right.get(key) {
            Some(other) => {
                pending.push((value, other));
                true
            }
            None => false,
        })
}

enum Pending<'a> {
    Pair(&'a Value, &'a Value),
    Settled(Ordering),
}

impl Value {
    /// jq's order: null, false, true, numbers, strings by code point, arrays item by item, objects by their sorted names and
    /// then their values. Total: not-a-number sorts first among numbers and equals itself.
    pub fn order(&self, other: &Self) -> Ordering {
        let mut pending = vec![Pending::Pair(self, other)];
        while let Some(next) = pending.pop() {
            let order = match next {
                Pending::Settled(order) => order,
                Pending::Pair(left, right) => order_here(left, right, &mut pending),
            };
            if order != Ordering::Equal {
                return order;
            }
        }
        Ordering::Equal
    }

    fn rank(&self) -> u8 {
        match &self.node {
            Node::Null => 0,
            Node::Bool(false) => 1,
            Node::Bool(true) => 2,
            Node::Integer(_) | Node::Float(_) | Node::Decimal(_) => 3,
            Node::String(_) => 4,
            Node::Array(_) => 5,
            Node::Object(_) => 6,
        }
    }
}

/// Orders two values but for their parts, which it leaves in `pending`, the first on top.
fn order_here<'a>(left: &'a Value, right: &'a Value, pending: &mut Vec<Pending<'a>>) -> Ordering {
    match (&left.node, &right.node) {
        (Node::Integer(left), Node::Integer(right)) => left.cmp(right),
        (Node::String(left), Node::String(right)) => left.shared().cmp(right.shared()),
        (Node::Array(left), Node::Array(right)) => {
            let (left, right) = (left.items(), right.items());
            pending.push(Pending::Settled(left.len().cmp(&right.len())));
            if !std::ptr::eq(left, right) {
                let pairs = left.iter().zip(right).rev();
                pending.extend(pairs.map(|(left, right)| Pending::Pair(left, right)));
            }
            Ordering::Equal
        }
        (Node::Object(left), Node::Object(right)) => {
            if std::sync::Arc::ptr_eq(left, right) {
                return Ordering::Equal;
            }
            let (left, right) = (left.sorted(), right.sorted());
            let names = left.iter().map(|member| member.0).cmp(right.iter().map(|member| member.0));
            if names == Ordering::Equal {
                let pairs = left.into_iter().zip(right).rev();
                pending.extend(pairs.map(|(left, right)| Pending::Pair(left.1, right.1)));
            }
            names
        }
        _ => match (left.as_f64(), right.as_f64()) {
            (Some(left), Some(right)) => order_floats(left, right),
            _ => left.rank().cmp(&right.rank()),
        },
    }
}

fn order_floats(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right).unwrap_or_else(|| right.is_nan().cmp(&left.is_nan()))
}
