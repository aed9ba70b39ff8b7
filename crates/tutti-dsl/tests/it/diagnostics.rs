//! What is told about documents, and where.

use tutti_dsl::{parse, render};

const HEAD: &str = "document: { dsl: '1.0.3', namespace: docs, name: page, version: '1.0.0' }\n";

/// `body` below a document's head gives these diagnostics: `CODE line:column message`, then perhaps ` | hint`.
fn check(body: &str, expected: &[&str]) {
    check_document(&format!("{HEAD}{body}"), expected);
}

fn check_document(text: &str, expected: &[&str]) {
    let found: Vec<String> = parse(text)
        .diagnostics
        .iter()
        .map(|found| {
            let place = format!("{}:{}", found.span.line, found.span.column);
            let hint = found.hint.as_ref().map(|hint| format!(" | {hint}")).unwrap_or_default();
            format!("{} {place} {}{hint}", found.code, found.message)
        })
        .collect();
    assert_eq!(found, expected, "\n{text}");
}

/// `body` below a document's head is refused by this code, among others perhaps.
fn refused(body: &str, code: &str) {
    let text = format!("{HEAD}{body}");
    let parsed = parse(&text);
    let told: String = parsed.diagnostics.iter().map(|d| render(d, "x", &text)).collect();
    assert!(told.contains(code), "expected {code} of\n{text}\ngot\n{told}");
    assert!(parsed.workflow.is_none() || code.starts_with('W'));
}

fn valid(body: &str) {
    check(body, &[]);
}

#[test]
fn all_errors_are_told_in_one_pass() {
    check(
        "do:\n  - a:\n      sett: {}\n  - b:\n      call: nothing\n  - c:\n      wait: soon\n      then: z\n",
        &[
            "E0116 4:7 task `/do/0/a` does nothing | did you mean `set`?",
            "E0117 6:13 task `/do/1/b` calls unknown function `nothing` | declare it in `use.functions.nothing`",
            "E0126 8:13 `soon` is not an ISO 8601 duration | such as `PT15M`, or `{ minutes: 15 }`",
            "E0115 9:13 `then` names no task of its own list: `z` | `continue`, `exit`, `end` or a task of the same list: a, b, c",
        ],
    );
}

#[test]
fn a_function_that_hides_behind_a_call_of_the_language_is_told() {
    check(
        "use:\n  functions:\n    http:\n      set: { x: 1 }\n    each:\n      set: { x: 1 }\ndo:\n  - a:\n      call: each\n",
        &[
            "W0102 4:5 `call: http` is the language's own: this function is never called | give it another name",
        ],
    );
}

#[test]
fn an_unknown_function_does_not_hide_what_is_wrong_with_its_arguments() {
    check(
        "do:\n  - a:\n      call: htp\n      with: { endpoint: 'x${y}' }\n",
        &[
            "E0117 4:13 task `/do/0/a` calls unknown function `htp` | did you mean `http`?",
            "E0124 5:27 an expression must be the whole text: it is not evaluated inside one | write `${ \"x\\(y)\" }`",
        ],
    );
}

#[test]
fn an_expression_that_is_not_closed_is_told_so_where_only_expressions_stand() {
    check(
        "do:\n  - a:\n      if: '${ .a'\n      set: { x: 1 }\n",
        &["E0124 4:12 the expression that begins here is not closed | write `${ .a }`"],
    );
}

#[test]
fn a_plain_value_where_a_list_or_a_mapping_belongs_is_told_how_to_write_it() {
    check(
        "use: { secrets: TOKEN }\ndo:\n  - a:\n      run: ls\n",
        &[
            "E0105 2:17 `secrets` must be a list, not text | write a list, also of a single entry: `[ … ]`",
            "E0105 5:12 `run` must be a mapping, not text | its keys are await, return, container, script, shell, workflow",
        ],
    );
}

