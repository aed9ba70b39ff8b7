//! Watches the runtime: what becomes durable is fed to followers, counted, and logged where somebody should know.

use std::{sync::Arc, time::Duration};

use tutti_dsl::Workflow;
use tutti_ids::ExecutionId;
use tutti_journal::{Entry, SuspensionReason, Turn};
use tutti_runtime::{Clock, LogLine, Observer};
use tutti_store::Status;

use crate::{
    feed::Feed,
    log::{Log, LogLevel, LogRecord},
    metrics::Metrics,
    views::suspension,
};

/// What the runtime tells, for everybody in the server who wants to know.
#[derive(Debug)]
pub struct Watcher {
    /// Who follows executions.
    pub feed: Feed,
    /// What is counted.
    pub metrics: Metrics,
    /// What is logged.
    pub log: Arc<dyn Log>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl Watcher {
    fn note(&self, turn: &Turn, workflow: &Workflow, entry: &Entry) {
        match entry {
            Entry::ExecutionStarted { .. } => self.metrics.execution_started(),
            Entry::ExecutionCompleted { .. } => self.metrics.execution_ended(Status::Completed),
            Entry::ExecutionCancelled => self.metrics.execution_ended(Status::Cancelled),
            Entry::ExecutionFaulted { error } => {
                self.metrics.execution_ended(Status::Faulted);
                let record = of(LogLevel::Warn, "execution faulted", turn.execution, workflow);
                // Neither title nor detail: they may hold what the execution works with.
                let record = record.with("errorType", &*error.kind).with("status", error.status);
                self.log.write(record.with("task", &*error.instance));
            }
            Entry::ExecutionSuspended { reason } => {
                let level = match reason {
                    SuspensionReason::Control => LogLevel::Info,
                    SuspensionReason::Incident | SuspensionReason::JournalLimit => LogLevel::Warn,
                };
                let record = of(level, "execution suspended", turn.execution, workflow);
                self.log.write(record.with("reason", suspension(reason)));
            }
            _ => {}
        }
    }
}

fn of(
    level: LogLevel,
    message: &'static str,
    execution: ExecutionId,
    workflow: &Workflow,
) -> LogRecord {
    let document = &workflow.document;
    LogRecord::new(level, message)
        .with_text("execution", &execution)
        .with_text("namespace", &document.namespace)
        .with_text("workflow", &document.name)
        .with_text("version", &document.version)
}

impl Observer for Watcher {
    fn on_turn(&self, turn: &Turn, workflow: &Arc<Workflow>) {
        self.feed.on_turn(turn, workflow);
        let took = Duration::from_millis(self.clock.now().ms_since(turn.at));
        self.metrics.turn(turn.entries.len(), took);
        for entry in &turn.entries {
            self.note(turn, workflow, entry);
        }
    }

    fn on_log(&self, line: &LogLine) {
        self.feed.on_log(line);
    }

    fn on_unreadable(&self, execution: ExecutionId, reason: &str) {
        self.metrics.execution_unreadable();
        let record = LogRecord::new(LogLevel::Error, "execution cannot be read, and is left alone");
        self.log.write(record.with_text("execution", &execution).with("reason", reason));
        self.feed.on_unreadable(execution, reason);
    }

    fn on_timers_due(&self, late: Duration) {
        self.metrics.timers_due(late);
    }

    fn on_events_behind(&self, number: usize, events: u64) {
        self.metrics.events_behind(number, events);
    }
}
