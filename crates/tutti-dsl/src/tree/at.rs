//! A place in the tree: a node with its pointer.

use std::sync::Arc;

use super::{Key, Node};
use crate::{codes::Code, diagnostic::Problem};

/// A node and its pointer.
#[derive(Debug, Clone)]
pub(crate) struct At<'n> {
    pub(crate) node: &'n Node,
    pub(crate) pointer: Arc<str>,
}

impl<'n> At<'n> {
    pub(crate) fn root(node: &'n Node) -> Self {
        Self { node, pointer: Arc::from("") }
    }

    /// The member called `key`.
    pub(crate) fn get(&self, key: &str) -> Option<Self> {
        self.node.get(key).map(|node| Self { node, pointer: child(&self.pointer, key) })
    }

    /// The members of a mapping; none of anything else.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&'n Key, Self)> {
        let members = self.node.as_map().unwrap_or(&[]);
        members
            .iter()
            .map(|(key, node)| (key, Self { node, pointer: child(&self.pointer, &key.text) }))
    }

    /// The items of a list; none of anything else.
    pub(crate) fn items(&self) -> impl Iterator<Item = Self> {
        let items = self.node.as_list().unwrap_or(&[]);
        items.iter().enumerate().map(|(index, node)| Self {
            node,
            pointer: Arc::from(format!("{}/{index}", self.pointer)),
        })
    }

    pub(crate) fn text(&self) -> Option<&'n Arc<str>> {
        self.node.as_str()
    }

    /// A problem with this node.
    pub(crate) fn problem(&self, code: Code, message: impl Into<String>) -> Problem {
        Problem::new(code, self.node.span.clone(), &*self.pointer, message)
    }
}

/// A pointer with one more token, escaped.
pub(crate) fn child(pointer: &str, token: &str) -> Arc<str> {
    if token.contains(['~', '/']) {
        let escaped = token.replace('~', "~0").replace('/', "~1");
        Arc::from(format!("{pointer}/{escaped}"))
    } else {
        Arc::from(format!("{pointer}/{token}"))
    }
}