#[test]
fn a_number_that_is_compared_with_what_an_expression_gives_is_told_how_to_write_it() {
    check(
        "do:\n  - a:\n      listen: { to: { one: { with: { type: t }, correlate: { c: { from: .data.n, expect: 3 } } } } }\n",
        &[
            "E0105 4:90 `expect` must be text, not a whole number | write `${ 3 }`, or put it in quotes to make it text",
        ],
    );
}

#[test]
fn a_document_that_is_none_is_refused() {
    check_document("", &["E0105 1:1 the document is empty | begin with `document:` and `do:`"]);
    check_document("- a\n", &["E0105 1:1 the document must be a mapping, not a list"]);
    check_document(
        "{\"document\": ",
        &["E0101 1:14 the document is not JSON: a value is expected, and the document ends"],
    );
}

#[test]
fn what_is_no_yaml_is_told_with_what_can_be_done() {
    let told = |text: &str| {
        let parsed = parse(text);
        let [found] = &parsed.diagnostics[..] else { unreachable!("one of {text}: {parsed:?}") };
        let place = format!("{}:{}", found.span.line, found.span.column);
        let what = found.message.strip_prefix("the document is not YAML: ").unwrap_or("?");
        format!("{place} {what} | {}", found.hint.as_deref().unwrap_or_default())
    };
    let check = |text: &str, expected: &str| assert_eq!(told(text), expected, "\n{text}");
    check(
        "do:\n\tx: 1\n",
        "2:2 a tab stands where only spaces may | indent with spaces: YAML allows no tabs there",
    );
    check(
        "do:\n  - a: b: c\n",
        "2:9 a colon stands where no value can begin | put a text with a colon in quotes, or begin a new line",
    );
    check(
        "do: ${ {a: 1} }\n",
        "1:10 a colon stands where no value can begin | put the whole expression in quotes: '${ … }'",
    );
    check(
        "do: [1, 2 }\n",
        "1:11 a list in brackets lacks a comma or its end | add `,` between entries, or `]`",
    );
    check(
        "a: {b: c\n",
        "2:1 a mapping in braces lacks a comma or its end, and `{` of line 1 is open | add `,` between entries, or `}`",
    );
    check(
        "a: { b: 'c'\nd: e\n",
        "2:1 what is in brackets goes on too far to the left, and `{` of line 1 is open | close the bracket, or indent the line further than its key",
    );
    check(
        "a: \"x\n",
        "1:4 a quote is opened and never closed | close it at the end of the text; in single quotes, a quote is written twice",
    );
    check("a: @x\n", "1:4 a text cannot begin with `@` | put it in quotes");
    check(
        "a: *x\n",
        "1:4 `*` refers to an anchor that is nowhere above | if it is a text, put it in quotes",
    );
    check(
        "a: \"\\q\"\n",
        "1:4 `\\` and this character are no escape | double the backslash, or use single quotes",
    );
    check(
        "a: b\n- c\n",
        "2:3 the line does not go on with the mapping it stands in | indent it exactly like the other keys of its mapping",
    );
    check(
        "a: >x\n  b\n",
        "1:4 something follows `|` or `>` on its line | begin the text on the next line",
    );
}

#[test]
fn an_expression_that_is_not_closed_is_told_so() {
    check(
        "do: [ { a: { set: { b: '${ .x' } } } ]\n",
        &["E0124 2:25 the expression that begins here is not closed | write `${ .x }`"],
    );
}

#[test]
fn places_inside_texts_are_found_however_they_are_written() {
    let hint = "variables in scope: $authorization, $context, $input, $runtime, $secrets, $task, $workflow";
    let texts = [
        "${ 1 + $output }",
        "'${ \"it''s\" + $output }'",
        "\"${ \\\"\\u00e9\\\" + $output }\"",
        "\"${ \\\"a\\\\nb\\\" +\\\n          $output }\"",
        "|\n        ${\n          1 +\n            $output }",
        ">-\n        ${ 1 +\n        $output }",
        "${ 1 +\n        $output }",
        "'${ \"é\" + $output }'",
    ];
    for text in texts {
        let document = format!("{HEAD}do:\n  - a:\n      set: {text}\n");
        let parsed = parse(&document);
        let [found] = &parsed.diagnostics[..] else { unreachable!("one diagnostic: {parsed:?}") };
        let marked = &document[found.span.bytes.clone()];
        assert_eq!(marked, "$output", "\n{document}");
        assert_eq!(found.hint.as_deref(), Some(hint));
    }
}

