//! Why an execution does not go on by itself: what each of its tasks waits for.

use std::collections::BTreeMap;

use tutti_api::{Awaits, ExecutionStatus, IncidentView, TaskStatus, TaskView, WaitingView};
use tutti_engine::Command;
use tutti_journal::{Entry, SuspensionReason, Timestamp};
use tutti_runtime::{
    Reading,
    admission::{Pause, Wait, WaitFor},
};
use tutti_store::Listed;

use super::{
    facts::{error, error_kind},
    plain::wire_status,
    tasks::task_views,
};
use crate::moment::show;

/// What the execution waits for, as of what is stored; with what errors say, if wanted.
pub(crate) fn waiting_view(reading: &Reading, listed: &Listed, wants_values: bool) -> WaitingView {
    let status = wire_status(listed.projection.status);
    let incidents = reading.execution.incidents().map(|(task, reference, it)| IncidentView {
        execution: listed.execution.to_string(),
        task: task.0,
        reference: reference.as_str().to_owned(),
        error: if wants_values { error(it) } else { error_kind(it) },
    });
    let incidents: Vec<IncidentView> = incidents.collect();
    let mut waits = Vec::new();
    if !status.is_terminal() {
        waits.extend(suspended(reading, status));
        let tasks: BTreeMap<u64, TaskView> =
            task_views(reading, false).into_iter().map(|task| (task.sequence, task)).collect();
        waits.extend(timers(reading, &tasks));
        waits.extend(reading.execution.outstanding().filter_map(|owed| awaited(&owed, &tasks)));
    }
    WaitingView { status, waits, incidents }
}

/// A pause is about the whole execution.
fn suspended(reading: &Reading, status: ExecutionStatus) -> Option<Awaits> {
    let reason = reading.execution.suspended()?;
    let (what, detail) = match reason {
        SuspensionReason::Control => ("resume", "somebody paused it"),
        SuspensionReason::Incident => ("person", "an incident needs a person"),
        SuspensionReason::JournalLimit => ("person", "its journal has reached the limit"),
    };
    let since = reading.entries().filter_map(|(_, turn, entry)| {
        matches!(entry, Entry::ExecutionSuspended { .. }).then_some(turn.at)
    });
    let since = since.last().unwrap_or(reading.execution.updated_at());
    (status == ExecutionStatus::Suspended).then(|| Awaits {
        what: what.to_owned(),
        task: 1,
        reference: String::new(),
        since: show(since),
        until: None,
        limit: None,
        place: None,
        detail: detail.to_owned(),
    })
}

/// Waits and retries: the last that each task began, where it still waits.
fn timers(reading: &Reading, tasks: &BTreeMap<u64, TaskView>) -> Vec<Awaits> {
    let mut found: BTreeMap<u64, Awaits> = BTreeMap::new();
    for (_, turn, entry) in reading.entries() {
        let (what, task, due, detail) = match entry {
            Entry::WaitStarted { task, due } => ("time", task.0, *due, "a wait".to_owned()),
            Entry::RetryScheduled { task, retry, due, error } => {
                ("retry", task.0, *due, format!("retry {retry} after {}", error.kind))
            }
            _ => continue,
        };
        let waits = tasks.get(&task).filter(|task| task.status == TaskStatus::Waiting);
        if let Some(of) = waits {
            found.insert(task, awaits(what, of, turn.at, Some(due), detail));
        }
    }
    found.into_values().collect()
}

fn awaits(
    what: &str,
    task: &TaskView,
    since: Timestamp,
    until: Option<Timestamp>,
    detail: String,
) -> Awaits {
    Awaits {
        what: what.to_owned(),
        task: task.sequence,
        reference: task.reference.clone(),
        since: show(since),
        until: until.map(show),
        limit: None,
        place: None,
        detail,
    }
}

fn awaited(owed: &Command, tasks: &BTreeMap<u64, TaskView>) -> Option<Awaits> {
    let (what, task, detail) = match owed {
        Command::Call { task, call, .. } => {
            ("call", *task, format!("{}, attempt {}", call.function, call.attempt))
        }
        Command::AwaitSlot { task } => {
            ("slot", *task, "as many calls are out as may be".to_owned())
        }
        Command::Probe { task, call, .. } => {
            ("call", *task, format!("what became of the call of {}", call.function))
        }
        Command::AwaitCooldown { task, group, .. } => {
            let group = group.as_ref().map(|group| format!(" in group {group}"));
            let detail = format!("too many calls were made lately{}", group.unwrap_or_default());
            ("cooldown", *task, detail)
        }
        Command::StartChild(request) => {
            ("child", request.parent.task, request.execution.to_string())
        }
        Command::AwaitEvent { task, interests, .. } => {
            let kinds: Vec<&str> =
                interests.iter().map(|it| it.kind.as_deref().unwrap_or("any type")).collect();
            ("event", *task, kinds.join(", "))
        }
        // Of the whole execution, and told by who keeps the limits.
        Command::Continue
        | Command::AwaitAdmission
        | Command::CancelCall { .. }
        | Command::CancelChild { .. }
        | Command::Wake { .. } => return None,
    };
    let of = tasks.get(&task.0)?;
    let since = match owed {
        Command::AwaitCooldown { since, .. } => show(*since),
        _ => of.started_at.clone(),
    };
    let (task, reference) = (of.sequence, of.reference.clone());
    let (limit, place) = (None, None);
    Some(Awaits {
        what: what.to_owned(),
        task,
        reference,
        since,
        until: None,
        limit,
        place,
        detail,
    })
}

/// What is known of a call that waits until it may be made.
pub(crate) fn pause(wait: &mut Awaits, pause: &Pause) {
    wait.limit = Some(pause.limit);
    wait.place = Some(pause.place as u64);
    wait.until = pause.next.filter(|_| pause.place == 1).map(show);
    wait.detail = format!("{}; place {}", wait.detail, pause.place);
}

/// What an execution that is not admitted waits for; `wait` is what is known of it.
pub(crate) fn admission(since: Timestamp, wait: Option<Wait>) -> Awaits {
    let place = wait.as_ref().map(|wait| wait.place as u64);
    let (what, limit, until, detail) = match wait.map(|wait| wait.what) {
        Some(WaitFor::Room { lane, limit, admitted }) => {
            let (of, limit_text) = (format!("{}/{}", lane.namespace, lane.workflow), limit);
            let group = lane.group.map(|group| format!(" in group {group}")).unwrap_or_default();
            let detail = format!("{admitted} of {limit_text} executions of {of}{group} go on");
            ("limit", Some(limit), None, detail)
        }
        Some(WaitFor::Key { lane, holder, until }) => {
            let held = match holder {
                Some(holder) => format!("{holder} has it"),
                None => "it is held after an end".to_owned(),
            };
            ("key", None, until.map(show), format!("the business key `{}`: {held}", lane.key))
        }
        None => ("limit", None, None, "it is about to be found out".to_owned()),
    };
    let detail = match place {
        Some(place) => format!("{detail}; place {place}"),
        None => detail,
    };
    let (what, since) = (what.to_owned(), show(since));
    Awaits { what, task: 1, reference: String::new(), since, until, limit, place, detail }
}
