//! Several loops, each with its part of the executions, and no more in memory than it may keep.

use std::{
    collections::BTreeSet,
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use tutti_connectors::Call;
use tutti_engine::{CallOutcome, Control, Outcome, ProbeOutcome, Status};
use tutti_expr::Value;
use tutti_ids::{Digest, ExecutionId};
use tutti_journal::{CloudEvent, EventPosition, Timestamp};
use tutti_runtime::{Library, Partition, Settlement};
use tutti_sim::{FixedSecrets, Outside, Progress, Recorder, Reply, Setting, World};
use tutti_store::{
    BoxFuture, Commit, DefinitionText, Error, EventRetention, History, LoggedEvent, MemoryStore,
    NewEvent, OpenExecution, Receipt, Store,
};

const PAUSE: &str = r"
document: { dsl: '1.0.3', namespace: test, name: pause, version: '1.0.0' }
do: [ { pause: { wait: { minutes: 1 } } }, { done: { set: { done: true } } } ]
";

const LISTEN: &str = r"
document: { dsl: '1.0.3', namespace: test, name: listen, version: '1.0.0' }
do:
  - hear:
      listen:
        to:
          one:
            with: { type: said }
            correlate: { who: { from: '${ .subject }', expect: '${ .who }' } }
";

/// Starts the workflow above it, five times at once.
const PARENT: &str = r"
document: { dsl: '1.0.3', namespace: test, name: parent, version: '1.0.0' }
do:
  - all:
      fork:
        branches:
          - a: { run: { workflow: { namespace: test, name: pause, version: '1.0.0' } } }
          - b: { run: { workflow: { namespace: test, name: pause, version: '1.0.0' } } }
          - c: { run: { workflow: { namespace: test, name: pause, version: '1.0.0' } } }
          - d: { run: { workflow: { namespace: test, name: pause, version: '1.0.0' } } }
          - e: { run: { workflow: { namespace: test, name: pause, version: '1.0.0' } } }
";

/// Steps that no test needs.
const MANY: usize = 100_000;

#[test]
fn beyond_the_bound_what_only_waits_leaves_memory_and_comes_back_in_time() {
    let mut place = Place::new(&[PAUSE], Owners { loops: 2, max_residents: 2 });
    let all: Vec<ExecutionId> = (0..50)
        .map(|_| {
            let started = place.start("pause");
            place.stand();
            place.world.skip_to(place.world.now().plus_ms(10));
            assert!(place.world.residents().iter().all(|kept| *kept <= 2));
            started
        })
        .collect();
    place.world.crash();
    while place.world.step(Some(place.world.now())) == Progress::Moved {
        let kept = place.world.residents();
        assert!(kept.iter().all(|kept| *kept <= 2), "{kept:?} in memory while all is read");
    }
    assert_eq!(place.open(), 50, "none is due");
    // The first is read again to go on, beside two that wait.
    while place.world.step(None) == Progress::Moved {
        let kept = place.world.residents();
        assert!(kept.iter().all(|kept| *kept <= 3), "{kept:?} in memory while timers fire");
    }
    for execution in all {
        place.check_ended(execution, r#"{"done":true}"#);
    }
    place.check();
}

#[test]
fn a_listener_that_left_memory_is_read_again_for_an_event_that_may_concern_it_and_for_no_other() {
    let mut place = Place::new(&[LISTEN], Owners { loops: 2, max_residents: 2 });
    let all: Vec<ExecutionId> = (0..50)
        .map(|who| {
            let input = Value::object([("who", Value::from(format!("w{who}")))]);
            let definition = place.definition("listen");
            let started = place.world.start_unwatched(definition, Some(input));
            place.stand();
            started
        })
        .collect();
    let before = place.store.reads();
    place.say("nobody");
    place.say("w7");
    assert_eq!(place.store.reads() - before, 1, "one execution is read to be fed");
    let heard = Some(Status::Completed);
    assert_eq!(place.status(all[7]), heard);
    assert_eq!(place.open(), 49);
    // What is read again after a restart has heard nothing yet.
    place.world.crash();
    place.stand();
    for who in [3, 49, 0] {
        place.say(&format!("w{who}"));
        assert_eq!(place.status(all[who]), heard, "w{who}");
    }
    assert_eq!(place.open(), 46);
    assert!(place.world.residents().iter().all(|kept| *kept <= 2));
    place.check();
}

#[test]
fn parents_and_children_of_different_loops_tell_each_other_what_they_have_to() {
    let check = |control: Option<Control>, expected: &Outcome| {
        let mut place = Place::new(&[PARENT, PAUSE], Owners { loops: 3, max_residents: 1 });
        let parent = place.start("parent");
        place.stand();
        let owners: BTreeSet<usize> =
            place.world.shadows().iter().map(|shadow| place.owner(shadow.execution.id())).collect();
        assert_eq!(owners.len(), 3, "the six executions belong to all three loops");
        assert_eq!(place.open(), 6);
        if let Some(control) = control {
            place.world.control(parent, control);
        }
        assert!(place.world.run(MANY), "it stands still");
        let ended = place.world.shadows().get(parent).and_then(|shadow| shadow.execution.outcome());
        assert_eq!(ended, Some(expected));
        assert_eq!(place.open(), 0, "the children have ended as well");
        place.check();
    };
    let done = Value::object([("done", Value::from(true))]);
    let completed = Outcome::Completed(Value::array(vec![done; 5]));
    check(None, &completed);
    check(Some(Control::Cancel { reason: None }), &Outcome::Cancelled);
}

#[test]
fn an_execution_that_cannot_be_read_is_reported_and_its_parent_waits() {
    for loops in 1..=3 {
        let mut place = Place::new(&[PARENT, PAUSE], Owners { loops, max_residents: 0 });
        let parent = place.start("parent");
        let other = place.start("pause");
        place.stand();
        let child = place.child_of(parent);
        place.store.damage(Some(child));
        assert!(place.world.run(MANY), "it stands still");
        let told = place.world.settlement(parent).cloned();
        let Some(Settlement::Lost(reason)) = told else {
            return assert!(matches!(told, Some(Settlement::Lost(_))), "{told:?}");
        };
        assert!(reason.contains(&child.to_string()), "{reason}");
        assert_eq!(place.status(parent), Some(Status::Waiting));
        let reported = place.world.take_log();
        let reported = reported.iter().filter(|line| line.contains("set aside"));
        assert_eq!(reported.count(), 1, "it is reported once");
        place.check_ended(other, r#"{"done":true}"#);
        assert_eq!(place.open(), 2, "its sisters have ended");

        // Once it can be read again, whoever asks for it has it go on, and its parent with it.
        place.store.damage(None);
        place.world.watch(child);
        place.world.watch(parent);
        assert!(place.world.run(MANY), "it stands still");
        assert_eq!(place.status(parent), Some(Status::Completed));
        place.check();
    }
}

#[derive(Clone, Copy)]
struct Owners {
    loops: usize,
    max_residents: usize,
}

struct Place {
    loops: NonZeroUsize,
    store: Arc<Spy>,
    world: World,
    definitions: Vec<DefinitionText>,
    said: usize,
}

impl Place {
    fn new(workflows: &[&str], owners: Owners) -> Self {
        let library = Arc::new(Library::default());
        let publish = |text: &&str| library.publish(text).expect("a valid document").0;
        let definitions = workflows.iter().map(publish).collect();
        let recorder = Arc::new(Recorder::new(Arc::new(MemoryStore::new())));
        let store = Arc::new(Spy { inner: recorder.clone(), seen: Mutex::default() });
        let loops = NonZeroUsize::new(owners.loops).expect("one loop or more");
        let setting = Setting {
            library,
            secrets: Arc::new(FixedSecrets::default()),
            store: store.clone(),
            faulty: None,
            file: None,
            recorder,
            limits: tutti_engine::Limits::default(),
            max_calls: 1,
            max_residents: owners.max_residents,
            loops,
            seed: 1,
            is_shuffled: false,
            is_traced: true,
        };
        let world = World::new(setting, Box::new(Nobody));
        Self { loops, store, world, definitions, said: 0 }
    }

    fn start(&mut self, name: &str) -> ExecutionId {
        let definition = self.definition(name);
        self.world.start(definition, None)
    }

    fn definition(&self, name: &str) -> DefinitionText {
        let named = |definition: &&DefinitionText| definition.name.name.to_string() == name;
        self.definitions.iter().find(named).expect("it is published").clone()
    }

    /// Until nothing moves now.
    fn stand(&mut self) {
        while self.world.step(Some(self.world.now())) == Progress::Moved {}
    }

    fn say(&mut self, subject: &str) {
        self.said += 1;
        let event = Value::object([
            ("specversion", Value::from("1.0")),
            ("id", Value::from(self.said.to_string())),
            ("source", Value::from("/test")),
            ("type", Value::from("said")),
            ("subject", Value::from(subject)),
        ]);
        self.world.receive(CloudEvent::from_value(&event).expect("an event"));
        self.stand();
    }

    fn owner(&self, execution: ExecutionId) -> usize {
        Partition::of(execution).owner(self.loops)
    }

    fn status(&self, execution: ExecutionId) -> Option<Status> {
        self.world.shadows().get(execution).map(|shadow| shadow.execution.status())
    }

    /// How many executions have not ended.
    fn open(&self) -> usize {
        let shadows = self.world.shadows().iter();
        shadows.filter(|shadow| shadow.execution.outcome().is_none()).count()
    }

    fn child_of(&self, parent: ExecutionId) -> ExecutionId {
        let mut executions = self.world.shadows().iter().map(|shadow| &shadow.execution);
        let child = executions
            .find(|execution| execution.parent().is_some_and(|its| its.execution == parent));
        child.expect("it has a child").id()
    }

    fn check_ended(&self, execution: ExecutionId, output: &str) {
        let told = self.world.settlement(execution);
        let Some(Settlement::Ended(Outcome::Completed(told))) = told else {
            return assert!(matches!(told, Some(Settlement::Ended(_))), "{told:?}");
        };
        assert_eq!(told.to_json(), output);
    }

    fn check(&mut self) {
        self.world.check_standstill();
        assert_eq!(self.world.problems(), [""; 0]);
    }
}

/// No call is made.
#[derive(Debug)]
struct Nobody;

impl Outside for Nobody {
    fn call(&mut self, _function: &str, _call: &Call, _now: Timestamp) -> Reply {
        Reply::Never
    }

    fn probe(&mut self, _function: &str, _call: &Call, _now: Timestamp) -> ProbeOutcome {
        ProbeOutcome::Unknown
    }

    fn give_up(&mut self, _call: &Call) -> CallOutcome {
        CallOutcome::NotMade
    }
}

/// Counts the executions that are read, and shows one as damaged.
#[derive(Debug)]
struct Spy {
    inner: Arc<Recorder>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    reads: usize,
    damaged: Option<ExecutionId>,
}

impl Spy {
    fn reads(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).reads
    }

    fn damage(&self, execution: Option<ExecutionId>) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).damaged = execution;
    }

    fn look(&self, execution: ExecutionId) -> Result<(), Error> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.reads += 1;
        if seen.damaged == Some(execution) {
            let what = format!("the journal of {execution}");
            return Err(Error::Corrupt { what });
        }
        Ok(())
    }
}

