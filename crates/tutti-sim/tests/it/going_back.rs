//! An operator takes an execution back to the start of a task.

use std::sync::Arc;

use tutti_engine::{
    CallOutcome, Command, Control, Definitions, Execution, Input, Limits, Outcome, ProbeOutcome,
    Rejection, Secrets, Start, Surroundings,
};
use tutti_expr::Value;
use tutti_ids::{DefinitionRef, Digest, ExecutionId, Sequence, TaskRef};
use tutti_journal::{
    CallRecord, CloudEvent, Entry, Error, ErrorType, EventPosition, Resolution, SuspensionReason,
    Timestamp, Turn,
};

/// A branch that works, beside one that charges and may fail.
const ORDER: &str = r"
document: { dsl: '1.0.3', namespace: test, name: order, version: '1.0.0' }
do:
  - both:
      fork:
        branches:
          - pack:
              do:
                - fetch: { call: http, with: { method: get, endpoint: 'https://example.com/pack' } }
                - note: { set: { packed: '${ . }' }, export: { as: '{ packed: true }' } }
          - charge:
              call: http
              with: { method: post, endpoint: 'https://example.com/charge' }
  - done: { set: { all: '${ . }', context: '${ $context }' } }
";

/// A call that is made again by a `try`.
const RETRIED: &str = r"
document: { dsl: '1.0.3', namespace: test, name: order, version: '1.0.0' }
do:
  - guarded:
      try: [ { charge: { call: http, with: { method: post, endpoint: 'https://example.com/charge' } } } ]
      catch: { retry: { limit: { attempt: { count: 1 } } } }
";

/// One function called from two branches, all of it made again by a `try`.
const TWICE: &str = r"
document: { dsl: '1.0.3', namespace: test, name: order, version: '1.0.0' }
use:
  functions:
    pay: { call: http, with: { method: post, endpoint: 'https://example.com/pay' } }
do:
  - guarded:
      try: [ { both: { fork: { branches: [ { left: { call: pay } }, { right: { call: pay } } ] } } } ]
      catch: { retry: { limit: { attempt: { count: 1 } } } }
";

/// Two calls beside each other that must not be repeated.
const PAIR: &str = r"
document: { dsl: '1.0.3', namespace: test, name: order, version: '1.0.0' }
do:
  - both:
      fork:
        branches:
          - charge: { call: http, with: { method: post, endpoint: 'https://example.com/charge' } }
          - ship: { call: http, with: { method: post, endpoint: 'https://example.com/ship' } }
";

/// A branch in which something fails and is caught, beside one that charges.
const MENDED: &str = r"
document: { dsl: '1.0.3', namespace: test, name: order, version: '1.0.0' }
do:
  - both:
      fork:
        branches:
          - watch:
              try:
                - look:
                    fork:
                      branches:
                        - probe: { call: http, with: { method: get, endpoint: 'https://example.com/probe' } }
                        - pause: { wait: PT1H }
              catch: { do: [ { mend: { set: { mended: true } } } ] }
          - charge: { call: http, with: { method: post, endpoint: 'https://example.com/charge' } }
";

/// A wait of ten seconds beside a call, in a workflow that may take thirty.
const TIMED: &str = r"
document: { dsl: '1.0.3', namespace: test, name: order, version: '1.0.0' }
timeout: { after: PT30S }
do:
  - both:
      fork:
        branches:
          - pause: { wait: PT10S }
          - charge: { call: http, with: { method: post, endpoint: 'https://example.com/charge' } }
";

/// A charge that extensions tell of, before and after, in a function and in a list of tasks.
const TOLD: &str = r"
document: { dsl: '1.0.3', namespace: test, name: order, version: '1.0.0' }
use:
  functions:
    tell: { call: http, with: { method: put, endpoint: 'https://example.com/tell' } }
  extensions:
    - telling:
        extend: call
        before: [ { many: { do: [ { ask: { call: http, with: { method: get, endpoint: 'https://example.com/ask' } } } ] } } ]
        after: [ { told: { call: tell } } ]
do:
  - charge: { call: http, with: { method: post, endpoint: 'https://example.com/charge' } }
