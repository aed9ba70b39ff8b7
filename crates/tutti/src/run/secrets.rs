//! Where the secrets of an execution come from, and how they are kept out of what is said.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use tutti_dsl::Workflow;
use tutti_engine::Secrets;
use tutti_expr::{Kind, Value};
use tutti_secrets::{MapSecrets, ProviderError, Redactor, Secret};

use super::input::{Stdin, read_file};
use crate::{
    command_line::RunArguments,
    console::Console,
    exit::{Failure, causes},
};

/// The secrets the command line gives. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct GivenSecrets(Arc<BTreeMap<String, Value>>);

impl std::fmt::Debug for GivenSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Secrets for GivenSecrets {
    fn secret(&self, _namespace: &str, name: &str) -> Option<Value> {
        self.0.get(name).cloned()
    }
}

impl GivenSecrets {
    /// All of them as one object.
    pub(super) fn all(&self) -> Value {
        Value::object(self.0.iter().map(|(name, value)| (name.as_str(), value.clone())))
    }

    /// Refuses to go on without one of these secrets, which are declared: what reads it would fault for good. `how`: the
    /// command that goes on.
    pub(super) fn demand(&self, declared: &[Arc<str>], how: &str) -> Result<(), Failure> {
        let missing = declared.iter().filter(|name| !self.0.contains_key(&***name));
        let missing: Vec<String> = missing.map(|name| format!("`{name}`")).collect();
        let (noun, verb) = match missing.len() {
            0 => return Ok(()),
            1 => ("secret", "is"),
            _ => ("secrets", "are"),
        };
        let message = format!("the {noun} {} {verb} declared and not given", missing.join(", "));
        let hint = format!("nothing was decided; go on with: {how}");
        Err(Failure::usage(message).hint(hint))
    }

    /// What is declared and not given will be missed; what is given and not declared can be used by nothing.
    pub(super) fn warn_of_differences(&self, workflow: &Workflow, console: &Console) {
        for name in workflow.secrets.iter().filter(|name| !self.0.contains_key(&***name)) {
            let message = format!("the secret `{name}` is declared and not given");
            let hint = format!("give it with --secret {name} (environment) or {name}=@FILE");
            console.warning(&message, Some(&hint));
        }
        for name in self.0.keys() {
            if !workflow.secrets.iter().any(|declared| **declared == **name) {
                let message = format!("the document does not declare the secret `{name}`");
                console.warning(&message, Some("declare it in `use.secrets`, or leave it out"));
            }
        }
    }
}

/// Reads all secrets, and keeps them out of what is said from now on.
pub(super) fn gather(
    arguments: &RunArguments,
    stdin: &mut Stdin,
    console: &Console,
) -> Result<GivenSecrets, Failure> {
    let mut secrets = MapSecrets::new();
    for prefix in &arguments.env_secrets {
        secrets.insert_variables(prefix).map_err(|error| unreadable(&error))?;
    }
    for path in &arguments.secrets_file {
        read_secrets_file(path, &mut secrets)?;
    }
    let mut in_the_open = Vec::new();
    for given in &arguments.secret {
        if let Some(name) = take(given, &mut secrets, stdin)? {
            in_the_open.push(name);
        }
    }
    if secrets.iter().next().is_none() {
        return Ok(GivenSecrets::default());
    }
    let given: BTreeMap<String, Value> = secrets
        .iter()
        .map(|(name, secret)| (name.to_owned(), to_value(secret.expose()).tainted()))
        .collect();
    keep_out(&secrets, &given, console)?;
    for (name, _) in secrets.iter().filter(|(_, secret)| is_short(secret.expose())) {
        let message = format!("the secret `{name}` is too short to be kept out of what is shown");
        console
            .warning(&message, Some("secrets of fewer than 4 bytes are not looked for in texts"));
    }
    for name in in_the_open {
        let message =
            format!("the secret `{name}` stands on the command line, where others see it");
        let hint = format!("give it as --secret {name} (environment), {name}=@FILE or {name}=-");
        console.warning(&message, Some(&hint));
    }
    Ok(GivenSecrets(Arc::new(given)))
}