#[test]
fn json_is_read_like_yaml() {
    let json = r#"{
  "document": { "dsl": "1.0.3", "namespace": "docs", "name": "page", "version": "1.0.0" },
  "do": [ { "a": { "set": { "x": "\ud83d\ude00 ${ .y }" }, "thn": "end" } } ]
}"#;
    check_document(
        json,
        &[
            "E0124 3:48 an expression must be the whole text: it is not evaluated inside one | write `${ \"😀 \\(.y)\" }`",
            "E0107 3:60 `thn` is no key of `/do/0/a` | did you mean `then`?",
        ],
    );
}

#[test]
fn yaml_1_2_types_are_the_core_schema() {
    let text = format!(
        "{HEAD}do:\n  - a:\n      set: {{ on: no, yes: off, oct: 0o17, hex: 0x1F, old: 017, t: 'true', f: 1e3, n: ~, s: 12:30, d: 2026-01-01, big: 18446744073709551616, neg: -0x1, merge: <<, dot: ., e: \"\" }}\n"
    );
    let workflow = parse(&text).workflow.expect("a workflow");
    let set = workflow.definition.pointer("/do/0/a/set").expect("the data");
    let expected = r#"{"on":"no","yes":"off","oct":15,"hex":31,"old":17,"t":"true","f":1000.0,"n":null,"s":"12:30","d":"2026-01-01","big":1.8446744073709552e+19,"neg":"-0x1","merge":"<<","dot":".","e":""}"#;
    assert_eq!(set, &tutti_expr::Value::from_json(expected).expect("JSON"));
}

#[test]
fn merge_keys_and_aliases_are_plain_yaml() {
    check(
        "do:\n  - a: &a\n      set: { x: 1 }\n  - b: *a\n  - c:\n      <<: *a\n      set: { x: 2 }\n",
        &[
            "E0107 7:7 `<<` is no key of `/do/2/c` | keys here: set, if, input, output, export, timeout, then, metadata",
        ],
    );
}

#[test]
fn bombs_are_refused() {
    let deep = |open: &str, close: &str, depth: usize| {
        format!("{HEAD}do: {}{}\n", open.repeat(depth), close.repeat(depth))
    };
    let told =
        |text: &str| parse(text).diagnostics.iter().map(|d| d.code.as_str()).collect::<Vec<_>>();
    assert_eq!(told(&deep("[", "]", 100_000)), ["E0103"]);
    assert_eq!(told(&deep("{a: ", "}", 70)), ["E0103"]);
    assert_eq!(told(&"[".repeat(200_000)), ["E0103"]);
    assert_eq!(told(&format!("{{\"a\":{}", "[".repeat(200_000))), ["E0103"]);
    assert_eq!(told(&"- ".repeat(100_000)), ["E0103"]);
    assert_eq!(told(&"? ".repeat(100_000)), ["E0104"]);
    assert_eq!(told(&"a: ".repeat(100_000)).len(), 1);
    assert_eq!(told(&"x".repeat(512 * 1024 + 1)), ["E0103"]);
    let many: Vec<String> = (0..10_001).map(|n| format!("k{n}: 1")).collect();
    assert_eq!(told(&many.join("\n")), ["E0103"]);
    let nested: Vec<String> = (1..70).map(|n| format!("a{n}: &a{n} [*a{}]", n - 1)).collect();
    let nested = format!("a0: &a0 [1]\n{}", nested.join("\n"));
    assert_eq!(told(&nested), ["E0103"]);
    assert_eq!(told("a: &a [*a]\n"), ["E0104"]);
}

