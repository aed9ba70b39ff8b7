//! Journals told in, lines read out.

use tutti_connectors::{LogLine, LogStream};
use tutti_dsl::Workflow;
use tutti_expr::Value;
use tutti_ids::{Digest, ExecutionId, Sequence, TaskRef};
use tutti_journal::{Entry, Error, ErrorType, Flow, Resolution, Timestamp, Turn, Unanswered};

use super::{
    model::Model,
    over,
    tree::{View, draw},
    words::{plain, told_value},
};
use crate::{command_line::Logs, console::Paint};

/// A journal that is written entry by entry, folded at once.
struct Journal {
    workflow: Workflow,
    model: Model,
    next: Sequence,
    now: i64,
    told: Vec<String>,
}

impl Journal {
    fn of(tasks: &str) -> Self {
        let text = format!(
            "document: {{ dsl: '1.0.3', namespace: t, name: flow, version: '1.0.0' }}\ndo:\n{tasks}"
        );
        let workflow = tutti_dsl::parse(&text).workflow.expect("a valid workflow");
        let definition = tutti_ids::DefinitionRef {
            namespace: "t".parse().expect("a name"),
            name: "flow".parse().expect("a name"),
            version: "1.0.0".parse().expect("a version"),
        };
        let mut journal = Self {
            workflow,
            model: Model::default(),
            next: Sequence::FIRST,
            now: 0,
            told: Vec::new(),
        };
        journal.write(Entry::ExecutionStarted {
            definition,
            digest: Digest::ZERO,
            seed: 0,
            input: Value::NULL,
            parent: None,
            events_after: None,
            key: None,
        });
        journal
    }

    fn write(&mut self, entry: Entry) -> Sequence {
        let first = self.next;
        self.next = first.next();
        let execution = ExecutionId::from_bits(1);
        let turn = Turn { execution, first, at: Timestamp(self.now), entries: vec![entry] };
        let told = &mut self.told;
        self.model.fold(&turn, &self.workflow, &mut |notice| {
            told.push(format!("{} {}", notice.word, notice.text()));
        });
        first
    }

    fn start(&mut self, reference: &str, parent: Sequence, iteration: Option<u64>) -> Sequence {
        self.write(Entry::TaskStarted {
            reference: TaskRef::new(reference),
            parent,
            iteration,
            raw: None,
            input: None,
            due: None,
            label: None,
        })
    }

    fn complete(&mut self, task: Sequence) {
        self.write(Entry::TaskCompleted {
            task,
            output: None,
            context: None,
            then: Flow::Continue,
        });
    }

    fn fault(&mut self, task: Sequence, detail: &str) {
        self.write(Entry::TaskFaulted { task, error: Error::new(ErrorType::Runtime, detail) });
    }

    fn items(&mut self, task: Sequence, count: i64, limit: Option<u64>) {
        let items = Value::array((0..count).map(Value::from));
        self.write(Entry::LoopStarted { task, items, limit });
    }

    fn drawn(&self, width: usize, height: usize) -> Vec<String> {
        let now = Timestamp(self.now);
        let paint = Paint { color: false };
        draw(&self.model, View { width, height, now, frame: 0, paint, last: false })
    }
}

const TWO: &str = "  - one: { set: { a: 1 } }\n  - two: { wait: PT10S }\n";
const FOR: &str = "  - loop: { for: { in: '${ . }' }, do: [ { a: { set: { a: 1 } } }, { b: { set: { a: 1 } } } ] }\n";
const EACH: &str =
    "  - fan: { call: each, with: { in: '${ . }', limit: 2, do: [ { a: { set: { a: 1 } } } ] } }\n";

