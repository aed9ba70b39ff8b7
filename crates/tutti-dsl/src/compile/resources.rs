//! What the document names and somebody else loads: schemas, scripts and functions.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use tutti_expr::{Template, Value};

use super::{
    At, Compiler,
    flow::{Jumps, Siblings, Surroundings},
    scope::{Place, Scopes},
};
use crate::{
    Endpoint, Need, Resources, Schema, ScriptText, TaskId,
    codes::{Code, Severity},
    diagnostic::Problem,
    location::{self, Cataloged},
    resources::Resource,
    shape,
    tree::child,
};

/// What comes from outside the document.
pub(super) struct Outside<'n> {
    resources: &'n Resources,
    pub(super) needs: Vec<Need>,
    /// Why the task at hand, or the workflow, lacks something that was not loaded.
    pub(super) unloaded: Option<String>,
    /// The functions that were loaded, by URI.
    functions: BTreeMap<Arc<str>, TaskId>,
    /// Those that still have to be compiled.
    waiting: Vec<Waiting<'n>>,
    /// The loaded function that is being compiled.
    inside: Option<Caller>,
}

struct Waiting<'n> {
    id: TaskId,
    resource: &'n Resource,
    caller: Caller,
}

/// A loaded function, and the place in the document that led to it.
#[derive(Clone)]
struct Caller {
    uri: Arc<str>,
    span: Range<usize>,
    pointer: Arc<str>,
}

/// What is at a location.
enum Found<'n> {
    Text(&'n Resource),
    /// It was not given.
    Missing,
    /// What is wrong was told.
    Told,
}

impl<'n> Outside<'n> {
    pub(super) fn new(resources: &'n Resources) -> Self {
        Self {
            resources,
            needs: Vec::new(),
            unloaded: None,
            functions: BTreeMap::new(),
            waiting: Vec::new(),
            inside: None,
        }
    }

    fn base(&self) -> Option<&str> {
        self.inside.as_ref().map(|caller| &*caller.uri)
    }

    /// Where something stands in the document: itself, or the call that leads to it.
    pub(super) fn place_of(&self, at: &At<'_>) -> (Range<usize>, Arc<str>) {
        match &self.inside {
            Some(caller) => (caller.span.clone(), caller.pointer.clone()),
            None => (at.node.span.clone(), at.pointer.clone()),
        }
    }
}

impl<'n> Compiler<'n> {
    /// `schema.resource`
    pub(super) fn loaded_schema(&mut self, resource: &At<'n>) -> Option<Schema> {
        let endpoint = resource.get("endpoint")?;
        let scopes = Scopes::workflow();
        let Some((written, policy)) = literal(&endpoint) else {
            self.computed(&endpoint, "the location of the schema");
            return None;
        };
        let found = match self.find(&endpoint, &written, policy, &scopes.body) {
            Found::Text(found) => found,
            Found::Missing => {
                self.miss(&endpoint, &format!("the schema at `{written}`"));
                return None;
            }
            Found::Told => return None,
        };
        let compiled = found
            .node()
            .map_err(str::to_owned)
            .and_then(|node| Schema::compile(&node.to_value()).map_err(|error| error.to_string()));
        match compiled {
            Ok(schema) => Some(schema),
            Err(error) => {
                let message = format!("the JSON Schema at `{written}` cannot be used: {error}");
                self.push(endpoint.problem(Code::InvalidSchema, message));
                None
            }
        }
    }

    /// `script.source.endpoint`: a literal one is a part of the definition, a computed one is read at the call.
    pub(super) fn script_source(&mut self, endpoint: &At<'n>, place: &Place) -> Option<ScriptText> {
        let source: Option<Endpoint> = self.endpoint(endpoint, place);
        let Some((written, policy)) = literal(endpoint) else {
            if endpoint.get("authentication").is_some() {
                self.computed(endpoint, "the location of the script");
            }
            return source.map(ScriptText::Source);
        };
        let authenticated = policy.is_some();
        match self.find(endpoint, &written, policy, place) {
            Found::Text(found) => {
                Some(ScriptText::Code(Template::Literal(Value::from(found.text.clone()))))
            }
            Found::Missing => {
                if authenticated || !written.starts_with("file:/") {
                    self.miss(endpoint, &format!("the script at `{written}`"));
                }
                source.map(ScriptText::Source)
            }
            Found::Told => None,
        }
    }