#[test]
fn limits_admit_what_is_at_them() {
    let nested = |depth: usize| {
        format!(
            "{HEAD}do: [{{ a: {{ set: {{ x: {}{} }} }} }}]\n",
            "[".repeat(depth),
            "]".repeat(depth)
        )
    };
    valid(&nested(59)[HEAD.len()..]);
    assert!(parse(&nested(60)).workflow.is_none());
    let padding = " ".repeat(512 * 1024 - HEAD.len() - "do: []\n#".len());
    let largest = format!("{HEAD}do: []\n#{padding}");
    assert_eq!(largest.len(), 512 * 1024);
    assert!(parse(&largest).workflow.is_some());
}

#[test]
fn names_are_resolved() {
    refused("do: [{ a: { call: 'f:1.0.0@none' } }]\n", "E0117");
    refused("do: [{ a: { call: ssh-exec, with: {} } }]\n", "E0132");
    refused("do: [{ a: { call: 'ssh-exec:1.0.0@default', with: {} } }]\n", "E0132");
    refused("do: [{ a: { call: each, with: { in: .x, function: none } } }]\n", "E0117");
    refused(
        "do: [{ a: { call: http, with: { method: get, endpoint: { uri: 'http://x', authentication: { basic: { use: none } } } } } }]\n",
        "E0122",
    );
    refused("use: { functions: { f: { call: f } } }\ndo: []\n", "E0130");
    refused(
        "use: { functions: { f: { do: [{ a: { call: each, with: { in: .x, function: f } } }] } } }\ndo: []\n",
        "E0130",
    );
    refused("do: [{ a: { try: [], catch: { retry: none } } }]\n", "E0119");
    valid(
        "use: { functions: { each: { set: { x: 1 } } } }\ndo: [{ a: { call: each, with: { y: 2 } } }]\n",
    );
}

#[test]
fn variables_exist_where_the_table_says() {
    let at = |place: &str, name: &str, exists: bool| {
        let body = place.replace("$X", &format!("${name}"));
        let parsed = parse(&format!("{HEAD}{body}"));
        let told = parsed.diagnostics.iter().any(|d| d.code.as_str() == "E0125");
        assert_eq!(told, !exists, "${name} in\n{body}");
    };
    let places = [
        ("input: { from: $X }\ndo: []\n", "secrets workflow runtime"),
        ("output: { as: $X }\ndo: []\n", "context secrets workflow runtime"),
        ("do: [{ a: { if: $X, set: { x: 1 } } }]\n", "context secrets task workflow runtime"),
        (
            "do: [{ a: { input: { from: $X }, set: { x: 1 } } }]\n",
            "context secrets task workflow runtime",
        ),
        (
            "do: [{ a: { set: '${ $X }' } }]\n",
            "context input secrets task workflow runtime authorization",
        ),
        (
            "do: [{ a: { output: { as: $X }, set: { x: 1 } } }]\n",
            "context input secrets task workflow runtime authorization",
        ),
        (
            "do: [{ a: { export: { as: $X }, set: { x: 1 } } }]\n",
            "context input output secrets task workflow runtime authorization",
        ),
    ];
    for (place, known) in places {
        for name in [
            "context",
            "input",
            "output",
            "secrets",
            "task",
            "workflow",
            "runtime",
            "authorization",
        ] {
            at(place, name, known.split(' ').any(|known| known == name));
        }
    }
}