#[test]
fn tasks_are_drawn_as_they_stand() {
    let mut journal = Journal::of(TWO);
    let one = journal.start("/do/0/one", Sequence::FIRST, None);
    journal.now = 12;
    journal.complete(one);
    let two = journal.start("/do/1/two", Sequence::FIRST, None);
    journal.write(Entry::WaitStarted { task: two, due: Timestamp(10_012) });
    journal.now = 1_512;
    let drawn = journal.drawn(60, 20);
    assert_eq!(drawn, ["⠋ flow  1.5s", "  ✔ one  12ms", "  ◷ two  1.5s · for 10.0s"]);
    assert_eq!(journal.told, ["completed /do/0/one 12ms"]);
}

#[test]
fn a_loop_keeps_one_iteration_on_the_screen() {
    let mut journal = Journal::of(FOR);
    let looped = journal.start("/do/0/loop", Sequence::FIRST, None);
    journal.items(looped, 3, None);
    for iteration in 0..2 {
        let a = journal.start("/do/0/loop/do/0/a", looped, Some(iteration));
        journal.complete(a);
        let b = journal.start("/do/0/loop/do/1/b", looped, Some(iteration));
        journal.complete(b);
    }
    journal.start("/do/0/loop/do/0/a", looped, Some(2));
    let drawn = journal.drawn(60, 20);
    assert_eq!(drawn, ["⠋ flow  0ms", "  ⠋ loop  2/3 · 0ms", "    ⠋ a  0ms"]);
    assert_eq!(journal.told[3], "completed /do/0/loop/do/1/b[1] 0ms");
    journal.complete(looped);
    assert_eq!(journal.drawn(60, 20)[1], "  ✔ loop  3/3 · 0ms");
}

#[test]
fn a_fan_out_counts_what_ended_and_shows_what_failed() {
    let mut journal = Journal::of(EACH);
    let fan = journal.start("/do/0/fan", Sequence::FIRST, None);
    journal.items(fan, 100, Some(2));
    for index in 0..12 {
        let item = journal.write(Entry::ItemStarted { task: fan, index });
        let task = journal.start("/do/0/fan/with/do/0/a", item, None);
        if index == 4 {
            journal.fault(task, "no");
            journal.fault(item, "no");
        } else if index < 11 {
            journal.complete(task);
            journal.complete(item);
        }
    }
    assert_eq!(
        journal.drawn(60, 20),
        [
            "⠋ flow  0ms",
            "  ⠋ fan  11/100 (1 failed) · 0ms",
            "    ✘ [4]  0ms · runtime: no",
            "      ✘ a  0ms · runtime: no",
            "    ⠋ [11]  0ms",
            "      ⠋ a  0ms",
        ]
    );
}

#[test]
fn retries_are_counted_as_attempts() {
    let mut journal = Journal::of("  - t: { try: [ { a: { set: { a: 1 } } } ], catch: {} }\n");
    let tried = journal.start("/do/0/t", Sequence::FIRST, None);
    let task = journal.start("/do/0/t/try/0/a", tried, None);
    journal.fault(task, "bad\nluck");
    let error = Error::new(ErrorType::Runtime, "bad\nluck");
    journal.write(Entry::RetryScheduled { task: tried, retry: 1, due: Timestamp(2_000), error });
    let drawn = journal.drawn(60, 20);
    assert_eq!(drawn[1], "  ◷ t  attempt 2 · 0ms · again in 2.0s: runtime: bad␤luck");
    assert_eq!(journal.told[1], "retrying /do/0/t in 2.0s (retry 1): runtime: bad␤luck");
    journal.write(Entry::RetryStarted { task: tried, due: None });
    journal.start("/do/0/t/try/0/a", tried, None);
    assert_eq!(journal.drawn(60, 20).len(), 3);
}

