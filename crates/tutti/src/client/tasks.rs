//! The tasks of an execution as a tree of lines. Pure.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use tutti_api::{TaskStatus, TaskView};

use super::{facts, moment, table::one_line};

/// A line for each task, below the one it runs in.
pub(super) fn tree(tasks: &[TaskView], now: &str) -> Vec<String> {
    let known: BTreeSet<u64> = tasks.iter().map(|task| task.sequence).collect();
    let mut within: BTreeMap<Option<u64>, Vec<&TaskView>> = BTreeMap::new();
    for task in tasks {
        let parent = Some(task.parent).filter(|parent| known.contains(parent));
        within.entry(parent.filter(|parent| *parent < task.sequence)).or_default().push(task);
    }
    let mut lines = Vec::new();
    // Each with how deep it stands and how many turns are told above it.
    let mut left: Vec<(&TaskView, usize, usize)> = children(&within, None, 0, 0);
    while let Some((task, depth, told)) = left.pop() {
        lines.push(line(task, depth, told, now));
        left.extend(children(&within, Some(task.sequence), depth + 1, task.iterations.len()));
    }
    lines
}

/// The last first, so that they are taken in their order.
fn children<'t>(
    within: &BTreeMap<Option<u64>, Vec<&'t TaskView>>,
    parent: Option<u64>,
    depth: usize,
    told: usize,
) -> Vec<(&'t TaskView, usize, usize)> {
    let of_parent = within.get(&parent).into_iter().flatten().rev();
    of_parent.map(|task| (*task, depth, told)).collect()
}

fn line(task: &TaskView, depth: usize, told: usize, now: &str) -> String {
    let mut text = "  ".repeat(depth);
    text.push_str(task.label.as_ref().unwrap_or(&task.name));
    for turn in task.iterations.iter().skip(told) {
        write!(text, "[{turn}]").ok();
    }
    write!(text, "  {}", word(task.status)).ok();
    if task.status != TaskStatus::Skipped {
        let until = task.ended_at.as_deref().unwrap_or(now);
        let took = moment::between(&task.started_at, until);
        text.push_str(&took.map(|took| format!("  {took}")).unwrap_or_default());
    }
    if let Some(attempts) = task.attempts.filter(|attempts| *attempts > 1) {
        write!(text, "  {attempts} attempts").ok();
    }
    if let Some(child) = &task.child {
        write!(text, "  child {child}").ok();
    }
    if let Some(error) = &task.error {
        write!(text, "  {}", facts::told(error)).ok();
    }
    one_line(&text)
}

fn word(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Running => "running",
        TaskStatus::Waiting => "waiting",
        TaskStatus::Suspended => "suspended",
        TaskStatus::Completed => "completed",
        TaskStatus::Faulted => "faulted",
        TaskStatus::Cancelled => "cancelled",
        TaskStatus::Skipped => "skipped",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(sequence: u64, name: &str, parent: u64, iterations: &[u64]) -> TaskView {
        TaskView {
            sequence,
            reference: format!("/do/0/{name}"),
            name: name.to_owned(),
            label: None,
            parent,
            iterations: iterations.to_vec(),
            status: TaskStatus::Completed,
            started_at: "2026-01-01T00:00:00Z".to_owned(),
            ended_at: Some("2026-01-01T00:00:02Z".to_owned()),
            attempts: None,
            input: None,
            call: None,
            output: None,
            error: None,
            child: None,
        }
    }

    #[test]
    fn tasks_stand_below_those_they_run_in() {
        let mut tasks = [
            task(2, "each", 1, &[]),
            task(4, "add", 2, &[0]),
            task(6, "add", 2, &[1]),
            task(7, "inner", 6, &[1]),
            task(9, "last", 1, &[]),
        ];
        tasks[2].attempts = Some(3);
        tasks[4].status = TaskStatus::Running;
        tasks[4].ended_at = None;
        let expected = [
            "each  completed  2.0s",
            "  add[0]  completed  2.0s",
            "  add[1]  completed  2.0s  3 attempts",
            "    inner  completed  2.0s",
            "last  running  5.0s",
        ];
        assert_eq!(tree(&tasks, "2026-01-01T00:00:05Z"), expected);
    }

    #[test]
    fn a_list_that_makes_no_sense_still_ends() {
        let tasks = [task(2, "a", 2, &[]), task(3, "b", 4, &[]), task(4, "c", 3, &[])];
        assert_eq!(tree(&tasks, "2026-01-01T00:00:05Z").len(), 3);
    }
}
