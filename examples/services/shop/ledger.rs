//! What was done to the shop: every effect once, under the key it came with, and every repetition as what it is.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{self, BufRead as _, BufReader, Write as _},
    path::Path,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};

/// The effects, in the order in which they happened. Shared by all connections.
pub(crate) struct Ledger {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Each as `{kind, id, key, …}`.
    effects: Vec<Value>,
    /// The position of an effect by kind and `Idempotency-Key`.
    by_key: BTreeMap<(String, String), usize>,
    file: Option<File>,
}

/// What became of a request for an effect.
pub(crate) enum Entered {
    /// It happened now.
    New(Value),
    /// It had happened before under this key.
    Before(Value),
}

impl Ledger {
    /// A ledger that goes on from what stands in `file`.
    pub(crate) fn open(file: Option<&Path>) -> io::Result<Self> {
        let mut state = State::default();
        if let Some(path) = file {
            let file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
            for line in BufReader::new(file.try_clone()?).lines() {
                // A line that a crash cut off was never answered for.
                if let Ok(effect) = serde_json::from_str(&line?) {
                    state.remember(effect);
                }
            }
            state.file = Some(file);
        }
        Ok(Self { state: Mutex::new(state), changed: Condvar::new() })
    }

    /// Enters an effect, unless its key has been used for one of its kind: then that one is the answer.
    pub(crate) fn enter(
        &self,
        kind: &str,
        key: Option<&str>,
        effect: Value,
    ) -> io::Result<Entered> {
        let mut state = self.lock();
        let known = key.and_then(|key| state.by_key.get(&(kind.to_owned(), key.to_owned())));
        let entered = if let Some(known) = known.copied() {
            // Nothing happens twice, but that somebody asked twice is worth a line.
            let known = state.effects[known].clone();
            state.append("repeat", key, json!({ "of": known["id"] }))?;
            Entered::Before(known)
        } else {
            Entered::New(state.append(kind, key, effect)?)
        };
        self.changed.notify_all();
        Ok(entered)
    }

    /// The effects of a kind, in order.
    pub(crate) fn of_kind(&self, kind: &str) -> Vec<Value> {
        self.lock().of_kind(kind)
    }

    /// The effects of a kind once there are `count` of them.
    pub(crate) fn wait_for(&self, kind: &str, count: usize) -> Vec<Value> {
        let few = |state: &mut State| state.of_kind(kind).len() < count;
        let state = self.changed.wait_while(self.lock(), few);
        state.unwrap_or_else(PoisonError::into_inner).of_kind(kind)
    }

    /// Every effect.
    pub(crate) fn all(&self) -> Vec<Value> {
        self.lock().effects.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn append(&mut self, kind: &str, key: Option<&str>, mut effect: Value) -> io::Result<Value> {
        effect["kind"] = json!(kind);
        effect["id"] = json!(format!("{kind}-{}", self.effects.len() + 1));
        effect["key"] = json!(key);
        if let Some(file) = &mut self.file {
            file.write_all(format!("{effect}\n").as_bytes())?;
            file.sync_data()?;
        }
        self.remember(effect.clone());
        Ok(effect)
    }

    fn remember(&mut self, effect: Value) {
        if let (Some(kind), Some(key)) = (effect["kind"].as_str(), effect["key"].as_str()) {
            self.by_key.insert((kind.to_owned(), key.to_owned()), self.effects.len());
        }
        self.effects.push(effect);
    }

    fn of_kind(&self, kind: &str) -> Vec<Value> {
        self.effects.iter().filter(|effect| effect["kind"] == kind).cloned().collect()
    }
}
