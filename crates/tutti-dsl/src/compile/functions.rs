//! The tasks of `use.functions`.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use super::{
    At, Compiler,
    flow::{Jumps, Siblings},
    scope::Scopes,
    tasks::Surroundings,
};
use crate::{codes::Code, diagnostic::Problem};

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
        for (name, at) in declared(root) {
            let id = self.reserve(&at.pointer);
            self.names.functions.insert(name, id);
        }
    }

    pub(super) fn functions(&mut self, root: &At<'n>) {
        let scopes = Scopes::task();
        for (name, at) in declared(root) {
            let Some(id) = self.names.functions.get(&name).copied() else { continue };
            let siblings = Siblings::new(std::iter::empty(), Jumps::Allowed);
            self.function = Some(name.clone());
            self.task(id, &name, &at, Surroundings { scopes: &scopes, siblings: &siblings });
        }
        self.function = None;
    }

    /// A function that calls itself, directly or through others, would never end.
    pub(super) fn refuse_function_cycles(&mut self) {
        let mut called: BTreeMap<Arc<str>, Vec<Arc<str>>> = BTreeMap::new();
        for call in &self.calls {
            if let Some(from) = &call.from {
                called.entry(from.clone()).or_default().push(call.to.clone());
            }
        }
        let calls = std::mem::take(&mut self.calls);
        for call in &calls {
            let Some(from) = &call.from else { continue };
            if reaches(&called, &call.to, from) {
                let message = format!("function `{from}` calls itself through `{}`", call.to);
                self.push(
                    Problem::new(Code::FunctionCycle, call.span.clone(), &*call.pointer, message)
                        .hint("use a `for` loop, or a workflow that runs itself as a child"),
                );
            }
        }
    }
}

fn declared<'n>(root: &At<'n>) -> Vec<(Arc<str>, At<'n>)> {
    let functions = root.get("use").and_then(|used| used.get("functions"));
    functions.iter().flat_map(At::members).map(|(key, at)| (key.text.clone(), at)).collect()
}

/// Whether calls lead from one function to another.
fn reaches(called: &BTreeMap<Arc<str>, Vec<Arc<str>>>, from: &Arc<str>, to: &Arc<str>) -> bool {
    let mut seen = std::collections::BTreeSet::new();
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        if name == to {
            return true;
        }
        if seen.insert(name) {
            open.extend(called.get(name).into_iter().flatten());
        }
    }
    false
}