#[test]
fn flow_is_checked_in_its_own_list() {
    refused(
        "do: [{ a: { do: [{ b: { set: { x: 1 }, then: c } }] } }, { c: { set: { x: 1 } } }]\n",
        "E0115",
    );
    refused("do: [{ a: { switch: [{ b: { when: .x, then: nowhere } }] } }]\n", "E0115");
    refused("do: [{ a: { try: [], catch: { then: nowhere } } }]\n", "E0115");
    refused("use: { functions: { f: { set: { x: 1 }, then: g } } }\ndo: []\n", "E0115");
    refused(
        "do: [{ a: { raise: { error: { type: 'https://x.example', status: 500 } } } }, { b: { set: { x: 1 } } }]\n",
        "W0102",
    );
    valid("do: [{ a: { if: .x, set: { x: 1 }, then: end } }, { b: { set: { x: 1 }, then: a } }]\n");
    valid(
        "do: [{ a: { switch: [{ x: { when: .x, then: c } }] } }, { b: { set: { x: 1 }, then: end } }, { c: { set: { x: 1 } } }]\n",
    );
    refused(
        "do: [{ a: { switch: [{ x: { then: c } }] } }, { b: { set: { x: 1 } } }, { c: { set: { x: 1 } } }]\n",
        "W0102",
    );
    valid(
        "do: [{ a: { fork: { branches: [{ b: { set: { x: 1 }, then: end } }, { c: { set: { x: 1 } } }] } } }]\n",
    );
}

