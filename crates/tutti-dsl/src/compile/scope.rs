//! Which variables an expression may use at which place.

use std::sync::Arc;

use tutti_expr::Scope;

/// The scopes of a task's places (`semantics.md` names the table after the specification's own).
#[derive(Debug, Clone)]
pub(super) struct Scopes {
    /// `if`, `input.from`, `timeout`.
    pub(super) input: Place,
    /// What the task does.
    pub(super) body: Place,
    /// `output.as`
    pub(super) output: Place,
    /// `export.as`
    pub(super) export: Place,
    scoped: Vec<Arc<str>>,
}

/// One place's scope.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) scope: Scope,
    /// Its names as one text: places of equal keys have equal scopes.
    pub(super) key: Arc<str>,
    /// What people call it.
    pub(super) name: &'static str,
    /// Whether secrets belong here: elsewhere they easily end up in data.
    pub(super) secrets_expected: bool,
}

/// Where a start is admitted there is nothing but its raw input.
pub(crate) const ADMISSION: &[&str] = &[];
pub(crate) const WORKFLOW: &[&str] = &["secrets", "workflow", "runtime"];
pub(crate) const WORKFLOW_OUTPUT: &[&str] = &["context", "secrets", "workflow", "runtime"];
pub(crate) const INPUT: &[&str] = &["context", "secrets", "task", "workflow", "runtime"];
pub(crate) const BODY: &[&str] =
    &["context", "input", "secrets", "task", "workflow", "runtime", "authorization"];
pub(crate) const EXPORT: &[&str] =
    &["context", "input", "output", "secrets", "task", "workflow", "runtime", "authorization"];

/// Every variable the language itself has.
pub(super) const LANGUAGE: &[&str] = EXPORT;

impl Scopes {
    /// At the document's root.
    pub(super) fn workflow() -> Self {
        Self {
            input: Place::new("the workflow's `input.from`", WORKFLOW, &[], true),
            body: Place::new("the document's root", WORKFLOW, &[], false),
            output: Place::new("the workflow's `output.as`", WORKFLOW_OUTPUT, &[], false),
            export: Place::new("the document's root", WORKFLOW_OUTPUT, &[], false),
            scoped: Vec::new(),
        }
    }

    /// `metadata.tutti` of the document.
    pub(super) fn admission() -> Place {
        Place::new("the settings of the workflow", ADMISSION, &[], false)
    }

    /// At a task that no loop or handler is around.
    pub(super) fn task() -> Self {
        Self::of(Vec::new())
    }

    /// These scopes and the variables of a loop or handler.
    pub(super) fn with(&self, names: &[&Arc<str>]) -> Self {
        let mut scoped = self.scoped.clone();
        scoped.extend(names.iter().map(|name| Arc::clone(name)));
        Self::of(scoped)
    }

    fn of(scoped: Vec<Arc<str>>) -> Self {
        Self {
            input: Place::new("`if`, `input.from` and `timeout`", INPUT, &scoped, true),
            body: Place::new("the task's own part", BODY, &scoped, false),
            output: Place::new("`output.as`", BODY, &scoped, false),
            export: Place::new("`export.as`", EXPORT, &scoped, false),
            scoped,
        }
    }
}

impl Place {
    fn new(name: &'static str, known: &[&str], scoped: &[Arc<str>], secrets: bool) -> Self {
        let names = known.iter().map(|name| Arc::from(*name)).chain(scoped.iter().cloned());
        let scope = Scope::new::<Arc<str>>(names);
        let key = Arc::from(scope.names().collect::<Vec<_>>().join(" "));
        Self { scope, key, name, secrets_expected: secrets }
    }

    /// This place where secrets are expected: authentication.
    pub(super) fn expecting_secrets(&self) -> Self {
        Self { secrets_expected: true, ..self.clone() }
    }
}
