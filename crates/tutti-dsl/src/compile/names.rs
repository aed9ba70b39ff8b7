//! What `use` declares.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::At;
use crate::TaskId;

/// The reusable parts of a document by name.
#[derive(Debug, Default)]
pub(super) struct Names<'n> {
    pub(super) authentications: BTreeMap<Arc<str>, At<'n>>,
    pub(super) errors: BTreeMap<Arc<str>, At<'n>>,
    pub(super) retries: BTreeMap<Arc<str>, At<'n>>,
    pub(super) timeouts: BTreeMap<Arc<str>, At<'n>>,
    pub(super) catalogs: BTreeMap<Arc<str>, At<'n>>,
    /// The functions' tasks as they stand in the document.
    pub(super) function_nodes: BTreeMap<Arc<str>, At<'n>>,
    /// Filled when the places of the functions' tasks are reserved.
    pub(super) functions: BTreeMap<Arc<str>, TaskId>,
    /// The retry policies that a `catch` names; their conditions were compiled with its variable.
    pub(super) used_retries: BTreeSet<Arc<str>>,
    secrets: Vec<Arc<str>>,
}

impl<'n> Names<'n> {
    pub(super) fn collect(root: &At<'n>) -> Self {
        let Some(used) = root.get("use") else { return Self::default() };
        let map = |key: &str| {
            let part = used.get(key);
            part.iter()
                .flat_map(At::members)
                .map(|(name, at)| (name.text.clone(), at))
                .collect::<BTreeMap<_, _>>()
        };
        Self {
            authentications: map("authentications"),
            errors: map("errors"),
            retries: map("retries"),
            timeouts: map("timeouts"),
            catalogs: map("catalogs"),
            function_nodes: map("functions"),
            functions: BTreeMap::new(),
            used_retries: BTreeSet::new(),
            secrets: used
                .get("secrets")
                .iter()
                .flat_map(At::items)
                .filter_map(|secret| secret.text().cloned())
                .collect(),
        }
    }

    /// What a function that was loaded may name: catalogs, and nothing else of the document.
    pub(super) fn for_loaded_functions(&self) -> Self {
        Self { catalogs: self.catalogs.clone(), ..Self::default() }
    }

    pub(super) fn secrets(&self) -> Vec<Arc<str>> {
        self.secrets.clone()
    }

    pub(super) fn declares_secret(&self, name: &str) -> bool {
        self.secrets.iter().any(|known| &**known == name)
    }

    pub(super) fn secret_names(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(AsRef::as_ref)
    }
}
