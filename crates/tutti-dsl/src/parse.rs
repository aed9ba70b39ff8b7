//! Text → workflow.

use tutti_expr::Value;

use crate::{
    Need, Resources, Workflow,
    codes::{Code, Severity},
    compile,
    diagnostic::{self, Diagnostic, Problem},
    shape, tree,
};

/// What became of a document.
#[derive(Debug)]
pub struct Parsed {
    /// The compiled workflow; only if no diagnostic is an error, and the schemas of the workflow itself were given.
    /// A task that needs what was not given is there, and faults with a `configuration` error.
    pub workflow: Option<Workflow>,
    /// What the document names and was not given, in the order it was met; each URI once.
    pub needs: Vec<Need>,
    /// All that is wrong, in the order of the text: at most 500 errors and 500 warnings.
    pub diagnostics: Vec<Diagnostic>,
}

impl Parsed {
    /// Whether a diagnostic refuses the document.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity() == Severity::Error)
    }
}

/// Reads, checks and compiles a workflow document written in YAML 1.2 or JSON.
///
/// Limits: 512 KiB, 64 levels of YAML or 128 of JSON, 10,000 values expanded from aliases. Total: every text gives either
/// a workflow or at least one error.
pub fn parse(text: &str) -> Parsed {
    parse_with(text, &Resources::default())
}

/// Reads, checks and compiles a document together with what was loaded for it. What it needs beyond that is in
/// [`Parsed::needs`]: load it, and parse again; functions may need more.
pub fn parse_with(text: &str, resources: &Resources) -> Parsed {
    let (root, mut problems) = tree::load(text);
    if root.is_none() && problems.is_empty() {
        let message = "the document is empty";
        let hint = "begin with `document:` and `do:`";
        problems.push(Problem::new(Code::WrongType, 0..0, "", message).hint(hint));
    }
    let mut needs = Vec::new();
    let workflow = root.and_then(|root| {
        if root.as_map().is_none() {
            let message = format!("the document must be a mapping, not {}", root.describe());
            problems.push(Problem::new(Code::WrongType, root.span, "", message));
            return None;
        }
        shape::check::check(&root, &mut problems);
        compile::compile(text, &root, resources, &mut needs, &mut problems)
    });
    let told = |p: &Problem| p.code.severity() == Severity::Error || p.code == Code::NotLoaded;
    if workflow.is_none() && !problems.iter().any(told) {
        // Whatever the checks above missed: a document without a model is never silently nothing.
        let message = "the document is not a workflow";
        problems.push(Problem::new(Code::WrongType, 0..0, "", message));
    }
    let mut parsed =
        Parsed { workflow: None, needs, diagnostics: diagnostic::finish(text, problems) };
    if !parsed.has_errors() {
        parsed.workflow = workflow;
    }
    parsed
}

/// Reads one YAML 1.2 or JSON document as data, with the reader and the limits of workflow documents.
///
/// # Errors
/// All that is wrong with the text; at least one error.
pub fn parse_value(text: &str) -> Result<Value, Vec<Diagnostic>> {
    let (root, problems) = tree::load(text);
    match root {
        Some(root) if problems.iter().all(|problem| problem.code.severity() != Severity::Error) => {
            Ok(root.to_value())
        }
        _ => Err(diagnostic::finish(text, problems)),
    }
}
