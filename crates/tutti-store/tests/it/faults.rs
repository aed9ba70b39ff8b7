//! Whichever operation fails, and however: what was acknowledged is there, and what is there is whole.

use std::sync::Arc;

use tutti_store::{
    Commit, Error, Fault, FaultyStore, MemoryStore, SqliteStore, Status, Store, StoredTurn,
    contract::{self, Sample, check_stored, wait},
};

/// A small caller as the runtime is one: after a failure it restarts, loads, and goes on from what is stored.
struct Caller {
    store: FaultyStore,
    turns: Vec<StoredTurn>,
    failures: u32,
}

impl Caller {
    fn new(inner: Arc<dyn Store>, number: u64, fault: Fault) -> Self {
        let mut sample = Sample::new(1);
        let status = |turn| if turn == 4 { Status::Completed } else { Status::Running };
        let turns = (0..5).map(|turn| sample.turn(&format!("turn {turn}"), status(turn)));
        let turns = turns.collect();
        Self { store: FaultyStore::failing_nth(inner, number, fault), turns, failures: 0 }
    }

    /// Works to the end, however often it has to begin again.
    fn work(&mut self) {
        while let Err(error) = self.attempt() {
            assert!(!matches!(error, Error::Conflict { .. }), "a lost answer made a conflict");
            self.failures += 1;
            assert!(self.failures <= 1, "one fault, one failure: {error}");
            self.store.restart();
        }
    }

    fn attempt(&self) -> Result<(), Error> {
        let execution = self.turns[0].row.execution;
        let open = wait(self.store.open_executions(None, 10))?;
        let text = contract::definition("one");
        let stored = wait(self.store.load(execution))?.map_or(0, |history| history.rows.len());
        assert_eq!(open.len(), usize::from(stored > 0 && stored < self.turns.len()));
        for turn in &self.turns[stored..] {
            let definitions = vec![text.clone()];
            wait(self.store.commit(Commit {
                definitions,
                turns: vec![turn.clone()],
                ..Commit::default()
            }))?;
        }
        assert_eq!(wait(self.store.definition(text.digest))?, Some(text));
        Ok(())
    }
}

/// Fails each operation in turn until none is left to fail.
fn check_every_operation(inner: &dyn Fn() -> Arc<dyn Store>) {
    for fault in Fault::ALL {
        let mut number = 0;
        loop {
            number += 1;
            let inner = inner();
            let mut caller = Caller::new(inner.clone(), number, fault);
            caller.work();
            check_stored(&*inner, caller.turns[0].row.execution, &caller.turns);
            if caller.failures == 0 {
                break;
            }
            assert!(caller.store.operations() >= 8);
        }
        assert_eq!(number, 9, "eight operations can fail");
    }
}

#[test]
fn memory_survives_the_failure_of_every_operation() {
    check_every_operation(&|| Arc::new(MemoryStore::new()));
}

#[test]
fn sqlite_survives_the_failure_of_every_operation() {
    let root = tempfile::tempdir().expect("a temporary directory can be made");
    let count = std::cell::Cell::new(0);
    check_every_operation(&|| {
        count.set(count.get() + 1);
        let directory = root.path().join(count.get().to_string());
        Arc::new(SqliteStore::open(&directory).expect("the store opens"))
    });
}

#[test]
fn a_crashed_store_stays_down_until_it_restarts() {
    let store = FaultyStore::failing_nth(Arc::new(MemoryStore::new()), 1, Fault::CrashAfter);
    let turn = Sample::new(1).turn("first", Status::Running);
    let commit = Commit { turns: vec![turn.clone()], ..Commit::default() };
    assert!(wait(store.commit(commit)).is_err());
    assert!(store.is_crashed());
    assert!(matches!(wait(store.load(turn.row.execution)), Err(Error::Unavailable { .. })));
    store.restart();
    check_stored(&store, turn.row.execution, &[turn]);
}

#[test]
fn a_lost_answer_is_ambiguous_and_a_refusal_is_not() {
    for (fault, stored) in
        [(Fault::LostAcknowledgement, true), (Fault::LostRequest, false), (Fault::Refused, false)]
    {
        let store = FaultyStore::failing_nth(Arc::new(MemoryStore::new()), 1, fault);
        let turn = Sample::new(1).turn("first", Status::Running);
        let commit = Commit { turns: vec![turn.clone()], ..Commit::default() };
        let error = wait(store.commit(commit)).err();
        let ambiguous = matches!(error, Some(Error::Ambiguous { .. }));
        assert_eq!(ambiguous, fault != Fault::Refused, "{fault:?}");
        let expected = if stored { vec![turn.clone()] } else { Vec::new() };
        check_stored(&store, turn.row.execution, &expected);
    }
}
