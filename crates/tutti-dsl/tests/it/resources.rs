//! Schemas, scripts and functions from elsewhere.

use std::sync::Arc;

use tutti_dsl::{
    Call, Code, Parsed, Process, Resources, ScriptText, TaskKind, Workflow, parse, parse_with,
};

const HEADER: &str = "document: { dsl: '1.0.3', namespace: docs, name: page, version: '1.0.0' }\n";

fn given(resources: &[(&str, &str)]) -> Resources {
    let mut given = Resources::default();
    for (uri, text) in resources {
        given.insert(Arc::from(*uri), Ok(text.as_bytes()));
    }
    given
}

fn parsed(document: &str, resources: &[(&str, &str)]) -> Parsed {
    parse_with(&format!("{HEADER}{document}"), &given(resources))
}

fn workflow(document: &str, resources: &[(&str, &str)]) -> Workflow {
    let parsed = parsed(document, resources);
    assert!(parsed.needs.is_empty(), "{:?}", parsed.needs);
    let told = format!("{:?}", parsed.diagnostics);
    parsed.workflow.expect(&told)
}

#[track_caller]
fn needs(document: &str, resources: &[(&str, &str)], expected: &[&str]) {
    let parsed = parsed(document, resources);
    let uris: Vec<&str> = parsed.needs.iter().map(|need| &*need.uri).collect();
    assert_eq!(uris, expected, "{document}: {:?}", parsed.diagnostics);
}

#[track_caller]
fn told(document: &str, resources: &[(&str, &str)], code: Code, part: &str) {
    let parsed = parsed(document, resources);
    let found = parsed.diagnostics.iter().any(|d| d.code == code && d.message.contains(part));
    assert!(found, "{code} {part}: {:?}", parsed.diagnostics);
}

#[test]
fn what_a_document_needs_is_listed_by_where_it_is() {
    let call = |name: &str| format!("do: [ {{ a: {{ call: '{name}' }} }} ]\n");
    needs(&call("https://h/f.yaml"), &[], &["https://h/f.yaml"]);
    needs(&call("https://user@h/f.yaml"), &[], &["https://user@h/f.yaml"]);
    needs(&call("file:./f.yaml"), &[], &["file:f.yaml"]);
    let catalog = |endpoint: &str, name: &str| {
        format!(
            "use: {{ catalogs: {{ c: {{ endpoint: {endpoint} }}, default: {{ endpoint: 'file:d' }} }} }}\n{}",
            call(name)
        )
    };
    let file = "functions/log/1.0.0/function.yaml";
    needs(&catalog("'file:c'", "log:1.0.0@c"), &[], &[&format!("file:c/{file}")]);
    needs(&catalog("'file:c'", "log:1.0.0"), &[], &[&format!("file:d/{file}")]);
    needs(&catalog("'file:c'", "log:1.0.0@default"), &[], &[&format!("file:d/{file}")]);
    needs(
        &catalog("https://github.com/o/r/tree/main", "log:1.0.0@c"),
        &[],
        &[&format!("https://raw.githubusercontent.com/o/r/main/{file}")],
    );
    let schema = "{ schema: { resource: { endpoint: { uri: 'https://h/s.json' } } } }";
    needs(
        &format!("input: {schema}\ndo: [ {{ a: {{ set: {{}}, output: {schema} }} }} ]\n"),
        &[],
        &["https://h/s.json"],
    );
    let script = "{ language: python, source: { endpoint: 'file:a.py' } }";
    needs(&format!("do: [ {{ a: {{ run: {{ script: {script} }} }} }} ]\n"), &[], &["file:a.py"]);
    let each = "{ in: '${ . }', function: 'file:f.yaml' }";
    needs(&format!("do: [ {{ a: {{ call: each, with: {each} }} }} ]\n"), &[], &["file:f.yaml"]);
}

