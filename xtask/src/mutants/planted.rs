//! The planted bugs. Each breaks one promise, and one narrow command must notice.

/// A bug that the tests must catch.
#[derive(Debug)]
pub(super) struct Mutant {
    /// What the bug does.
    pub(super) name: &'static str,
    /// The file it is planted in.
    pub(super) file: &'static str,
    /// The text that stands there, exactly once.
    pub(super) search: &'static str,
    /// The text that takes its place.
    pub(super) replacement: &'static str,
    /// What cargo is told to do, and must fail at.
    pub(super) command: &'static [&'static str],
}

const EXPR: &[&str] = &["test", "-p", "tutti-expr", "--test", "it"];
const HTTP: &[&str] = &["test", "-p", "tutti-connectors", "--test", "it", "http"];
const JOURNAL: &[&str] = &["test", "-p", "tutti-journal", "--test", "it"];
const RUNTIME: &[&str] = &["test", "-p", "tutti-runtime", "--lib"];
const STORE: &[&str] = &["test", "-p", "tutti-store", "--test", "it"];
const SIM: &[&str] = &["run", "-p", "tutti-sim", "--", "--seconds", "20", "--from", "1"];
const ATTEMPTS: &[&str] = &["test", "-p", "tutti-sim", "--test", "it", "attempts"];
const GOING_BACK: &[&str] = &["test", "-p", "tutti-sim", "--test", "it", "going_back"];
const SCENARIOS: &[&str] = &["test", "-p", "tutti-sim", "--test", "it", "scenarios"];

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "acknowledge before the commit",
        file: "crates/tutti-runtime/src/owner/durable.rs",
        search: "        self.outputs.push(Output::Commit(mem::take(&mut batch.commit)));",
        replacement: "        let replies = mem::take(&mut batch.replies).into_iter();
        self.outputs.extend(replies.map(|request| Output::Reply(request, Ok(()))));
        self.outputs.push(Output::Commit(mem::take(&mut batch.commit)));",
        command: SIM,
    },
    Mutant {
        name: "skip the chain check",
        file: "crates/tutti-journal/src/row.rs",
        search: "if self.previous != previous {",
        replacement: "if false && self.previous != previous {",
        command: JOURNAL,
    },
    Mutant {
        name: "skip the digest of the entries",
        file: "crates/tutti-journal/src/row.rs",
        search: "if self.expected_digest() != self.digest {",
        replacement: "if false && self.expected_digest() != self.digest {",
        command: JOURNAL,
    },
    Mutant {
        name: "drop the taint in a product",
        file: "crates/tutti-expr/src/natives/operators.rs",
        search: "return Ok(Value::computed(left * right).tainted_if(mark));",
        replacement: "return Ok(Value::computed(left * right));",
        command: EXPR,
    },
    Mutant {
        name: "drop the taint in a negation",
        file: "crates/tutti-expr/src/natives/operators.rs",
        search: "Ok(negated.tainted_if(mark))",
        replacement: "Ok(negated)",
        command: EXPR,
    },
    Mutant {
        name: "take null for true in a condition",
        file: "crates/tutti-expr/src/expression.rs",
        search: "None if value.is_null() => Ok(false),",
        replacement: "None if value.is_null() => Ok(true),",
        command: EXPR,
    },
    Mutant {
        name: "make a call without recording its dispatch",
        file: "crates/tutti-engine/src/advance.rs",
        search: "                self.record(Entry::CallDispatched { task });
                Ok(())",
        replacement: "                Ok(())",
        command: SCENARIOS,
    },
    Mutant {
        name: "repeat a `once` call after a crash",
        file: "crates/tutti-engine/src/advance.rs",
        search: "        let error = unknown_outcome(record, cause);
        self.record(Entry::CallOutcomeUnknown { task, error, probed: false });",
        replacement: "        let _ = unknown_outcome(record, cause);
        self.record(Entry::CallRescheduled { task });",
        command: SIM,
    },
    Mutant {
        name: "take the result of an earlier attempt",
        file: "crates/tutti-engine/src/advance.rs",
        search: "if record.attempt != attempt {\n            return Err(Rejection::Stale { task });
        }
        let (call, ending)",
        replacement:
            "if record.attempt < attempt {\n            return Err(Rejection::Stale { task });
        }
        let (call, ending)",
        command: ATTEMPTS,
    },
    Mutant {
        name: "fire timers early",
        file: "crates/tutti-runtime/src/timers.rs",
        search: "filter(|(due, _)| *due <= now)",
        replacement: "filter(|(due, _)| due.0 <= now.0 + 1_000)",
        command: RUNTIME,
    },
    Mutant {
        name: "let waits end early",
        file: "crates/tutti-engine/src/advance.rs",
        search: "        let now = self.surroundings.now;
        if self.execution.is_still()",
        replacement: "        let now = tutti_journal::Timestamp(self.surroundings.now.0 + 1_000);
        if self.execution.is_still()",
        command: SIM,
    },
    Mutant {
        name: "hand over another idempotency key",
        file: "crates/tutti-runtime/src/owner/calls.rs",
        search: "        key: call.key,",
        replacement: "        key: format!(\"{}-{}\", call.key, call.attempt).into(),",
        command: SIM,
    },
    Mutant {
        name: "send no idempotency key",
        file: "crates/tutti-connectors/src/http/outgoing.rs",
        search: "HeaderName::from_static(\"idempotency-key\")",
        replacement: "HeaderName::from_static(\"x-key\")",
        command: HTTP,
    },
    Mutant {
        name: "leave out the high-water check",
        file: "crates/tutti-store/src/sqlite.rs",
        search: "schema::open(&directory, mark.read()?)",
        replacement: "schema::open(&directory, mark.read()?.filter(|_| false))",
        command: STORE,
    },
    Mutant {
        name: "drop the fence of the journal's end",
        file: "crates/tutti-store/src/check.rs",
        search: "if row.first != self.next || row.previous != self.digest {",
        replacement: "if false && (row.first != self.next || row.previous != self.digest) {",
        command: STORE,
    },
    Mutant {
        name: "append at a wrong sequence",
        file: "crates/tutti-store/src/check.rs",
        search: "if row.first != self.next || row.previous != self.digest {",
        replacement: "if row.previous != self.digest {",
        command: STORE,
    },
    Mutant {
        name: "read without the checksum of a definition's name",
        file: "crates/tutti-store/src/sqlite/read.rs",
        search: "if columns.next::<[u8; 16]>()? != definition_checksum(&read) {",
        replacement: "if false && columns.next::<[u8; 16]>()? != definition_checksum(&read) {",
        command: STORE,
    },
    Mutant {
        name: "lose timers on restart",
        file: "crates/tutti-runtime/src/owner/loading.rs",
        search: "        self.carry_out_owed(id, owed, now);
        for awaiting in awaiting {",
        replacement: "        self.carry_out_owed(id, owed, now);
        self.timers.set(id, None);
        for awaiting in awaiting {",
        command: SIM,
    },
    Mutant {
        name: "lose timers in a snapshot",
        file: "crates/tutti-engine/src/image.rs",
        search: "            self.timers.extend(frame.due_times().map(|due| (due, *id)));
",
        replacement: "",
        command: SIM,
    },
    Mutant {
        name: "drop a task's timeout when another time of it is armed",
        file: "crates/tutti-engine/src/execution.rs",
        search: "timeout.into_iter().chain(own)",
        replacement: "own.or(timeout).into_iter()",
        command: SIM,
    },
    Mutant {
        name: "drop a timer when another execution's is armed",
        file: "crates/tutti-runtime/src/timers.rs",
        search: "            self.by_time.insert((due, execution));",
        replacement: "            self.by_time.clear();
            self.by_time.insert((due, execution));",
        command: SIM,
    },
    Mutant {
        name: "use the key of a call that ended well in the next try",
        file: "crates/tutti-engine/src/apply/attempts.rs",
        search: "            Body::Call { phase: CallPhase::Done(Ok(_)), .. } => return,
",
        replacement: "",
        command: SCENARIOS,
    },
    Mutant {
        name: "complete a call twice",
        file: "crates/tutti-engine/src/advance.rs",
        search: "        let (call, ending) = (record.clone(), frame.ending.is_some());",
        replacement: "        let (call, ending) = (record.clone(), frame.ending.is_some());
        if let CallOutcome::Completed(output) = &outcome {
            self.record(Entry::CallCompleted { task, output: output.clone() });
        }",
        command: SIM,
    },
    Mutant {
        name: "drop the taint where texts are joined",
        file: "crates/tutti-expr/src/natives/operators.rs",
        search: "return join(context, left, right).map(|text| text.tainted_if(mark));",
        replacement: "return join(context, left, right);",
        command: SIM,
    },
    Mutant {
        name: "go back without the branches beside",
        file: "crates/tutti-engine/src/rewind/path.rs",
        search: "forks && *below != Some(id)",
        replacement: "false && forks && *below != Some(id)",
        command: GOING_BACK,
    },
    Mutant {
        name: "note an undo twice",
        file: "crates/tutti-engine/src/apply/undo.rs",
        search: "if matches!(frame.body, Body::After(_) | Body::Bypassed(_)) {",
        replacement: "if matches!(frame.body, Body::Bypassed(_)) {",
        command: SIM,
    },
    Mutant {
        name: "undo the oldest first",
        file: "crates/tutti-engine/src/execution.rs",
        search: "self.undos.last_key_value()",
        replacement: "self.undos.first_key_value()",
        command: SIM,
    },
    Mutant {
        name: "undo without end what was undone",
        file: "crates/tutti-engine/src/apply/undo.rs",
        search: "taken = frame.undos.remove(&completed)",
        replacement: "taken = frame.undos.get(&completed).cloned()",
        command: SIM,
    },
    Mutant {
        name: "undo nothing on a cancel",
        file: "crates/tutti-engine/src/execution.rs",
        search: "(_, Some(Ending::Fault(_) | Ending::Cancel)) => self.role == Role::Workflow,",
        replacement: "(_, Some(Ending::Fault(_))) => self.role == Role::Workflow,",
        command: SIM,
    },
    Mutant {
        name: "deliver an event twice to one listener",
        file: "crates/tutti-engine/src/apply/events.rs",
        search: "        self.lines.entry(owner).or_default().insert(position);
        self.touch(task, |frame| {
            let Body::Listen(state) = &mut frame.body else { return };
            state.after = state.after.max(position);
",
        replacement: "        self.touch(task, |frame| {
            let Body::Listen(state) = &mut frame.body else { return };
",
        command: SIM,
    },
    Mutant {
        name: "hear again what was consumed on the line of flow",
        file: "crates/tutti-engine/src/decide/events.rs",
        search: "if position <= state.after || self.execution.has_consumed(frame, position) {",
        replacement: "if position <= state.after {",
        command: SIM,
    },
    Mutant {
        name: "hear events from before the execution",
        file: "crates/tutti-engine/src/decide/events.rs",
        search: "let after = self.execution.events_after;",
        replacement: "let after = EventPosition(0);",
        command: SIM,
    },
    Mutant {
        name: "skip what an extension does after a task that is tried again",
        file: "crates/tutti-engine/src/apply/extension.rs",
        search: "        let mut lists = frame.extensions.iter().enumerate().take(below).rev();",
        replacement: "        let again = |around: &Frame| matches!(&around.body, Body::Try(it) if it.retries > 0);
        if self.ancestors(frame).any(again) {
            return None;
        }
        let mut lists = frame.extensions.iter().enumerate().take(below).rev();",
        command: SIM,
    },
    Mutant {
        name: "do what a turn asks for before it is stored",
        file: "crates/tutti-runtime/src/owner.rs",
        search: "        self.pending.owed.push((id, owed));
        self.pending.published.push((turn, resident.execution.workflow().clone()));
        if resident.wants_turn() && !resident.queued {
            resident.queued = true;
            self.busy.push_back(id);
        }
",
        replacement: "        self.pending.published.push((turn, resident.execution.workflow().clone()));
        if resident.wants_turn() && !resident.queued {
            resident.queued = true;
            self.busy.push_back(id);
        }
        self.carry_out_owed(id, owed, now);
",
        command: SIM,
    },
    Mutant {
        name: "show turns in another order than they were stored in",
        file: "crates/tutti-runtime/src/owner/durable.rs",
        search: "for (turn, workflow) in batch.published {",
        replacement: "for (turn, workflow) in batch.published.into_iter().rev() {",
        command: SIM,
    },
    Mutant {
        name: "show a secret in an error",
        file: "crates/tutti-journal/src/error.rs",
        search: "fmt::Debug::fmt(&self.to_value(), f)",
        replacement: "f.write_str(&self.to_value().to_json())",
        command: SIM,
    },
    Mutant {
        name: "undo what undoing did",
        file: "crates/tutti-engine/src/apply/passage.rs",
        search: "            // What undoing did is not undone in its turn.\n",
        replacement: "            self.hand_undos_up(parent, &mut frame.undos);\n",
        command: SCENARIOS,
    },
    Mutant {
        name: "let tasks after a fork hear what its branches heard",
        file: "crates/tutti-engine/src/apply/extension.rs",
        search: "        self.join_branches(task);\n",
        replacement: "",
        command: SCENARIOS,
    },
];
