//! What extensions put around a task runs: no task ends well without it.

use std::collections::{BTreeMap, BTreeSet};

use tutti_dsl::Workflow;
use tutti_ids::Sequence;
use tutti_journal::{Entry, Flow};

use super::tree::Tree;

/// What ran around the tasks of one execution.
#[derive(Debug, Default)]
pub(super) struct Extensions {
    /// Which apply, by task execution.
    selected: BTreeMap<Sequence, Vec<u32>>,
    /// What began around each.
    began: BTreeSet<(Sequence, Place)>,
    /// Tasks before which something said `exit`: the rest may be passed over.
    loose: BTreeSet<Sequence>,
}

/// Where a task of an extension stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) extension: u32,
    /// Else after.
    pub(super) before: bool,
}

/// The place of a task by its reference, if it belongs to an extension.
pub(super) fn place(reference: &str) -> Option<Place> {
    let mut steps = reference.strip_prefix("/use/extensions/")?.split('/');
    let extension = steps.next()?.parse().ok()?;
    let before = steps.nth(1)? == "before";
    Some(Place { extension, before })
}

impl Extensions {
    pub(super) fn on_entry(
        &mut self,
        entry: &Entry,
        tree: &Tree,
        workflow: &Workflow,
    ) -> Vec<String> {
        match entry {
            Entry::ExtensionsSelected { task, extensions, .. } => {
                self.selected.insert(*task, extensions.clone());
            }
            Entry::TaskStarted { reference, parent, .. }
            | Entry::TaskSkipped { reference, parent, .. } => {
                self.began.extend(place(reference.as_str()).map(|place| (*parent, place)));
            }
            Entry::TaskCompleted { task, then, .. } => {
                if *then == Flow::Exit && place(tree.reference(*task)).is_some() {
                    self.loose.extend(tree.parent(*task));
                }
                return self.check(*task, tree, workflow);
            }
            _ => {}
        }
        Vec::new()
    }

    fn check(&self, task: Sequence, tree: &Tree, workflow: &Workflow) -> Vec<String> {
        let belongs = |task| place(tree.reference(task)).is_some();
        let Some(extended) = tree.task(task, workflow) else { return Vec::new() };
        if self.loose.contains(&task) || tree.outwards(task).any(belongs) {
            return Vec::new();
        }
        let selected = self.selected.get(&task).map_or(&[][..], |selected| selected);
        let mut problems = Vec::new();
        for at in &extended.extensions {
            let Some(extension) = workflow.extensions.get(*at) else { continue };
            let number = u32::try_from(*at).unwrap_or(u32::MAX);
            let applies = selected.contains(&number);
            if extension.when.is_none() && !applies {
                problems.push(format!("{task} ended without extension {number}"));
            }
            for (list, before) in [(extension.before, true), (extension.after, false)] {
                let place = Place { extension: number, before };
                if applies && list.is_some() && !self.began.contains(&(task, place)) {
                    problems.push(format!("{task} ended without {place:?}"));
                }
            }
        }
        problems
    }
}