#[test]
fn a_drawing_is_never_larger_than_the_screen() {
    let tasks: Vec<String> =
        (0..50).map(|n| format!("  - t{n}: {{ set: {{ a: 1 }} }}\n")).collect();
    let mut journal = Journal::of(&tasks.concat());
    for n in 0..50 {
        let task = journal.start(&format!("/do/{n}/t{n}"), Sequence::FIRST, None);
        if n < 49 {
            journal.complete(task);
        }
    }
    for height in [1, 2, 3, 10, 52] {
        for width in [1, 5, 20, 80] {
            let drawn = journal.drawn(width, height);
            assert!(drawn.len() <= height, "{height}: {drawn:?}");
            assert!(drawn.iter().all(|line| line.chars().count() <= width.max(4)), "{drawn:?}");
        }
    }
    let drawn = journal.drawn(80, 5);
    assert_eq!(drawn.last().map(String::as_str), Some("  … 47 more"));
    assert!(drawn.iter().any(|line| line.contains("t49")), "{drawn:?}");
}

#[test]
fn what_is_around_a_task_that_ends_the_execution_is_not_shown_as_cancelled() {
    let mut journal = Journal::of(
        "  - t: { try: [ { a: { set: { a: 1 }, then: end } } ], catch: {} }\n  - f: { fork: { branches: [ { x: { wait: PT1H } } ] } }\n",
    );
    let tried = journal.start("/do/0/t", Sequence::FIRST, None);
    let beside = journal.start("/do/1/f", Sequence::FIRST, None);
    let task = journal.start("/do/0/t/try/0/a", tried, None);
    journal.write(Entry::TaskCompleted { task, output: None, context: None, then: Flow::End });
    journal.write(Entry::TaskCancelled { task: tried });
    journal.write(Entry::TaskCancelled { task: beside });
    assert_eq!(
        journal.told,
        ["completed /do/0/t/try/0/a 0ms", "ended /do/0/t 0ms", "cancelled /do/1/f 0ms"]
    );
    assert_eq!(journal.drawn(60, 20)[1], "  ✔ t  0ms");
}

const UNDOABLE: &str = "  - loop: { for: { in: '${ . }' }, do: [ { a: { set: { a: 1 }, metadata: { tutti: { undo: [ { b: { set: { b: 1 } } } ] } } } } ] }\n  - last: { set: { a: 1 } }\n";

/// Two iterations of a task that can be undone, a task that faults, and the first undo.
fn reversed() -> (Journal, Sequence) {
    let mut journal = Journal::of(UNDOABLE);
    let looped = journal.start("/do/0/loop", Sequence::FIRST, None);
    journal.items(looped, 2, None);
    let mut completed = Sequence::FIRST;
    for iteration in 0..2 {
        let a = journal.start("/do/0/loop/do/0/a", looped, Some(iteration));
        completed = journal.next;
        journal.complete(a);
    }
    journal.complete(looped);
    let last = journal.start("/do/1/last", Sequence::FIRST, None);
    journal.fault(last, "no");
    let undo = journal.write(Entry::UndoStarted { task: Sequence::FIRST, completed });
    let b = journal.start("/do/0/loop/do/0/a/metadata/tutti/undo/0/b", undo, None);
    journal.told.drain(..4);
    assert_eq!(
        journal.drawn(60, 20),
        [
            "⠋ flow  0ms · reversing",
            "  ✔ loop  2/2 · 0ms",
            "    ✔ a  0ms",
            "  ✘ last  0ms · runtime: no",
            "  ⠋ undoing: a  0ms",
            "    ⠋ b  0ms",
        ]
    );
    journal.complete(b);
    (journal, undo)
}

#[test]
fn what_is_undone_is_told_with_its_own_place() {
    let (mut journal, undo) = reversed();
    journal.complete(undo);
    assert_eq!(
        journal.told,
        [
            "reversing /",
            "undoing /do/0/loop/do/0/a[1]",
            "completed /do/0/loop/do/0/a/metadata/tutti/undo/0/b[1] 0ms",
            "undone /do/0/loop/do/0/a[1] 0ms",
        ]
    );
    assert_eq!(journal.drawn(60, 20)[2], "    ↶ a  0ms");
    assert_eq!(journal.drawn(60, 20)[4..], ["  ✔ undone: a  0ms"]);
}

