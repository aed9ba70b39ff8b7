//! What a world is made of.

use std::{
    collections::BTreeMap,
    fmt,
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tutti_engine::{Limits, Secrets};
use tutti_expr::Value;
use tutti_journal::{SealError, Sealer};
use tutti_runtime::{DEFAULT_MAX_RESIDENTS, Library};
use tutti_store::{FaultyStore, Store};

use crate::{Chance, Recorder, ReopeningStore};

/// What a world is made of.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The workflows that may be started.
    pub library: Arc<Library>,
    /// Where secrets come from.
    pub secrets: Arc<FixedSecrets>,
    /// The store the loops write to; at its bottom lies `recorder`.
    pub store: Arc<dyn Store>,
    /// The part of `store` that fails by plan, if there is one.
    pub faulty: Option<Arc<FaultyStore>>,
    /// The bottom of `store` where it is a file, which is opened again after every crash.
    pub file: Option<Arc<ReopeningStore>>,
    /// What really was stored.
    pub recorder: Arc<Recorder>,
    /// The limits in force.
    pub limits: Limits,
    /// How many calls may be out at once, of each loop.
    pub max_calls: usize,
    /// Beyond how many executions in memory of a loop those that only wait are dropped.
    pub max_residents: usize,
    /// How many loops own the executions.
    pub loops: NonZeroUsize,
    /// Decides ids, salts and, where it is free, the order of things.
    pub seed: u64,
    /// Whether the order of things is drawn; else what came first is done first.
    pub is_shuffled: bool,
    /// Whether what happens is written down for people.
    pub is_traced: bool,
}

/// How many loops a seed has, and how much each may keep in memory.
pub(crate) fn owners_of(chance: &mut Chance) -> (NonZeroUsize, usize) {
    let max_residents = *chance.pick(&[0, 1, 3, DEFAULT_MAX_RESIDENTS]);
    let loops = NonZeroUsize::MIN.saturating_add(chance.index(3));
    (loops, max_residents)
}

/// Secrets that are known from the start.
#[derive(Clone, Default)]
pub struct FixedSecrets(pub BTreeMap<String, Value>);

impl Secrets for FixedSecrets {
    fn secret(&self, _namespace: &str, name: &str) -> Option<Value> {
        self.0.get(name).cloned()
    }
}

impl fmt::Debug for FixedSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl FixedSecrets {
    /// Every text in them: none may show anywhere.
    pub fn canaries(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut left: Vec<&Value> = self.0.values().collect();
        while let Some(value) = left.pop() {
            found.extend(value.as_str().filter(|text| text.len() > 5).map(str::to_owned));
            left.extend(value.as_array().into_iter().flatten());
            left.extend(
                value.as_object().into_iter().flat_map(|object| object.iter().map(|(_, v)| v)),
            );
        }
        found
    }
}

/// A sealer that hides text without any key: the same plain text gives other bytes each time.
#[derive(Debug, Default)]
pub struct PlainSealer(AtomicU64);

impl Sealer for PlainSealer {
    fn seal(&self, plain: &[u8]) -> Vec<u8> {
        let nonce = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        nonce.into_iter().chain(plain.iter().map(|byte| byte ^ 0xA5)).collect()
    }

    fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let bytes = sealed.get(8..).ok_or(SealError)?;
        Ok(bytes.iter().map(|byte| byte ^ 0xA5).collect())
    }
}
