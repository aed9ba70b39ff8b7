//! Decides when calls may be made of which only so many may be in a time. Sans-IO.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tutti_dsl::{Duration, Priority};
use tutti_ids::{ExecutionId, Name, Sequence};
use tutti_journal::Timestamp;

/// The calls of a task, of all versions of its workflow, that count together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CooldownLane {
    /// The workflow's namespace.
    pub namespace: Name,
    /// The workflow.
    pub workflow: Name,
    /// The names on the way to the task: `do/charge`.
    pub task: Arc<str>,
    /// What `cooldown.by` gave, as JSON; none where all calls of the task count together.
    pub group: Option<Arc<str>>,
}

impl CooldownLane {
    /// The names of a task's place in the document, without the numbers: those change when tasks are added before it.
    pub fn names(reference: &str) -> Arc<str> {
        let is_name = |part: &&str| !part.bytes().all(|byte| byte.is_ascii_digit());
        reference.split('/').filter(is_name).collect::<Vec<_>>().join("/").into()
    }
}

/// One call, by its execution and task execution.
pub type HeldCall = (ExecutionId, Sequence);

/// A call that waits until it may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Which.
    pub call: HeldCall,
    /// What it counts among.
    pub lane: CooldownLane,
    /// How many may be made.
    pub limit: u32,
    /// In how long a time.
    pub per: Duration,
    /// The priority of its workflow.
    pub priority: Priority,
    /// Since when it waits.
    pub since: Timestamp,
}

/// A call that was let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// When.
    pub at: Timestamp,
    /// Until when it counts.
    pub until: Timestamp,
}

/// What happened.
#[derive(Debug)]
pub enum PaceInput {
    /// What is stored about a lane.
    Stored {
        /// Which.
        lane: CooldownLane,
        /// Its calls, oldest first.
        made: Vec<Made>,
    },
    /// A call waits. Told again it means no more.
    Asked(Ask),
    /// A grant became durable, or the call was not there any more.
    Answered {
        /// Which lane.
        lane: CooldownLane,
        /// Whether the call was let go.
        is_made: bool,
    },
    /// What was stored about a lane was forgotten.
    Forgotten(CooldownLane),
    /// An execution has ended, so none of its calls waits.
    Ended(ExecutionId),
    /// Time has passed.
    Tick,
}

/// What to do. Of each lane there is one thing at a time, and the answer is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaceOutput {
    /// Let this call be made, and store what of the lane counts then; tell [`PaceInput::Answered`].
    Grant {
        /// Which.
        call: HeldCall,
        /// What it counts among.
        lane: CooldownLane,
        /// All that counts, this call included.
        made: Vec<Made>,
    },
    /// Forget what is stored about a lane: nothing counts any more. Tell [`PaceInput::Forgotten`].
    Forget(CooldownLane),
}

/// What a call waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// How many may be made at once in that time.
    pub limit: u32,
    /// When the next that waits may be made, where that is known.
    pub next: Option<Timestamp>,
    /// Its place among those that wait, from 1.
    pub place: usize,
}

/// Decides which call may be made next.
#[derive(Debug, Default)]
pub struct Cooldowns {
    lanes: BTreeMap<CooldownLane, Lane>,
    asks: BTreeMap<HeldCall, (CooldownLane, Ticket)>,
    due: BTreeSet<(Timestamp, CooldownLane)>,
    arrivals: u64,
}

type Ticket = (Reverse<Priority>, u64);

#[derive(Debug, Default)]
struct Lane {
    made: Vec<Made>,
    waiting: BTreeMap<Ticket, Ask>,
    /// Whether something of it is being written.
    is_busy: bool,
    due: Option<Timestamp>,
}