/// Documents below their head, each with the code that refuses it.
const MISSHAPEN: &[(&str, &str)] = &[
    ("do: [{ a: { set: {} } }]\n", "E0110"),
    ("do: [{ a: { set: [1] } }]\n", "E0105"),
    ("do: [{ a: { switch: [] } }]\n", "E0110"),
    ("do: [{ a: { switch: [{ b: { when: .x } }] } }]\n", "E0106"),
    ("do: [{ a: { set: { x: 1 } }, b: { set: { x: 1 } } }]\n", "E0109"),
    ("do: [{}]\n", "E0109"),
    ("do: [a]\n", "E0105"),
    ("do: [{ a: null }]\n", "E0105"),
    ("do: [{ a: { for: { in: .x } } }]\n", "E0106"),
    ("do: [{ a: { for: { in: .x, each: same, at: same }, do: [] } }]\n", "E0136"),
    ("do: [{ a: { for: { in: .x, each: context }, do: [] } }]\n", "E0136"),
    ("do: [{ a: { for: { in: [1] }, do: [] } }]\n", "E0105"),
    ("do: [{ a: { call: http } }]\n", "E0106"),
    ("do: [{ a: { call: http, with: { method: 'get it', endpoint: 'http://x' } } }]\n", "E0108"),
    (
        "do: [{ a: { call: http, with: { method: get, endpoint: 'http://x', redirect: 'yes' } } }]\n",
        "E0105",
    ),
    (
        "do: [{ a: { call: http, with: { method: get, endpoint: { uri: 'http://x', authentication: { basic: { username: u } } } } } }]\n",
        "E0106",
    ),
    (
        "do: [{ a: { call: grpc, with: { method: m, proto: { endpoint: 'http://x' }, service: { name: n, host: 'a/b' } } } }]\n",
        "E0112",
    ),
    (
        "do: [{ a: { call: grpc, with: { method: m, proto: { endpoint: 'http://x' }, service: { name: n, host: h, port: 70000 } } } }]\n",
        "E0110",
    ),
    (
        "do: [{ a: { call: asyncapi, with: { document: { endpoint: 'http://x' }, channel: c } } }]\n",
        "E0109",
    ),
    (
        "do: [{ a: { call: asyncapi, with: { document: { endpoint: 'http://x' }, channel: c, subscription: { consume: { for: PT1S } } } } }]\n",
        "E0109",
    ),
    ("do: [{ a: { call: openapi, with: { document: { endpoint: 'http://x' } } } }]\n", "E0106"),
    ("do: [{ a: { call: mcp, with: { method: tools/call, transport: {} } } }]\n", "E0109"),
    ("do: [{ a: { call: a2a, with: { method: message/sent, server: 'http://x' } } }]\n", "E0108"),
    ("do: [{ a: { call: each, with: { in: .x } } }]\n", "E0109"),
    ("do: [{ a: { call: each, with: { in: .x, limit: 0, do: [] } } }]\n", "E0110"),
    ("do: [{ a: { call: each, with: { in: .x, maxFailed: 1, do: [] } } }]\n", "E0108"),
    (
        "do: [{ a: { call: each, with: { in: .x, onError: collect, maxFailed: '110%', do: [] } } }]\n",
        "E0110",
    ),
    ("do: [{ a: { emit: { event: { with: {} } } } }]\n", "E0106"),
    (
        "do: [{ a: { emit: { event: { with: { type: t, data: { x: 'a ${ .b }' } } } } } }]\n",
        "E0124",
    ),
    ("do: [{ a: { listen: { to: { one: { with: {} } } } } }]\n", "E0110"),
    ("do: [{ a: { listen: { to: { one: { with: { type: t } }, until: .x } } } }]\n", "E0109"),
    ("do: [{ a: { listen: { to: { any: [], until: { any: [], until: .x } } } } }]\n", "E0107"),
    ("do: [{ a: { listen: { to: { any: [] } }, foreach: { item: x, at: x } } }]\n", "E0136"),
    (
        "do: [{ a: { listen: { to: { any: [] } }, foreach: { do: [{ b: { set: { x: 1 }, then: c } }] } } }]\n",
        "E0115",
    ),
    ("do: [{ a: { run: {} } }]\n", "E0109"),
    ("do: [{ a: { run: { shell: { command: x, arguments: [1] } } } }]\n", "E0105"),
    ("do: [{ a: { run: { script: { language: ruby, code: x } } } }]\n", "E0108"),
    ("do: [{ a: { run: { script: { language: js } } } }]\n", "E0109"),
    (
        "do: [{ a: { run: { container: { image: x, lifetime: { cleanup: always, after: PT1S } } } } }]\n",
        "E0109",
    ),
    (
        "do: [{ a: { run: { container: { image: x, lifetime: { cleanup: eventually } } } } }]\n",
        "E0106",
    ),
    ("do: [{ a: { run: { workflow: { namespace: n, name: m, version: newest } } } }]\n", "E0113"),
    (
        "do: [{ a: { run: { workflow: { namespace: n, name: 'a b', version: latest } } } }]\n",
        "E0112",
    ),
    ("do: [{ a: { raise: { error: { status: 500 } } } }]\n", "E0106"),
    ("do: [{ a: { raise: { error: { type: 'a b', status: 500 } } } }]\n", "E0127"),
    ("do: [{ a: { try: [] } }]\n", "E0106"),
    ("do: [{ a: { try: [], catch: { errors: { with: {} } } } }]\n", "E0110"),
    ("do: [{ a: { try: [], catch: { errors: { with: { title: '${ .x }' } } } } }]\n", "E0124"),
    (
        "do: [{ a: { try: [], catch: { retry: { backoff: { constant: {}, linear: {} } } } } }]\n",
        "E0109",
    ),
    (
        "do: [{ a: { try: [], catch: { retry: { limit: { attempt: { count: -1 } } } } } }]\n",
        "E0110",
    ),
    ("do: [{ a: { try: [], catch: { retry: { jitter: { from: PT2S, to: PT1S } } } } }]\n", "E0110"),
    ("do: [{ a: { wait: { minute: 5 } } }]\n", "E0126"),
    ("do: [{ a: { wait: 5 } }]\n", "E0105"),
    ("do: [{ a: { set: { x: 1 }, timeout: { after: PT0.5X } } }]\n", "E0126"),
    ("do: [{ a: { set: { x: 1 }, input: { schema: {} } } }]\n", "E0109"),
    ("do: [{ a: { set: { x: 1 }, metadata: { tutti: { effect: maybe } } } }]\n", "E0108"),
    ("do: [{ a: { set: { x: 1 }, metadata: { tutti: { efect: read } } } }]\n", "E0107"),
    ("do: [{ a: { set: { x: 1 }, metadata: { tutti: { pools: { db: 1 } } } } }]\n", "E0132"),
    ("do: [{ a: { set: { x: 1 }, metadata: { tutti: { network: true } } } }]\n", "E0107"),
    ("do: [{ a: { set: { x: 1 }, metadata: { tutti: { cooldown: { per: PT1M } } } } }]\n", "E0107"),
    (
        "do: [{ a: { call: http, with: { method: get, endpoint: 'http://x' }, metadata: { tutti: { cooldown: { per: PT0S } } } } }]\n",
        "E0110",
    ),
    (
        "do: [{ a: { call: http, with: { method: get, endpoint: 'http://x' }, metadata: { tutti: { cooldown: { per: PT1S, limit: 0 } } } } }]\n",
        "E0110",
    ),
    (
        "do: [{ a: { call: http, with: { method: get, endpoint: 'http://x' }, metadata: { tutti: { cooldown: { limit: 2 } } } } }]\n",
        "E0106",
    ),
    (
        "do: [{ a: { run: { script: { language: js, code: x } }, metadata: { tutti: { effect: once, network: 1 } } } }]\n",
        "E0105",
    ),
    ("use: { extensions: [{ e: { extend: none } }] }\ndo: []\n", "E0108"),
    ("use: { catalogs: { c: {} } }\ndo: []\n", "E0106"),
    ("use: { authentications: { a: { use: b } } }\ndo: []\n", "E0109"),
    (
        "use: { authentications: { a: { oauth2: { authority: 'http://x', grant: magic } } } }\ndo: []\n",
        "E0108",
    ),
    ("use: { secrets: { a: 1 } }\ndo: []\n", "E0105"),
    ("schedule: {}\ndo: []\n", "E0134"),
    ("schedule: { every: PT0S }\ndo: []\n", "E0134"),
    ("schedule: { cron: '* * * *' }\ndo: []\n", "E0134"),
    ("schedule: { every: PT1M, read: data }\ndo: []\n", "E0109"),
    ("evaluate: { language: js }\ndo: []\n", "E0108"),
    ("evaluate: { mode: sloppy }\ndo: []\n", "E0108"),
    ("do: null\n", "E0105"),
    ("timeout: never\ndo: []\n", "E0120"),
    (
        "do: [{ a: { set: { x: 1 }, metadata: { tutti: { label: '1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901' } } } }]\n",
        "E0110",
    ),
];

