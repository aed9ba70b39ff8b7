//! Help at a place, told by a cursor `‸` in the text.

use tutti_dsl::assist::{Reading, SymbolKind};

const HEAD: &str = "document: { dsl: '1.0.3', namespace: test, name: w, version: '1.0.0' }\n";

/// The text without its cursor, and where that stood.
fn cursor(text: &str) -> (String, usize) {
    let offset = text.find('‸').expect("a cursor");
    (text.replacen('‸', "", 1), offset)
}

/// What may be written at the cursor holds all of `expected` and nothing of `absent`.
fn completes(text: &str, expected: &[&str], absent: &[&str]) {
    let (text, offset) = cursor(&format!("{HEAD}{text}"));
    let candidates = Reading::new(&text).candidates(offset);
    let labels: Vec<&str> = candidates.iter().map(|found| found.label.as_str()).collect();
    for label in expected {
        assert!(labels.contains(label), "{label} is missing in {labels:?}:\n{text}");
    }
    for label in absent {
        assert!(!labels.contains(label), "{label} should not be in {labels:?}:\n{text}");
    }
    for found in candidates {
        assert!(
            text.get(found.replace.clone()).is_some_and(|word| !word.contains('\n')),
            "{found:?}"
        );
        assert_eq!(found.replace.end, offset, "{found:?}");
    }
}

/// What is said at the cursor contains `expected`; nothing is said where that is empty.
fn hovers(text: &str, expected: &str) {
    let (text, offset) = cursor(&format!("{HEAD}{text}"));
    let said = Reading::new(&text).hover(offset).map(|hover| hover.text).unwrap_or_default();
    assert!(said.contains(expected), "{said:?} should contain {expected:?}:\n{text}");
    assert_eq!(said.is_empty(), expected.is_empty(), "{said:?}:\n{text}");
}

/// The cursor's name was given between `«` and `»`; nowhere if these are not there.
fn defines(text: &str) {
    let (text, mut offset) = cursor(&format!("{HEAD}{text}"));
    let start = text.find('«');
    let end = text.find('»').map(|end| end - '«'.len_utf8());
    for (mark, length) in [('«', '«'.len_utf8()), ('»', '»'.len_utf8())] {
        offset -= text.find(mark).filter(|at| *at < offset).map_or(0, |_| length);
    }
    let text = text.replace(['«', '»'], "");
    let found = Reading::new(&text).definition(offset);
    assert_eq!(found, start.zip(end).map(|(start, end)| start..end), "{text}");
}

#[test]
fn keys_are_completed_by_place() {
    completes("‸", &["do", "use", "input", "schedule"], &["document", "call", "then"]);
    completes("do:\n  - a:\n      ‸", &["call", "set", "try", "then", "metadata"], &["document"]);
    completes("do:\n  - a:\n      wai‸", &["wait"], &[]);
    completes("do:\n  - a:\n      set: {}\n      ‸", &["then", "if"], &["set", "call"]);
    completes(
        "do:\n  - a:\n      call: http\n      with:\n        ‸",
        &["method", "endpoint", "body"],
        &["do"],
    );
    completes(
        "do:\n  - a:\n      call: http\n      with:\n        method: get\n        ‸\n        body: 1\n",
        &["endpoint", "headers"],
        &["method", "body"],
    );
    completes("do:\n  - a: { set: { x: 1 }, ‸ }\n", &["then", "if"], &["set"]);
    completes("do:\n  - a: { set: { x: 1 }, th‸", &["then"], &["set"]);
    completes(
        "do:\n  - a:\n      try: []\n      catch:\n        retry:\n          ‸",
        &["delay", "backoff", "limit"],
        &[],
    );
    completes("do:\n  - a:\n      wait:\n        ‸", &["seconds", "minutes"], &[]);
    completes(
        "do:\n  - a:\n      set: 1\n      metadata:\n        tutti:\n          ‸",
        &["effect", "label"],
        &["owner"],
    );
    completes(
        "do:\n  - a:\n      listen:\n        to:\n          any:\n            - ‸",
        &["with", "correlate"],
        &[],
    );
    completes("do:\n  - a:\n      ‸: 1\n", &["call"], &[]);
}

#[test]
fn nothing_is_completed_where_nothing_may_stand() {
    for text in [
        "do:‸\n  - a: { set: 1 }\n",
        "evaluate:\n  mode:‸",
        "do:\n  - a:\n      set: { x: ‸ }\n",
        "do:\n  - ‸\n",
        "use:\n  secrets: [‸]\n",
        "input:\n  schema:\n    document:\n      ‸\n",
    ] {
        let (text, offset) = cursor(&format!("{HEAD}{text}"));
        assert_eq!(Reading::new(&text).candidates(offset), [], "{text}");
    }
}