/// One `--secret`; gives its name if it stands in the open.
fn take<'a>(
    given: &'a str,
    secrets: &mut MapSecrets,
    stdin: &mut Stdin,
) -> Result<Option<&'a str>, Failure> {
    let (name, source) = match given.split_once('=') {
        Some((name, source)) => (name, Some(source)),
        None => (given, None),
    };
    if name.is_empty() {
        return Err(Failure::usage("`--secret` takes NAME, NAME=@FILE or NAME=-"));
    }
    match source {
        None => match secrets.insert_variable(name) {
            Ok(true) => {}
            Ok(false) => {
                let message =
                    format!("there is no environment variable `{name}` for --secret {name}");
                let hint = format!("set it, or give --secret {name}=@FILE or {name}=-");
                return Err(Failure::usage(message).hint(hint));
            }
            Err(error) => return Err(unreadable(&error)),
        },
        Some("-") => {
            let text = stdin.read(&format!("--secret {name}=-"))?;
            secrets.insert(name, Secret::new(without_newline(text)));
        }
        Some(source) => {
            let Some(path) = source.strip_prefix('@') else {
                secrets.insert(name, Secret::new(source.to_owned()));
                return Ok(Some(name));
            };
            let inserted = secrets.insert_file(name, Path::new(path));
            inserted.map_err(|error| {
                Failure::usage(format!(
                    "cannot take {path} for --secret {name}: {}",
                    causes(&error)
                ))
            })?;
        }
    }
    Ok(None)
}

fn without_newline(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
    }
    if text.ends_with('\r') {
        text.pop();
    }
    text
}

/// One JSON object, or lines of `NAME=VALUE`; the latter may be empty, begin with `#` or have quotes around the value.
fn read_secrets_file(path: &Path, secrets: &mut MapSecrets) -> Result<(), Failure> {
    let text = read_file(path)?;
    if text.trim_start().starts_with('{') {
        let parsed = Value::from_json(&text).map_err(|error| {
            // The message may show a part of the text: only its place is said.
            let place = format!("line {}, column {}", error.line, error.column);
            Failure::usage(format!("{} is not JSON ({place})", path.display()))
        })?;
        for (name, value) in parsed.as_object().into_iter().flat_map(tutti_expr::Object::iter) {
            let text = value.as_str().map_or_else(|| value.to_json(), str::to_owned);
            secrets.insert(&**name, Secret::new(text));
        }
        return Ok(());
    }
    for (position, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = line.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            let place = format!("{}:{}", path.display(), position + 1);
            return Err(Failure::usage(format!("{place} is not NAME=VALUE"))
                .hint("a secrets file has lines of NAME=VALUE, or is one JSON object"));
        };
        secrets.insert(name.trim(), Secret::new(unquoted(value.trim()).to_owned()));
    }
    Ok(())
}

fn unquoted(text: &str) -> &str {
    let within = |quote| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    within('"').or_else(|| within('\'')).unwrap_or(text)
}

/// A text that is a JSON object has members; any other is a text.
fn to_value(text: &str) -> Value {
    if text.trim_start().starts_with('{')
        && let Ok(value) = Value::from_json(text)
    {
        return value;
    }
    Value::from(text)
}

fn keep_out(
    secrets: &MapSecrets,
    given: &BTreeMap<String, Value>,
    console: &Console,
) -> Result<(), Failure> {
    let mut texts: Vec<String> =
        secrets.iter().map(|(_, secret)| secret.expose().clone()).collect();
    for value in given.values() {
        collect_texts(value, &mut texts);
    }
    let redactor = Redactor::new(texts.iter().map(String::as_str))
        .map_err(|error| Failure::usage(causes(&error)))?;
    console.keep_out(redactor);
    Ok(())
}

/// Whether a text is too short to be looked for in others.
fn is_short(text: &str) -> bool {
    (1..4).contains(&text.trim().len())
}

fn collect_texts(value: &Value, texts: &mut Vec<String>) {
    match value.kind() {
        Kind::String(text) => texts.push(text.to_string()),
        Kind::Array(items) => items.iter().for_each(|item| collect_texts(item, texts)),
        Kind::Object(members) => {
            members.iter().for_each(|(_, member)| collect_texts(member, texts));
        }
        Kind::Null | Kind::Bool(_) | Kind::Integer(_) | Kind::Float(_) => {}
    }
}

fn unreadable(error: &ProviderError) -> Failure {
    Failure::usage(causes(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_secrets_is_lines_or_json() {
        let check = |text: &str, expected: &[(&str, &str)]| {
            let directory = tempfile::tempdir().expect("a directory");
            let path = directory.path().join("secrets");
            std::fs::write(&path, text).expect("a file");
            let mut secrets = MapSecrets::new();
            read_secrets_file(&path, &mut secrets).expect("secrets");
            let read: Vec<_> =
                secrets.iter().map(|(name, secret)| (name, secret.expose().as_str())).collect();
            assert_eq!(read, expected);
        };
        check(
            "# c\n\nA=1\nexport B = 'x y' \nC=\"a=b\"\n",
            &[("A", "1"), ("B", "x y"), ("C", "a=b")],
        );
        check(r#"{"A":"1","B":{"u":"x"}}"#, &[("A", "1"), ("B", r#"{"u":"x"}"#)]);
        check("", &[]);
    }
}