#[test]
fn everything_of_the_language_has_a_shape() {
    for (body, code) in MISSHAPEN {
        refused(body, code);
    }
}

#[test]
fn expressions_that_do_not_compile_are_told_where_they_break() {
    check(
        "do:\n  - a:\n      if: .x ==\n      set:\n        two: ${ .a } and ${ .b }\n        unknown: |\n          ${ .list |\n             map(lenght) }\n        bound: ${ . as $output | $output }\n        unbound: '${ $item }'\n",
        &[
            "E0123 4:16 expected a filter, found the end of the expression",
            "E0124 6:20 an expression must be the whole text: this has two of them | write `${ \"\\(.a) and \\(.b)\" }`",
            "E0123 9:18 unknown function `lenght/0` | did you mean `length`?",
            "E0125 11:22 the variable `$item` does not exist here | variables in scope: $authorization, $context, $input, $runtime, $secrets, $task, $workflow",
        ],
    );
}

#[test]
fn variables_of_loops_and_handlers_live_inside_them() {
    let source = "do:\n  - a:\n      for: { each: host, at: n, in: .hosts }\n      while: $n < 3\n      do:\n        - b:\n            try:\n              - c: { set: { x: '${ $host }' } }\n            catch:\n              as: problem\n              when: $problem.status == 503 and $n == 0\n              retry: { when: $problem.status > 500 }\n              do:\n                - d: { set: { x: '${ $problem.title + $host }' } }\n";
    valid(source);
    refused(
        &source.replace("{ set: { x: '${ $host }' } }", "{ set: { x: '${ $problem }' } }"),
        "E0125",
    );
    refused(&source.replace("in: .hosts", "in: $host"), "E0125");
    valid(
        "do: [{ a: { call: each, with: { in: .x, as: y, at: n, do: [{ b: { set: { z: '${ $y + $n }' } } }] } } }]\n",
    );
    refused(
        "use: { functions: { f: { set: { z: '${ $item }' } } } }\ndo: [{ a: { for: { in: .x }, do: [{ b: { call: f } }] } }]\n",
        "E0125",
    );
}

