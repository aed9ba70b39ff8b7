//! Tasks that say how they are taken back.

use tutti_expr::Value;

use super::{Generator, http, milliseconds, object};

impl Generator<'_> {
    /// `metadata.tutti.undo` for some tasks, where the seed has any.
    pub(super) fn undo(&mut self) -> Option<(&'static str, Value)> {
        if !self.has_undos || !self.more.one_in(3) {
            return None;
        }
        let length = 1 + self.more.index(2);
        let tasks: Vec<Value> = (0..length).map(|_| self.undoing(2)).collect();
        let ours = object([("tutti", object([("undo", Value::array(tasks))]))]);
        Some(("metadata", ours))
    }

    /// A task that undoes; it may fail, wait, be interrupted, or undo what it did itself.
    fn undoing(&mut self, depth: u32) -> Value {
        self.undoes += 1;
        let name = format!("u{}", self.undoes);
        let mut members = match self.more.below(if depth == 0 { 6 } else { 9 }) {
            0 => vec![("set", Value::from("${ . }"))],
            1 | 2 => http("delete"),
            3 => http("post"),
            4 => vec![("wait", milliseconds(self.more.below(2_000)))],
            5 if self.more.one_in(2) => vec![("raise", failure("undoing fails"))],
            5 => vec![("run", object([("shell", object([("command", Value::from("unwork"))]))]))],
            6 => {
                let tried = Value::array([self.undoing(depth - 1), self.undoing(depth - 1)]);
                let handled = object([("do", Value::array([self.undoing(0)]))]);
                vec![("try", tried), ("catch", handled)]
            }
            7 => {
                let branches = Value::array([self.undoing(depth - 1), self.undoing(depth - 1)]);
                vec![("fork", object([("branches", branches)]))]
            }
            _ => vec![("do", Value::array([self.undoing(depth - 1), self.undoing(depth - 1)]))],
        };
        if depth < 2 && self.more.one_in(6) {
            members.extend(self.undo());
        }
        if self.more.one_in(20) {
            members.push(("then", Value::from(*self.more.pick(&["exit", "end"]))));
        }
        if self.more.one_in(12) {
            members.push(("timeout", super::after(self.more.below(1_500))));
        }
        object([(name.as_str(), object(members))])
    }
}

/// What a `raise` raises.
pub(super) fn failure(detail: &str) -> Value {
    let error = object([
        ("type", Value::from("https://example.com/x")),
        ("status", Value::from(500)),
        ("detail", Value::from(detail)),
    ]);
    object([("error", error)])
}
