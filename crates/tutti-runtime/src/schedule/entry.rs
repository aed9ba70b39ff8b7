//! One schedule as a scheduler holds it: which times are decided, and which are not yet.

use std::collections::{BTreeSet, VecDeque};

use tutti_dsl::{Misfire, Overlap};
use tutti_journal::Timestamp;

use super::{
    input::Past,
    output::{Count, Missed, Output, Reason, Why},
    spec::{ScheduleId, Spec, Timing},
};

/// How late a start is that is still on time, jitter aside.
pub(super) const ON_TIME_MS: u64 = 60_000;
/// Nominal times that wait for the executions before them.
pub(super) const MAX_QUEUED: usize = 100;
/// Nominal times whose time has come and that are not decided; those after them are looked at later.
const MAX_PENDING: usize = 1_000;
/// Missed times that are counted.
const MAX_COUNTED: u32 = 10_000;

/// A schedule.
#[derive(Debug)]
pub(super) struct Entry {
    id: ScheduleId,
    spec: Spec,
    anchor: Timestamp,
    /// Every nominal time up to here is pending or decided; for `after`, what the delay counts from.
    seen: Timestamp,
    pending: VecDeque<Pending>,
    /// The nominal times whose executions have not ended.
    running: BTreeSet<Timestamp>,
    /// Those of them that are to be cancelled.
    cancelling: BTreeSet<Timestamp>,
    queued: VecDeque<Timestamp>,
    /// Whether it rests until a person has said what becomes of missed times.
    pub(super) rests: bool,
    /// Whether it stands in the backlog.
    pub(super) takes_turns: bool,
}

/// A nominal time whose time has come, or many that are given up; in their order.
#[derive(Debug)]
enum Pending {
    OnTime(Timestamp),
    CatchUp(Timestamp),
    Missed(Missed),
}

impl Entry {
    pub(super) fn new(id: ScheduleId, spec: Spec, past: Past) -> Self {
        let Past { anchor, decided, running, queued, last_ended } = past;
        let counted = if matches!(spec.timing, Timing::After(_)) { last_ended } else { None };
        Self {
            id,
            anchor,
            seen: anchor.max(decided.unwrap_or(anchor)).max(counted.unwrap_or(anchor)),
            pending: VecDeque::new(),
            running: running.into_iter().collect(),
            cancelling: BTreeSet::new(),
            queued: queued.into_iter().collect(),
            rests: false,
            takes_turns: false,
            spec,
        }
    }

    /// The next nominal time that has not been looked at.
    fn next(&self) -> Option<Timestamp> {
        let is_after = matches!(self.spec.timing, Timing::After(_));
        let goes_on =
            !(self.running.is_empty() && self.queued.is_empty() && self.pending.is_empty());
        if is_after && goes_on {
            return None;
        }
        self.spec.timing.next(self.anchor, self.seen)
    }

    /// When it is to be looked at again.
    pub(super) fn due(&self) -> Option<Timestamp> {
        if self.rests || self.pending.len() >= MAX_PENDING {
            return None;
        }
        self.next().map(|nominal| self.due_of(nominal))
    }

    fn due_of(&self, nominal: Timestamp) -> Timestamp {
        nominal.plus_ms(self.id.jitter_ms(nominal, self.spec.jitter_ms))
    }

    /// Nominal times up to here are missed if they have not been looked at.
    fn horizon(&self, now: Timestamp) -> Timestamp {
        Timestamp(now.0.saturating_sub_unsigned(ON_TIME_MS.saturating_add(self.spec.jitter_ms)))
    }

    /// The first time that was missed, or that waits.
    pub(super) fn first_missed(&self, now: Timestamp) -> Option<Timestamp> {
        let missed = self.next().filter(|nominal| *nominal <= self.horizon(now));
        self.queued.front().copied().or(missed)
    }

    /// Takes note of the times that have come.
    pub(super) fn look(&mut self, now: Timestamp) {
        while !self.rests && self.pending.len() < MAX_PENDING {
            let Some(nominal) = self.next().filter(|nominal| self.due_of(*nominal) <= now) else {
                return;
            };
            if nominal <= self.horizon(now) {
                self.make_up_for_missed(nominal, now);
            } else {
                self.pending.push_back(Pending::OnTime(nominal));
                self.seen = nominal;
            }
        }
    }

