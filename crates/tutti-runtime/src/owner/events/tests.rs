//! Who is offered which events, and what that costs.

use std::{collections::BTreeSet, sync::Arc};

use tutti_dsl::Workflow;
use tutti_engine::{EventCorrelation, EventInterest, correlation_of};
use tutti_expr::Value;
use tutti_ids::{Digest, ExecutionId, Sequence, TaskRef};
use tutti_journal::{CloudEvent, EventPosition};

use super::{
    asking::{Asking, Listener},
    feeder::Feeder,
};

const PAGE: usize = 7;

/// Listens for `paid` with an order of its own, for `paid` of an amount, or for anything.
const LISTENS: &str = "\
document: { dsl: '1.0.3', namespace: t, name: w, version: '1.0.0' }
do:
  - own: { listen: { to: { one: { with: { type: paid }, correlate: { order: { from: .data.order, expect: '${ .order }' } } } } } }
  - much: { listen: { to: { one: { with: { type: paid, data: '${ .amount > 5 }' } } } } }
  - any: { listen: { to: { any: [] } } }
";

/// A log, a feeder, and what was offered to whom.
struct World {
    workflow: Arc<Workflow>,
    log: Vec<CloudEvent>,
    feeder: Feeder,
    offered: Vec<(Listener, u64)>,
}

impl World {
    fn new() -> Self {
        let workflow = tutti_dsl::parse(LISTENS).workflow.expect("it is valid");
        let workflow = Arc::new(workflow);
        Self { workflow, log: Vec::new(), feeder: Feeder::default(), offered: Vec::new() }
    }

    fn event(kind: &str, order: i64, amount: i64) -> CloudEvent {
        let text = format!(
            r#"{{"specversion":"1.0","id":"1","source":"s","type":"{kind}","data":{{"order":{order},"amount":{amount}}}}}"#
        );
        CloudEvent::from_value(&Value::from_json(&text).expect("JSON")).expect("an event")
    }

    fn receive(&mut self, event: CloudEvent) {
        self.log.push(event);
        self.feeder.learn(self.end());
    }

    fn end(&self) -> EventPosition {
        EventPosition(self.log.len() as u64)
    }

    /// `task` listens, for `order` where it is the one with a correlation.
    fn asking(&self, task: &str, order: i64, after: u64) -> Asking {
        let reference = TaskRef::new(task);
        let filter = (task != "/do/2/any").then_some(0);
        let correlation = (task == "/do/0/own").then(|| {
            let event = Self::event("paid", order, 0);
            match correlation_of(&self.workflow, &reference, 0, &event) {
                EventCorrelation::Only(digest) => digest,
                other => panic_free(&format!("{other:?}")),
            }
        });
        let kind = filter.map(|_| Arc::from("paid"));
        Asking {
            task: Sequence(1),
            reference,
            parent: None,
            definition: Digest::ZERO,
            workflow: self.workflow.clone(),
            after: EventPosition(after),
            interests: vec![EventInterest { filter, kind, correlation }],
        }
    }

    fn listen(&mut self, number: u128, task: &str, order: i64, after: u64) {
        let asking = self.asking(task, order, after);
        self.feeder.update(ExecutionId::from_bits(number), vec![asking]);
    }

    /// Does so many steps, or until nothing is left to do.
    fn go_on(&mut self, steps: usize) {
        for _ in 0..steps {
            if let Some((listener, (position, _))) = self.feeder.next_offer() {
                self.offered.push((listener, position.0));
                self.feeder.advance(listener, position);
            } else if let Some(after) = self.feeder.wanted_page() {
                let from = usize::try_from(after.0).unwrap_or(usize::MAX);
                let events = (after.0 + 1..).zip(self.log.iter().skip(from).cloned()).take(PAGE);
                let events = events.map(|(at, event)| (EventPosition(at), event)).collect();
                self.feeder.take_page(after, events);
            } else {
                return;
            }
        }
    }
}

/// Fails the test where a value is needed.
fn panic_free(what: &str) -> Digest {
    assert!(what.is_empty(), "no digest: {what}");
    Digest::ZERO
}

