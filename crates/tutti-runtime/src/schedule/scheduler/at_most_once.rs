//! Whatever happens: each nominal time is started at most once, and none is lost without a record.

use std::collections::{BTreeSet, VecDeque};

use proptest::{prelude::*, test_runner::Config};
use tutti_dsl::{Cron, Duration, Misfire, Overlap};

use super::*;
use crate::schedule::{Past, Spec, Timing, Trigger, calendar::Zone};

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// This many seconds pass, and a tick comes if one was asked for until then.
    Pass(u32),
    /// The clock is set back by this many seconds.
    SetBack(u32),
    /// One of the executions that go on ends.
    End(usize),
    /// Of what a tick gives, only so many outputs become durable before all else is lost; and so it is with what the
    /// activation gives that follows some time later.
    Crash { down: u32, durable: usize },
    /// Another version of the workflow is published.
    Publish(Misfire, Overlap),
}

fn step() -> impl Strategy<Value = Step> {
    let misfire = prop_oneof![
        Just(Misfire::Skip),
        Just(Misfire::RUN_ONCE),
        (1..5_u32).prop_map(|max| Misfire::RunAll { max }),
    ];
    let overlap = prop_oneof![
        Just(Overlap::Allow),
        Just(Overlap::Skip),
        Just(Overlap::Queue),
        Just(Overlap::CancelPrevious),
    ];
    prop_oneof![
        6 => (0..400_u32).prop_map(Step::Pass),
        1 => (0..20_000_u32).prop_map(Step::Pass),
        1 => (0..4_000_u32).prop_map(Step::SetBack),
        4 => (0..8_usize).prop_map(Step::End),
        2 => (0..9_000_u32, 0..4_usize).prop_map(|(down, durable)| Step::Crash { down, durable }),
        1 => (misfire, overlap).prop_map(|(misfire, overlap)| Step::Publish(misfire, overlap)),
    ]
}

fn timing() -> impl Strategy<Value = Timing> {
    let cron = |text: &str, zone: &str| {
        let cron = Cron::parse(text).expect("a cron expression");
        Timing::Cron(cron, Zone::find(zone).expect("a time zone"))
    };
    prop_oneof![
        (1..900_u64).prop_map(|seconds| {
            Timing::Every(Duration { months: 0, milliseconds: seconds * 1_000 })
        }),
        Just(cron("*/3 0-4 * * *", "Europe/Berlin")),
        Just(cron("*/40 * * * * *", "America/New_York")),
        (0..900_u64).prop_map(|seconds| {
            Timing::After(Duration { months: 0, milliseconds: seconds * 1_000 })
        }),
    ]
}

/// What a store would hold, and whoever drives a scheduler.
struct World {
    id: ScheduleId,
    spec: Spec,
    scheduler: Scheduler,
    now: Timestamp,
    armed: Option<Timestamp>,
    past: Past,
    started: BTreeSet<Timestamp>,
    missed: Vec<(Timestamp, Timestamp)>,
}

impl World {
    fn new(timing: Timing, jitter_ms: u64, start: Timestamp) -> Self {
        let name = |text: &str| text.parse().expect("a name");
        let id = ScheduleId {
            namespace: name("shop"),
            workflow: name("order"),
            trigger: Trigger::Every,
        };
        let (misfire, overlap) = (Misfire::default(), Overlap::default());
        let mut world = Self {
            id,
            spec: Spec { timing, misfire, overlap, jitter_ms },
            scheduler: Scheduler::new(Scheduler::CATCH_UP_PER_SECOND),
            now: start,
            armed: None,
            past: Past::begins(start),
            started: BTreeSet::new(),
            missed: Vec::new(),
        };
        world.activate(usize::MAX);
        world
    }

    /// A scheduler that knows nothing is told what is durable.
    fn activate(&mut self, durable: usize) {
        self.scheduler = Scheduler::new(Scheduler::CATCH_UP_PER_SECOND);
        self.armed = None;
        let activated = Input::Activated {
            schedule: self.id.clone(),
            spec: Box::new(self.spec.clone()),
            past: self.past.clone(),
            catch_up: CatchUp::ByPolicy,
        };
        self.input(activated, durable);
    }

    fn input(&mut self, input: Input, durable: usize) {
        let outputs = self.scheduler.on(input, self.now);
        outputs.into_iter().take(durable).for_each(|output| self.commit(output));
    }

