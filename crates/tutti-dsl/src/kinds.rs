//! The twelve kinds of tasks.

use crate::tree::Node;

/// What a task does, by the key that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Keyword {
    Call,
    Do,
    Emit,
    For,
    Fork,
    Listen,
    Raise,
    Run,
    Set,
    Switch,
    Try,
    Wait,
}

impl Keyword {
    pub(crate) const ALL: &[Self] = &[
        Self::Call,
        Self::Do,
        Self::Emit,
        Self::For,
        Self::Fork,
        Self::Listen,
        Self::Raise,
        Self::Run,
        Self::Set,
        Self::Switch,
        Self::Try,
        Self::Wait,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Do => "do",
            Self::Emit => "emit",
            Self::For => "for",
            Self::Fork => "fork",
            Self::Listen => "listen",
            Self::Raise => "raise",
            Self::Run => "run",
            Self::Set => "set",
            Self::Switch => "switch",
            Self::Try => "try",
            Self::Wait => "wait",
        }
    }

    /// The kind of a task; of several keywords the first one written, except that `do` belongs to a `for`.
    pub(crate) fn of(task: &Node) -> Option<Self> {
        Self::all_of(task).next()
    }

    /// Every keyword a task has.
    pub(crate) fn all_of(task: &Node) -> impl Iterator<Item = Self> {
        let members = task.as_map().unwrap_or(&[]);
        let loops = task.get("for").is_some();
        members
            .iter()
            .filter_map(|(key, _)| Self::ALL.iter().find(|kind| kind.as_str() == &*key.text))
            .copied()
            .filter(move |kind| !(loops && *kind == Self::Do))
    }
}