    /// Applies the misfire policy to what was missed from `first` on.
    fn make_up_for_missed(&mut self, first: Timestamp, now: Timestamp) {
        if matches!(self.spec.timing, Timing::After(_)) {
            return self.make_up_for_one(first, now);
        }
        let through = self.horizon(now);
        let made_up_for = match self.spec.misfire {
            Misfire::Skip => Vec::new(),
            Misfire::RunOnce { within } => {
                let mut last = self.last_times(first, through, 1);
                last.retain(|nominal| within.after(nominal.0) >= now.0);
                last
            }
            Misfire::RunAll { max } => self.last_times(first, through, max as usize),
        };
        let before = made_up_for.first().copied();
        self.give_up(first, through, before, Reason::Misfire);
        self.pending.extend(made_up_for.into_iter().map(Pending::CatchUp));
        self.seen = through;
    }

    /// Of `after` there is one time only, and after it was given up the delay counts from now.
    fn make_up_for_one(&mut self, nominal: Timestamp, now: Timestamp) {
        let given_up = match self.spec.misfire {
            Misfire::Skip => true,
            Misfire::RunOnce { within } => within.after(nominal.0) < now.0,
            Misfire::RunAll { .. } => false,
        };
        self.seen = if given_up { now } else { nominal };
        let missed = self.missed(nominal, Reason::Misfire);
        self.pending.push_back(if given_up {
            Pending::Missed(missed)
        } else {
            Pending::CatchUp(nominal)
        });
    }

    /// The last nominal times between two moments, at most so many: from a part of the time that grows until it has them.
    fn last_times(&self, first: Timestamp, through: Timestamp, count: usize) -> Vec<Timestamp> {
        let mut span: u64 = 60_000;
        loop {
            let from =
                Timestamp(through.0.saturating_sub_unsigned(span)).max(Timestamp(first.0 - 1));
            let mut found = VecDeque::new();
            for nominal in self.times(from).take_while(|nominal| *nominal <= through) {
                found.push_back(nominal);
                if found.len() > count {
                    found.pop_front();
                }
            }
            if found.len() >= count || from < first {
                return found.into();
            }
            span = span.saturating_mul(4);
        }
    }

    fn times(&self, after: Timestamp) -> impl Iterator<Item = Timestamp> {
        let next = |last: &Timestamp| self.spec.timing.next(self.anchor, *last);
        std::iter::successors(next(&after), next)
    }

    /// Records the nominal times from `first` to `through`, those from `before` on excepted.
    fn give_up(
        &mut self,
        first: Timestamp,
        through: Timestamp,
        before: Option<Timestamp>,
        reason: Reason,
    ) {
        let given_up = |nominal: &Timestamp| {
            *nominal <= through && before.is_none_or(|before| *nominal < before)
        };
        if !given_up(&first) {
            return;
        }
        let counted = self.times(Timestamp(first.0 - 1)).take_while(given_up);
        let mut missed = self.missed(first, reason);
        let mut count = 0;
        for nominal in counted.take(MAX_COUNTED as usize) {
            (missed.last, count) = (nominal, count + 1);
        }
        missed.count = Count::Exactly(count);
        if self.spec.timing.next(self.anchor, missed.last).is_some_and(|next| given_up(&next)) {
            missed.count = Count::AtLeast(count);
            let end = before.map_or(through, |before| Timestamp(before.0 - 1));
            missed.last = self.last_times(first, end, 1).pop().unwrap_or(missed.last);
        }
        self.pending.push_back(Pending::Missed(missed));
    }

    fn missed(&self, nominal: Timestamp, reason: Reason) -> Missed {
        let (first, last) = (nominal, nominal);
        Missed { schedule: self.id.clone(), first, last, count: Count::Exactly(1), reason }
    }

    /// Decides what is pending, up to the first start that makes up for a missed time: that one needs a pace.
    /// Whether there is one.
    pub(super) fn settle(&mut self, out: &mut Vec<Output>) -> bool {
        while let Some(pending) = self.pending.pop_front() {
            match pending {
                Pending::OnTime(nominal) => self.decide(nominal, Why::OnTime, out),
                Pending::Missed(missed) => out.push(Output::Miss(missed)),
                Pending::CatchUp(_) => {
                    self.pending.push_front(pending);
                    return true;
                }
            }
        }
        false
    }

