//! What happened to a task, in one line.

use std::{
    fmt::{self, Write as _},
    sync::Arc,
};

use tutti_connectors::LogLine;
use tutti_journal::{Error, Timestamp};

use super::{
    model::{Key, Model, Place},
    words::{plain, told},
};
use crate::{command_line::Logs, length_of_time};

/// Lines of a task that are told unless all are asked for.
const FIRST_LINES: u64 = 20;
/// The number of the line in whose place it is said that there are more.
const ENOUGH_LINES: u64 = FIRST_LINES + 1;
const LEFT_OUT: &str = "… its further lines are left out; --logs all shows them";

/// Something that happened to a task, for one line.
#[derive(Debug)]
pub(crate) struct Notice<'a> {
    /// `completed`, `faulted`, …
    pub(super) word: &'static str,
    place: String,
    detail: Detail<'a>,
}

#[derive(Debug)]
pub(super) enum Detail<'a> {
    Nothing,
    Took(u64),
    Text(String),
    Error(&'a Error),
    Log(&'a str),
}

impl Notice<'_> {
    /// The line after its word.
    pub(super) fn text(&self) -> String {
        let place = &self.place;
        match &self.detail {
            Detail::Nothing => place.clone(),
            Detail::Took(milliseconds) => {
                format!("{place} {}", length_of_time::show(*milliseconds))
            }
            Detail::Text(text) => format!("{place} {text}"),
            Detail::Error(error) => format!("{place} {}", told(error)),
            Detail::Log(line) => format!("{place} | {}", plain(line)),
        }
    }
}

impl Model {
    /// Takes in a line of a call; tells it unless its task has told enough.
    pub(super) fn log<'a>(&mut self, line: &'a LogLine, logs: Logs) -> Option<Notice<'a>> {
        let key = (line.execution, line.task);
        self.on(key, |node| {
            node.log = Some(plain(&line.text));
            node.logged += 1;
        });
        let text = match (logs, self.node(key)?.logged) {
            (Logs::All, _) | (Logs::First, 0..=FIRST_LINES) => line.text.as_str(),
            (Logs::First, ENOUGH_LINES) => LEFT_OUT,
            (Logs::First | Logs::None, _) => return None,
        };
        Some(Notice { word: "log", place: self.place(key).to_string(), detail: Detail::Log(text) })
    }

    pub(super) fn took<'a>(&self, key: Key, at: Timestamp) -> Detail<'a> {
        self.node(key).map_or(Detail::Nothing, |node| Detail::Took(at.ms_since(node.started)))
    }

    pub(super) fn notice<'a>(
        &self,
        word: &'static str,
        key: Key,
        detail: Detail<'a>,
    ) -> Notice<'a> {
        Notice { word, place: self.place(key).to_string(), detail }
    }

    /// Where a task stands; an undo stands where the task does that it undoes.
    pub(super) fn place(&self, key: Key) -> Place {
        let mut around = Vec::new();
        let mut current = self.node(key);
        while let Some(node) = current {
            around.push(node);
            current = node.parent.and_then(|parent| self.node(parent));
        }
        let mut place = Place::default();
        // Each execution on the way has its own pointers: the innermost task of each is named.
        for node in around.iter().rev() {
            if let Some(undoable) = &node.undoes {
                place.clone_from(&undoable.place);
            } else if !node.reference.is_empty() {
                place.path = node.reference.clone();
            } else if node.index.is_none() && !place.path.is_empty() {
                write!(place.around, "{} > ", place.path).ok();
                place.path = Arc::default();
            }
            if let Some(index) = node.index {
                write!(place.indices, "[{index}]").ok();
            }
        }
        place
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "/" } else { &self.path };
        f.write_str(&plain(&format!("{}{path}{}", self.around, self.indices)))
    }
}