impl Cooldowns {
    /// Takes in what happened at `now` and says what to do.
    pub fn on(&mut self, input: PaceInput, now: Timestamp) -> Vec<PaceOutput> {
        let mut out = Vec::new();
        match input {
            PaceInput::Stored { lane, made } => {
                self.lanes.entry(lane.clone()).or_default().made = made;
                self.look_at(&lane, now, &mut out);
            }
            PaceInput::Asked(ask) => self.ask(ask, now, &mut out),
            PaceInput::Answered { lane, is_made } => {
                if let Some(found) = self.lanes.get_mut(&lane) {
                    found.is_busy = false;
                    if !is_made {
                        found.made.pop();
                    }
                }
                self.look_at(&lane, now, &mut out);
            }
            PaceInput::Forgotten(lane) => {
                if let Some(found) = self.lanes.get_mut(&lane) {
                    found.is_busy = false;
                    if found.waiting.is_empty() {
                        self.lanes.remove(&lane);
                    }
                }
                self.look_at(&lane, now, &mut out);
            }
            PaceInput::Ended(execution) => self.drop_calls_of(execution),
            PaceInput::Tick => {}
        }
        while let Some((_, lane)) = self.due.first().cloned().filter(|(due, _)| *due <= now) {
            self.look_at(&lane, now, &mut out);
        }
        out
    }

    /// When it wants a [`PaceInput::Tick`].
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(due, _)| *due)
    }

    /// What a call waits for; none where it does not.
    pub fn wait(&self, call: HeldCall) -> Option<Pause> {
        let (lane, ticket) = self.asks.get(&call)?;
        let lane = self.lanes.get(lane)?;
        let ask = lane.waiting.get(ticket)?;
        let place = lane.waiting.range(..ticket).count() + 1;
        Some(Pause { limit: ask.limit, next: lane.due, place })
    }

    fn ask(&mut self, ask: Ask, now: Timestamp, out: &mut Vec<PaceOutput>) {
        if self.asks.contains_key(&ask.call) {
            return;
        }
        self.arrivals += 1;
        let ticket = (Reverse(ask.priority), self.arrivals);
        let lane = ask.lane.clone();
        self.asks.insert(ask.call, (lane.clone(), ticket));
        self.lanes.entry(lane.clone()).or_default().waiting.insert(ticket, ask);
        self.look_at(&lane, now, out);
    }

    fn drop_calls_of(&mut self, execution: ExecutionId) {
        let calls = (execution, Sequence(0))..=(execution, Sequence(u64::MAX));
        let gone: Vec<HeldCall> = self.asks.range(calls).map(|(call, _)| *call).collect();
        for call in gone {
            if let Some((lane, ticket)) = self.asks.remove(&call)
                && let Some(found) = self.lanes.get_mut(&lane)
            {
                found.waiting.remove(&ticket);
            }
        }
    }

    /// Does for a lane what is to be done now, or notes when it is to be looked at again.
    fn look_at(&mut self, name: &CooldownLane, now: Timestamp, out: &mut Vec<PaceOutput>) {
        let Some(lane) = self.lanes.get_mut(name) else { return };
        if let Some(due) = lane.due.take() {
            self.due.remove(&(due, name.clone()));
        }
        if lane.is_busy {
            return;
        }
        lane.made.retain(|made| made.until > now);
        let due = match lane.waiting.first_key_value() {
            None => lane.made.iter().map(|made| made.until).min(),
            Some((_, ask)) => next(&lane.made, ask, now),
        };
        if let Some(due) = due {
            lane.due = Some(due);
            self.due.insert((due, name.clone()));
            return;
        }
        lane.is_busy = true;
        let Some((_, ask)) = lane.waiting.pop_first() else {
            return out.push(PaceOutput::Forget(name.clone()));
        };
        self.asks.remove(&ask.call);
        let until = Timestamp(ask.per.after(now.0));
        lane.made.push(Made { at: now, until });
        let (call, made) = (ask.call, lane.made.clone());
        out.push(PaceOutput::Grant { call, lane: name.clone(), made });
    }
}

/// When a call may be made beside those that were; none where that is now.
fn next(made: &[Made], ask: &Ask, now: Timestamp) -> Option<Timestamp> {
    let mut ends: Vec<i64> =
        made.iter().map(|made| ask.per.after(made.at.0)).filter(|end| *end > now.0).collect();
    ends.sort_unstable();
    let over = ends.len().checked_sub(ask.limit as usize)?;
    ends.get(over).copied().map(Timestamp)
}

#[cfg(test)]
mod tests;
