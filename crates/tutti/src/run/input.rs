//! `--input` and `--set`.

use std::{env, fs, io::Read as _, path::Path, sync::Arc};

use tutti_expr::Value;

use crate::exit::Failure;

/// The largest input accepted, in bytes.
const MAX_INPUT: u64 = 16 * 1024 * 1024;

/// Standard input, which can be read once.
#[derive(Debug, Default)]
pub(crate) struct Stdin {
    reader: Option<String>,
}

impl Stdin {
    /// All of standard input, for `reader`.
    pub(crate) fn read(&mut self, reader: &str) -> Result<String, Failure> {
        self.claim(reader)?;
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().take(MAX_INPUT + 1).read_to_end(&mut bytes);
        read.map_err(|error| Failure::of("cannot read standard input", &error))?;
        text(bytes, "standard input")
    }

    /// From now on standard input is `reader`'s.
    pub(crate) fn claim(&mut self, reader: &str) -> Result<(), Failure> {
        if let Some(other) = &self.reader {
            let message = format!("both {other} and {reader} want standard input");
            return Err(Failure::usage(message).hint("give one of them in a file"));
        }
        self.reader = Some(reader.to_owned());
        Ok(())
    }
}

/// The text of a file.
pub(crate) fn read_file(path: &Path) -> Result<String, Failure> {
    let fail = |error| {
        let failure = Failure::of(&format!("cannot read {}", path.display()), &error);
        match hint_about(path) {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    };
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(fail)?;
    file.take(MAX_INPUT + 1).read_to_end(&mut bytes).map_err(fail)?;
    text(bytes, &path.display().to_string())
}

/// What to do about a path behind which there is no file.
fn hint_about(path: &Path) -> Option<String> {
    if path.is_dir() {
        return Some(format!(
            "name a file in it, such as {}",
            path.join("workflow.yaml").display()
        ));
    }
    let mut around = path.ancestors().skip(1).filter(|it| !it.as_os_str().is_empty());
    if path.exists() {
        return None;
    }
    match around.find(|it| it.is_dir()) {
        Some(directory) => Some(format!("look for its name in {}", directory.display())),
        None => {
            env::current_dir().ok().map(|here| format!("it was looked for in {}", here.display()))
        }
    }
}

fn text(bytes: Vec<u8>, name: &str) -> Result<String, Failure> {
    if bytes.len() as u64 > MAX_INPUT {
        return Err(Failure::usage(format!("{name} is larger than 16 MiB")));
    }
    String::from_utf8(bytes).map_err(|_error| Failure::usage(format!("{name} is not UTF-8 text")))
}

/// The input that `--input` and `--set` give; none where they give none.
pub(crate) fn input(
    given: Option<&str>,
    set: &[String],
    stdin: &mut Stdin,
) -> Result<Option<Value>, Failure> {
    let mut input = match given {
        Some(given) => Some(value("--input", given, stdin)?),
        None => None,
    };
    for assignment in set {
        let (path, value) = assigned(assignment)?;
        input = Some(put(input.as_ref(), &path, value).map_err(|reason| {
            Failure::usage(format!("cannot apply --set {}: {reason}", path.join(".")))
        })?);
    }
    Ok(input)
}

/// The value of a flag: JSON, `@FILE`, or `-` for all of standard input.
pub(crate) fn value(flag: &str, given: &str, stdin: &mut Stdin) -> Result<Value, Failure> {
    if given == "-" {
        return parse(&stdin.read(flag)?, &format!("{flag} -"));
    }
    match given.strip_prefix('@') {
        Some(path) => parse(&read_file(Path::new(path))?, path),
        None => parse(given, flag).map_err(|failure| {
            if Path::new(given).is_file() {
                failure.hint(format!("a file is given as {flag} @{given}"))
            } else {
                failure.hint(format!("{flag} takes JSON, @FILE or - for stdin"))
            }
        }),
    }
}

fn parse(text: &str, name: &str) -> Result<Value, Failure> {
    Value::from_json(text)
        .map_err(|error| Failure::usage(format!("{name} is not JSON: {}", error.message)))
}

fn assigned(assignment: &str) -> Result<(Vec<&str>, Value), Failure> {
    let malformed = || {
        Failure::usage("`--set` takes PATH=TEXT or PATH:=JSON")
            .hint("for example --set order.note=urgent, or --set order.count:=3")
    };
    let (path, text) = assignment.split_once('=').ok_or_else(malformed)?;
    let (path, value) = match path.strip_suffix(':') {
        Some(path) => (path, parse(text, &format!("--set {path}"))?),
        None => (path, Value::from(text)),
    };
    let path: Vec<&str> = path.split('.').collect();
    if path.iter().any(|key| key.is_empty()) {
        return Err(malformed());
    }
    Ok((path, value))
}

/// `around` with `value` at `path`; what is missing on the way is made.
fn put(around: Option<&Value>, path: &[&str], value: Value) -> Result<Value, String> {
    let Some((key, rest)) = path.split_first() else { return Ok(value) };
    let empty = Value::object::<&str>([]);
    let around = around.unwrap_or(&empty);
    if let Some(items) = around.as_array() {
        let index = key.parse().ok().filter(|index| *index < items.len());
        let index: usize = index.ok_or_else(|| format!("`{key}` is no place in an array"))?;
        let mut items = items.to_vec();
        items[index] = put(items.get(index), rest, value)?;
        return Ok(Value::array(items));
    }
    let Some(members) = around.as_object() else {
        return Err(format!("what `{key}` should be put into is neither an object nor an array"));
    };
    let inner = put(members.get(key), rest, value)?;
    let members = members.iter().map(|(key, value)| (key.clone(), value.clone()));
    Ok(Value::object(members.chain([(Arc::from(*key), inner)])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_put_where_the_path_says() {
        let check = |around: &str, assignment: &str, expected: &str| {
            let around = Value::from_json(around).ok();
            let result = assigned(assignment)
                .map_err(|failure| failure.message)
                .and_then(|(path, value)| put(around.as_ref(), &path, value));
            assert_eq!(result.map_or_else(|error| error, |value| value.to_json()), expected);
        };
        check("", "a.b=1", r#"{"a":{"b":"1"}}"#);
        check("", "a.b:=1", r#"{"a":{"b":1}}"#);
        check(r#"{"a":{"c":2},"d":3}"#, "a.b=x=y", r#"{"a":{"c":2,"b":"x=y"},"d":3}"#);
        check(r#"{"a":1}"#, "a=2", r#"{"a":"2"}"#);
        check("[1,2]", "1:=[]", "[1,[]]");
        check("[1,2]", "2:=1", "`2` is no place in an array");
        check("7", "a=1", "what `a` should be put into is neither an object nor an array");
        check("", "a..b=1", "`--set` takes PATH=TEXT or PATH:=JSON");
        check("", "a", "`--set` takes PATH=TEXT or PATH:=JSON");
    }
}
