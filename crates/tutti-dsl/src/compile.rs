//! Tree → [`Workflow`]: names resolved, expressions compiled, flow checked.
//!
//! Shapes are somebody else's subject: where a value has the wrong one, this pass says nothing and goes on, so that
//! one mistake is told once and all mistakes are told together.

mod authentication;
mod calls;
mod each;
mod errors;
mod events;
mod expressions;
mod extensions;
mod flow;
mod functions;
pub(crate) mod jq_text;
mod loops;
mod names;
mod processes;
mod resources;
mod schedule;
pub(crate) mod scope;
mod settings;
mod starting;
mod tasks;
mod unexecuted;
mod values;

use std::{collections::BTreeMap, sync::Arc};

use tutti_expr::{CompileError, Expression, Value};

use crate::{
    DataFlow, Document, ListId, Need, Resources, Task, TaskId, TaskList, Workflow,
    diagnostic::Problem,
    tree::{At, Node},
};

use self::{extensions::Extended, names::Names, resources::Outside, scope::Scopes};

/// Compiles a whole document; nothing if a required part is missing.
pub(crate) fn compile(
    text: &str,
    root: &Node,
    resources: &Resources,
    needs: &mut Vec<Need>,
    problems: &mut Vec<Problem>,
) -> Option<Workflow> {
    let at = At::root(root);
    let mut compiler = Compiler::new(text, &at, resources);
    let workflow = compiler.workflow(&at);
    problems.append(&mut compiler.problems);
    needs.append(&mut compiler.outside.needs);
    workflow
}

struct Compiler<'n> {
    text: &'n str,
    /// `evaluate.mode: loose`
    loose: bool,
    names: Names<'n>,
    extended: Extended,
    problems: Vec<Problem>,
    /// A slot is empty until its task is compiled.
    tasks: Vec<Option<Task>>,
    lists: Vec<TaskList>,
    by_reference: BTreeMap<Arc<str>, TaskId>,
    /// What was compiled, by scope and source: aliases and copies cost nothing more.
    expressions: BTreeMap<(Arc<str>, Arc<str>), Result<Expression, CompileError>>,
    /// Which function's task calls which functions, and where: to find circles.
    calls: Vec<functions::FunctionCall>,
    /// The function whose task is being compiled.
    function: Option<Arc<str>>,
    outside: Outside<'n>,
}

impl<'n> Compiler<'n> {
    fn new(text: &'n str, root: &At<'n>, resources: &'n Resources) -> Self {
        let mode = root.get("evaluate").and_then(|evaluate| evaluate.get("mode"));
        let loose = mode.is_some_and(|mode| mode.text().is_some_and(|text| &**text == "loose"));
        Self {
            text,
            loose,
            names: Names::collect(root),
            extended: Extended::collect(root),
            problems: Vec::new(),
            tasks: Vec::new(),
            lists: Vec::new(),
            by_reference: BTreeMap::new(),
            expressions: BTreeMap::new(),
            calls: Vec::new(),
            function: None,
            outside: Outside::new(resources),
        }
    }

    fn workflow(&mut self, root: &At<'n>) -> Option<Workflow> {
        let document = self.document(root);
        self.reserve_functions(root);
        let flow = self.workflow_flow(root);
        let incomplete = self.outside.unloaded.take().is_some();
        let timeout = self.timeout(root, &Scopes::workflow());
        let schedule = self.schedule(root);
        let mut settings = self.workflow_settings(root);
        let list =
            root.get("do").map(|list| self.list(&list, &Scopes::task(), flow::Jumps::Allowed));
        self.functions(root);
        let extensions = self.extensions(root);
        self.loaded_functions();
        self.reusable_parts();
        self.refuse_function_cycles();
        if incomplete {
            return None;
        }
        let tasks = std::mem::take(&mut self.tasks).into_iter().collect::<Option<Vec<_>>>()?;
        if tasks.iter().any(|task| task.settings.cooldown.is_some()) {
            settings.admission.push("cooldown");
        }
        Some(Workflow {
            document: document?,
            flow,
            timeout,
            schedule,
            settings,
            secrets: self.names.secrets(),
            root: list?,
            definition: root.node.to_value(),
            text: Arc::from(self.text),
            tasks,
            lists: std::mem::take(&mut self.lists),
            extensions,
            by_reference: std::mem::take(&mut self.by_reference),
        })
    }

    fn document(&mut self, root: &At<'n>) -> Option<Document> {
        let document = root.get("document")?;
        if let Some(dsl) = document.get("dsl") {
            self.check_dsl_version(&dsl);
        }
        let text = |key: &str| document.get(key).and_then(|at| at.text().cloned());
        let map = |key: &str| {
            let empty = || Value::object(std::iter::empty::<(Arc<str>, Value)>());
            document.get(key).map_or_else(empty, |at| at.node.to_value())
        };
        Some(Document {
            dsl: text("dsl")?,
            namespace: text("namespace")?,
            name: text("name")?,
            version: text("version")?,
            title: text("title"),
            summary: text("summary"),
            tags: map("tags"),
            metadata: map("metadata"),
        })
    }

    fn workflow_flow(&mut self, root: &At<'n>) -> DataFlow {
        let mut flow = DataFlow::default();
        let scopes = Scopes::workflow();
        if let Some(input) = root.get("input") {
            flow.input_schema = self.schema(&input);
            flow.input_from = input.get("from").and_then(|at| self.transform(&at, &scopes.input));
        }
        if let Some(output) = root.get("output") {
            flow.output_schema = self.schema(&output);
            flow.output_as = output.get("as").and_then(|at| self.transform(&at, &scopes.output));
        }
        flow
    }

    fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    fn new_list(&mut self, tasks: Vec<TaskId>) -> ListId {
        let id = u32::try_from(self.lists.len()).expect("invariant: a document is below 512 KiB");
        self.lists.push(TaskList { tasks });
        ListId(id)
    }

    /// A place for a task that will be compiled.
    fn reserve(&mut self, reference: &Arc<str>) -> TaskId {
        let id = u32::try_from(self.tasks.len()).expect("invariant: a document is below 512 KiB");
        self.tasks.push(None);
        self.by_reference.insert(reference.clone(), TaskId(id));
        TaskId(id)
    }
}
