//! The secrets of namespaces: sealed in the store, open in memory, seen by executions and nobody else.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use minicbor::{Decode, Encode};
use tutti_engine::Secrets;
use tutti_expr::{Kind, Value};
use tutti_ids::Name;
use tutti_journal::{Sealer, Timestamp};
use tutti_store::{Lookup, Record, RecordId, RecordKind, RecordRange};

use crate::load_error::LoadError;

/// How many records are read at once.
const PAGE: usize = 500;

/// The secrets that executions see, by namespace and name. Cheap to clone.
#[derive(Clone, Default)]
pub struct Vault(Arc<RwLock<BTreeMap<(String, String), Value>>>);

/// A secret as it is stored.
#[derive(Debug, Encode, Decode)]
pub(crate) struct SealedSecret {
    /// When it was written, in milliseconds since the epoch.
    #[n(0)]
    pub(crate) written_at: i64,
    /// Who wrote it.
    #[n(1)]
    pub(crate) written_by: String,
    /// Its text, sealed.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub(crate) sealed: Vec<u8>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secrets = self.0.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_set().entries(secrets.keys()).finish()
    }
}

impl Secrets for Vault {
    fn secret(&self, namespace: &str, name: &str) -> Option<Value> {
        let secrets = self.0.read().unwrap_or_else(PoisonError::into_inner);
        secrets.get(&(namespace.to_owned(), name.to_owned())).cloned()
    }
}

impl Vault {
    /// Opens all secrets of the store: that also proves that the keys fit.
    pub(crate) async fn load(
        &self,
        store: &dyn Lookup,
        sealer: &dyn Sealer,
    ) -> Result<(), LoadError> {
        let mut after = None;
        loop {
            let range =
                RecordRange { kind: RecordKind::Secret, namespace: None, after, limit: PAGE };
            let page = store.records(range).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id.clone());
            for record in &page {
                self.take(record, sealer)?;
            }
        }
    }

    fn take(&self, record: &Record, sealer: &dyn Sealer) -> Result<(), LoadError> {
        let damaged = || LoadError::Damaged { what: "secret", key: record.id.key.clone() };
        let namespace = record.id.namespace.as_ref().ok_or_else(damaged)?;
        let sealed: SealedSecret = minicbor::decode(&record.value).map_err(|_e| damaged())?;
        let text = sealer.open(&sealed.sealed).map_err(|_e| damaged())?;
        let text = String::from_utf8(text).map_err(|_e| damaged())?;
        self.set(namespace, &record.id.key, Some(&text));
        Ok(())
    }

    /// From now on executions see this text, or none.
    pub(crate) fn set(&self, namespace: &Name, name: &str, text: Option<&str>) {
        let mut secrets = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let key = (namespace.as_str().to_owned(), name.to_owned());
        match text {
            Some(text) => secrets.insert(key, value(text)),
            None => secrets.remove(&key),
        };
    }
}

/// A text that is a JSON object has members; every other is itself.
fn value(text: &str) -> Value {
    match Value::from_json(text) {
        Ok(value) if matches!(value.kind(), Kind::Object(_)) => value,
        _ => Value::from(text),
    }
}

/// The record that is written for a secret.
pub(crate) fn seal(text: &str, at: Timestamp, by: &str, sealer: &dyn Sealer) -> Vec<u8> {
    let sealed = sealer.seal(text.as_bytes());
    let secret = SealedSecret { written_at: at.0, written_by: by.to_owned(), sealed };
    minicbor::to_vec(&secret).expect("invariant: memory takes what is written")
}

/// The name of a secret's record.
pub(crate) fn record(namespace: &Name, name: &str) -> RecordId {
    let key = name.to_owned();
    RecordId { kind: RecordKind::Secret, namespace: Some(namespace.clone()), key }
}
