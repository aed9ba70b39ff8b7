//! Keeping schedules: what the scheduler decides becomes durable, and starts executions.
//!
//! A start is committed together with what it decides, so each nominal time starts one execution at most, whatever dies in
//! between. Where something cannot be committed, all that is in memory is dropped and read again.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::sync::broadcast::error::RecvError;
use tutti_auth::{Action, Actor, AuditRecord, Detail, Outcome, Text, Timestamp as AuditTime};
use tutti_dsl::Workflow;
use tutti_engine::{Control, Definitions as _};
use tutti_ids::{DefinitionRef, Digest, ExecutionId};
use tutti_journal::{Entry, Timestamp, Turn};
use tutti_runtime::{
    Beside,
    schedule::{CatchUp, Count, Input, Missed, Output, Reason, ScheduleId, Scheduler, Spec, specs},
};
use tutti_store::{AuditFact, Commit, Expected, RecordChange, RecordId, RecordKind};

use crate::{
    admission::{self, Admitted, Refused, Wish},
    desk::Desk,
    log::{LogLevel, LogRecord},
    metrics::reason,
    past::StoredPast,
};

/// How long is waited after something could not be committed or read.
const PAUSE: Duration = Duration::from_secs(1);

/// Keeps all schedules, for ever; whoever drops the future stops that, and nothing is lost.
///
/// # Cancel safety
/// Safe: what was not committed is decided again.
pub async fn keep_schedules(desk: Arc<Desk>) {
    loop {
        let failed = Keeper::new(desk.clone()).run().await;
        if failed.is_err() {
            let message = "schedules are read again: something could not be stored or read";
            desk.log.write(LogRecord::new(LogLevel::Warn, message));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Something could not be committed or read: what is in memory may not be what is durable.
#[derive(Debug)]
struct Lost;

/// A schedule that is kept.
#[derive(Debug)]
struct Kept {
    definition: DefinitionRef,
    digest: Digest,
    workflow: Arc<Workflow>,
    past: StoredPast,
}

struct Keeper {
    desk: Arc<Desk>,
    scheduler: Scheduler,
    kept: BTreeMap<ScheduleId, Kept>,
    /// Which nominal time an execution was started for.
    runs: BTreeMap<ExecutionId, (ScheduleId, Timestamp)>,
    armed: Option<Timestamp>,
}

impl Keeper {
    fn new(desk: Arc<Desk>) -> Self {
        Self {
            desk,
            scheduler: Scheduler::new(Scheduler::CATCH_UP_PER_SECOND),
            kept: BTreeMap::new(),
            runs: BTreeMap::new(),
            armed: None,
        }
    }

    fn now(&self) -> Timestamp {
        self.desk.clock.now()
    }

    async fn run(mut self) -> Result<(), Lost> {
        let mut turns = self.desk.feed.follow();
        let mut published = self.desk.publications.watch();
        self.follow_publications().await?;
        loop {
            let pause = self.armed.map(|due| Duration::from_millis(due.ms_since(self.now())));
            tokio::select! {
                changed = published.changed() => {
                    changed.map_err(|_closed| Lost)?;
                    self.follow_publications().await?;
                }
                turn = turns.recv() => match turn {
                    Ok(turn) => self.on_turn(&turn).await?,
                    Err(RecvError::Lagged(_)) => self.look_after_all().await?,
                    Err(RecvError::Closed) => return Err(Lost),
                },
                () = elapsed(pause) => self.feed(Input::Tick).await?,
            }
        }
    }

    /// Keeps the schedules of the latest version of every workflow, and no others.
    async fn follow_publications(&mut self) -> Result<(), Lost> {
        let wanted = self.wanted();
        let gone: Vec<ScheduleId> =
            self.kept.keys().filter(|kept| !wanted.contains_key(kept)).cloned().collect();
        for schedule in gone {
            self.feed(Input::Deactivated { schedule: schedule.clone() }).await?;
            self.kept.remove(&schedule);
        }
        for (schedule, (definition, digest, workflow, spec)) in wanted {
            if self.kept.get(&schedule).is_some_and(|kept| kept.digest == digest) {
                continue;
            }
            let past = self.past_of(&schedule).await?;
            let kept = Kept { definition, digest, workflow, past: past.clone() };
            self.kept.insert(schedule.clone(), kept);
            self.desk.board.show(&schedule, &spec, &past);
            let (spec, past, catch_up) = (Box::new(spec), past.to_past(), CatchUp::ByPolicy);
            self.feed(Input::Activated { schedule, spec, past, catch_up }).await?;
        }
        self.desk.board.keep_only(|schedule| self.kept.contains_key(schedule));
        Ok(())
    }

    fn wanted(&self) -> BTreeMap<ScheduleId, (DefinitionRef, Digest, Arc<Workflow>, Spec)> {
        let (desk, mut wanted) = (&self.desk, BTreeMap::new());
        for (namespace, workflow) in desk.publications.names() {
            let found = desk.library().find(namespace.as_str(), workflow.as_str(), "latest");
            let Some((definition, digest)) = found else { continue };
            let Some(compiled) = desk.library().get(digest) else { continue };
            // One that cannot be kept was refused when it was published.
            for spec in specs(&compiled).unwrap_or_default() {
                let trigger = spec.timing.trigger();
                let id = ScheduleId {
                    namespace: namespace.clone(),
                    workflow: workflow.clone(),
                    trigger,
                };
                wanted.insert(id, (definition.clone(), digest, compiled.clone(), spec));
            }
        }
        wanted
    }

    /// What is durable about a schedule: in memory, in the store, or from now on.
    async fn past_of(&mut self, schedule: &ScheduleId) -> Result<StoredPast, Lost> {
        if let Some(kept) = self.kept.get(schedule) {
            return Ok(kept.past.clone());
        }
        let found = self.desk.store.record(record(schedule)).await.map_err(|_unread| Lost)?;
        let Some(bytes) = found else {
            let past = StoredPast::begins(self.now());
            self.write(schedule, &past, Vec::new()).await?;
            return Ok(past);
        };
        let mut past = StoredPast::decode(&bytes).ok_or(Lost)?;
        for (nominal, execution) in past.running() {
            let standing = self.desk.store.standing(execution).await.map_err(|_unread| Lost)?;
            match standing {
                Some(listed) if !listed.projection.status.is_terminal() => {
                    self.runs.insert(execution, (schedule.clone(), nominal));
                }
                Some(listed) => past.ended(execution, listed.projection.updated_at),
                // It was decided, and is written with what it started: it cannot be.
                None => past.ended(execution, self.now()),
            }
        }
        Ok(past)
    }

    async fn on_turn(&mut self, turn: &Turn) -> Result<(), Lost> {
        if turn.entries.iter().any(Entry::is_end) {
            self.on_end(turn.execution).await
        } else {
            Ok(())
        }
    }

    async fn on_end(&mut self, execution: ExecutionId) -> Result<(), Lost> {
        let Some((schedule, nominal)) = self.runs.remove(&execution) else { return Ok(()) };
        let now = self.now();
        if let Some(kept) = self.kept.get_mut(&schedule) {
            kept.past.ended(execution, now);
        }
        self.feed(Input::ExecutionEnded { schedule, nominal }).await
    }

    /// Turns were missed: some of them may have been ends.
    async fn look_after_all(&mut self) -> Result<(), Lost> {
        let running: Vec<ExecutionId> = self.runs.keys().copied().collect();
        for execution in running {
            let standing = self.desk.store.standing(execution).await.map_err(|_unread| Lost)?;
            if standing.is_none_or(|listed| listed.projection.status.is_terminal()) {
                self.on_end(execution).await?;
            }
        }
        Ok(())
    }

    async fn feed(&mut self, input: Input) -> Result<(), Lost> {
        let outputs = self.scheduler.on(input, self.now());
        for output in outputs {
            self.carry_out(output).await?;
        }
        Ok(())
    }

    async fn carry_out(&mut self, output: Output) -> Result<(), Lost> {
        match output {
            Output::Start { schedule, nominal, .. } => self.start(&schedule, nominal).await,
            Output::Queue { schedule, nominal } => {
                self.decide(&schedule, |past| past.queue(nominal), Vec::new()).await
            }
            Output::Miss(missed) => {
                self.tell_missed(&missed);
                let audit = vec![self.fact(&missed)];
                let schedule = missed.schedule.clone();
                self.decide(&schedule, |past| past.miss(missed.first, missed.last), audit).await
            }
            Output::Cancel { schedule, nominal } => {
                let kept = self.kept.get(&schedule);
                if let Some(execution) = kept.and_then(|kept| kept.past.execution_of(nominal)) {
                    let reason = Some(format!("{schedule}: the next one is due"));
                    // One that has ended meanwhile needs no cancelling.
                    self.desk.handle.control(execution, Control::Cancel { reason }).await.ok();
                }
                Ok(())
            }
            // Nobody is asked as long as the misfire policy decides.
            Output::Ask { .. } => Ok(()),
            Output::Arm { due } => {
                self.armed = due;
                Ok(())
            }
        }
    }

    async fn start(&mut self, schedule: &ScheduleId, nominal: Timestamp) -> Result<(), Lost> {
        let asked_at = self.now();
        let Some(kept) = self.kept.get_mut(schedule) else { return Ok(()) };
        let execution = self.desk.handle.new_id().map_err(|_no_chance| Lost)?;
        let before = kept.past.clone();
        kept.past.start(nominal, execution);
        let definition = (kept.definition.clone(), kept.digest, kept.workflow.clone());
        let beside = Beside {
            records: vec![(record(schedule), Some(kept.past.encode()))],
            audit: Vec::new(),
        };
        let wish = Wish { execution, definition, input: None, key: None, beside };
        // It may end before anybody has noted that it began.
        self.runs.insert(execution, (schedule.clone(), nominal));
        self.desk.board.note(schedule, &kept.past);
        match admission::admit(&self.desk, wish).await {
            Ok(Admitted::New(_)) => {
                let late = Duration::from_millis(asked_at.ms_since(nominal));
                self.desk.metrics.schedule_started(late);
                Ok(())
            }
            Ok(Admitted::Existing(_)) | Err(Refused::Taken(..)) => {
                self.give_up(schedule, nominal, (execution, before), Reason::Overlap).await
            }
            // What asks for it is wrong, not the server: another time it may be otherwise.
            Err(Refused::Because(problem)) if problem.status < 500 => {
                self.give_up(schedule, nominal, (execution, before), Reason::Refused).await
            }
            Err(Refused::Because(_)) => Err(Lost),
        }
    }

    /// Another execution has the business key, or the start is refused: this nominal time starts none.
    async fn give_up(
        &mut self,
        schedule: &ScheduleId,
        nominal: Timestamp,
        (execution, before): (ExecutionId, StoredPast),
        reason: Reason,
    ) -> Result<(), Lost> {
        self.runs.remove(&execution);
        let (first, count) = (nominal, Count::Exactly(1));
        let schedule = schedule.clone();
        let missed = Missed { schedule: schedule.clone(), first, last: nominal, count, reason };
        self.tell_missed(&missed);
        let audit = vec![self.fact(&missed)];
        let change = |past: &mut StoredPast| {
            *past = before;
            past.miss(nominal, nominal);
        };
        self.decide(&schedule, change, audit).await?;
        let ended = self.scheduler.on(Input::ExecutionEnded { schedule, nominal }, self.now());
        for output in ended {
            Box::pin(self.carry_out(output)).await?;
        }
        Ok(())
    }

    async fn decide(
        &mut self,
        schedule: &ScheduleId,
        change: impl FnOnce(&mut StoredPast),
        audit: Vec<AuditFact>,
    ) -> Result<(), Lost> {
        let Some(kept) = self.kept.get_mut(schedule) else { return Ok(()) };
        change(&mut kept.past);
        let past = kept.past.clone();
        self.desk.board.note(schedule, &past);
        self.write(schedule, &past, audit).await
    }

    async fn write(
        &self,
        schedule: &ScheduleId,
        past: &StoredPast,
        audit: Vec<AuditFact>,
    ) -> Result<(), Lost> {
        let (id, expected) = (record(schedule), Expected::Anything);
        let records = vec![RecordChange { id, expected, value: Some(past.encode()) }];
        let commit = Commit { records, audit, ..Commit::default() };
        self.desk.store.commit(commit).await.map_err(|_unwritten| Lost)
    }

    fn tell_missed(&self, missed: &Missed) {
        let (Count::Exactly(count) | Count::AtLeast(count)) = missed.count;
        let why = reason(missed.reason);
        self.desk.metrics.schedule_missed(missed.reason, count);
        let record = LogRecord::new(LogLevel::Warn, "a schedule did not keep some of its times")
            .with_text("schedule", &missed.schedule)
            .with("count", count)
            .with("reason", why);
        self.desk.log.write(record);
    }

    fn fact(&self, missed: &Missed) -> AuditFact {
        let (count, more) = match missed.count {
            Count::Exactly(count) => (count, ""),
            Count::AtLeast(count) => (count, " or more"),
        };
        let told = [
            ("first", crate::moment::show(missed.first)),
            ("last", crate::moment::show(missed.last)),
            ("count", format!("{count}{more}")),
            ("reason", reason(missed.reason).to_owned()),
        ];
        let detail = told.iter().try_fold(Detail::default(), |it, (name, text)| it.and(name, text));
        let record = AuditRecord {
            at: AuditTime(self.now().0),
            actor: Actor::System,
            action: Action::ScheduleMiss,
            outcome: Outcome::Allowed,
            namespace: Some(missed.schedule.namespace.clone()),
            subject: Text::cut(&missed.schedule.to_string()),
            reason: None,
            detail: detail.unwrap_or_default(),
            request: None,
            address: None,
        };
        AuditFact { execution: None, bytes: record.encode() }
    }
}

fn record(schedule: &ScheduleId) -> RecordId {
    let key = format!("{}#{}", schedule.workflow, schedule.trigger);
    RecordId { kind: RecordKind::Schedule, namespace: Some(schedule.namespace.clone()), key }
}

async fn elapsed(pause: Option<Duration>) {
    match pause {
        Some(pause) => tokio::time::sleep(pause).await,
        None => std::future::pending().await,
    }
}