#[test]
fn retries_of_unknown_outcomes_look_into_functions() {
    let document = |effect: &str| {
        format!(
            "use: {{ functions: {{ pay: {{ call: http, with: {{ method: post, endpoint: 'https://x.example' }}, metadata: {{ tutti: {{ effect: {effect} }} }} }} }} }}\ndo: [{{ a: {{ try: [{{ b: {{ call: pay }} }}], catch: {{ errors: {{ with: {{ type: 'tutti://errors/outcome-unknown' }} }}, retry: {{}} }} }} }}]\n"
        )
    };
    refused(&document("once"), "E0133");
    valid(&document("idempotent"));
}

#[test]
fn circles_of_functions_are_found_and_nothing_else() {
    let told = |functions: &[(&str, &str)]| {
        let declared: Vec<String> =
            functions.iter().map(|(from, to)| format!("{from}: {{ call: {to} }}")).collect();
        let text = format!(
            "{HEAD}use: {{ functions: {{ {}, end: {{ set: {{ x: 1 }} }} }} }}\ndo: []\n",
            declared.join(", ")
        );
        parse(&text).diagnostics.len()
    };
    assert_eq!(told(&[("a", "b"), ("b", "end"), ("c", "b")]), 0);
    assert_eq!(told(&[("a", "a"), ("b", "a")]), 1);
    assert_eq!(told(&[("a", "b"), ("b", "c"), ("c", "b"), ("d", "a")]), 2);
    let chain: Vec<(String, String)> =
        (0..5_000).map(|n| (format!("f{n}"), format!("f{}", (n + 1) % 5_000))).collect();
    let chain: Vec<(&str, &str)> = chain.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(told(&chain), 500);
}

#[test]
fn deep_documents_fit_the_stack_of_a_thread() {
    let mut tasks = "[]".to_owned();
    for _ in 0..41 {
        tasks = format!(r#"[{{"a":{{"do":{tasks}}}}}]"#);
    }
    let text = format!(
        r#"{{"document":{{"dsl":"1.0.3","namespace":"a","name":"b","version":"1.0.0"}},"do":{tasks}}}"#
    );
    assert!(parse(&text).workflow.is_some());
}

#[test]
fn a_flood_of_errors_is_cut() {
    let tasks: Vec<String> = (0..2_000).map(|n| format!("  - t{n}: {{ cal: x }}")).collect();
    let parsed = parse(&format!("{HEAD}do:\n{}\n", tasks.join("\n")));
    assert_eq!(parsed.diagnostics.len(), 500);
    assert!(parsed.workflow.is_none());
}

#[test]
fn loose_mode_tries_texts() {
    valid("evaluate: { mode: loose }\ndo: [{ a: { set: { x: .y, z: plain text } } }]\n");
}

#[test]
fn versions_of_the_language_are_told_apart() {
    let text = |dsl: &str| {
        format!("document: {{ dsl: '{dsl}', namespace: d, name: p, version: '1.0.0' }}\ndo: []\n")
    };
    for dsl in ["1.0.0", "1.0.1", "1.0.2", "1.0.3", "1.0.9"] {
        check_document(&text(dsl), &[]);
    }
    for dsl in ["0.8.0", "1.1.0", "2.0.0", "1.0.0-alpha5"] {
        assert!(parse(&text(dsl)).workflow.is_none(), "{dsl}");
    }
}