#[test]
fn values_are_completed_by_place() {
    let task = |task: &str| format!("do:\n  - a:\n      {task}\n");
    completes(&task("run: { return: ‸, shell: { command: ls } }"), &["stdout", "code"], &["true"]);
    completes(&task("metadata: { tutti: { effect: ‸ } }"), &["read", "idempotent", "once"], &[]);
    completes(&task("fork: { compete: ‸ }"), &["true", "false"], &[]);
    completes("evaluate:\n  mode: st‸", &["strict", "loose"], &[]);
    completes("evaluate:\n  mode: '‸'", &["strict", "loose"], &[]);
    completes("evaluate:\n  mode: '‸", &["strict", "loose"], &[]);
}

#[test]
fn names_are_completed() {
    let used = "use:\n  functions: { greet: { set: { a: 1 } } }\n  retries: { often: { delay: PT1S } }\n  \
                timeouts: { short: { after: PT1S } }\n  errors: { gone: { type: x, status: 410 } }\n  \
                authentications: { admin: { basic: { use: PW } } }\n  secrets: [PW, KEY]\n";
    let check = |tasks: &str, expected: &[&str], absent: &[&str]| {
        completes(&format!("{used}do:\n{tasks}"), expected, absent);
    };
    check("  - a: { call: ‸ }\n", &["greet", "http", "each"], &["often"]);
    check("  - a:\n      call: gr‸", &["greet"], &[]);
    check("  - a:\n      call: each\n      with: { function: ‸ }", &["greet"], &["http"]);
    check("  - a:\n      set: 1\n      timeout: ‸\n", &["short"], &["often"]);
    check("  - a:\n      try: []\n      catch:\n        retry: ‸\n", &["often"], &["short"]);
    check("  - a:\n      raise: { error: ‸ }\n", &["gone"], &[]);
    let http =
        "  - a:\n      call: http\n      with: { endpoint: { uri: 'http://h', authentication: ";
    check(&format!("{http}{{ use: ‸ }} }} }}\n"), &["admin"], &["PW"]);
    check(&format!("{http}{{ basic: {{ use: ‸ }} }} }} }}\n"), &["PW", "KEY"], &["admin"]);
    check("  - a: { input: { from: '${ $secrets.‸ }' }, set: 1 }\n", &["PW", "KEY"], &["$context"]);
    check(
        "  - a: { set: 1, then: ‸ }\n  - b: { set: 1 }\n",
        &["a", "b", "end", "exit"],
        &["greet"],
    );
    check("  - a:\n      set: 1\n      then: ‸\n  - b:\n      set: {\n", &["a", "b", "end"], &[]);
    check(
        "  - a:\n      switch:\n        - c: { then: ‸ }\n  - b: { set: 1 }\n",
        &["a", "b"],
        &["c"],
    );
    check(
        "  - a:\n      fork: { branches: [ b: { set: 1, then: ‸ }, c: { set: 1 } ] }\n",
        &["end"],
        &["c"],
    );
}

#[test]
fn variables_are_completed_by_scope() {
    completes("output: { as: '${ $‸ }' }", &["$context", "$workflow"], &["$input", "$task"]);
    completes(
        "do:\n  - a: { set: '${ $‸ }' }\n",
        &["$context", "$input", "$task"],
        &["$item", "$output", "$error"],
    );
    completes("do:\n  - a: { if: $‸, set: 1 }\n", &["$context"], &["$input"]);
    completes("do:\n  - a: { if: '.x and $con‸', set: 1 }\n", &["$context"], &[]);
    completes("do:\n  - a: { set: 1, export: { as: '$‸' } }\n", &["$output"], &[]);
    completes(
        "do:\n  - a:\n      for: { in: '.x', each: server }\n      do:\n        - b:\n            set: { y: '${ $‸ }' }\n",
        &["$server", "$index"],
        &["$item"],
    );
    completes("do:\n  - a:\n      for: { in: '$‸' }\n      do: []\n", &["$context"], &["$item"]);
    completes("do:\n  - a:\n      try: []\n      catch: { when: '$‸' }\n", &["$error"], &[]);
    completes(
        "do:\n  - a:\n      try: []\n      catch:\n        as: oops\n        do:\n          - b:\n              set: ${ $‸\n",
        &["$oops"],
        &["$error"],
    );
    completes(
        "do:\n  - a:\n      call: each\n      with: { in: '.', do: [ b: { set: '${ $‸ }' } ] }\n",
        &["$item"],
        &[],
    );
    completes("do:\n  - a: { set: { x: 'plain $‸' } }\n", &[], &["$context"]);
    completes("do:\n  - a: { set: { x: '${ .‸ }' } }\n", &[], &["$context"]);
}

