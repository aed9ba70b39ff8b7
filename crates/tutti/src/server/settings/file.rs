//! The configuration file: TOML, of which every key is known, with the place of each.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;

use super::{
    catalog::{Kind, SETTINGS, Setting, nearest},
    place::place,
};
use crate::exit::Failure;

/// A value of the file.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Node {
    Flag(bool),
    Number(i64),
    Text(String),
    Table(BTreeMap<String, Node>),
    /// What no setting takes.
    Fraction(#[expect(dead_code, reason = "no setting takes one")] f64),
    List(#[expect(dead_code, reason = "no setting takes one")] Vec<Node>),
}

/// What a file says of a setting, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) setting: &'static str,
    pub(super) value: String,
    /// `FILE:LINE:COLUMN`
    pub(super) place: String,
}

/// What `text`, of the file at `path`, says.
pub(super) fn read(text: &str, path: &Path) -> Result<Vec<Said>, Failure> {
    let parsed: Result<BTreeMap<String, Node>, basic_toml::Error> = basic_toml::from_str(text);
    let table = parsed.map_err(|error| {
        let told = error.to_string();
        let (what, _) = told.split_once(" at line ").unwrap_or((&told, ""));
        let (line, column) =
            error.line_col().map_or((1, 1), |(line, column)| (line + 1, column + 1));
        Failure::usage(format!("{}:{line}:{column}: {what}", path.display()))
            .hint("the file is TOML: `key = value`, and `[section]` above the keys of a section")
    })?;
    let mut reader = Reader { text, path, said: Vec::new() };
    reader.read(&mut Vec::new(), &table)?;
    Ok(reader.said)
}

struct Reader<'a> {
    text: &'a str,
    path: &'a Path,
    said: Vec<Said>,
}

impl Reader<'_> {
    fn read(
        &mut self,
        within: &mut Vec<String>,
        table: &BTreeMap<String, Node>,
    ) -> Result<(), Failure> {
        for (name, node) in table {
            within.push(name.clone());
            self.take(within, node)?;
            within.pop();
        }
        Ok(())
    }

    fn take(&mut self, at: &mut Vec<String>, node: &Node) -> Result<(), Failure> {
        let key = at.join(".");
        let is_section = SETTINGS.iter().any(|it| it.key.starts_with(&format!("{key}.")));
        // A name in quotes may have a dot, and is no key of ours.
        let known = Setting::find(&key).filter(|_| at.iter().all(|name| !name.contains('.')));
        match (node, known) {
            // Of a section that is unknown, a key says best what may have been meant.
            (Node::Table(table), None) if is_section || !table.is_empty() => self.read(at, table),
            (_, None) if is_section => {
                Err(self.refused(at, &format!("`{key}` is a section, no setting")))
            }
            (_, None) => Err(self.unknown(at)),
            (node, Some(setting)) => {
                let value = value(node, setting.kind).ok_or_else(|| {
                    self.refused(at, &format!("`{key}` must be {}", setting.kind.as_str()))
                })?;
                let place = self.place(at);
                self.said.push(Said { setting: setting.key, value, place });
                Ok(())
            }
        }
    }

    fn place(&self, key: &[String]) -> String {
        let (line, column) = place(self.text, key).unwrap_or((1, 1));
        format!("{}:{line}:{column}", self.path.display())
    }

    fn refused(&self, key: &[String], what: &str) -> Failure {
        Failure::usage(format!("{}: {what}", self.place(key)))
    }

    fn unknown(&self, key: &[String]) -> Failure {
        let text = key.join(".");
        let failure = self.refused(key, &format!("there is no setting `{text}`"));
        failure.hint(advice(&text))
    }
}

/// What is said of a key that is unknown.
pub(super) fn advice(key: &str) -> String {
    match nearest(key, SETTINGS.iter().map(|setting| setting.key)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "docs/reference/configuration.md lists all of them, as `tutti server --print-config` does".to_owned(),
    }
}

fn value(node: &Node, kind: Kind) -> Option<String> {
    match (node, kind) {
        (Node::Flag(value), Kind::Flag) => Some(value.to_string()),
        (Node::Number(value), Kind::Number) => Some(value.to_string()),
        (Node::Text(value), Kind::Text) => Some(value.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        match read(text, Path::new("s.toml")) {
            Ok(said) => {
                let each = |it: &Said| format!("{}={} {}", it.setting, it.value, it.place);
                said.iter().map(each).collect::<Vec<_>>().join("; ")
            }
            Err(failure) => format!("{} | {}", failure.message, failure.hint.unwrap_or_default()),
        }
    }

    #[test]
    fn a_file_says_settings_and_where_each_stands() {
        let check = |text: &str, expected: &str| assert_eq!(told(text), expected, "{text}");
        check("", "");
        check("listen = '[::1]:1'\n", "listen=[::1]:1 s.toml:1:1");
        check("\n[calls]\n  max = 7 # calls\n", "calls.max=7 s.toml:3:3");
        check("calls.max = 7", "calls.max=7 s.toml:1:1");
        check("calls = { max = 7 }", "calls.max=7 s.toml:1:11");
        check("[ log ]\n\"level\" = \"warn\"", "log.level=warn s.toml:2:1");
    }

    #[test]
    fn what_is_no_setting_is_refused_with_its_place_and_what_is_like_it() {
        let check = |text: &str, expected: &str| {
            let told = told(text);
            assert!(told.starts_with(expected), "{text}: {told}");
        };
        check("lisen = 'x'", "s.toml:1:1: there is no setting `lisen` | did you mean `listen`?");
        check(
            "store = 'x'\n[log]\nlevle = 'x'",
            "s.toml:3:1: there is no setting `log.levle` | did you mean `log.level`?",
        );
        check(
            "[cals]\nmax = 1",
            "s.toml:2:1: there is no setting `cals.max` | did you mean `calls.max`?",
        );
        check("[frob]", "s.toml:1:1: there is no setting `frob` | docs/reference/");
        check("\"calls.max\" = 1", "s.toml:1:1: there is no setting");
        check("calls = 1", "s.toml:1:1: `calls` is a section");
        check("[listen]\nx = 1", "s.toml:1:1: `listen` must be a text");
        check("listen = 8420", "s.toml:1:1: `listen` must be a text");
        check("[calls]\nmax = '8'", "s.toml:2:1: `calls.max` must be a whole number");
        check("[calls]\nmax = [1]", "s.toml:2:1: `calls.max` must be a whole number");
        check("no-login = 1.5", "s.toml:1:1: `no-login` must be true or false");
        check("a = [", "s.toml:1:");
        check("listen = 'a'\nlisten = 'b'", "s.toml:2:1: duplicate key");
    }
}
