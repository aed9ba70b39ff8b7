//! Decides who is admitted: first the business key, then room, in the order of priority and arrival. Sans-IO.

use std::collections::{BTreeMap, BTreeSet};

use tutti_dsl::{Duration, Priority};
use tutti_ids::ExecutionId;
use tutti_journal::Timestamp;

use super::lane::{KeyLane, Lanes, RoomLane, Ticket};

/// What an execution has to pass before it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Its priority.
    pub priority: Priority,
    /// The business key, if it has one.
    pub key: Option<KeyTerms>,
    /// The limit, if there is one.
    pub room: Option<RoomTerms>,
}

/// How an execution gets its business key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyTerms {
    /// The key.
    pub lane: KeyLane,
    /// Whether it has the key already, as it was started only because the key was free.
    pub has_it: bool,
    /// Whether what came before under the key is cancelled for it.
    pub replaces: bool,
    /// How long the key is also held after the end of who had it.
    pub held_for: Option<Duration>,
}

/// A limit of executions at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomTerms {
    /// Who counts together.
    pub lane: RoomLane,
    /// How many of them, as the execution's own version says.
    pub limit: u32,
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// An execution has come that has terms. Told again it means no more.
    Entered {
        /// Which.
        execution: ExecutionId,
        /// What it has to pass.
        terms: Terms,
        /// Since when it waits; none where it has been admitted, or was free to begin.
        held: Option<Timestamp>,
        /// When the last execution under its key ended, where that is known.
        key_ended: Option<Timestamp>,
    },
    /// An execution has ended, or will never be heard of again.
    Ended {
        /// Which.
        execution: ExecutionId,
        /// When.
        at: Timestamp,
    },
    /// Time has passed.
    Tick,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Admit this execution. It counts as admitted from now on.
    Admit(ExecutionId),
    /// Cancel this execution: another takes its place under its key.
    Replace {
        /// Who goes.
        execution: ExecutionId,
        /// Who comes.
        by: ExecutionId,
    },
}

/// Why an execution waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// For what.
    pub what: WaitFor,
    /// Since when.
    pub since: Timestamp,
    /// Its place among those that wait for the same, from 1.
    pub place: usize,
}

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitFor {
    /// A business key.
    Key {
        /// Which.
        lane: KeyLane,
        /// Who has it.
        holder: Option<ExecutionId>,
        /// Until when it is held though who had it has ended.
        until: Option<Timestamp>,
    },
    /// Room.
    Room {
        /// Among whom.
        lane: RoomLane,
        /// How many may go on at once.
        limit: u32,
        /// How many do.
        admitted: usize,
    },
}

/// Decides which of the executions that are held is admitted next.
#[derive(Debug, Default)]
pub struct Admitter {
    keys: Lanes<KeyLane>,
    rooms: Lanes<RoomLane>,
    known: BTreeMap<ExecutionId, Entrant>,
    /// When a key that nobody has is free.
    due: BTreeSet<(Timestamp, KeyLane)>,
    arrivals: u64,
}

#[derive(Debug)]
struct Entrant {
    terms: Terms,
    ticket: Ticket,
    since: Timestamp,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    WaitsForKey,
    WaitsForRoom,
    Admitted,
}

impl Admitter {
    /// Takes in what happened at `now` and says what to do.
    pub fn on(&mut self, input: Input, now: Timestamp) -> Vec<Output> {
        let mut out = Vec::new();
        match input {
            Input::Entered { execution, terms, held, key_ended } => {
                if !self.known.contains_key(&execution) {
                    self.enter(execution, &terms, (held, key_ended), now, &mut out);
                }
            }
            Input::Ended { execution, at } => self.leave(execution, at, now, &mut out),
            Input::Tick => {}
        }
        self.hand_out_keys_due(now, &mut out);
        out
    }

    /// When it wants a [`Input::Tick`].
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Whether the execution is known: it waits, or counts as admitted.
    pub fn knows(&self, execution: ExecutionId) -> bool {
        self.known.contains_key(&execution)
    }

    /// Who has a key or waits for it.
    pub fn under(&self, lane: &KeyLane) -> Vec<ExecutionId> {
        let lane = self.keys.get(lane);
        let inside = lane.iter().flat_map(|lane| lane.inside.iter().copied());
        let waiting =
            lane.iter().flat_map(|lane| lane.waiting.iter().map(|ticket| ticket.execution));
        inside.chain(waiting).collect()
    }

    /// How many wait for room among these.
    pub fn waiting(&self, lane: &RoomLane) -> usize {
        self.rooms.get(lane).map_or(0, |lane| lane.waiting.len())
    }

    /// Why an execution waits; none where it does not.
    pub fn wait(&self, execution: ExecutionId) -> Option<Wait> {
        let entrant = self.known.get(&execution)?;
        let (what, place) = match (entrant.stage, &entrant.terms) {
            (Stage::WaitsForKey, Terms { key: Some(key), .. }) => {
                let lane = self.keys.get(&key.lane)?;
                let holder = lane.inside.first().copied();
                let until = lane.ended.map(|ended| free_at(key, ended));
                let until = until.filter(|_| holder.is_none());
                let what = WaitFor::Key { lane: key.lane.clone(), holder, until };
                (what, lane.place(&entrant.ticket))
            }
            (Stage::WaitsForRoom, Terms { room: Some(room), .. }) => {
                let lane = self.rooms.get(&room.lane)?;
                let (limit, admitted) = (room.limit, lane.inside.len());
                let what = WaitFor::Room { lane: room.lane.clone(), limit, admitted };
                (what, lane.place(&entrant.ticket))
            }
            _ => return None,
        };
        Some(Wait { what, since: entrant.since, place })
    }