impl Store for Spy {
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<(), Error>> {
        self.inner.commit(commit)
    }

    fn load(&self, execution: ExecutionId) -> BoxFuture<'_, Result<Option<History>, Error>> {
        Box::pin(async move {
            self.look(execution)?;
            self.inner.load(execution).await
        })
    }

    fn load_tail(&self, execution: ExecutionId) -> BoxFuture<'_, Result<Option<History>, Error>> {
        Box::pin(async move {
            self.look(execution)?;
            self.inner.load_tail(execution).await
        })
    }

    fn open_executions(
        &self,
        after: Option<ExecutionId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<OpenExecution>, Error>> {
        self.inner.open_executions(after, limit)
    }

    fn definition(&self, digest: Digest) -> BoxFuture<'_, Result<Option<DefinitionText>, Error>> {
        self.inner.definition(digest)
    }

    fn publish(&self, events: Vec<NewEvent>) -> BoxFuture<'_, Result<Vec<Receipt>, Error>> {
        self.inner.publish(events)
    }

    fn events_after(
        &self,
        after: EventPosition,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<LoggedEvent>, Error>> {
        self.inner.events_after(after, limit)
    }

    fn last_event_position(&self) -> BoxFuture<'_, Result<EventPosition, Error>> {
        self.inner.last_event_position()
    }

    fn drop_events(
        &self,
        retention: EventRetention,
        limit: usize,
    ) -> BoxFuture<'_, Result<u64, Error>> {
        self.inner.drop_events(retention, limit)
    }
}