    fn commit(&mut self, output: Output) {
        match output {
            Output::Start { nominal, .. } => {
                assert!(self.started.insert(nominal), "{nominal:?} is started twice");
                assert!(!self.is_missed(nominal), "{nominal:?} is started and recorded as missed");
                self.past.queued.retain(|queued| *queued != nominal);
                self.past.running.push(nominal);
                self.decided(nominal);
            }
            Output::Queue { nominal, .. } => {
                assert!(!self.started.contains(&nominal) && !self.is_missed(nominal));
                self.past.queued.push(nominal);
                self.decided(nominal);
            }
            Output::Miss(missed) => {
                let range = missed.first..=missed.last;
                let again = self.started.range(range.clone()).next();
                assert_eq!(again, None, "{missed:?} was started");
                self.past.queued.retain(|queued| !range.contains(queued));
                self.missed.push((missed.first, missed.last));
                self.decided(missed.last);
            }
            Output::Cancel { nominal, .. } => assert!(self.past.running.contains(&nominal)),
            Output::Ask { .. } => unreachable!("nobody is asked here"),
            Output::Arm { due } => self.armed = due,
        }
    }

    fn decided(&mut self, nominal: Timestamp) {
        self.past.decided = self.past.decided.max(Some(nominal));
    }

    fn is_missed(&self, nominal: Timestamp) -> bool {
        self.missed.iter().any(|(first, last)| (*first..=*last).contains(&nominal))
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Pass(seconds) => {
                self.now = self.now.plus_ms(u64::from(*seconds) * 1_000);
                if self.armed.is_some_and(|due| due <= self.now) {
                    self.input(Input::Tick, usize::MAX);
                }
            }
            Step::SetBack(seconds) => {
                self.now = Timestamp(self.now.0 - i64::from(*seconds) * 1_000);
                self.input(Input::Tick, usize::MAX);
            }
            Step::End(which) => self.end(*which),
            Step::Crash { down, durable } => {
                self.now = self.now.plus_ms(u64::from(*down) * 500);
                self.input(Input::Tick, *durable);
                self.now = self.now.plus_ms(u64::from(*down) * 500);
                self.activate(*durable);
                self.activate(usize::MAX);
            }
            Step::Publish(misfire, overlap) => {
                (self.spec.misfire, self.spec.overlap) = (*misfire, *overlap);
                self.activate(usize::MAX);
            }
        }
    }

    fn end(&mut self, which: usize) {
        if self.past.running.is_empty() {
            return;
        }
        let nominal = self.past.running.remove(which % self.past.running.len());
        self.past.last_ended = self.past.last_ended.max(Some(self.now));
        let schedule = self.id.clone();
        self.input(Input::ExecutionEnded { schedule, nominal }, usize::MAX);
    }

    /// Everything ends and all that is due is done.
    fn settle(&mut self) {
        let until = self.now.plus_ms(3_600_000);
        while self.now < until {
            while !self.past.running.is_empty() {
                self.end(0);
            }
            let due = self.armed.unwrap_or(until);
            self.now = self.now.max(due.min(until));
            self.input(Input::Tick, usize::MAX);
        }
        while !self.past.running.is_empty() {
            self.end(0);
        }
    }

    /// Every nominal time up to the last that is decided has become something, and nothing is left that is due.
    fn check(&self) {
        assert_eq!(self.past.queued, [], "they wait for ever");
        if matches!(self.spec.timing, Timing::After(_)) {
            assert!(self.armed.is_some(), "it will never start again");
            return;
        }
        let due = Timestamp(self.now.0.saturating_sub_unsigned(self.spec.jitter_ms));
        let first = self.spec.timing.next(self.past.anchor, self.past.anchor);
        let mut next: VecDeque<Timestamp> = first.into_iter().collect();
        while let Some(nominal) = next.pop_front().filter(|nominal| *nominal <= due) {
            let kept = self.started.contains(&nominal);
            assert!(kept || self.is_missed(nominal), "{nominal:?} is lost");
            next.extend(self.spec.timing.next(self.past.anchor, nominal));
        }
    }
}

proptest! {
    #![proptest_config(Config { cases: 200, failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_nominal_time_is_started_at_most_once_and_never_lost(
        timing in timing(),
        jitter_ms in prop_oneof![Just(0_u64), 0..400_000_u64],
        // The clocks of both zones change in these hours.
        start in prop_oneof![Just(1_743_289_200_000_i64), Just(1_762_057_000_000)],
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let mut world = World::new(timing, jitter_ms, Timestamp(start));
        for step in &steps {
            world.step(step);
        }
        world.settle();
        world.check();
    }
}
