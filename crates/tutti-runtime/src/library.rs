//! The workflows that executions may use, compiled once per digest.

use std::{
    collections::BTreeMap,
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
    by_digest: BTreeMap<Digest, Published>,
}

#[derive(Debug, Clone)]
struct Published {
    text: DefinitionText,
    workflow: Arc<Workflow>,
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
        let published = compile(text, resources)?;
        let mut shelves = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let DefinitionText { name, digest, .. } = published.text.clone();
        if let Some(other) = shelves.by_name.get(&name).filter(|other| **other != digest) {
            return Err(PublishError::Conflict { name, published: *other });
        }
        shelves.by_name.insert(name, digest);
        shelves.by_digest.insert(digest, published.clone());
        Ok((published.text, published.workflow))
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
        let Published { text, workflow } = published.clone();
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
                "latest" => known.version.is_release(),
                exact => known.version.as_str() == exact,
            })
            .max_by(|(left, _), (right, _)| left.version.cmp(&right.version))
            .map(|(known, digest)| (known.clone(), *digest))
    }
}

fn compile(text: &str, resources: &Resources) -> Result<Published, PublishError> {
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
    Ok(Published { text, workflow: Arc::new(workflow) })
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
