//! Journals as lines for people: one entry, one line.

use std::{collections::BTreeMap, fmt::Write as _};

use tutti_ids::{Sequence, TaskRef};
use tutti_journal::{
    Entry, Error, Flow, Resolution, SuspensionReason, Timestamp, Turn, Unanswered,
};

/// Writes the entries of one execution as lines, such as `completed /do/0/a output {"x":1}`.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    tasks: BTreeMap<Sequence, String>,
    started_at: Timestamp,
    next: u64,
}

impl Trace {
    /// The lines of a turn, which must follow the turns before.
    pub fn lines(&mut self, turn: &Turn) -> Vec<String> {
        self.next = turn.first.0;
        turn.entries.iter().map(|entry| self.line(turn.at, entry)).collect()
    }

    fn line(&mut self, at: Timestamp, entry: &Entry) -> String {
        let sequence = Sequence(self.next);
        self.next += 1;
        let mut line = self.describe(sequence, at, entry);
        if let Entry::TaskStarted { reference, iteration, .. } = entry {
            self.tasks.insert(sequence, place(reference, *iteration));
        }
        if let Entry::ItemStarted { task, index } = entry {
            let place = format!("{}#{index}", self.name(*task));
            self.tasks.insert(sequence, place);
        }
        match entry {
            // An undo names what it undoes by the entry with which that completed.
            Entry::TaskCompleted { task, .. } | Entry::BodyCompleted { task, .. } => {
                self.tasks.insert(sequence, self.name(*task));
            }
            Entry::UndoStarted { completed, .. } => {
                let place = format!("undo of {}", self.name(*completed));
                self.tasks.insert(sequence, place);
            }
            _ => {}
        }
        if line.ends_with(' ') {
            line.pop();
        }
        line
    }

    fn name(&self, task: Sequence) -> String {
        self.tasks.get(&task).cloned().unwrap_or_else(|| "workflow".to_owned())
    }

    fn since(&self, due: Timestamp) -> String {
        format!("at {} ms", due.0 - self.started_at.0)
    }

