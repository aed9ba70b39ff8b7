//! The arguments of `run: shell`, read strictly.

use tutti_expr::{Kind, Value};
use tutti_journal::Error;

use crate::{
    arguments::{Members, invalid, text_or_json},
    process::{Return, given, output, variables},
};

/// What to run and what of it to return.
#[derive(Debug)]
pub(super) struct Arguments {
    /// Shell text.
    pub(super) command: String,
    /// `$1` and on.
    pub(super) positional: Vec<String>,
    pub(super) stdin: Option<String>,
    /// Beside the base environment.
    pub(super) environment: Vec<(String, String)>,
    pub(super) output: Return,
    /// Whether the call ends with the command, not with its start.
    pub(super) awaits: bool,
}

impl Arguments {
    /// Reads evaluated arguments.
    pub(super) fn read(value: &Value) -> Result<Self, Error> {
        let mut members = Members::of(value, "shell")?;
        let command = members.text("command")?.to_owned();
        let (positional, named) = arguments(members.optional("arguments"))?;
        let mut environment = members.object("environment")?.map_or(Ok(Vec::new()), variables)?;
        for (name, text) in named {
            if environment.iter().any(|(known, _)| *known == name) {
                return Err(invalid(format!("`{name}` is both an argument and in `environment`")));
            }
            environment.push((name, text));
        }
        let stdin = members.optional("stdin").map(text_or_json);
        let output = output(members.optional_text("return")?)?;
        let awaits = members.optional("await").is_none() || members.flag("await")?;
        members.finish()?;
        let texts = positional.iter().chain(environment.iter().map(|(_, text)| text));
        if texts.chain([&command]).any(|text| text.contains('\0')) {
            return Err(invalid("a command, argument or variable has a NUL in it".to_owned()));
        }
        Ok(Self { command, positional, stdin, environment, output, awaits })
    }
}

type Named = Vec<(String, String)>;

/// A list gives `$1` and on; a map gives variables of these names.
fn arguments(value: Option<&Value>) -> Result<(Vec<String>, Named), Error> {
    match value.map(Value::kind) {
        None => Ok((Vec::new(), Vec::new())),
        Some(Kind::Array(items)) => Ok((items.iter().map(given).collect(), Vec::new())),
        Some(Kind::Object(object)) => Ok((Vec::new(), variables(object)?)),
        Some(_) => Err(invalid("`shell.arguments` must be an array or an object".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(arguments: &str, expected: &str) {
        let value = Value::from_json(arguments).expect("JSON");
        let shown = match Arguments::read(&value) {
            Ok(read) => format!("{:?} {:?} {:?}", read.positional, read.environment, read.stdin),
            Err(error) => error.detail.and_then(|it| it.as_str().map(str::to_owned)).expect("text"),
        };
        assert_eq!(shown, expected, "{arguments}");
    }

    #[test]
    fn arguments_are_read_strictly() {
        check(
            r#"{"command":"x","arguments":["a",1,true,null,{"b":2}]}"#,
            r#"["a", "1", "true", "", "{\"b\":2}"] [] None"#,
        );
        check(
            r#"{"command":"x","arguments":{"A":"a"},"environment":{"B":1,"C":null},"stdin":[1]}"#,
            r#"[] [("B", "1"), ("A", "a")] Some("[1]")"#,
        );
        check("{}", "`shell.command` is missing");
        check("[]", "`shell` must be an object, not an array");
        check(r#"{"command":1}"#, "`shell.command` must be a string, not a number");
        check(r#"{"command":"x","cwd":"/"}"#, "`shell` has no member `cwd`");
        check(r#"{"command":"x","environment":{"a-b":1}}"#, "`a-b` is not the name of a variable");
        check(r#"{"command":"x","environment":{"1a":1}}"#, "`1a` is not the name of a variable");
        check(r#"{"command":"x","environment":{"":1}}"#, "`` is not the name of a variable");
        check(
            r#"{"command":"x","arguments":"a"}"#,
            "`shell.arguments` must be an array or an object",
        );
        check(
            r#"{"command":"x","return":"exit"}"#,
            "`return` is `exit`, not stdout, stderr, code, all or none",
        );
        check(r#"{"command":"x","await":"no"}"#, "`shell.await` must be a boolean, not a string");
        check(r#"{"command":"a\u0000b"}"#, "a command, argument or variable has a NUL in it");
        check(
            r#"{"command":"x","arguments":{"A":1},"environment":{"A":2}}"#,
            "`A` is both an argument and in `environment`",
        );
    }
}
