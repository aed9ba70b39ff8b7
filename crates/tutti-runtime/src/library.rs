//! The workflows that executions may use, compiled once per digest.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError, RwLock},
};

use sha2::{Digest as _, Sha256};
use tutti_dsl::{Diagnostic, Resources, Workflow};
use tutti_engine::Definitions;
use tutti_ids::{DefinitionRef, Digest};
use tutti_store::DefinitionText;

/// Published workflows, by name and by digest.
#[derive(Debug, Default)]
pub struct Library(RwLock<Shelves>);

#[derive(Debug, Default)]
struct Shelves {
    by_name: BTreeMap<DefinitionRef, Digest>,
    by_digest: BTreeMap<Digest, Draft>,
    /// Versions that `latest` passes over.
    deprecated: BTreeSet<DefinitionRef>,
}

/// A document that was checked and compiled, and is not published yet.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The text that is published: the document, or the document with what was loaded for it.
    pub text: DefinitionText,
    /// The document, compiled.
    pub workflow: Arc<Workflow>,
    /// Warnings about it.
    pub warnings: Vec<Diagnostic>,
}

/// Why a text was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// It is not a valid workflow.
    #[error("the document is not a valid workflow")]
    Invalid {
        /// What is wrong with it: at least one error, or the warning that a schema of the workflow itself was not loaded.
        diagnostics: Vec<Diagnostic>,
    },
    /// Another text was published as the same version.
    #[error("{name} is already published with other content ({published})")]
    Conflict {
        /// The version.
        name: DefinitionRef,
        /// The digest of what is published.
        published: Digest,
    },
}

impl Library {
    /// Checks, compiles and publishes a document. Publishing the same text again changes nothing.
    ///
    /// # Errors
    /// If the document is invalid, or its version is taken by another text.
    pub fn publish(&self, text: &str) -> Result<(DefinitionText, Arc<Workflow>), PublishError> {
        self.publish_with(text, &Resources::default())
    }

    /// The same with what was loaded for the document: its digest is that of both, and its text holds both.
    ///
    /// # Errors
    /// As [`publish`](Self::publish).
    pub fn publish_with(
        &self,
        text: &str,
        resources: &Resources,
    ) -> Result<(DefinitionText, Arc<Workflow>), PublishError> {
        let draft = self.draft(text, resources)?;
        self.shelve(&draft);
        Ok((draft.text, draft.workflow))
    }

    /// Checks and compiles a document that is to be published once that is durable: see [`shelve`](Self::shelve).
    ///
    /// # Errors
    /// As [`publish`](Self::publish).
    pub fn draft(&self, text: &str, resources: &Resources) -> Result<Draft, PublishError> {
        let draft = compile(text, resources)?;
        let DefinitionText { name, digest, .. } = &draft.text;
        let shelves = self.0.read().unwrap_or_else(PoisonError::into_inner);
        match shelves.by_name.get(name).filter(|other| *other != digest) {
            Some(other) => Err(PublishError::Conflict { name: name.clone(), published: *other }),
            None => Ok(draft),
        }
    }

    /// Publishes a draft: it is found by name from now on.
    pub fn shelve(&self, draft: &Draft) {
        let mut shelves = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let DefinitionText { name, digest, .. } = draft.text.clone();
        shelves.by_name.insert(name, digest);
        shelves.by_digest.insert(digest, draft.clone());
    }

    /// Finds a version by its name no more; executions that have it keep it.
    pub fn withdraw(&self, name: &DefinitionRef) {
        let mut shelves = self.0.write().unwrap_or_else(PoisonError::into_inner);
        shelves.by_name.remove(name);
        shelves.deprecated.remove(name);
    }

    /// Has `latest` pass a version over.
    pub fn deprecate(&self, name: &DefinitionRef) {
        let mut shelves = self.0.write().unwrap_or_else(PoisonError::into_inner);
        shelves.deprecated.insert(name.clone());
    }