    /// A function of a catalog that the document declares.
    pub(super) fn function_of(
        &mut self,
        at: &At<'n>,
        function: &Cataloged<'_>,
        catalog: &At<'n>,
    ) -> Option<(Arc<str>, TaskId)> {
        let endpoint = catalog.get("endpoint")?;
        let Some((root, policy)) = literal(&endpoint) else {
            self.computed(at, "the root of the catalog");
            return None;
        };
        // A catalog is declared in the document, whoever names it.
        let inside = self.outside.inside.take();
        let found = self.function_at(at, &function.below(&root), policy);
        self.outside.inside = inside;
        if let (Some(inside), Some(waiting)) =
            (&self.outside.inside, self.outside.waiting.last_mut())
        {
            waiting.caller.span = inside.span.clone();
            waiting.caller.pointer = inside.pointer.clone();
        }
        found
    }

    /// The function at a URI.
    pub(super) fn function_at(
        &mut self,
        at: &At<'n>,
        written: &str,
        policy: Option<At<'n>>,
    ) -> Option<(Arc<str>, TaskId)> {
        let scopes = Scopes::workflow();
        let resource = match self.find(at, written, policy, &scopes.body) {
            Found::Text(resource) => resource,
            Found::Missing => {
                self.miss(at, &format!("the function at `{written}`"));
                return None;
            }
            Found::Told => return None,
        };
        let uri = location::resolve(self.outside.base(), written).ok()?;
        if let Some(id) = self.outside.functions.get(&uri) {
            return Some((uri, *id));
        }
        let id = self.reserve(&child("/resources", &uri));
        let (span, pointer) = self.outside.place_of(at);
        self.outside.functions.insert(uri.clone(), id);
        let caller = Caller { uri: uri.clone(), span, pointer };
        self.outside.waiting.push(Waiting { id, resource, caller });
        Some((uri, id))
    }

    /// Compiles the functions that were loaded, and those they call.
    pub(super) fn loaded_functions(&mut self) {
        while let Some(waiting) = self.outside.waiting.pop() {
            let first = self.problems.len();
            let uri = waiting.caller.uri.clone();
            match waiting.resource.node() {
                Ok(node) => {
                    let own = self.names.for_loaded_functions();
                    let names = std::mem::replace(&mut self.names, own);
                    let text = std::mem::replace(&mut self.text, &waiting.resource.text);
                    self.function = Some(uri.clone());
                    self.outside.inside = Some(waiting.caller.clone());
                    let at = At { node, pointer: child("/resources", &uri) };
                    shape::check::check_function(&at, &mut self.problems);
                    let siblings = Siblings::new(std::iter::empty(), Jumps::Allowed);
                    let scopes = Scopes::task();
                    let around = Surroundings { scopes: &scopes, siblings: &siblings };
                    self.task(waiting.id, &name_of(&uri), &at, around);
                    self.outside.inside = None;
                    self.function = None;
                    self.text = text;
                    self.names = names;
                }
                Err(error) => {
                    let Caller { span, pointer, .. } = &waiting.caller;
                    let message = error.to_owned();
                    self.push(Problem::new(Code::NotAFunction, span.clone(), &**pointer, message));
                }
            }
            for problem in &mut self.problems[first..] {
                relocate(problem, &waiting.caller, &waiting.resource.text);
            }
        }
    }