    fn enter(
        &mut self,
        execution: ExecutionId,
        terms: &Terms,
        (held, key_ended): (Option<Timestamp>, Option<Timestamp>),
        now: Timestamp,
        out: &mut Vec<Output>,
    ) {
        self.arrivals += 1;
        let ticket = Ticket::new(terms.priority, self.arrivals, execution);
        let since = held.unwrap_or(now);
        let has_key = terms.key.as_ref().is_none_or(|key| held.is_none() || key.has_it);
        let stage = match held {
            None => Stage::Admitted,
            Some(_) if has_key => Stage::WaitsForRoom,
            Some(_) => Stage::WaitsForKey,
        };
        self.known.insert(execution, Entrant { terms: terms.clone(), ticket, since, stage });
        if let Some(key) = &terms.key {
            let lane = self.keys.entry(&key.lane);
            lane.ended = lane.ended.max(key_ended);
            if has_key {
                lane.inside.insert(execution);
            } else {
                lane.waiting.insert(ticket);
                if key.replaces {
                    let before = lane.waiting.iter().filter(|other| other.arrived_before(&ticket));
                    let before = before.map(|other| other.execution);
                    let going = lane.inside.iter().copied().chain(before);
                    let by = execution;
                    out.extend(going.map(|execution| Output::Replace { execution, by }));
                }
                self.hand_out_key(&key.lane, now, out);
            }
        }
        match stage {
            Stage::WaitsForKey => {}
            Stage::WaitsForRoom => self.ask_for_room(execution, out),
            Stage::Admitted => {
                if let Some(room) = &terms.room {
                    self.rooms.entry(&room.lane).inside.insert(execution);
                }
            }
        }
    }

    fn leave(
        &mut self,
        execution: ExecutionId,
        at: Timestamp,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) {
        let Some(Entrant { terms, ticket, .. }) = self.known.remove(&execution) else { return };
        if let Some(room) = &terms.room {
            let lane = self.rooms.entry(&room.lane);
            lane.inside.remove(&execution);
            lane.waiting.remove(&ticket);
            self.fill(&room.lane, out);
        }
        if let Some(key) = &terms.key {
            let lane = self.keys.entry(&key.lane);
            lane.waiting.remove(&ticket);
            if lane.inside.remove(&execution) {
                lane.ended = lane.ended.max(Some(at));
            }
            self.hand_out_key(&key.lane, now, out);
        }
    }

    fn hand_out_keys_due(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        while let Some((due, lane)) = self.due.first().cloned().filter(|(due, _)| *due <= now) {
            self.due.remove(&(due, lane.clone()));
            self.hand_out_key(&lane, now, out);
        }
    }

    /// Gives the key to who is next, if nobody has it.
    fn hand_out_key(&mut self, key: &KeyLane, now: Timestamp, out: &mut Vec<Output>) {
        let lane = self.keys.entry(key);
        let next = lane.first().filter(|_| lane.inside.is_empty());
        let ended = lane.ended;
        let Some(ticket) = next else { return self.keys.tidy(key) };
        let Some(entrant) = self.known.get_mut(&ticket.execution) else { return };
        let terms = entrant.terms.key.as_ref();
        let free = terms.zip(ended).map(|(terms, ended)| free_at(terms, ended));
        if let Some(due) = free.filter(|due| *due > now) {
            self.due.insert((due, key.clone()));
            return;
        }
        entrant.stage = Stage::WaitsForRoom;
        let lane = self.keys.entry(key);
        lane.waiting.remove(&ticket);
        lane.inside.insert(ticket.execution);
        self.ask_for_room(ticket.execution, out);
    }

    fn ask_for_room(&mut self, execution: ExecutionId, out: &mut Vec<Output>) {
        let Some(entrant) = self.known.get_mut(&execution) else { return };
        match &entrant.terms.room {
            None => {
                entrant.stage = Stage::Admitted;
                out.push(Output::Admit(execution));
            }
            Some(room) => {
                let lane = room.lane.clone();
                self.rooms.entry(&lane).waiting.insert(entrant.ticket);
                self.fill(&lane, out);
            }
        }
    }

    /// Admits those whose turn it is, as long as there is room.
    fn fill(&mut self, room: &RoomLane, out: &mut Vec<Output>) {
        loop {
            let lane = self.rooms.entry(room);
            let Some(ticket) = lane.first() else { return self.rooms.tidy(room) };
            let Some(entrant) = self.known.get_mut(&ticket.execution) else { return };
            let limit = entrant.terms.room.as_ref().map_or(0, |room| room.limit);
            if lane.inside.len() >= limit as usize {
                return;
            }
            entrant.stage = Stage::Admitted;
            lane.waiting.remove(&ticket);
            lane.inside.insert(ticket.execution);
            out.push(Output::Admit(ticket.execution));
        }
    }

    #[cfg(test)]
    fn is_empty(&self) -> bool {
        self.keys.len() + self.rooms.len() + self.known.len() == 0
    }
}

/// When a key is free whose last holder has ended then. What replaces need not wait.
fn free_at(terms: &KeyTerms, ended: Timestamp) -> Timestamp {
    match terms.held_for {
        Some(held_for) if !terms.replaces => Timestamp(held_for.after(ended.0)),
        _ => ended,
    }
}

#[cfg(test)]
mod tests;