#[test]
fn words_are_explained_from_the_reference() {
    hovers("d‸o: []\n", "The tasks, one after another.");
    hovers("do:\n  - a: { w‸ait: PT1S }\n", "Waits.");
    hovers("do:\n  - ‸a: { wait: PT1S }\n", "`a` (wait)");
    hovers("do:\n  - a: { call: h‸ttp }\n", "An HTTP request.");
    hovers("do:\n  - a: { call: http, with: { meth‸od: get } }\n", "Required");
    hovers(
        "do:\n  - a: { set: 1, metadata: { tutti: { eff‸ect: read } } }\n",
        "decides whether it may be repeated",
    );
    hovers(
        "do:\n  - a: { set: 1, metadata: { tutti: { effect: re‸ad } } }\n",
        "decides whether it may be repeated",
    );
    hovers("do:\n  - a: { set: 1, then: en‸d }\n", "To the end of the workflow.");
    hovers("do:\n  - a: { set: 1, then: b‸ }\n  - b: { wait: PT1S }\n", "`b` (wait)");
    hovers("do:\n  - a: { set: '${ $cont‸ext }' }\n", "export.as");
    hovers("do:\n  - a:\n      set: '${ $cont‸ext }'\n   bad: [\n", "export.as");
    hovers("do:\n  - a: { set: { x: so‸me } }\n", "");
    hovers("nonsense‸: 1\n", "");
}

#[test]
fn names_lead_to_where_they_were_given() {
    defines("do:\n  - a: { set: 1, then: b‸ }\n  - «b»: { set: 1 }\n");
    defines("do:\n  - a: { set: 1, then: e‸nd }\n");
    defines("use: { functions: { «greet»: { set: 1 } } }\ndo:\n  - a: { call: gr‸eet }\n");
    defines("do:\n  - a: { call: ht‸tp }\n");
    defines(
        "use: { retries: { «often»: {} } }\ndo:\n  - a: { try: [], catch: { retry: ‸often } }\n",
    );
    defines(
        "use: { authentications: { «admin»: {} } }\ndo:\n  - a: { call: http, with: { endpoint: { uri: x, authentication: { use: admin‸ } } } }\n",
    );
    defines(
        "use: { secrets: [A, «B»] }\ndo:\n  - a: { input: { from: '${ $secrets.B‸ }' }, set: 1 }\n",
    );
    defines("use: { timeouts: { «t»: { after: PT1S } } }\ntimeout: t‸\n");
    defines(
        "do:\n  - a:\n      for: { each: «x», in: '.' }\n      do:\n        - b: { set: '${ $x‸ }' }\n",
    );
    defines("do:\n  - «ä🎉»: { set: { b: '🎉ü' }, then: ‸ä🎉 }\n");
    defines("do:\n  - a:\n      set: 1\n      then: b‸\n  - «b»:\n      set: {\n    broken\n");
}

#[test]
fn tasks_and_parts_are_listed_as_a_tree() {
    let text = format!(
        "{HEAD}use: {{ functions: {{ f: {{ set: 1 }} }}, retries: {{ r: {{ delay: PT1S }} }} }}\n\
         do:\n  - a:\n      try:\n        - b: {{ wait: PT1S }}\n      catch:\n        do:\n          - c: {{ set: 1 }}\n  - d:\n      set: {{"
    );
    let symbols = Reading::new(&text).symbols();
    let shown: Vec<_> =
        symbols.iter().map(|s| (s.name.as_str(), s.kind, s.children.len())).collect();
    let expected = [
        ("f", SymbolKind::Function, 0),
        ("r", SymbolKind::Part, 0),
        ("a", SymbolKind::Task, 2),
        ("d", SymbolKind::Task, 0),
    ];
    assert_eq!(shown, expected);
    let names: Vec<_> =
        symbols[2].children.iter().map(|s| (&*s.name, s.detail.as_deref())).collect();
    assert_eq!(names, [("b", Some("wait")), ("c", Some("set"))]);
    for symbol in &symbols {
        assert!(
            symbol.span.start <= symbol.name_span.start && symbol.name_span.end <= symbol.span.end
        );
        assert_eq!(&text[symbol.name_span.clone()], symbol.name);
    }
}

#[test]
fn other_files_are_left_alone() {
    let check = |text: &str, is_workflow: bool| {
        let (text, offset) = cursor(text);
        let reading = Reading::new(&text);
        assert_eq!(reading.is_workflow(), is_workflow, "{text}");
        assert_eq!(reading.hover(offset).is_some(), is_workflow, "{text}");
        reading.candidates(offset)
    };
    check("do‸cument: {}\n", true);
    check("{ \"do‸cument\": {} }", true);
    check("document:\n  name: [\ndo‸:\n - a", true);
    assert_eq!(check("name: ci\non: push\njobs: {}\ntimeout‸: 1\n", false), []);
    assert_eq!(check("services:\n  web: {}\n‸", false), []);
    assert_eq!(check("- hosts: all\n  tasks: []\n  ‸", false), []);
    let new = check("‸", false);
    assert_eq!(new.first().map(|found| &*found.label), Some("document"));
    assert!(!check("docu‸", false).is_empty());
}
