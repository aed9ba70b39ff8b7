//! Flow directives: where an execution goes after a task.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use super::{At, Compiler, scope::Scopes};
use crate::{
    Case, TaskKind, Then,
    codes::Code,
    diagnostic::{Problem, nearest},
    kinds::Keyword,
};

/// Whether a task of a list may jump to another one of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Jumps {
    Allowed,
    /// The branches of a fork run beside each other.
    Refused,
    /// The body of a loop, where `exit` is often mistaken for a break.
    InLoop,
}

/// The tasks of one list by name.
#[derive(Debug)]
pub(super) struct Siblings {
    positions: BTreeMap<Arc<str>, usize>,
    jumps: Jumps,
}

impl Siblings {
    pub(super) fn new(names: impl Iterator<Item = Arc<str>>, jumps: Jumps) -> Self {
        let mut positions = BTreeMap::new();
        for (position, name) in names.enumerate() {
            positions.entry(name).or_insert(position);
        }
        Self { positions, jumps }
    }
}

/// Where a task stands and what is around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'s> {
    pub(super) scopes: &'s Scopes,
    pub(super) siblings: &'s Siblings,
}

impl<'n> Compiler<'n> {
    /// A task's own `then`.
    pub(super) fn then(&mut self, at: &At<'n>, siblings: &Siblings) -> Then {
        at.get("then").map_or(Then::Continue, |then| self.directive(&then, siblings))
    }

    /// A flow directive.
    pub(super) fn directive(&mut self, at: &At<'n>, siblings: &Siblings) -> Then {
        let Some(text) = at.text() else { return Then::Continue };
        match &**text {
            "continue" => return Then::Continue,
            "end" => return Then::End,
            "exit" => {
                if siblings.jumps == Jumps::InLoop {
                    self.push(
                        at.problem(
                            Code::ExitInLoop,
                            "`exit` ends this iteration only; the loop goes on",
                        )
                        .hint("to leave the loop, make its `while` false"),
                    );
                }
                return Then::Exit;
            }
            _ => {}
        }
        if siblings.jumps == Jumps::Refused {
            self.push(
                at.problem(
                    Code::BranchJumps,
                    format!(
                        "a branch of a fork cannot go to `{text}`: branches run beside each other"
                    ),
                )
                .hint(
                    "use `continue`, `exit` or `end`, or put the tasks of the branch under a `do`",
                ),
            );
            return Then::Continue;
        }
        let Some(position) = siblings.positions.get(text) else {
            self.unknown_target(at, text, siblings);
            return Then::Continue;
        };
        Then::Jump(*position)
    }

    fn unknown_target(&mut self, at: &At<'n>, text: &str, siblings: &Siblings) {
        let directives = ["continue", "exit", "end"];
        let names: Vec<&str> = siblings.positions.keys().map(AsRef::as_ref).collect();
        let hint = match nearest(text, names.iter().copied().chain(directives)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "`continue`, `exit`, `end` or a task of the same list: {}",
                some_names(&names)
            ),
        };
        let message = format!("`then` names no task of its own list: `{text}`");
        self.push(at.problem(Code::UnknownTarget, message).hint(hint));
    }

    pub(super) fn switch(&mut self, at: &At<'n>, around: Surroundings<'_>) -> TaskKind {
        let named: Vec<_> = at.items().filter_map(|item| item.members().next()).collect();
        let mut default: Option<Arc<str>> = None;
        let mut cases = Vec::new();
        for (key, case) in named {
            let when = case.get("when");
            if when.is_none() {
                if let Some(first) = &default {
                    let message = format!(
                        "`{}` is a second default case: `{first}` has no `when` either",
                        key.text
                    );
                    self.push(
                        Problem::new(
                            Code::SecondDefault,
                            key.span.clone(),
                            &*case.pointer,
                            message,
                        )
                        .hint("give all cases but one a `when`"),
                    );
                }
                default.get_or_insert_with(|| key.text.clone());
            }
            cases.push(Case {
                name: key.text.clone(),
                when: when.and_then(|at| self.expression(&at, &around.scopes.body)),
                then: case
                    .get("then")
                    .map_or(Then::Continue, |then| self.directive(&then, around.siblings)),
            });
        }
        TaskKind::Switch(cases)
    }

    /// Tells about tasks of a list that no way leads to.
    pub(super) fn warn_about_unreachable(
        &mut self,
        tasks: &[(Range<usize>, &At<'n>)],
        siblings: &Siblings,
    ) {
        if siblings.jumps == Jumps::Refused {
            return;
        }
        let mut reached = vec![false; tasks.len()];
        let mut open = vec![0];
        while let Some(position) = open.pop() {
            let Some((_, task)) = tasks.get(position) else { continue };
            if !std::mem::replace(&mut reached[position], true) {
                open.extend(successors(task, position, siblings));
            }
        }
        for ((span, task), reached) in tasks.iter().zip(reached) {
            if !reached {
                let message = format!("no way through its list leads to task `{}`", task.pointer);
                self.push(
                    Problem::new(Code::UnreachableTask, span.clone(), &*task.pointer, message)
                        .hint("name it in a `then`, or remove it"),
                );
            }
        }
    }
}

/// Names for a hint, not too many.
pub(super) fn some_names(names: &[&str]) -> String {
    const SHOWN: usize = 12;
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown}, …") } else { shown }
}

/// The positions an execution may go to from a task; what names no position is told elsewhere.
fn successors(task: &At<'_>, position: usize, siblings: &Siblings) -> Vec<usize> {
    let next = position + 1;
    let target = |at: Option<At<'_>>| match at.as_ref().and_then(At::text).map(|text| &**text) {
        None | Some("continue") => Some(next),
        Some("exit" | "end") => None,
        // Where the target is unknown nothing more shall be told about it.
        Some(name) => Some(siblings.positions.get(name).copied().unwrap_or(next)),
    };
    let own = target(task.get("then"));
    let skipped = task.get("if").map(|_| next);
    let kind = match Keyword::of(task.node) {
        Some(Keyword::Raise) => Vec::new(),
        Some(Keyword::Switch) => switch_successors(task, own, &target),
        Some(Keyword::Try) => {
            let caught = task.get("catch").and_then(|catch| catch.get("then"));
            vec![own, caught.and_then(|then| target(Some(then)))]
        }
        _ => vec![own],
    };
    kind.into_iter().flatten().chain(skipped).collect()
}

fn switch_successors(
    task: &At<'_>,
    own: Option<usize>,
    target: &dyn Fn(Option<At<'_>>) -> Option<usize>,
) -> Vec<Option<usize>> {
    let Some(switch) = task.get("switch") else { return vec![own] };
    let cases: Vec<_> =
        switch.items().filter_map(|item| item.members().next().map(|(_, case)| case)).collect();
    let has_default = cases.iter().any(|case| case.get("when").is_none());
    let mut targets: Vec<_> = cases.iter().map(|case| target(case.get("then"))).collect();
    if !has_default {
        targets.push(own);
    }
    targets
}
