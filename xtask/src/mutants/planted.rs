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
        if self.execution.suspended.is_some()",
        replacement: "        let now = tutti_journal::Timestamp(self.surroundings.now.0 + 1_000);
        if self.execution.suspended.is_some()",
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
];
