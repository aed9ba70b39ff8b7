//! Names: modules that say nothing, and identifiers that mean something else here (GLOSSARY.md).

use super::Violation;
use crate::repository::SourceFile;

/// Names of modules that could hold anything, and so end up holding everything.
const BANNED_MODULES: &[&str] =
    &["common", "util", "utils", "helpers", "misc", "core", "types", "manager", "base", "prelude"];

/// Lines of `banned word`, from the glossary's *not* column.
const BANNED_IDENTIFIERS: &str = include_str!("../../banned-identifiers.txt");

/// Banned module names, as files, directories or inline modules, and every `mod.rs`.
pub(super) fn modules(files: &[SourceFile]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let path = file.path.trim_end_matches(".rs");
        if path.ends_with("/mod") {
            violations.push(Violation::new(&file.path, "is a mod.rs; name it after its module"));
        }
        let parts = path.split('/').skip(2).filter(|part| BANNED_MODULES.contains(part));
        violations.extend(
            parts.map(|part| Violation::new(&file.path, format!("banned module name `{part}`"))),
        );
        for (number, line) in file.text.lines().enumerate() {
            if let Some(name) = inline_module(line).filter(|name| BANNED_MODULES.contains(name)) {
                violations.push(Violation::at(
                    file,
                    number,
                    format!("banned module name `{name}`"),
                ));
            }
        }
    }
    violations
}

/// Identifiers that the glossary refuses, each with the word to use.
pub(super) fn identifiers(files: &[SourceFile]) -> Vec<Violation> {
    let banned: Vec<(&str, &str)> = BANNED_IDENTIFIERS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .collect();
    let mut violations = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        for (number, line) in file.text.lines().enumerate() {
            let found =
                words(line).filter_map(|word| banned.iter().find(|(name, _)| *name == word));
            violations.extend(found.map(|(name, say)| {
                Violation::at(file, number, format!("`{name}`: we say `{}`", say.trim()))
            }));
        }
    }
    violations
}

/// The name of a module declared on this line.
fn inline_module(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("pub").map_or(line, |rest| {
        let rest = rest
            .strip_prefix('(')
            .and_then(|rest| rest.split_once(')'))
            .map_or(rest, |(_, rest)| rest);
        rest.trim_start()
    });
    words(line.strip_prefix("mod ")?).next()
}

/// The identifiers of a line, comments included.
pub(super) fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_banned_module_is_found_as_file_directory_and_inline() {
        let planted = [
            ("crates/tutti-dsl/src/utils.rs", ""),
            ("crates/tutti-dsl/src/common/span.rs", ""),
            ("crates/tutti-dsl/src/lib.rs", "pub(crate) mod types {"),
            ("crates/tutti-dsl/src/lib.rs", "mod helpers;"),
            ("crates/tutti-dsl/src/task/mod.rs", ""),
        ];
        for (path, text) in planted {
            assert_eq!(modules(&[SourceFile::planted(path, text)]).len(), 1, "{path} {text}");
        }
    }

    #[test]
    fn an_honest_module_is_fine() {
        let file = SourceFile::planted("crates/tutti-dsl/src/task.rs", "mod scope;\nlet core = 1;");
        assert_eq!(modules(&[file]), []);
    }

    #[test]
    fn a_banned_identifier_is_found_with_the_word_to_use() {
        let (name, say) = BANNED_IDENTIFIERS
            .lines()
            .filter(|line| !line.starts_with('#'))
            .find_map(|line| line.split_once(' '))
            .expect("the list is not empty");
        let file =
            SourceFile::planted("crates/tutti-dsl/src/task.rs", &format!("fn a(b: {name}) {{}}"));
        let violations = identifiers(&[file]);
        assert_eq!(violations.len(), 1);
        assert!(violations[0].what.contains(say), "{}", violations[0]);
    }

    #[test]
    fn part_of_a_longer_word_is_not_the_word() {
        let name =
            BANNED_IDENTIFIERS.lines().find_map(|line| line.split_once(' ')).expect("not empty").0;
        let file = SourceFile::planted(
            "crates/tutti-dsl/src/task.rs",
            &format!("{name}x x{name} {name}_x"),
        );
        assert_eq!(identifiers(&[file]), []);
    }
}
