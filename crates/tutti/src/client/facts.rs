//! Facts of a journal as lines for people, as `tutti run` tells them. Pure.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::Value as Json;
use tutti_api::JournalEntry;
use tutti_expr::Value;

use super::moment;
use crate::progress::{plain, told_value};

/// What is known of the tasks that go on.
#[derive(Debug, Default)]
pub(super) struct Facts {
    tasks: BTreeMap<u64, Task>,
}

#[derive(Debug, Clone, Default)]
struct Task {
    reference: String,
    /// The turns of the loops around it: `[2][0]`.
    indices: String,
    started: String,
}

/// Something worth a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// `completed`, `faulted`, …
    pub(super) word: &'static str,
    /// Which task, and what else there is to say.
    pub(super) text: String,
}

impl Facts {
    /// Takes in a fact; tells what a line is worth.
    pub(super) fn take(&mut self, entry: &JournalEntry) -> Option<Told> {
        let facts = &entry.facts;
        let task = facts["task"].as_u64().unwrap_or(0);
        match entry.kind.as_str() {
            "TaskStarted" => self.start(entry),
            "ItemStarted" => {
                let within = self.tasks.get(&task).cloned().unwrap_or_default();
                let indices = format!("{}[{}]", within.indices, number(&facts["index"]));
                let started = entry.at.clone();
                self.tasks.insert(entry.sequence, Task { indices, started, ..within });
            }
            "TaskSkipped" => {
                self.start(entry);
                return self.end("skipped", entry.sequence, None);
            }
            "TaskCompleted" => return self.end("completed", task, Some(&entry.at)),
            "TaskCancelled" => return self.end("cancelled", task, Some(&entry.at)),
            "TaskFaulted" => {
                let told = self.told("faulted", task, &error(facts));
                self.tasks.remove(&task);
                return told;
            }
            "TaskTimedOut" => return self.told("timed out", task, ""),
            "RetryScheduled" => {
                let pause = facts["due"].as_str().and_then(|due| moment::between(&entry.at, due));
                let pause = pause.unwrap_or_default();
                let retry = number(&facts["retry"]);
                let text = format!("in {pause} (retry {retry}): {}", error(facts));
                return self.told("retrying", task, &text);
            }
            "ErrorCaught" => return self.told("caught", task, &error(facts)),
            "ReversalStarted" => return self.told("reversing", task, &error(facts)),
            "IncidentRaised" => return self.told("incident", task, &error(facts)),
            "WaitStarted" => {
                let length = facts["due"].as_str().and_then(|due| moment::between(&entry.at, due));
                let text = format!("for {}", length.unwrap_or_default());
                return self.told("waiting", task, &text);
            }
            "ListenStarted" => return self.told("waiting", task, "for events"),
            "ChildStarted" => {
                let child = facts["execution"].as_str().unwrap_or_default();
                return self.told("child", task, child);
            }
            "ExecutionSuspended" => return Some(of_all("suspended", facts["reason"].as_str())),
            "ExecutionResumed" => return Some(of_all("resumed", None)),
            "ExecutionHeld" => return Some(of_all("held", None)),
            "ExecutionAdmitted" => return Some(of_all("admitted", None)),
            "CallHeld" => return self.told("waiting", task, "until the call may be made"),
            "CancelRequested" => return Some(of_all("cancelling", facts["reason"].as_str())),
            "Rewound" => return Some(of_all("taken back", None)),
            _ => {}
        }
        None
    }

    fn start(&mut self, entry: &JournalEntry) {
        let parent = entry.facts["parent"].as_u64().unwrap_or(0);
        let mut indices = self.tasks.get(&parent).map(|it| it.indices.clone()).unwrap_or_default();
        if let Some(index) = entry.facts["iteration"].as_u64() {
            write!(indices, "[{index}]").ok();
        }
        let reference = entry.facts["reference"].as_str().unwrap_or_default().to_owned();
        let started = entry.at.clone();
        self.tasks.insert(entry.sequence, Task { reference, indices, started });
    }

    fn end(&mut self, word: &'static str, task: u64, at: Option<&str>) -> Option<Told> {
        let took = at.and_then(|at| moment::between(&self.tasks.get(&task)?.started, at));
        let told = self.told(word, task, &took.unwrap_or_default());
        self.tasks.remove(&task);
        told
    }

    fn told(&self, word: &'static str, task: u64, text: &str) -> Option<Told> {
        let task = self.tasks.get(&task)?;
        let text = format!("{}{} {text}", task.reference, task.indices);
        Some(Told { word, text: plain(text.trim_end()) })
    }
}

fn of_all(word: &'static str, why: Option<&str>) -> Told {
    Told { word, text: plain(&format!("/ {}", why.unwrap_or_default())).trim_end().to_owned() }
}

fn number(json: &Json) -> String {
    json.as_u64().map_or_else(String::new, |number| number.to_string())
}

fn error(facts: &Json) -> String {
    told(&facts["error"])
}

/// An error that is JSON, in one line.
pub(super) fn told(error: &Json) -> String {
    let value = Value::from_json(&error.to_string()).unwrap_or(Value::NULL);
    told_value(&value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn facts_are_told_as_lines() {
        let started = |sequence: u64, reference: &str, parent: u64, iteration: Option<u64>| {
            (
                sequence,
                "TaskStarted",
                json!({ "reference": reference, "parent": parent, "iteration": iteration }),
            )
        };
        let error = json!({ "type": "https://x.example/broke", "detail": "no" });
        let journal = [
            (1, "ExecutionStarted", json!({})),
            started(3, "/do/0/each", 1, None),
            started(5, "/do/0/each/do/0/a", 3, Some(1)),
            (
                6,
                "RetryScheduled",
                json!({ "task": 5, "retry": 1, "due": "2026-01-01T00:00:12Z", "error": error }),
            ),
            (7, "TaskCompleted", json!({ "task": 5 })),
            (8, "TaskSkipped", json!({ "reference": "/do/1/b", "parent": 1 })),
            (9, "TaskFaulted", json!({ "task": 3, "error": error })),
            (10, "TaskCompleted", json!({ "task": 99 })),
            (11, "SomethingNew", json!({ "task": 3 })),
        ];
        let mut facts = Facts::default();
        let told: Vec<String> = journal
            .into_iter()
            .filter_map(|(sequence, kind, it)| {
                let at = format!("2026-01-01T00:00:{sequence:02}Z");
                let entry = JournalEntry { sequence, at, kind: kind.to_owned(), facts: it };
                facts.take(&entry).map(|told| format!("{} {}", told.word, told.text))
            })
            .collect();
        let expected = [
            "retrying /do/0/each/do/0/a[1] in 6.0s (retry 1): broke: no",
            "completed /do/0/each/do/0/a[1] 2.0s",
            "skipped /do/1/b",
            "faulted /do/0/each broke: no",
        ];
        assert_eq!(told, expected);
        assert!(facts.tasks.is_empty(), "what has ended is forgotten");
    }
}
