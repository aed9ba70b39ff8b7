//! The arguments of `run: script`, read strictly.

use tutti_expr::{Kind, Object, Value};
use tutti_journal::Error;

use super::{interpreter::Language, source};
use crate::{
    arguments::{Members, invalid, text_or_json},
    process::{Return, given, is_variable, output, variables},
};

/// Which script to run, with what, and what of it to return.
#[derive(Debug)]
pub(super) struct Arguments {
    pub(super) language: Language,
    pub(super) text: Text,
    /// What follows the script's name in its list of arguments.
    pub(super) list: Vec<String>,
    /// Variables of the script.
    pub(super) named: Vec<(String, Value)>,
    pub(super) stdin: String,
    /// Beside the base environment.
    pub(super) environment: Vec<(String, String)>,
    /// Whether it is granted the network.
    pub(super) network: bool,
    pub(super) output: Return,
    /// Whether the call ends with the script, not with its start.
    pub(super) awaits: bool,
}

/// Where the script is.
#[derive(Debug)]
pub(super) enum Text {
    Code(String),
    Source(String),
}

impl Arguments {
    /// Reads evaluated arguments.
    pub(super) fn read(value: &Value) -> Result<Self, Error> {
        let mut members = Members::of(value, "script")?;
        let language = members.text("language")?;
        let language = Language::named(language).ok_or_else(|| {
            invalid(format!("`script.language` is `{language}`, not js, javascript or python"))
        })?;
        let text = text(&mut members)?;
        let (list, named) = arguments(members.optional("arguments"))?;
        let environment = members.object("environment")?.map_or(Ok(Vec::new()), variables)?;
        let stdin = members.optional("stdin").map(text_or_json).unwrap_or_default();
        let network = members.flag("network")?;
        let output = output(members.optional_text("return")?)?;
        let awaits = members.optional("await").is_none() || members.flag("await")?;
        members.finish()?;
        if environment.iter().any(|(_, text)| text.contains('\0')) {
            return Err(invalid("a variable of `environment` has a NUL in it".to_owned()));
        }
        Ok(Self { language, text, list, named, stdin, environment, network, output, awaits })
    }
}

fn text(members: &mut Members<'_>) -> Result<Text, Error> {
    let code = members.optional_text("code")?.map(str::to_owned);
    match (code, members.optional_text("source")?) {
        (Some(code), None) if code.len() as u64 > source::MOST => {
            Err(invalid(format!("`script.code` is larger than {} bytes", source::MOST)))
        }
        (Some(code), None) => Ok(Text::Code(code)),
        (None, Some(source)) => Ok(Text::Source(source.to_owned())),
        _ => Err(invalid("`script` has either `code` or `source`".to_owned())),
    }
}

type Named = Vec<(String, Value)>;

/// A list is what the script's own list of arguments has; a map gives variables of these names.
fn arguments(value: Option<&Value>) -> Result<(Vec<String>, Named), Error> {
    match value.map(Value::kind) {
        None => Ok((Vec::new(), Vec::new())),
        Some(Kind::Array(items)) => Ok((items.iter().map(given).collect(), Vec::new())),
        Some(Kind::Object(object)) => Ok((Vec::new(), named(object)?)),
        Some(_) => Err(invalid("`script.arguments` must be an array or an object".to_owned())),
    }
}

fn named(object: &Object) -> Result<Named, Error> {
    // Two underscores begin the names in which interpreters keep their own things.
    let usable = |name: &str| is_variable(name) && !name.starts_with("__");
    let variable = |(name, value): (&std::sync::Arc<str>, &Value)| {
        if usable(name) {
            Ok((name.to_string(), value.clone()))
        } else {
            Err(invalid(format!("`{name}` cannot be the name of a script's variable")))
        }
    };
    object.iter().map(variable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(arguments: &str, expected: &str) {
        let value = Value::from_json(arguments).expect("JSON");
        let shown = match Arguments::read(&value) {
            Ok(read) => {
                let named = Value::object(read.named).to_json();
                format!("{:?} {:?} {named} {:?}", read.text, read.list, read.environment)
            }
            Err(error) => error.detail.and_then(|it| it.as_str().map(str::to_owned)).expect("text"),
        };
        assert_eq!(shown, expected, "{arguments}");
    }

    #[test]
    fn arguments_are_read_strictly() {
        check(
            r#"{"language":"js","code":"x","arguments":["a",1,null,{"b":2}]}"#,
            r#"Code("x") ["a", "1", "", "{\"b\":2}"] {} []"#,
        );
        check(
            r#"{"language":"python","source":"file:///a","arguments":{"a":[1],"b":null},"environment":{"B":1}}"#,
            r#"Source("file:///a") [] {"a":[1],"b":null} [("B", "1")]"#,
        );
        check(
            r#"{"language":"ruby","code":"x"}"#,
            "`script.language` is `ruby`, not js, javascript or python",
        );
        check(r#"{"language":"js"}"#, "`script` has either `code` or `source`");
        check(
            r#"{"language":"js","code":"x","source":"y"}"#,
            "`script` has either `code` or `source`",
        );
        check(r#"{"language":"js","code":"x","cwd":"/"}"#, "`script` has no member `cwd`");
        check(
            r#"{"language":"js","code":"x","arguments":{"__proto__":1}}"#,
            "`__proto__` cannot be the name of a script's variable",
        );
        check(
            r#"{"language":"js","code":"x","arguments":{"a-b":1}}"#,
            "`a-b` cannot be the name of a script's variable",
        );
        check(
            r#"{"language":"js","code":"x","arguments":"a"}"#,
            "`script.arguments` must be an array or an object",
        );
    }
}
