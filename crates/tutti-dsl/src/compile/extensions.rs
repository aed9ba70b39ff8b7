//! `use.extensions`: tasks around tasks. Checked, not executed by this version.

use std::sync::Arc;

use super::{At, Compiler, flow::Jumps, scope::Scopes};
use crate::kinds::Keyword;

/// Which extensions apply to which kinds of tasks.
#[derive(Debug, Default)]
pub(super) struct Extended(Vec<(Arc<str>, Arc<str>)>);

impl Extended {
    pub(super) fn collect(root: &At<'_>) -> Self {
        let extensions = root.get("use").and_then(|used| used.get("extensions"));
        let items = extensions.iter().flat_map(At::items).filter_map(|item| item.members().next());
        let applying = items.filter_map(|(name, at)| {
            let target = at.get("extend")?.text()?.clone();
            (at.get("before").is_some() || at.get("after").is_some())
                .then(|| (name.text.clone(), target))
        });
        Self(applying.collect())
    }

    /// Why a task cannot be executed: an extension applies to it. The tasks of extensions are not extended.
    pub(super) fn applying_to(&self, keyword: Keyword, pointer: &str) -> Option<String> {
        if pointer.starts_with("/use/extensions/") {
            return None;
        }
        let composite = matches!(keyword, Keyword::Do | Keyword::Fork);
        let (name, _) = self.0.iter().find(|(_, target)| {
            &**target == "all"
                || &**target == keyword.as_str()
                || &**target == "composite" && composite
        })?;
        Some(format!(
            "extension `{name}` applies to it, and extensions are not executed by this version"
        ))
    }
}

impl<'n> Compiler<'n> {
    pub(super) fn extensions(&mut self, root: &At<'n>) {
        let Some(extensions) = root.get("use").and_then(|used| used.get("extensions")) else {
            return;
        };
        let scopes = Scopes::task();
        let items: Vec<_> = extensions.items().filter_map(|item| item.members().next()).collect();
        for (_, at) in items {
            if let Some(when) = at.get("when") {
                self.expression(&when, &scopes.body);
            }
            for part in ["before", "after"] {
                if let Some(list) = at.get(part) {
                    self.list(&list, &scopes, Jumps::Allowed);
                }
            }
        }
    }

    /// Parts that nothing uses are checked as well.
    pub(super) fn reusable_parts(&mut self) {
        let place = Scopes::task().body;
        let handler = Scopes::task().with(&[&Arc::from("error")]).body;
        for at in self.names.errors.values().cloned().collect::<Vec<_>>() {
            self.template(&at, &place);
            self.check_error_type(&at);
        }
        let unused = self.names.retries.iter().filter(|(name, _)| {
            // What is used was compiled there, with the variable of its own `catch`.
            !self.names.used_retries.contains(*name)
        });
        for at in unused.map(|(_, at)| at.clone()).collect::<Vec<_>>() {
            self.retry_policy(&at, &handler);
        }
        for at in self.names.authentications.values().cloned().collect::<Vec<_>>() {
            self.policy(&at, &place);
        }
        for at in self.names.timeouts.values().cloned().collect::<Vec<_>>() {
            if let Some(after) = at.get("after") {
                self.duration(&after, &place);
            }
        }
        for at in self.names.catalogs.values().cloned().collect::<Vec<_>>() {
            if let Some(endpoint) = at.get("endpoint") {
                self.catalog(&endpoint, &Scopes::task());
            }
        }
    }
}
