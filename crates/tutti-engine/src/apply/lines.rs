//! Which events were consumed where: every line of flow remembers its own.

use tutti_journal::EventPosition;

use crate::{execution::Execution, frame::Frame};

impl Execution {
    /// Whether an event was consumed on the line of flow that leads to a frame: by what ran before it, or by branches
    /// that have joined. Branches beside each other each see an event.
    pub(crate) fn has_consumed(&self, frame: &Frame, position: EventPosition) -> bool {
        let lines = std::iter::once(frame.id).chain(self.ancestors(frame).map(|around| around.id));
        lines.filter_map(|id| self.lines.get(&id)).any(|line| line.has(position))
    }

    /// A frame ended. What was consumed on its line of flow waits until the branches beside it have ended too; then it
    /// was consumed on the line around them.
    pub(crate) fn join_lines(&mut self, ended: &Frame) {
        let Some(parent) = ended.parent else { return };
        let mut own = self.lines.remove(&ended.id).unwrap_or_default();
        let inside = self.joining.remove(&ended.id).unwrap_or_default();
        if ended.context.is_some() {
            own.append(inside);
            if !own.is_empty() {
                self.joining.entry(parent).or_default().append(own);
            }
        } else if !inside.is_empty()
            && let Some(owner) = self.frame(parent).map(|around| self.context_owner(around))
        {
            self.lines.entry(owner).or_default().append(inside);
        }
    }
}
