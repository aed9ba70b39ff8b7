//! The tasks of `use.functions`.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use super::{
    At, Compiler,
    flow::{Jumps, Siblings, Surroundings},
    scope::Scopes,
};
use crate::{codes::Code, diagnostic::Problem, tree::Key};

/// What `call` names before any function of `use.functions`.
const OWN_CALLS: &[&str] = &["a2a", "asyncapi", "grpc", "http", "mcp", "openapi"];

/// A function that is called, and by which function.
pub(super) struct FunctionCall {
    pub(super) from: Option<Arc<str>>,
    pub(super) to: Arc<str>,
    pub(super) span: Range<usize>,
    pub(super) pointer: Arc<str>,
}

impl<'n> Compiler<'n> {
    /// Gives every function's task its place, so that calls can name it before it is compiled.
    pub(super) fn reserve_functions(&mut self, root: &At<'n>) {
        for (key, at) in declared(root) {
            if OWN_CALLS.contains(&&*key.text) {
                let name = &key.text;
                let message =
                    format!("`call: {name}` is the language's own: this function is never called");
                self.push(
                    Problem::new(Code::UnreachableTask, key.span.clone(), &*at.pointer, message)
                        .hint("give it another name"),
                );
            }
            let id = self.reserve(&at.pointer);
            self.names.functions.insert(key.text.clone(), id);
        }
    }

    pub(super) fn functions(&mut self, root: &At<'n>) {
        let scopes = Scopes::task();
        for (key, at) in declared(root) {
            let name = &key.text;
            let Some(id) = self.names.functions.get(name).copied() else { continue };
            let siblings = Siblings::new(std::iter::empty(), Jumps::Allowed);
            self.function = Some(name.clone());
            self.task(id, name, &at, Surroundings { scopes: &scopes, siblings: &siblings });
        }
        self.function = None;
    }

    /// A function that calls itself, directly or through others, would never end.
    pub(super) fn refuse_function_cycles(&mut self) {
        let calls = std::mem::take(&mut self.calls);
        let circles = circles(&calls);
        for call in &calls {
            let Some(from) = &call.from else { continue };
            // In one circle with what it calls: from there a way leads back.
            if circles.get(from) == circles.get(&call.to) {
                let message = format!("function `{from}` calls itself through `{}`", call.to);
                self.push(
                    Problem::new(Code::FunctionCycle, call.span.clone(), &*call.pointer, message)
                        .hint("use a `for` loop, or a workflow that runs itself as a child"),
                );
            }
        }
    }
}

fn declared<'n>(root: &At<'n>) -> Vec<(&'n Key, At<'n>)> {
    let functions = root.get("use").and_then(|used| used.get("functions"));
    functions.iter().flat_map(At::members).collect()
}

type Calls<'c> = BTreeMap<&'c Arc<str>, Vec<&'c Arc<str>>>;

/// The circle each function is in, named by one of its functions: those that call each other share it, a function
/// that none leads back to has its own. (Kosaraju's two walks: callees last, then backwards.)
fn circles(calls: &[FunctionCall]) -> BTreeMap<Arc<str>, Arc<str>> {
    let mut callees: Calls<'_> = BTreeMap::new();
    let mut callers: Calls<'_> = BTreeMap::new();
    for call in calls {
        let Some(from) = &call.from else { continue };
        callees.entry(from).or_default().push(&call.to);
        callees.entry(&call.to).or_default();
        callers.entry(&call.to).or_default().push(from);
    }
    let mut circles = BTreeMap::new();
    for start in finished(&callees).into_iter().rev() {
        let mut open = vec![start];
        while let Some(name) = open.pop() {
            if !circles.contains_key(name) {
                circles.insert(name.clone(), start.clone());
                open.extend(callers.get(name).into_iter().flatten());
            }
        }
    }
    circles
}

/// The functions in the order a walk along the calls leaves them.
fn finished<'c>(callees: &Calls<'c>) -> Vec<&'c Arc<str>> {
    let mut order = Vec::new();
    let mut seen = BTreeSet::new();
    for start in callees.keys() {
        let mut way = vec![(*start, 0)];
        if !seen.insert(*start) {
            continue;
        }
        while let Some((name, next)) = way.last_mut() {
            let callee = callees.get(*name).and_then(|callees| callees.get(*next));
            *next += 1;
            match callee {
                Some(callee) if seen.insert(*callee) => way.push((*callee, 0)),
                Some(_) => {}
                None => {
                    order.push(*name);
                    way.pop();
                }
            }
        }
    }
    order
}