";

#[test]
fn an_error_of_an_extension_takes_back_to_the_task_it_extends() {
    let mut run = Run::of(TOLD);
    run.answer("/ask", Err(()));
    run.back(None).expect("the task that is extended is known");
    run.answer("/ask", Ok("asked"));
    run.answer("/charge", Ok("paid"));
    run.answer("/tell", Err(()));
    assert_eq!(run.back(Some("/use/functions/tell")), Err(Rejection::NoSuchTask));
    run.back(None).expect("the task that is extended is known");
    for (task, answer) in [("/ask", "asked"), ("/charge", "paid again"), ("/tell", "told")] {
        run.answer(task, Ok(answer));
    }
    assert_eq!(run.output(), r#""paid again""#);
    run.check_replay();
}

#[test]
fn a_faulted_execution_goes_on_from_the_task_that_failed() {
    let mut run = Run::of(ORDER);
    run.answer("/fetch", Ok("parcel"));
    let first = run.call("/charge");
    run.answer("/charge", Err(()));
    assert!(matches!(run.execution.outcome(), Some(Outcome::Faulted(_))));

    run.back(None).expect("the task that failed is known");
    let again = run.call("/charge");
    assert_eq!((&again.key, again.attempt), (&first.key, 2), "the failed call hands its key over");
    assert_eq!(run.calls().len(), 1, "what the other branch did still counts");

    run.answer("/charge", Ok("paid"));
    let expected = r#"{"all":[{"packed":"parcel"},"paid"],"context":{"packed":true}}"#;
    assert_eq!(run.output(), expected);
    run.check_replay();
}

#[test]
fn what_was_given_up_beside_the_task_goes_on_too() {
    let mut run = Run::of(ORDER);
    let fetch = run.call("/fetch");
    run.answer("/charge", Err(()));
    assert!(matches!(run.execution.outcome(), Some(Outcome::Faulted(_))));

    run.back(None).expect("the task that failed is known");
    assert_eq!(run.call("/fetch"), fetch, "the other branch's call is wanted again, as it was");
    run.answer("/fetch", Ok("parcel"));
    run.answer("/charge", Ok("paid"));
    assert_eq!(run.output(), r#"{"all":[{"packed":"parcel"},"paid"],"context":{"packed":true}}"#);
    run.check_replay();
}

#[test]
fn a_completed_execution_opens_again_and_its_calls_get_new_keys() {
    let mut run = Run::of(ORDER);
    run.answer("/fetch", Ok("parcel"));
    let first = run.call("/charge");
    run.answer("/charge", Ok("paid"));
    run.back(Some("/do/0/both")).expect("the task is known");
    let again = run.call("/charge");
    assert_ne!(again.key, first.key, "a call that ended well is not the same call");
    assert_eq!(again.attempt, 1);
    run.answer("/fetch", Ok("box"));
    run.answer("/charge", Ok("paid twice"));
    assert_eq!(
        run.output(),
        r#"{"all":[{"packed":"box"},"paid twice"],"context":{"packed":true}}"#
    );
    run.check_replay();
}

#[test]
fn going_back_twice_counts_from_what_counted_before() {
    let mut run = Run::of(ORDER);
    run.answer("/fetch", Ok("parcel"));
    run.answer("/charge", Err(()));
    run.back(None).expect("the task that failed is known");
    run.answer("/charge", Err(()));
    run.back(None).expect("the task that failed is known");
    assert_eq!(run.call("/charge").attempt, 3);
    run.answer("/charge", Ok("paid"));
    assert!(matches!(run.execution.outcome(), Some(Outcome::Completed(_))));
    run.check_replay();
}

#[test]
fn going_back_is_refused_while_work_is_under_way_or_where_nothing_passed() {
    let mut run = Run::of(ORDER);
    assert_eq!(run.back(Some("/do/0/both")), Err(Rejection::Busy));
    run.feed(Input::Control(Control::Cancel { reason: None }));
    run.answer("/charge", Ok("too late"));
    assert_eq!(run.execution.outcome(), Some(&Outcome::Cancelled));
    assert_eq!(run.back(Some("/do/1/done")), Err(Rejection::NoSuchTask));
    assert_eq!(run.back(None), Err(Rejection::NoSuchTask), "nothing failed");
}

/// Two listeners beside each other, and one after them.
const EVENTS: &str = r"
document: { dsl: '1.0.3', namespace: test, name: order, version: '1.0.0' }
do:
  - both:
      fork:
        branches:
          - left: { listen: { to: { one: { with: { type: a } } } } }
          - right: { listen: { to: { any: [], until: 'length == 2' } }, foreach: { do: [ { note: { set: '${ $index }' } } ] } }
  - after: { listen: { to: { one: { with: { type: a } } } } }
";

#[test]
fn a_listener_that_is_started_again_sees_what_it_had_consumed_and_no_more() {
    let mut run = Run::of(EVENTS);
    for position in 1..=2 {
        run.tell("/left", position).ok();
        run.tell("/right", position).expect("it is welcome");
    }
    run.tell("/after", 2).expect_err("consumed before");
    run.tell("/after", 3).expect("it is new");
    assert_eq!(run.output(), "[3]");

    run.back(Some("/do/1/after")).expect("it was passed");
    assert_eq!(run.tell("/after", 1), Err(Rejection::NotMatched), "it counts as consumed still");
    run.tell("/after", 3).expect("the passage that consumed it is void");
    assert_eq!(run.output(), "[3]");
    run.check_replay();

    run.back(Some("/do/0/both/fork/branches/1/right")).expect("it was passed");
    assert!(run.tell("/left", 4).is_err(), "the other branch still counts");
    run.tell("/right", 1).expect("the passage that consumed it is void");
    run.tell("/right", 3).expect("it is welcome");
    assert_eq!(run.tell("/after", 2), Ok(()), "nobody consumed it this time");
    assert_eq!(run.output(), "[2]");
    run.check_replay();
}

#[test]
fn the_key_of_a_call_that_ended_well_is_never_used_again() {
    // The `try` still holds the key that its first attempt left; the second one, which is void now, ended well under it.
    let mut run = Run::of(RETRIED);
    let first = run.call("/charge");
    run.answer("/charge", Err(()));
    assert_eq!(run.call("/charge").key, first.key, "the retry takes the key over");
    run.answer("/charge", Ok("paid"));
    run.back(Some("/do/0/guarded/try/0/charge")).expect("the task is known");
    let again = run.call("/charge");
    assert_ne!(again.key, first.key);
    assert_eq!(again.attempt, 1);
    run.check_replay();

    // Handed on by one going back, spent before the next.
    let mut run = Run::of(ORDER);
    run.answer("/fetch", Ok("parcel"));
    let first = run.call("/charge");
    run.answer("/charge", Err(()));
    run.back(None).expect("the task that failed is known");
    run.answer("/charge", Ok("paid"));
    run.back(Some("/do/0/both")).expect("the task is known");
    assert_ne!(run.call("/charge").key, first.key);
    run.check_replay();
}

#[test]
fn an_attempt_that_is_void_counts_as_an_attempt() {
    let mut run = Run::of(RETRIED);
    let first = run.call("/charge");
    run.answer("/charge", Err(()));
    run.answer("/charge", Err(()));
    run.back(None).expect("the task that failed is known");
    let again = run.call("/charge");
    assert_eq!((&again.key, again.attempt), (&first.key, 3));
    run.check_replay();
}

#[test]
fn each_call_site_of_a_function_keeps_its_own_key() {
    let mut run = Run::of(TWICE);
    let keys = |run: &Run| run.calls().into_iter().map(|(_, _, call)| call.key).collect::<Vec<_>>();
    let before = keys(&run);
    assert_eq!(before.len(), 2);
    run.answer("/pay", Err(()));
    run.answer("/pay", Err(()));
    assert_eq!(keys(&run), before, "the re-runs take over what each of them had");
    run.answer("/pay", Err(()));
    run.answer("/pay", Err(()));
    run.back(Some("/do/0/guarded")).expect("the task is known");
    assert_eq!(keys(&run), before, "and again once all of it is void");
    run.check_replay();
}

#[test]
fn an_incident_in_a_branch_that_stays_needs_its_person_still() {
    let mut run = Run::of(PAIR);
    run.answer("/charge", Ok("paid"));
    run.lose("/ship");
    assert_eq!(run.execution.incidents().count(), 1);
    run.back(Some("/do/0/both/fork/branches/0/charge")).expect("the task is known");
    assert_eq!(run.execution.incidents().count(), 1);
    assert_eq!(run.execution.suspended(), Some(&SuspensionReason::Incident));
    run.check_replay();
}

#[test]
fn what_nobody_knows_of_a_call_that_was_given_up_is_asked_again_not_repeated() {
    let mut run = Run::of(PAIR);
    run.refuse("/charge");
    run.lose("/ship");
    let (task, ..) = run.execution.incidents().next().expect("it was asked what came of it");
    run.feed(Input::Control(Control::Resolve { task, resolution: Resolution::Fault }));
    assert!(matches!(run.execution.outcome(), Some(Outcome::Faulted(_))));
    run.back(Some("/do/0/both/fork/branches/0/charge")).expect("the task is known");
    assert_eq!(run.execution.incidents().map(|(task, ..)| task).collect::<Vec<_>>(), [task]);
    assert!(!run.calls().iter().any(|(_, reference, _)| reference.as_str().ends_with("/ship")));
    run.check_replay();
}

#[test]
fn what_a_person_said_of_a_call_that_was_given_up_stays_said() {
    let mut run = Run::of(PAIR);
    run.refuse("/charge");
    run.lose("/ship");
    let (task, ..) = run.execution.incidents().next().expect("it was asked what came of it");
    let resolution = Resolution::Complete { output: Value::from("shipped") };
    run.feed(Input::Control(Control::Resolve { task, resolution }));
    run.back(None).expect("the task that failed is known");
    run.answer("/charge", Ok("paid"));
    assert_eq!(run.output(), r#"["paid","shipped"]"#);
    run.check_replay();
}

#[test]
fn a_call_that_failed_while_it_was_given_up_is_the_next_attempt() {
    let mut run = Run::of(PAIR);
    let (ship, first) = run.wanted("/ship");
    run.refuse("/charge");
    run.finish(ship, 1, Err(()));
    assert!(matches!(run.execution.outcome(), Some(Outcome::Faulted(_))));
    run.back(None).expect("the task that failed is known");
    run.feed(Input::SlotGranted { task: ship });
    let again = run.call("/ship");
    assert_eq!((&again.key, again.attempt), (&first.key, 2));
    run.answer("/ship", Ok("shipped"));
    run.answer("/charge", Ok("paid"));
    assert_eq!(run.output(), r#"["paid","shipped"]"#);
    run.check_replay();
}

#[test]
fn a_branch_that_mended_its_own_failure_stays_mended() {
    let mut run = Run::of(MENDED);
    run.answer("/probe", Err(()));
    run.answer("/charge", Err(()));
    run.back(None).expect("the task that failed is known");
    assert_eq!(run.calls().len(), 1, "only the call that failed is made again");
    run.answer("/charge", Ok("paid"));
    assert_eq!(run.output(), r#"[{"mended":true},"paid"]"#);
    run.check_replay();
}

#[test]
fn time_stands_still_for_what_stays_while_nothing_goes_on() {
    let hour = Timestamp(3_600_000);
    let mut run = Run::of(TIMED);
    run.now = Timestamp(4_000);
    run.answer("/charge", Err(()));
    assert!(matches!(run.execution.outcome(), Some(Outcome::Faulted(_))));
    run.now = hour;
    run.back(None).expect("the task that failed is known");
    assert_eq!(run.execution.next_due(), Some(hour.plus_ms(6_000)), "six of ten seconds are left");
    run.check_replay();

    run.now = hour.plus_ms(1_000);
    run.feed(Input::Control(Control::Suspend));
    run.now = hour.plus_ms(9_000);
    run.feed(Input::Control(Control::Resume));
    run.answer("/charge", Err(()));
    run.now = hour.plus_ms(20_000);
    run.back(None).expect("the task that failed is known");
    let left = Timestamp(run.now.0 + 5_000);
    assert_eq!(
        run.execution.next_due(),
        Some(left),
        "one second more went by, pauses do not count"
    );
    run.check_replay();
}

#[test]
fn what_runs_around_the_task_has_the_time_it_had_when_the_task_began() {
    let mut run = Run::of(TIMED);
    run.now = Timestamp(10_000);
    run.feed(Input::TimerFired);
    run.now = Timestamp(30_000);
    run.feed(Input::TimerFired);
    let charge = run.execution.outstanding().find_map(|command| match command {
        Command::CancelCall { task, .. } => Some(task),
        _ => None,
    });
    run.finish(charge.expect("the call is given up"), 1, Err(()));
    assert!(matches!(run.execution.outcome(), Some(Outcome::Faulted(_))));
    run.now = Timestamp(90_000);
    run.back(Some("/do/0/both/fork/branches/1/charge")).expect("the task is known");
    assert_eq!(run.execution.next_due(), Some(Timestamp(120_000)));
    run.check_replay();
}

#[test]
fn only_what_still_counts_can_be_gone_back_to() {
    let mut run = Run::of(ORDER);
    run.answer("/fetch", Ok("parcel"));
    run.answer("/charge", Ok("paid"));
    run.back(Some("/do/0/both")).expect("the task is known");
    run.feed(Input::Control(Control::Cancel { reason: None }));
    run.answer("/charge", Err(()));
    assert_eq!(run.back(Some("/do/1/done")), Err(Rejection::NoSuchTask), "that is void");

    run.journal.pop();
    assert_eq!(run.back(Some("/do/0/both")), Err(Rejection::Busy), "that is not the whole journal");
}

/// An execution with its journal.
struct Run {
    now: Timestamp,
    execution: Execution,
    journal: Vec<Turn>,
}

impl Run {
    fn of(text: &str) -> Self {
        let workflow = Arc::new(tutti_dsl::parse(text).workflow.expect("a valid document"));
        let id = ExecutionId::new(0, 1);
        let definition = DefinitionRef {
            namespace: "test".parse().expect("a name"),
            name: "order".parse().expect("a name"),
            version: "1.0.0".parse().expect("a version"),
        };
        let now = Timestamp(0);
        let mut execution = Execution::new(id, definition.clone(), Digest::ZERO, workflow);
        let start = Start {
            execution: id,
            definition,
            digest: Digest::ZERO,
            seed: 1,
            input: None,
            parent: None,
            events_after: EventPosition::default(),
            key: None,
            hold: None,
        };
        let entries = execution.start(start, &surroundings(now));
        let first = Turn { execution: id, first: Sequence::FIRST, at: now, entries };
        Self { now, execution, journal: vec![first] }
    }

    fn feed(&mut self, input: Input) {
        let first = self.execution.next_sequence();
        let entries = self
            .execution
            .advance(input, &surroundings(self.now))
            .expect("the input means something");
        self.record(first, entries);
    }

    /// Feeds the event of type `a` at this position to a listener; refused as well where nothing listens there.
    fn tell(&mut self, listener: &str, position: u64) -> Result<(), Rejection> {
        let task = self.execution.outstanding().find_map(|command| match command {
            Command::AwaitEvent { task, reference, .. }
                if reference.as_str().ends_with(listener) =>
            {
                Some(task)
            }
            _ => None,
        });
        let envelope = format!(
            r#"{{"specversion":"1.0","id":"{position}","source":"/s","type":"a","data":{position}}}"#
        );
        let envelope = Value::from_json(&envelope).expect("it is JSON");
        let event = CloudEvent::from_value(&envelope).expect("it is an event");
        let first = self.execution.next_sequence();
        let task = task.ok_or(Rejection::Nothing)?;
        let position = EventPosition(position);
        let entries = self
            .execution
            .advance(Input::EventArrived { task, position, event }, &surroundings(self.now))?;
        self.record(first, entries);
        Ok(())
    }

    fn record(&mut self, first: Sequence, entries: Vec<Entry>) {
        self.journal.push(Turn { execution: self.execution.id(), first, at: self.now, entries });
    }

    fn back(&mut self, from: Option<&str>) -> Result<(), Rejection> {
        let first = self.execution.next_sequence();
        let from = from.map(TaskRef::new);
        let (execution, entries) =
            self.execution.rewind(&self.journal, from.as_ref(), &surroundings(self.now))?;
        self.execution = execution;
        self.record(first, entries);
        Ok(())
    }

    fn calls(&self) -> Vec<(Sequence, TaskRef, CallRecord)> {
        let call = |command| match command {
            Command::Call { task, reference, call, .. } => Some((task, reference, call)),
            _ => None,
        };
        self.execution.outstanding().filter_map(call).collect()
    }

    fn call(&self, task: &str) -> CallRecord {
        self.wanted(task).1
    }

    fn wanted(&self, task: &str) -> (Sequence, CallRecord) {
        let calls = self.calls();
        let found = calls.into_iter().find(|(_, reference, _)| reference.as_str().ends_with(task));
        let (task, _, call) = found.expect("the call is outstanding");
        (task, call)
    }

    fn answer(&mut self, task: &str, answer: Result<&str, ()>) {
        let in_flight = self.execution.outstanding().find_map(|command| match command {
            Command::CancelCall { task, attempt } => Some((task, attempt)),
            _ => None,
        });
        let (task, attempt) = in_flight.unwrap_or_else(|| {
            let (task, call) = self.wanted(task);
            (task, call.attempt)
        });
        self.finish(task, attempt, answer);
    }

    fn finish(&mut self, task: Sequence, attempt: u32, answer: Result<&str, ()>) {
        let outcome = match answer {
            Ok(text) => CallOutcome::Completed(Value::from(text)),
            Err(()) => CallOutcome::Failed(Error::new(ErrorType::Communication, "no")),
        };
        self.feed(Input::CallFinished { task, attempt, outcome });
    }

    /// A call fails, whatever else is being given up.
    fn refuse(&mut self, task: &str) {
        let (task, call) = self.wanted(task);
        self.finish(task, call.attempt, Err(()));
    }

    /// Nobody knows what became of a call, not even its connector.
    fn lose(&mut self, task: &str) {
        let given_up = self.execution.outstanding().find_map(|command| match command {
            Command::CancelCall { task, attempt } => Some((task, attempt)),
            _ => None,
        });
        let (task, attempt) = given_up.unwrap_or_else(|| {
            let (task, call) = self.wanted(task);
            (task, call.attempt)
        });
        let error = Error::new(ErrorType::Communication, "silence");
        self.feed(Input::CallFinished { task, attempt, outcome: CallOutcome::Unknown(error) });
        self.feed(Input::ProbeFinished { task, outcome: ProbeOutcome::Unknown });
    }

    fn output(&self) -> String {
        match self.execution.outcome() {
            Some(Outcome::Completed(output)) => output.to_json(),
            other => format!("{other:?}"),
        }
    }

    /// The fold of the whole journal is the state that was reached.
    fn check_replay(&self) {
        let execution = &self.execution;
        let (id, definition) = (execution.id(), execution.definition().clone());
        let replayed = Execution::restore(
            id,
            definition,
            Digest::ZERO,
            execution.workflow().clone(),
            &self.journal,
        );
        assert_eq!(format!("{replayed:?}"), format!("{execution:?}"));
    }
}

fn surroundings(now: Timestamp) -> Surroundings<'static> {
    Surroundings {
        now,
        secrets: &Nothing,
        definitions: &Nothing,
        free_slots: 8,
        limits: Limits::default(),
    }
}

#[derive(Debug)]
struct Nothing;

impl Secrets for Nothing {
    fn secret(&self, _namespace: &str, _name: &str) -> Option<Value> {
        None
    }
}

impl Definitions for Nothing {
    fn find(
        &self,
        _namespace: &str,
        _name: &str,
        _version: &str,
    ) -> Option<(DefinitionRef, Digest)> {
        None
    }
}
