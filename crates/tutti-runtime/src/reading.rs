//! Reading executions as they are stored, for whoever answers people. Nothing here takes part in a decision.

use std::sync::Arc;

use tutti_dsl::Workflow;
use tutti_engine::{Execution, Outcome};
use tutti_ids::{Digest, ExecutionId};
use tutti_journal::{Entry, Sealer, Turn};
use tutti_store::{History, Store};

use crate::{happening::Unread, library::Library, resident::Journal};

/// Reads executions from a store.
#[derive(Debug, Clone)]
pub struct Reader {
    /// Where journals are kept.
    pub store: Arc<dyn Store>,
    /// The workflows that are compiled already.
    pub library: Arc<Library>,
    /// Opens what came from a secret.
    pub sealer: Arc<dyn Sealer>,
}

/// An execution as it is stored.
#[derive(Debug)]
pub struct Reading {
    /// Its state after all turns.
    pub execution: Execution,
    /// All its turns, in order.
    pub turns: Vec<Turn>,
}

impl Reader {
    /// Reads an execution with its whole journal; none where there is no such execution.
    ///
    /// # Errors
    /// If it is damaged, was erased, or the store does not answer.
    pub async fn read(&self, id: ExecutionId) -> Result<Option<Reading>, Unread> {
        let Some(history) = self.store.load(id).await? else { return Ok(None) };
        let turns = self.decode(&history)?;
        let History { projection, .. } = history;
        let (definition, digest) = (projection.definition, projection.digest);
        let workflow = self.workflow(digest).await?;
        let execution = Execution::restore(id, definition, digest, workflow, &turns);
        Ok(Some(Reading { execution, turns }))
    }

    /// Reads the turns of an execution, and nothing else.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub async fn turns(&self, id: ExecutionId) -> Result<Option<Vec<Turn>>, Unread> {
        let Some(history) = self.store.load(id).await? else { return Ok(None) };
        self.decode(&history).map(Some)
    }

    /// The workflow of a digest, compiled.
    ///
    /// # Errors
    /// If the store does not have it, it is damaged, or the store does not answer.
    pub async fn workflow(&self, digest: Digest) -> Result<Arc<Workflow>, Unread> {
        if let Some(workflow) = self.library.get(digest) {
            return Ok(workflow);
        }
        let text = self.store.definition(digest).await?;
        let missing = || Unread::Damaged(format!("the store has no definition {digest}"));
        self.library
            .adopt(&text.ok_or_else(missing)?)
            .map_err(|error| Unread::Damaged(error.to_string()))
    }

    fn decode(&self, history: &History) -> Result<Vec<Turn>, Unread> {
        let erased = history.rows.iter().any(|row| row.values.is_none());
        if erased {
            return Err(Unread::Damaged("what the execution worked with was erased".to_owned()));
        }
        let journal = Journal::decode(history, &*self.sealer).map_err(Unread::Damaged)?;
        Ok(journal.turns)
    }
}

impl Reading {
    /// How it ended, if it has.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.execution.outcome()
    }

    /// Its entries with their sequences and turns, those that going back made void included.
    pub fn entries(&self) -> impl Iterator<Item = (u64, &Turn, &Entry)> {
        self.turns.iter().flat_map(|turn| {
            (turn.first.0..).zip(&turn.entries).map(move |(number, entry)| (number, turn, entry))
        })
    }
}
