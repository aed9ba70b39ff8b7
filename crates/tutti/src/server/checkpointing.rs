//! Writing checkpoints while the server serves.

use std::{sync::Arc, time::Duration};

use tutti_runtime::{Clock as _, SystemClock};
use tutti_server::{Log, LogLevel, LogRecord};
use tutti_store::Lookup;

use super::settings::Settings;
use crate::{
    checkpoints::Checkpoints,
    exit::{Failure, causes},
};

/// What writes checkpoints, if the settings name a file.
pub(super) struct Checkpointer {
    checkpoints: Checkpoints,
    every: Duration,
    store: Arc<dyn Lookup>,
    log: Arc<dyn Log>,
}

impl Checkpointer {
    /// Opens the file, and says the key that checkpoints are checked with.
    pub(super) fn open(
        settings: &Settings,
        store: Arc<dyn Lookup>,
        log: Arc<dyn Log>,
    ) -> Result<Option<Self>, Failure> {
        let Some(path) = &settings.checkpoints else { return Ok(None) };
        let checkpoints = Checkpoints::open(&settings.store, path)?;
        let record = LogRecord::new(LogLevel::Info, "writing signed checkpoints");
        let record = record.with_text("file", &path.display());
        log.write(record.with("key", checkpoints.public()));
        Ok(Some(Self { checkpoints, every: settings.checkpoints_every, store, log }))
    }

    /// Writes them until it is told to stop, and then the last one.
    pub(super) async fn keep(mut self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            let is_last = tokio::select! {
                () = tokio::time::sleep(self.every) => false,
                () = &mut stop => true,
            };
            if let Err(error) = self.write().await {
                let record = LogRecord::new(LogLevel::Error, "no checkpoint was written");
                self.log.write(record.with("error", error));
            }
            if is_last {
                return;
            }
        }
    }

    async fn write(&mut self) -> Result<(), String> {
        let head = self.store.head().await.map_err(|error| causes(&error))?;
        let write = || self.checkpoints.write(head, SystemClock.now());
        // The file may be on a disk far away.
        tokio::task::block_in_place(write).map_err(|failure| failure.message)
    }
}
