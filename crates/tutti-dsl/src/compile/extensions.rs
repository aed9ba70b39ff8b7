//! `use.extensions`: tasks around tasks.

use std::sync::Arc;

use super::{At, Compiler, flow::Jumps, scope::Scopes};
use crate::{Extension, ListId, kinds::Keyword};

/// Where the tasks of extensions stand.
const ROOT: &str = "/use/extensions/";

/// What each extension extends, in the order they are declared; nothing for one without tasks.
#[derive(Debug, Default)]
pub(super) struct Extended(Vec<Option<Target>>);

/// The tasks that `extend` names.
#[derive(Debug, Clone, Copy)]
enum Target {
    All,
    /// `do` and `fork`
    Composite,
    Kind(Keyword),
}

impl Target {
    fn of(name: &str) -> Option<Self> {
        match name {
            "all" => Some(Self::All),
            "composite" => Some(Self::Composite),
            name => Keyword::ALL.iter().find(|kind| kind.as_str() == name).copied().map(Self::Kind),
        }
    }

    fn is(self, keyword: Keyword) -> bool {
        match self {
            Self::All => true,
            Self::Composite => matches!(keyword, Keyword::Do | Keyword::Fork),
            Self::Kind(kind) => kind == keyword,
        }
    }
}

impl Extended {
    pub(super) fn collect(root: &At<'_>) -> Self {
        let targets = declared(root).map(|(_, at)| {
            let has_tasks = ["before", "after"]
                .iter()
                .filter_map(|part| at.get(part))
                .any(|list| list.items().next().is_some());
            Target::of(at.get("extend")?.text()?).filter(|_| has_tasks)
        });
        Self(targets.collect())
    }

    /// The places of the extensions that extend a task. The tasks of extensions are not extended.
    pub(super) fn extending(&self, keyword: Keyword, pointer: &str) -> Vec<usize> {
        if pointer.starts_with(ROOT) {
            return Vec::new();
        }
        let applies = |target: &Option<Target>| target.is_some_and(|target| target.is(keyword));
        let targets = self.0.iter().enumerate();
        targets.filter(|(_, target)| applies(target)).map(|(place, _)| place).collect()
    }
}

impl<'n> Compiler<'n> {
    pub(super) fn extensions(&mut self, root: &At<'n>) -> Vec<Extension> {
        let scopes = Scopes::task();
        let declared: Vec<_> = declared(root).collect();
        let mut extensions = Vec::new();
        for (name, at) in declared {
            let mut list = |part: &str| -> Option<ListId> {
                let list = at.get(part)?;
                let id = self.list(&list, &scopes, Jumps::Allowed);
                list.items().next().is_some().then_some(id)
            };
            let (before, after) = (list("before"), list("after"));
            let when = at.get("when").and_then(|when| self.expression(&when, &scopes.body));
            let (name, reference) = (name.text.clone(), at.pointer.clone());
            extensions.push(Extension { name, reference, when, before, after });
        }
        extensions
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

fn declared<'n>(root: &At<'n>) -> impl Iterator<Item = (&'n crate::tree::Key, At<'n>)> {
    let extensions = root.get("use").and_then(|used| used.get("extensions"));
    let items: Vec<_> = extensions.iter().flat_map(At::items).collect();
    items.into_iter().filter_map(|item| item.members().next())
}