    /// Everything of `$secrets` is not a loaded function's to read: it is given what it needs in `with`.
    pub(super) fn refuse_all_secrets(&mut self, at: &At<'_>) {
        if self.outside.inside.is_some() {
            let message = "a function that was loaded cannot read the secrets of the workflow";
            self.push(at.problem(Code::UndeclaredSecret, message));
        }
    }

    fn find(
        &mut self,
        at: &At<'n>,
        written: &str,
        policy: Option<At<'n>>,
        place: &Place,
    ) -> Found<'n> {
        let uri = match location::resolve(self.outside.base(), written) {
            Ok(uri) => uri,
            Err(why) => {
                let message = format!("`{written}` {why}");
                self.push(at.problem(Code::CannotLoad, message));
                return Found::Told;
            }
        };
        let authentication = match policy {
            Some(policy) => match self.authentication(&policy, place) {
                Some(authentication) => Some(authentication),
                None => return Found::Told,
            },
            None => None,
        };
        match self.outside.resources.get(&uri) {
            Some(Ok(resource)) => Found::Text(resource),
            Some(Err(error)) => {
                let code = error.code();
                self.push(at.problem(code, format!("the resource at `{uri}` {error}")));
                Found::Told
            }
            None => {
                if self.outside.needs.iter().all(|need| need.uri != uri) {
                    self.outside.needs.push(Need { uri, authentication });
                }
                Found::Missing
            }
        }
    }

    fn miss(&mut self, at: &At<'_>, what: &str) {
        let message = format!("{what} was not loaded, and so not checked");
        self.push(
            at.problem(Code::NotLoaded, message)
                .hint("`tutti run` loads what a document names, and `tutti validate` its files"),
        );
        self.outside.unloaded = Some(format!("{what} was not loaded"));
    }

    fn computed(&mut self, at: &At<'_>, what: &str) {
        let message =
            format!("{what} is computed, and this version loads only what is named literally");
        self.push(
            at.problem(Code::NotExecutedYet, message.clone())
                .hint("an execution that reaches it faults with a `configuration` error"),
        );
        self.outside.unloaded = Some(message);
    }
}

/// The URI of an endpoint that is neither an expression nor a template, with its authentication.
fn literal<'n>(endpoint: &At<'n>) -> Option<(Arc<str>, Option<At<'n>>)> {
    let uri = endpoint.get("uri");
    let uri = uri.as_ref().unwrap_or(endpoint).text()?.clone();
    let is_literal = !uri.trim().starts_with("${") && !uri.contains(['{', '}']);
    is_literal.then(|| (uri, endpoint.get("authentication")))
}

/// What people call the function at a URI.
fn name_of(uri: &str) -> Arc<str> {
    let mut segments = uri.rsplit('/');
    let file = segments.next().unwrap_or(uri);
    let (version, name) = (segments.next(), segments.next());
    match (file, version, name) {
        ("function.yaml", Some(version), Some(name)) => Arc::from(format!("{name}:{version}")),
        _ => Arc::from(file),
    }
}

/// A problem inside a loaded function is told where the document calls it.
fn relocate(problem: &mut Problem, caller: &Caller, text: &str) {
    let Caller { uri, span, pointer } = caller;
    let inside = problem.pointer.starts_with("/resources/");
    let line = text
        .get(..problem.span.start)
        .filter(|_| inside)
        .map(|before| before.matches('\n').count() + 1);
    let line = line.map_or_else(String::new, |line| format!("line {line}: "));
    if problem.code.severity() == Severity::Error && told_as_function(problem.code) {
        problem.code = Code::NotAFunction;
    }
    problem.message = format!("the function at `{uri}`: {line}{}", problem.message);
    problem.span = span.clone();
    problem.pointer = pointer.to_string();
}

/// Whether a mistake makes a text something else than a function; what cannot be loaded keeps its own code.
fn told_as_function(code: Code) -> bool {
    !matches!(code, Code::CannotLoad | Code::ResourceNotText | Code::ResourceTooLarge)
}
