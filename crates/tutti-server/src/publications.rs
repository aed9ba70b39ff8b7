//! The versions that are published, as the store has them.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::{Arc, PoisonError, RwLock},
};

use minicbor::{Decode, Encode};
use tokio::sync::watch;
use tutti_ids::{DefinitionRef, Digest, Name};
use tutti_journal::Timestamp;
use tutti_runtime::Library;
use tutti_store::{Lookup, Record, RecordId, RecordKind, RecordRange};

use crate::load_error::LoadError;

/// How many records are read at once.
const PAGE: usize = 500;

/// What is known of a published version beside its text.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Publication {
    /// The digest of its text.
    #[cbor(n(0), with = "minicbor::bytes")]
    digest: [u8; 32],
    /// When it was published, in milliseconds since the epoch.
    #[n(1)]
    published_at: i64,
    /// Who published it.
    #[n(2)]
    pub(crate) published_by: String,
    /// Whether `latest` passes it over.
    #[n(3)]
    pub(crate) is_deprecated: bool,
}

/// All published versions, in memory; the library has their documents.
#[derive(Debug)]
pub(crate) struct Publications {
    library: Arc<Library>,
    known: RwLock<BTreeMap<DefinitionRef, Publication>>,
    changes: watch::Sender<()>,
}

impl Publication {
    pub(crate) fn new(digest: Digest, at: Timestamp, by: &str) -> Self {
        let published_by = by.to_owned();
        Self { digest: digest.0, published_at: at.0, published_by, is_deprecated: false }
    }

    /// The same, passed over by `latest`.
    pub(crate) fn deprecated(self) -> Self {
        Self { is_deprecated: true, ..self }
    }

    pub(crate) fn digest(&self) -> Digest {
        Digest(self.digest)
    }

    pub(crate) fn published_at(&self) -> Timestamp {
        Timestamp(self.published_at)
    }

    /// As it is stored.
    pub(crate) fn encode(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("invariant: memory takes what is written")
    }
}

impl Publications {
    /// Reads what is published, and puts it on the shelves of the library.
    pub(crate) async fn load(store: &dyn Lookup, library: Arc<Library>) -> Result<Self, LoadError> {
        let publications =
            Self { library, known: RwLock::default(), changes: watch::Sender::new(()) };
        let mut after = None;
        loop {
            let range =
                RecordRange { kind: RecordKind::Workflow, namespace: None, after, limit: PAGE };
            let page = store.records(range).await?;
            let Some(last) = page.last() else { return Ok(publications) };
            after = Some(last.id.clone());
            for record in page {
                publications.take(store, &record).await?;
            }
        }
    }

    async fn take(&self, store: &dyn Lookup, record: &Record) -> Result<(), LoadError> {
        let damaged = || LoadError::Damaged { what: "workflow", key: record.id.key.clone() };
        let publication: Publication =
            minicbor::decode(&record.value).map_err(|_malformed| damaged())?;
        let name = named(&record.id).ok_or_else(damaged)?;
        let text = store.definition(publication.digest()).await?.ok_or_else(damaged)?;
        self.library.take_up(&text.text).map_err(|_refused| damaged())?;
        self.put(name, publication);
        Ok(())
    }

    /// A version is published, or is otherwise than before. Its document must be on the shelves.
    pub(crate) fn put(&self, name: DefinitionRef, publication: Publication) {
        if publication.is_deprecated {
            self.library.deprecate(&name);
        }
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(name, publication);
        self.changes.send_replace(());
    }

    /// A version is published no more.
    pub(crate) fn remove(&self, name: &DefinitionRef) {
        self.library.withdraw(name);
        self.known.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        self.changes.send_replace(());
    }

    /// Tells of every change from now on.
    pub(crate) fn watch(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// The workflows that have any version, by namespace and name.
    pub(crate) fn names(&self) -> BTreeSet<(Name, Name)> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.keys().map(|it| (it.namespace.clone(), it.name.clone())).collect()
    }

    pub(crate) fn get(&self, name: &DefinitionRef) -> Option<Publication> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// The versions of a namespace after one, by name and version.
    pub(crate) fn page(
        &self,
        namespace: &Name,
        after: Option<&DefinitionRef>,
        limit: usize,
    ) -> Vec<(DefinitionRef, Publication)> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let found = known.range((from, Bound::Unbounded));
        let found = found
            .skip_while(|(name, _)| name.namespace < *namespace)
            .take_while(|(name, _)| name.namespace == *namespace);
        found.take(limit).map(|(name, it)| (name.clone(), it.clone())).collect()
    }
}

/// The name of a version's record.
pub(crate) fn record(name: &DefinitionRef) -> RecordId {
    let key = format!("{}/{}", name.name, name.version);
    RecordId { kind: RecordKind::Workflow, namespace: Some(name.namespace.clone()), key }
}

fn named(id: &RecordId) -> Option<DefinitionRef> {
    let (name, version) = id.key.split_once('/')?;
    Some(DefinitionRef {
        namespace: id.namespace.clone()?,
        name: name.parse().ok()?,
        version: version.parse().ok()?,
    })
}
