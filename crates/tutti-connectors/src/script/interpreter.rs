//! The interpreters of the machine, and how each is told what to do.

use std::{
    env,
    ffi::{OsStr, OsString},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
};

use tutti_expr::Value;
use tutti_journal::{Error, ErrorType};

/// The language of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    JavaScript,
    Python,
}

impl Language {
    /// The language that documents call so.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "js" | "javascript" => Some(Self::JavaScript),
            "python" => Some(Self::Python),
            _ => None,
        }
    }

    /// The words that start its interpreter, which then reads [`delivery`] from its standard input.
    pub(super) fn words(self) -> Result<Vec<OsString>, Error> {
        let (programs, options): (_, &[&str]) = match self {
            Self::JavaScript => {
                let options = &["--experimental-vm-modules", "-e", include_str!("start.js"), "--"];
                (["node", "nodejs"], options)
            }
            Self::Python => {
                (["python3", "python"], &["-X", "utf8", "-c", include_str!("start.py")])
            }
        };
        let path = env::var_os("PATH").unwrap_or_default();
        let found = programs.iter().find_map(|program| find(program, &path));
        let program = found.ok_or_else(|| self.missing(programs))?;
        Ok([program.into()].into_iter().chain(options.iter().map(Into::into)).collect())
    }

    fn missing(self, programs: [&str; 2]) -> Error {
        let (name, package) = match self {
            Self::JavaScript => ("Node.js 20 or newer", "nodejs"),
            Self::Python => ("Python 3.8 or newer", "python3"),
        };
        let [first, second] = programs;
        let detail = format!(
            "the script needs {name}, but neither `{first}` nor `{second}` is on the PATH: install it, for example with `apt-get install {package}`"
        );
        Error::new(ErrorType::Configuration, detail)
    }
}

/// The executable file called `program` in the directories of `path`.
fn find(program: &str, path: &OsStr) -> Option<PathBuf> {
    env::split_paths(path).map(|directory| directory.join(program)).find(|candidate| {
        let metadata = candidate.metadata();
        metadata.is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
    })
}

/// What an interpreter is given on its standard input: a length in a line of its own, so many bytes of JSON, and then
/// what the script itself reads there.
pub(super) fn delivery(
    code: &str,
    list: Vec<String>,
    named: Vec<(String, Value)>,
    stdin: &str,
) -> String {
    let given = Value::object([
        ("code", Value::from(code)),
        ("list", Value::array(list.into_iter().map(Value::from))),
        ("named", Value::object(named)),
    ]);
    let json = given.to_json();
    format!("{}\n{json}{stdin}", json.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_interpreter_is_told_with_what_to_install() {
        let missing = Language::Python.missing(["python3", "python"]);
        let detail = missing.detail.and_then(|it| it.as_str().map(str::to_owned));
        assert!(detail.expect("a text").contains("apt-get install python3"));
        assert_eq!(find("python3", OsStr::new("/nowhere:")), None);
    }

    #[test]
    fn the_length_is_that_of_the_json_in_bytes() {
        let text = delivery("ä", vec!["b".into()], vec![("n".into(), Value::from(1))], "rest");
        let expected = r#"{"code":"ä","list":["b"],"named":{"n":1}}"#;
        assert_eq!(text, format!("{}\n{expected}rest", expected.len()));
    }
}