#[test]
fn an_undo_that_fails_stays_until_a_person_decides() {
    let check = |resolution: Resolution, told: &str, drawn: &str| {
        let (mut journal, undo) = reversed();
        let error = Error::new(ErrorType::CompensationFailed, "no way");
        journal.write(Entry::IncidentRaised { task: undo, error });
        let stuck = &journal.drawn(60, 20)[4];
        assert_eq!(stuck, "  ! undoing: a  0ms · compensation-failed: no way");
        journal.write(Entry::IncidentResolved { task: undo, resolution });
        assert_eq!(journal.told.last().map(String::as_str), Some(told));
        assert_eq!(journal.drawn(60, 20)[4], drawn);
    };
    let place = "/do/0/loop/do/0/a[1]";
    check(Resolution::Retry, &format!("undoing {place} again"), "  ⠋ undoing: a  0ms");
    let done = Resolution::Complete { output: Value::NULL };
    check(done, &format!("undone {place} by hand"), "  ✔ undone: a  0ms · by hand");
    let left = "  ✘ not undone: a  0ms · left as it is";
    check(Resolution::Fault, &format!("faulted {place} left as it is"), left);
}

#[test]
fn an_error_is_told_with_what_the_service_said_and_what_it_came_from() {
    let check = |error: &str, expected: &str| {
        let error = Value::from_json(error).expect("JSON");
        assert_eq!(told_value(&error), expected);
    };
    check(r#"{"type":"a/b","title":"t","status":1}"#, "b: t");
    check(r#"{"type":"b","title":"t","detail":"d"}"#, "b: d");
    check(r#"{"type":"b","detail":"d","response":{"content":{"title":"said"}}}"#, "b: d: said");
    check(r#"{"type":"b","detail":"d","response":{"content":"text"}}"#, "b: d");
    check(r#"{"type":"b","detail":"d","cause":{"type":"c","detail":"e"}}"#, "b: d: c: e");
    check(r#"{"type":"b","detail":"d","cause":"/do/0/a"}"#, "b: d");
    check(r#"{"type":"b","detail":"d","cause":{"type":"c","detail":"d"}}"#, "b: d");
    check(
        r#"{"type":"b","detail":"d","cause":{"type":"b","detail":"d","instance":"/do/0/a","execution":"exec_1"}}"#,
        "b: d: in exec_1 at /do/0/a",
    );
}

#[test]
fn an_extension_whose_condition_gives_no_answer_is_told() {
    let mut journal = Journal::of(
        "  - one: { set: { a: 1 } }\nuse: { extensions: [ { log: { extend: set, when: .a, before: [ { x: { wait: PT0S } } ] } } ] }\n",
    );
    let task = journal.start("/do/0/one", Sequence::FIRST, None);
    let unanswered = vec![Unanswered { extension: 0, detail: "not a \x1b[31mboolean".to_owned() }];
    journal.write(Entry::ExtensionsSelected { task, extensions: vec![], unanswered });
    let line =
        "warning /do/0/one extension log does not apply: its `when` gave no answer: not a boolean";
    assert_eq!(journal.told, [line]);
}

#[test]
fn a_pointer_to_something_sensitive_that_leads_nowhere_is_told() {
    let mut journal = Journal::of(
        "  - one: { set: { card: 1 }, metadata: { tutti: { sensitive: [ /crad, /card ] } } }\n",
    );
    let task = journal.start("/do/0/one", Sequence::FIRST, None);
    let output = Some(Value::from_json(r#"{"card":1}"#).expect("JSON").tainted());
    let then = Flow::Continue;
    journal.write(Entry::TaskCompleted { task, output, context: None, then });
    let line = "warning /do/0/one `sensitive` says /crad, which is not in the output: all of it counts as secret";
    assert_eq!(journal.told[0], line);
    assert_eq!(journal.told.len(), 2, "{:?}", journal.told);
}

#[test]
fn a_chatty_call_is_cut_short_unless_all_of_it_is_asked_for() {
    let mut journal = Journal::of(TWO);
    let task = journal.start("/do/0/one", Sequence::FIRST, None);
    let line = |n: usize| LogLine {
        execution: ExecutionId::from_bits(1),
        task,
        stream: LogStream::Stdout,
        text: format!("line {n}"),
    };
    let told: Vec<String> =
        (0..100).filter_map(|n| Some(journal.model.log(&line(n), Logs::First)?.text())).collect();
    assert_eq!(told.len(), 21);
    assert_eq!(told[19], "/do/0/one | line 19");
    assert!(told[20].ends_with("left out; --logs all shows them"), "{}", told[20]);
    assert!((0..100).all(|n| journal.model.log(&line(n), Logs::All).is_some()));
    assert_eq!(journal.drawn(60, 20)[2], "    line 99");
}

#[test]
fn a_secret_in_a_label_is_not_drawn() {
    let mut journal = Journal::of(TWO);
    journal.write(Entry::TaskStarted {
        reference: TaskRef::new("/do/0/one"),
        parent: Sequence::FIRST,
        iteration: None,
        raw: None,
        input: None,
        due: None,
        label: Some(Value::from("hunter2").tainted()),
    });
    assert_eq!(journal.drawn(60, 20)[1], "  ⠋ «secret»  0ms");
}

#[test]
fn texts_cannot_take_over_the_terminal() {
    let check = |text: &str, expected: &str| assert_eq!(plain(text), expected, "{text:?}");
    check("\x1b[31mred\x1b[0m", "red");
    check("\x1b]0;title\x07rest", "rest");
    check("a\r\nb\tc\u{7}", "a␤b c");
    check("a\u{202e}b", "ab");
    check("\x1b", "");
    check("\x1b[", "");
    assert_eq!(plain(&"ä".repeat(1_000)).chars().count(), 401);
}

#[test]
fn a_drawing_replaces_the_one_before_in_one_go() {
    let text = over(&["a".to_owned()], 3);
    assert_eq!(text, "\x1b[?2026h\r\x1b[3Aa\x1b[K\n\x1b[J\x1b[?2026l");
}

#[test]
fn what_a_task_awaits_is_told_and_drawn() {
    let check = |to: &str, expected: Option<&str>, words: &str| {
        let mut journal = Journal::of(&format!("  - a: {{ listen: {{ to: {to} }} }}\n"));
        let task = journal.start("/do/0/a", Sequence::FIRST, None);
        let expected = expected.map(|text| Value::from_json(text).expect("JSON"));
        let after = tutti_journal::EventPosition(0);
        journal.write(Entry::ListenStarted { task, after, expected });
        journal.now = 1_500;
        assert_eq!(journal.told, [format!("waiting /do/0/a for {words}")]);
        let drawn = journal.drawn(200, 20);
        assert_eq!(drawn[1], format!("  ◷ a  1.5s · waits for {words}"));
        journal.complete(task);
        assert_eq!(journal.drawn(200, 20)[1], "  ✔ a  1.5s");
    };
    check("{ any: [] }", None, "any event");
    check("{ one: { with: { type: paid } } }", None, "paid");
    check(
        "{ one: { with: { type: paid, subject: x }, correlate: { order: { from: .data.o, expect: '${ .o }' } } } }",
        Some("[{\"order\":7}]"),
        "paid where subject = \"x\" and order = 7",
    );
    check(
        "{ all: [ { with: { type: a } }, { with: { data: '${ .n > 1 }' } } ] }",
        None,
        "a and an event where data: .n > 1",
    );
    check(
        "{ any: [ { with: { type: a } } ], until: { one: { with: { type: b } } } }",
        None,
        "a, until b",
    );
}