    /// Compiles a definition of the store, unless it is known already: see [`take_up`](Self::take_up).
    ///
    /// # Errors
    /// If the document is invalid.
    pub fn adopt(&self, definition: &DefinitionText) -> Result<Arc<Workflow>, PublishError> {
        self.get(definition.digest).map_or_else(|| self.take_up(&definition.text), Ok)
    }

    /// Compiles a text that was published before, with what was loaded for it then. It is found under its digest for ever,
    /// and under its name unless that stands for another text by now: an execution keeps its definition.
    ///
    /// # Errors
    /// If the document is invalid.
    pub fn take_up(&self, stored: &str) -> Result<Arc<Workflow>, PublishError> {
        let (document, resources) = Resources::unbundle(stored);
        let published = compile(&document, &resources)?;
        let Draft { text, workflow, .. } = published.clone();
        let mut shelves = self.0.write().unwrap_or_else(PoisonError::into_inner);
        shelves.by_name.entry(text.name).or_insert(text.digest);
        shelves.by_digest.insert(text.digest, published);
        Ok(workflow)
    }

    /// The compiled workflow of a digest.
    pub fn get(&self, digest: Digest) -> Option<Arc<Workflow>> {
        let shelves = self.0.read().unwrap_or_else(PoisonError::into_inner);
        shelves.by_digest.get(&digest).map(|published| published.workflow.clone())
    }

    /// The text of a digest.
    pub fn text(&self, digest: Digest) -> Option<DefinitionText> {
        let shelves = self.0.read().unwrap_or_else(PoisonError::into_inner);
        shelves.by_digest.get(&digest).map(|published| published.text.clone())
    }
}

impl Definitions for Library {
    fn find(&self, namespace: &str, name: &str, version: &str) -> Option<(DefinitionRef, Digest)> {
        let shelves = self.0.read().unwrap_or_else(PoisonError::into_inner);
        shelves
            .by_name
            .iter()
            .filter(|(known, _)| {
                known.namespace.as_str() == namespace && known.name.as_str() == name
            })
            .filter(|(known, _)| match version {
                "latest" => known.version.is_release() && !shelves.deprecated.contains(known),
                exact => known.version.as_str() == exact,
            })
            .max_by(|(left, _), (right, _)| left.version.cmp(&right.version))
            .map(|(known, digest)| (known.clone(), *digest))
    }
}

fn compile(text: &str, resources: &Resources) -> Result<Draft, PublishError> {
    let parsed = tutti_dsl::parse_with(text, resources);
    let Some(workflow) = parsed.workflow else {
        return Err(PublishError::Invalid { diagnostics: parsed.diagnostics });
    };
    let document = &workflow.document;
    let names = (document.namespace.parse(), document.name.parse(), document.version.parse());
    let (Ok(namespace), Ok(name), Ok(version)) = names else {
        return Err(PublishError::Invalid { diagnostics: parsed.diagnostics });
    };
    let stored = resources.bundle(text);
    let text = DefinitionText {
        name: DefinitionRef { namespace, name, version },
        digest: Digest(Sha256::digest(stored.as_bytes()).into()),
        text: Arc::from(stored),
    };
    Ok(Draft { text, workflow: Arc::new(workflow), warnings: parsed.diagnostics })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_an_execution_has_chosen_is_kept_where_its_name_means_another_by_now() {
        let document = |value: u8| {
            format!(
                "document: {{ dsl: '1.0.3', namespace: test, name: child, version: '1.0.0' }}\ndo: [{{ a: {{ set: {{ n: {value} }} }} }}]\n"
            )
        };
        let before = Library::default();
        let (chosen, _) = before.publish(&document(1)).expect("a valid document");

        let after = Library::default();
        let (changed, _) = after.publish(&document(2)).expect("a valid document");
        after.take_up(&chosen.text).expect("a valid document");

        assert!(after.get(chosen.digest).is_some());
        let found = after.find("test", "child", "1.0.0").map(|(_, digest)| digest);
        assert_eq!(found, Some(changed.digest));
        let refused = after.publish(&document(1)).expect_err("the name is taken");
        assert!(
            matches!(refused, PublishError::Conflict { published, .. } if published == changed.digest)
        );
    }
}