#[test]
fn functions_need_what_they_name_from_where_they_are() {
    let document = "do: [ { a: { call: 'file:f/a.yaml' } } ]\n";
    let first = ("file:f/a.yaml", "do: [ { b: { call: 'file:b.yaml' } } ]");
    needs(document, &[first], &["file:f/b.yaml"]);
    let second = ("file:f/b.yaml", "set: { x: 1 }");
    let workflow = workflow(document, &[first, second]);
    let function = workflow.find("/resources/file:f~1a.yaml").expect("the function");
    let caller = workflow.find("/do/0/a").expect("the task");
    let kind = &workflow.task(caller).kind;
    assert!(matches!(kind, TaskKind::Call(Call::Function { task, .. }) if *task == function));
    assert_eq!(&*workflow.task(function).name, "a.yaml");
    assert!(workflow.find("/resources/file:f~1b.yaml").is_some());
}

#[test]
fn a_function_from_the_network_names_no_files() {
    let document = "do: [ { a: { call: 'https://h/f.yaml' } } ]\n";
    let function =
        "run: { script: { language: python, source: { endpoint: 'file:///etc/passwd' } } }";
    told(document, &[("https://h/f.yaml", function)], Code::CannotLoad, "may not read files");
}

#[test]
fn a_loaded_function_sees_nothing_of_the_workflow() {
    let document = "use: { secrets: [ s ], functions: { g: { set: { x: 1 } } } }\ndo: [ { a: { call: 'file:f.yaml' } } ]\n";
    for function in [
        "set: '${ $secrets.s }'",
        "set: '${ $secrets }'",
        "call: g",
        "raise: { error: e }",
        "{}",
        "[]",
        "a: [",
    ] {
        told(document, &[("file:f.yaml", function)], Code::NotAFunction, "file:f.yaml");
    }
}

#[test]
fn functions_that_call_each_other_in_a_circle_are_refused() {
    let document = "do: [ { a: { call: 'file:a.yaml' } } ]\n";
    let resources =
        [("file:a.yaml", "call: 'file:b.yaml'"), ("file:b.yaml", "call: 'file:a.yaml'")];
    told(document, &resources, Code::FunctionCycle, "file:a.yaml");
}

#[test]
fn a_catalog_is_asked_only_if_it_is_declared() {
    told("do: [ { a: { call: 'log:1.0.0' } } ]\n", &[], Code::UnknownFunction, "`log:1.0.0`");
    told("do: [ { a: { call: 'log:1.0.0@c' } } ]\n", &[], Code::UnknownFunction, "catalog `c`");
}

#[test]
fn a_literal_script_is_a_part_of_the_definition() {
    let document = "do: [ { a: { run: { script: { language: python, source: { endpoint: 'file:a.py' } } } } } ]\n";
    let workflow = workflow(document, &[("file:a.py", "print('${ 1 }')")]);
    let is_pinned = |script: &tutti_dsl::Script| matches!(&script.text, ScriptText::Code(code) if code.is_literal());
    assert!(matches!(
        &workflow.tasks[0].kind,
        TaskKind::Run(run) if matches!(&run.process, Process::Script(script) if is_pinned(script))
    ));
}

#[test]
fn a_schema_is_used_or_told_about() {
    let document = "input: { schema: { resource: { endpoint: 'file:s.json' } } }\ndo: [ { a: { set: { x: 1 } } } ]\n";
    let loaded = workflow(document, &[("file:s.json", "type: object")]);
    assert!(loaded.flow.input_schema.is_some());
    told(document, &[("file:s.json", "type: nonsense")], Code::InvalidSchema, "file:s.json");
    told(document, &[("file:s.json", "a: [")], Code::InvalidSchema, "file:s.json");
    let unloaded = parse(&format!("{HEADER}{document}"));
    assert!(unloaded.workflow.is_none() && !unloaded.has_errors());
    assert_eq!(unloaded.diagnostics[0].code, Code::NotLoaded);
}

#[test]
fn a_task_without_what_it_needs_is_there_and_faults() {
    let document = "do: [ { a: { call: 'https://h/f.yaml' } }, { b: { set: { x: 1 }, output: { schema: { resource: { endpoint: 'https://h/s' } } } } } ]\n";
    let parsed = parsed(document, &[]);
    let workflow = parsed.workflow.expect("a workflow");
    assert!(workflow.tasks.iter().all(|task| task.unsupported.is_some()));
}