    /// Decides the start that [`settle`](Self::settle) stopped at.
    pub(super) fn catch_up(&mut self, out: &mut Vec<Output>) {
        match self.pending.pop_front() {
            Some(Pending::CatchUp(nominal)) => self.decide(nominal, Why::CatchUp, out),
            Some(other) => self.pending.push_front(other),
            None => {}
        }
    }

    fn decide(&mut self, nominal: Timestamp, why: Why, out: &mut Vec<Output>) {
        let is_free = self.running.is_empty() && self.queued.is_empty();
        match self.spec.overlap {
            Overlap::Allow => self.start(nominal, why, out),
            _ if is_free => self.start(nominal, why, out),
            Overlap::Skip => out.push(Output::Miss(self.missed(nominal, Reason::Overlap))),
            Overlap::Queue if self.queued.len() >= MAX_QUEUED => {
                out.push(Output::Miss(self.missed(nominal, Reason::QueueFull)));
            }
            Overlap::Queue => self.queue(nominal, out),
            Overlap::CancelPrevious => {
                for replaced in std::mem::take(&mut self.queued) {
                    out.push(Output::Miss(self.missed(replaced, Reason::Replaced)));
                }
                self.queue(nominal, out);
                self.cancel_running(out);
            }
        }
    }

    /// Says once of each execution that goes on that it is to be cancelled.
    fn cancel_running(&mut self, out: &mut Vec<Output>) {
        for nominal in &self.running {
            if self.cancelling.insert(*nominal) {
                out.push(Output::Cancel { schedule: self.id.clone(), nominal: *nominal });
            }
        }
    }

    fn start(&mut self, nominal: Timestamp, why: Why, out: &mut Vec<Output>) {
        self.running.insert(nominal);
        out.push(Output::Start { schedule: self.id.clone(), nominal, why });
    }

    fn queue(&mut self, nominal: Timestamp, out: &mut Vec<Output>) {
        self.queued.push_back(nominal);
        out.push(Output::Queue { schedule: self.id.clone(), nominal });
    }

    /// An execution has ended.
    pub(super) fn ended(&mut self, nominal: Timestamp, now: Timestamp) {
        self.cancelling.remove(&nominal);
        if self.running.remove(&nominal) && matches!(self.spec.timing, Timing::After(_)) {
            self.seen = self.seen.max(now);
        }
    }

    /// Starts what waited, as far as it needs to wait no longer.
    pub(super) fn drain(&mut self, out: &mut Vec<Output>) {
        while !self.rests && (self.running.is_empty() || self.spec.overlap == Overlap::Allow) {
            let Some(nominal) = self.queued.pop_front() else { return };
            self.start(nominal, Why::Queued, out);
        }
        // That something waits is durable before anything is cancelled for it: a crash in between is made good here.
        if self.spec.overlap == Overlap::CancelPrevious && !(self.rests || self.queued.is_empty()) {
            self.cancel_running(out);
        }
    }

    /// A person has said whether missed times are made up for.
    pub(super) fn confirm(&mut self, run: bool, now: Timestamp, out: &mut Vec<Output>) {
        if !std::mem::take(&mut self.rests) || run {
            return;
        }
        self.drop_queued(Reason::Declined, out);
        self.give_up_until(now, Reason::Declined);
    }

    /// Gives up what is not decided or waits.
    pub(super) fn deactivate(mut self, now: Timestamp, out: &mut Vec<Output>) {
        self.drop_queued(Reason::Deactivated, out);
        for pending in std::mem::take(&mut self.pending) {
            out.push(Output::Miss(match pending {
                Pending::OnTime(nominal) | Pending::CatchUp(nominal) => {
                    self.missed(nominal, Reason::Deactivated)
                }
                Pending::Missed(missed) => missed,
            }));
        }
        self.give_up_until(now, Reason::Deactivated);
        self.settle(out);
    }

    /// Gives up every time that has come and was not looked at.
    fn give_up_until(&mut self, now: Timestamp, reason: Reason) {
        let Some(first) = self.next().filter(|nominal| *nominal <= now) else { return };
        if matches!(self.spec.timing, Timing::After(_)) {
            self.pending.push_back(Pending::Missed(self.missed(first, reason)));
        } else {
            self.give_up(first, now, None, reason);
        }
        self.seen = now;
    }

    fn drop_queued(&mut self, reason: Reason, out: &mut Vec<Output>) {
        for nominal in std::mem::take(&mut self.queued) {
            out.push(Output::Miss(self.missed(nominal, reason)));
        }
    }
}
