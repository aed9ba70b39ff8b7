//! The place of a task in its document.

use std::{fmt, sync::Arc};

/// Points at a task in its definition: an RFC 6901 JSON pointer such as `/do/2/deploy`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskRef(Arc<str>);

impl TaskRef {
    /// Takes a pointer that is already in RFC 6901 form.
    pub fn new(pointer: impl Into<Arc<str>>) -> Self {
        Self(pointer.into())
    }

    /// The pointer to the document's root: the workflow itself.
    pub fn root() -> Self {
        Self(Arc::from(""))
    }

    /// This pointer with one more reference token, escaped (`~` as `~0`, `/` as `~1`).
    #[must_use]
    pub fn child(&self, token: &str) -> Self {
        let escaped = token.replace('~', "~0").replace('/', "~1");
        Self(Arc::from(format!("{}/{escaped}", self.0)))
    }

    /// The pointer as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TaskRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_escaped() {
        let task = TaskRef::root().child("do").child("0").child("a/b~c");
        assert_eq!(task.as_str(), "/do/0/a~1b~0c");
    }
}
