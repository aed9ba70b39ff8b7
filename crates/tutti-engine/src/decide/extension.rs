//! Which extensions apply to a task that has just started.

use tutti_dsl::Extension;
use tutti_ids::Sequence;
use tutti_journal::{Entry, Error, ErrorType, Unanswered};

use crate::{advance::Stepper, data_flow::Result, environment::Scene};

impl Stepper<'_> {
    /// Decides once which extensions apply, so that what one does before and after a task belongs together.
    pub(super) fn select_extensions(&mut self, id: Sequence) {
        match self.selected(id) {
            Ok((extensions, unanswered)) => {
                self.record(Entry::ExtensionsSelected { task: id, extensions, unanswered });
            }
            Err(error) => self.fault(id, *error),
        }
    }

    fn selected(&self, id: Sequence) -> Result<(Vec<u32>, Vec<Unanswered>)> {
        let (mut selected, mut unanswered) = (Vec::new(), Vec::new());
        let workflow = &self.workflow;
        let Some(frame) = self.execution.frame(id) else { return Ok((selected, unanswered)) };
        let scene =
            Scene { extended: true, ..Scene::of(self.execution, &self.surroundings, frame) };
        let extensions = scene.task.map_or(&[][..], |task| &task.extensions);
        for place in extensions {
            let Some(extension) = workflow.extensions.get(*place) else { continue };
            let place = u32::try_from(*place).unwrap_or(u32::MAX);
            match scene.applies(extension)? {
                Ok(true) => selected.push(place),
                Ok(false) => {}
                Err(detail) => unanswered.push(Unanswered { extension: place, detail }),
            }
        }
        Ok((selected, unanswered))
    }
}

impl Scene<'_> {
    /// Whether an extension applies to the scene's task, or why its `when` gave no answer. A limit that was reached and
    /// a secret that cannot be had are errors of the task.
    fn applies(&self, extension: &Extension) -> Result<std::result::Result<bool, String>> {
        let Some(when) = &extension.when else { return Ok(Ok(true)) };
        let input = self.input.clone().unwrap_or(tutti_expr::Value::NULL);
        let answer = when.is_true(&input, self);
        if let Some(refused) = self.refused.take() {
            return Err(Box::new(refused));
        }
        match answer {
            Ok(applies) => Ok(Ok(applies)),
            Err(
                error @ (tutti_expr::Error::Raised { .. } | tutti_expr::Error::NotBoolean { .. }),
            ) => Ok(Err(error.to_string())),
            Err(error @ tutti_expr::Error::Limit { .. }) => {
                let detail = format!("`when` of extension `{}`: {error}", extension.name);
                Err(Box::new(Error::new(ErrorType::Expression, detail)))
            }
        }
    }
}
