//! Scenario files: a workflow, what happens around it, and what must come of it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tutti_dsl::Resources;
use tutti_expr::Value;

/// One scenario file, read.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// `<area>/<name>`
    pub name: String,
    /// The rows of the language it proves, such as `D14` or `1.6 for.while`.
    pub semantics: Vec<String>,
    /// The documents, as JSON texts; the first is started.
    pub workflows: Vec<String>,
    /// What was loaded for the documents, by URI: texts, or data.
    pub resources: Value,
    /// The raw input; none where the file has none.
    pub input: Option<Value>,
    /// Secrets by name.
    pub secrets: Value,
    /// How many calls may be out at once, and other settings.
    pub settings: Value,
    /// What calls meet.
    pub calls: Vec<CallScript>,
    /// Events that were received before the start.
    pub events: Vec<Value>,
    /// What operators do and which events are received, in this order.
    pub controls: Vec<ControlScript>,
    /// What must come of it.
    pub expect: Value,
}

/// What the calls that fit meet.
#[derive(Debug, Clone)]
pub struct CallScript {
    /// The function, a task's place or a part of a URI.
    pub on: String,
    /// One per call, in order; the last one again for further calls.
    pub answers: Vec<Value>,
    /// One per probe, in order; the last one again.
    pub probes: Vec<Value>,
    /// What the arguments of each call must contain, in order; the last one again.
    pub arguments: Option<Value>,
}

/// One thing an operator does, or an event that is received.
#[derive(Debug, Clone)]
pub struct ControlScript {
    /// When, in milliseconds after the start; none: once nothing moves any more.
    pub at: Option<u64>,
    /// What the operator does.
    pub control: Value,
    /// The event that is received instead; what it leaves out is made up.
    pub event: Option<Value>,
}

/// Reads every scenario under a directory, sorted by name.
///
/// # Errors
/// The first file that cannot be read as a scenario.
pub fn load_scenarios(directory: &Path) -> io::Result<Vec<Scenario>> {
    let mut files = Vec::new();
    collect(directory, &mut files)?;
    files.sort();
    files.iter().map(|file| load(directory, file)).collect()
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
    Ok(())
}

fn load(directory: &Path, file: &Path) -> io::Result<Scenario> {
    let text = fs::read_to_string(file)?;
    let name = file.strip_prefix(directory).unwrap_or(file).with_extension("");
    let name = name.to_string_lossy().replace('\\', "/");
    Scenario::parse(&name, &text)
        .map_err(|problem| io::Error::other(format!("scenario {name}: {problem}")))
}

const KEYS: [&str; 11] = [
    "semantics",
    "workflow",
    "workflows",
    "resources",
    "input",
    "secrets",
    "settings",
    "calls",
    "controls",
    "events",
    "expect",
];

impl Scenario {
    /// Reads one scenario.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let value = tutti_dsl::parse_value(text).map_err(|problems| format!("{problems:?}"))?;
        let members = value.as_object().ok_or("must be a mapping")?;
        if let Some((key, _)) = members.iter().find(|(key, _)| !KEYS.contains(&&***key)) {
            return Err(format!("unknown key {key}"));
        }
        let mut workflows = list(&value, "workflows");
        workflows.extend(value.get("workflow").cloned());
        let expect = value.get("expect").cloned().ok_or("`expect` is missing")?;
        Ok(Self {
            name: name.to_owned(),
            semantics: list(&value, "semantics").iter().map(text_of).collect(),
            workflows: workflows.iter().rev().map(document).collect(),
            resources: value.get("resources").cloned().unwrap_or(Value::NULL),
            input: value.get("input").cloned(),
            secrets: value.get("secrets").cloned().unwrap_or(Value::NULL),
            settings: value.get("settings").cloned().unwrap_or(Value::NULL),
            calls: list(&value, "calls").iter().map(CallScript::read).collect::<Result<_, _>>()?,
            events: list(&value, "events"),
            controls: list(&value, "controls").iter().map(ControlScript::read).collect(),
            expect,
        })
    }
}

impl Scenario {
    /// What was loaded for the documents.
    pub(crate) fn resources(&self) -> Resources {
        let mut resources = Resources::default();
        for (uri, loaded) in
            self.resources.as_object().into_iter().flat_map(tutti_expr::Object::iter)
        {
            resources.insert(uri.clone(), Ok(text_of(loaded).as_bytes()));
        }
        resources
    }
}

impl CallScript {
    fn read(value: &Value) -> Result<Self, String> {
        let on = value.get("on").and_then(Value::as_str).ok_or("a call needs `on`")?;
        let answers = list(value, "answers");
        if answers.is_empty() {
            return Err(format!("the calls on {on} need `answers`"));
        }
        Ok(Self {
            on: on.to_owned(),
            answers,
            probes: list(value, "probes"),
            arguments: value.get("arguments").cloned(),
        })
    }
}

impl ControlScript {
    fn read(value: &Value) -> Self {
        let at = value.get("at").and_then(Value::as_i64).and_then(|at| u64::try_from(at).ok());
        let control = value.get("control").cloned().unwrap_or(Value::NULL);
        Self { at, control, event: value.get("event").cloned() }
    }
}

/// A list, or the one thing that stands in its place.
fn list(value: &Value, key: &str) -> Vec<Value> {
    match value.get(key) {
        None => Vec::new(),
        Some(found) => found.as_array().map_or_else(|| vec![found.clone()], <[Value]>::to_vec),
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_json(), str::to_owned)
}

/// A document as text; one that does not say what it is called gets a name.
fn document(value: &Value) -> String {
    if let Some(text) = value.as_str() {
        return text.to_owned();
    }
    let named = value.get("document").is_some();
    let members = value.as_object().into_iter().flat_map(tutti_expr::Object::iter);
    let members = members.map(|(key, value)| (key.clone(), value.clone()));
    let header = Value::object([
        ("dsl", Value::from("1.0.3")),
        ("namespace", Value::from("test")),
        ("name", Value::from("scenario")),
        ("version", Value::from("1.0.0")),
    ]);
    let header = (!named).then(|| ("document".into(), header));
    Value::object(header.into_iter().chain(members)).to_json()
}