    #[expect(clippy::too_many_lines, reason = "one line per entry, nothing else")]
    fn describe(&mut self, sequence: Sequence, at: Timestamp, entry: &Entry) -> String {
        let name = |task: &Sequence| self.name(*task);
        match entry {
            Entry::ExecutionStarted { input, .. } => {
                self.started_at = at;
                self.tasks.insert(sequence, "workflow".to_owned());
                format!("execution started input {input:?}")
            }
            Entry::InputAccepted { input, due } => {
                let mut line = "input accepted ".to_owned();
                write_each(&mut line, input.as_ref(), |input| format!("{input:?} "));
                write_each(&mut line, due.as_ref(), |due| format!("due {}", self.since(*due)));
                line
            }
            Entry::TaskStarted { reference, iteration, input, due, label, .. } => {
                let mut line = format!("started {} ", place(reference, *iteration));
                write_each(&mut line, input.as_ref(), |input| format!("input {input:?} "));
                write_each(&mut line, due.as_ref(), |due| format!("due {} ", self.since(*due)));
                write_each(&mut line, label.as_ref(), |label| format!("label {label:?}"));
                line
            }
            Entry::TaskSkipped { reference, iteration, .. } => {
                format!("skipped {}", place(reference, *iteration))
            }
            Entry::TaskCompleted { task, output, context, then } => {
                let mut line = format!("completed {} ", name(task));
                write_each(&mut line, output.as_ref(), |value| format!("output {value:?} "));
                write_each(&mut line, context.as_ref(), |value| format!("context {value:?} "));
                line + &directive(*then)
            }
            Entry::TaskFaulted { task, error } => {
                format!("faulted {} {}", name(task), short(error))
            }
            Entry::TaskCancelled { task } => format!("cancelled {}", name(task)),
            Entry::TaskTimedOut { task, error } => {
                format!("timed out {} {}", name(task), short(error))
            }
            Entry::CaseSelected { task, case, then } => format!(
                "case {} of {} {}",
                case.as_deref().unwrap_or("none"),
                name(task),
                directive(*then)
            ),
            Entry::LoopStarted { task, items, limit } => {
                let limit = limit.map_or(String::new(), |limit| format!(" limit {limit}"));
                format!("loop {} over {items:?}{limit}", name(task))
            }
            Entry::ItemStarted { task, index } => format!("item {index} of {}", name(task)),
            Entry::BranchesJoined { task } => format!("joined {}", name(task)),
            Entry::WaitStarted { task, due } => {
                format!("wait {} until {}", name(task), self.since(*due))
            }
            Entry::RetryScheduled { task, retry, due, error } => {
                let delay = due.ms_since(at);
                format!("retry {retry} of {} in {delay} ms after {}", name(task), short(error))
            }
            Entry::RetryStarted { task, due } => {
                let due = due.map_or(String::new(), |due| format!(" due {}", self.since(due)));
                format!("attempt {}{due}", name(task))
            }
            Entry::ErrorCaught { task, error } => {
                format!("caught {} {}", name(task), short(error))
            }
            Entry::CallScheduled { task, call } => format!(
                "call {} {} {} attempt {} {:?}",
                name(task),
                call.function,
                call.effect,
                call.attempt,
                call.arguments
            ),
            Entry::CallDispatched { task } => format!("dispatched {}", name(task)),
            Entry::CallCompleted { task, output } => {
                format!("call completed {} {output:?}", name(task))
            }
            Entry::CallFailed { task, error } => {
                format!("call failed {} {}", name(task), short(error))
            }
            Entry::CallOutcomeUnknown { task, probed, .. } => {
                let probed = if *probed { " after probe" } else { "" };
                format!("outcome unknown {}{probed}", name(task))
            }
            Entry::CallRescheduled { task } => format!("rescheduled {}", name(task)),
            Entry::ChildStarted { task, definition, input, .. } => {
                format!("child {} {definition} {input:?}", name(task))
            }
            Entry::ChildDetached { task } => format!("detached {}", name(task)),
            Entry::IncidentRaised { task, error } => {
                format!("incident {} {}", name(task), short(error))
            }
            Entry::IncidentResolved { task, resolution } => {
                let how = match resolution {
                    Resolution::Retry => "retry".to_owned(),
                    Resolution::Complete { output } => format!("complete {output:?}"),
                    Resolution::Fault => "fault".to_owned(),
                };
                format!("resolved {} {how}", name(task))
            }
            Entry::ExecutionSuspended { reason } => match reason {
                SuspensionReason::Control => "suspended".to_owned(),
                SuspensionReason::Incident => "suspended by incident".to_owned(),
                SuspensionReason::JournalLimit => {
                    "suspended by the limit of its journal".to_owned()
                }
            },
            Entry::ExecutionResumed => "resumed".to_owned(),
            Entry::CallHeld { task, .. } => format!("held call of {}", name(task)),
            Entry::CallAdmitted { task } => format!("admitted call of {}", name(task)),
            Entry::ExecutionHeld { .. } => "held".to_owned(),
            Entry::ExecutionAdmitted => "admitted".to_owned(),
            Entry::CancelRequested { .. } => "cancel requested".to_owned(),
            Entry::Rewound { to } => format!("rewound to {}", name(to)),
            Entry::ExecutionCompleted { output } => {
                let output = output.as_ref().map_or(String::new(), |value| format!(" {value:?}"));
                format!("execution completed{output}")
            }
            Entry::ExecutionFaulted { error } => format!("execution faulted {}", short(error)),
            Entry::ExecutionCancelled => "execution cancelled".to_owned(),
            Entry::EventEmitted { task, event } => format!("emitted {} {event:?}", name(task)),
            Entry::ListenStarted { task, after, expected } => {
                let expected = expected
                    .as_ref()
                    .map_or(String::new(), |value| format!(" expecting {value:?}"));
                format!("listening {} after event {after}{expected}", name(task))
            }
            Entry::EventConsumed { task, position, filter, ends, item, learned, .. } => {
                let filter = filter.map_or(String::new(), |filter| format!(" for filter {filter}"));
                let ends = if *ends { " towards the end" } else { "" };
                let item = item.as_ref().map_or(String::new(), |item| format!(" {item:?}"));
                let learned =
                    learned.as_ref().map_or(String::new(), |value| format!(" learning {value:?}"));
                format!("consumed event {position} by {}{filter}{ends}{item}{learned}", name(task))
            }
            Entry::ReversalStarted { task, error, handled } => {
                let then = if *handled { "handle" } else { "raise" };
                format!("reversal {} {} then {then}", name(task), short(error))
            }
            Entry::ExtensionsSelected { task, extensions, unanswered } => {
                let mut line = format!("extensions {extensions:?} of {}", name(task));
                for extension in unanswered {
                    let Unanswered { extension, detail } = extension;
                    // Writing to a string cannot fail.
                    write!(line, " without answer {extension}: {detail}").ok();
                }
                line
            }
            Entry::BodyCompleted { task, raw, output, context, then } => {
                let mut line = format!("body completed {} ", name(task));
                write_each(&mut line, raw.as_ref(), |value| format!("raw {value:?} "));
                write_each(&mut line, output.as_ref(), |value| format!("output {value:?} "));
                write_each(&mut line, context.as_ref(), |value| format!("context {value:?} "));
                line + &directive(*then)
            }
            Entry::UndoStarted { completed, .. } => format!("undo {}", name(completed)),
            Entry::FunctionCalled { task, input } => {
                let input = input.as_ref().map_or(String::new(), |input| format!(" {input:?}"));
                format!("function {}{input}", name(task))
            }
        }
    }
}

fn write_each<T>(line: &mut String, part: Option<&T>, text: impl Fn(&T) -> String) {
    line.extend(part.map(text));
}

fn place(reference: &TaskRef, iteration: Option<u64>) -> String {
    match iteration {
        Some(iteration) => format!("{}#{iteration}", reference.as_str()),
        None => reference.as_str().to_owned(),
    }
}

fn short(error: &Error) -> String {
    let kind = error.kind.rsplit('/').next().unwrap_or_default();
    format!("{kind} {} {}", error.status, error.instance)
}

fn directive(then: Flow) -> String {
    match then {
        Flow::Continue => String::new(),
        Flow::Exit => "then exit".to_owned(),
        Flow::End => "then end".to_owned(),
        Flow::Jump(position) => format!("then {position}"),
    }
}