#[test]
fn an_event_is_looked_up_once_for_all_listeners_of_a_filter() {
    let mut world = World::new();
    for number in 0..1_000 {
        world.listen(number, "/do/0/own", i64::try_from(number).unwrap_or(0), 0);
    }
    world.go_on(usize::MAX);
    for order in 0..100 {
        world.receive(World::event("paid", order * 10, 0));
        world.receive(World::event("other", order * 10, 0));
        world.go_on(usize::MAX);
    }
    let expected: Vec<u64> = (0..100).map(|order| order * 2 + 1).collect();
    assert_eq!(world.offered.iter().map(|(_, at)| *at).collect::<Vec<_>>(), expected);
    let to: BTreeSet<u128> = world.offered.iter().map(|((id, _), _)| id.to_bits()).collect();
    assert_eq!(to, (0..100).map(|order| order * 10).collect());
    assert_eq!(world.feeder.evaluated(), 100, "once for each event of the type");
}

#[test]
fn listeners_that_come_back_together_go_through_the_log_together() {
    let mut world = World::new();
    (0..100).for_each(|order| world.receive(World::event("paid", order, 0)));
    world.feeder.forget(ExecutionId::from_bits(0));
    for number in 0..1_000 {
        world.listen(number, "/do/0/own", i64::try_from(number).unwrap_or(0), 0);
    }
    world.go_on(usize::MAX);
    assert_eq!(world.offered.len(), 100);
    assert_eq!(world.feeder.evaluated(), 100);
    assert!(world.feeder.has_fed(ExecutionId::from_bits(7)));
}

#[test]
fn an_expression_on_the_event_alone_is_evaluated_once_for_all() {
    let mut world = World::new();
    (0..100).for_each(|number| world.listen(number, "/do/1/much", 0, 0));
    world.go_on(usize::MAX);
    world.receive(World::event("paid", 1, 5));
    world.go_on(usize::MAX);
    assert_eq!((world.offered.len(), world.feeder.evaluated()), (0, 1));
    world.receive(World::event("paid", 1, 6));
    world.go_on(usize::MAX);
    assert_eq!((world.offered.len(), world.feeder.evaluated()), (100, 2));
}

/// Numbers that look like chance, the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Everybody is offered exactly the events after the place it asked for that may concern it, each once and in order,
/// whenever it comes, goes, is held or asks anew.
#[test]
fn nobody_misses_an_event_or_is_offered_one_twice() {
    for seed in 0..300 {
        let mut chance = Chance(seed);
        let mut world = World::new();
        let mut asked: Vec<(u128, &str, i64, u64)> = Vec::new();
        for _ in 0..120 {
            match chance.below(6) {
                0 | 1 => {
                    let kind =
                        ["paid", "paid", "other"][usize::try_from(chance.below(3)).unwrap_or(0)];
                    let order = i64::try_from(chance.below(4)).unwrap_or(0);
                    world.receive(World::event(kind, order, order * 3));
                }
                2 => {
                    let number = asked.len() as u128;
                    let task = ["/do/0/own", "/do/1/much", "/do/2/any"]
                        [usize::try_from(chance.below(3)).unwrap_or(0)];
                    let order = i64::try_from(chance.below(4)).unwrap_or(0);
                    let after = chance.below(world.end().0 + 1);
                    world.listen(number, task, order, after);
                    asked.push((number, task, order, after));
                }
                3 if !asked.is_empty() => {
                    let which = usize::try_from(chance.below(asked.len() as u64)).unwrap_or(0);
                    let (number, task, order, after) = asked[which];
                    if chance.below(2) == 0 {
                        world.feeder.hold(ExecutionId::from_bits(number));
                    }
                    world.listen(number, task, order, after);
                }
                _ => world.go_on(usize::try_from(chance.below(5)).unwrap_or(0)),
            }
        }
        world.go_on(usize::MAX);
        for (number, task, order, after) in asked {
            let id = ExecutionId::from_bits(number);
            let offered: Vec<u64> = world
                .offered
                .iter()
                .filter(|((listener, _), _)| *listener == id)
                .map(|(_, at)| *at)
                .collect();
            let concerns = |event: &CloudEvent| match task {
                "/do/0/own" => {
                    event.kind() == "paid" && event.data().get("order") == Some(&Value::from(order))
                }
                "/do/1/much" => {
                    let amount = event.data().get("amount").and_then(Value::as_i64);
                    event.kind() == "paid" && amount.is_some_and(|amount| amount > 5)
                }
                _ => true,
            };
            let expected: Vec<u64> = (1..)
                .zip(&world.log)
                .filter(|(at, event)| *at > after && concerns(event))
                .map(|(at, _)| at)
                .collect();
            assert_eq!(offered, expected, "seed {seed}: {task} for {order} after {after}");
            assert!(world.feeder.has_fed(id), "seed {seed}");
        }
    }
}
