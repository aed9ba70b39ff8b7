//! Documents: every module says what it is, links lead somewhere, and the README stays short.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::Violation;
use crate::repository::SourceFile;

/// A README is read to its end only while it is short.
const README_LINES: usize = 150;

/// Modules that do not open with `//!`.
pub(super) fn module_heads(files: &[SourceFile]) -> Vec<Violation> {
    let silent = files.iter().filter(|file| file.is_module()).filter(|file| {
        let mut lines = file.text.lines().map(str::trim).filter(|line| !line.is_empty());
        !lines.next().is_some_and(|line| line.starts_with("//!"))
    });
    silent.map(|file| Violation::new(&file.path, "does not open with `//!`")).collect()
}

/// Relative links of Markdown files that lead to no file, or to no heading in it.
pub(super) fn links(files: &[SourceFile]) -> Vec<Violation> {
    let places = places(files);
    let anchors: BTreeMap<&str, BTreeSet<String>> = files
        .iter()
        .filter(|file| is_markdown(file))
        .map(|file| (file.path.as_str(), headings(&file.text)))
        .collect();
    let mut violations = Vec::new();
    for file in files.iter().filter(|file| is_markdown(file)) {
        for (number, target) in targets(&file.text) {
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = if path.is_empty() { file.path.clone() } else { resolve(&file.path, path) };
            if !places.contains(path.as_str()) {
                violations.push(Violation::at(
                    file,
                    number,
                    format!("links to {path}, which does not exist"),
                ));
            } else if !anchor.is_empty()
                && anchors.get(path.as_str()).is_some_and(|known| !known.contains(anchor))
            {
                violations.push(Violation::at(
                    file,
                    number,
                    format!("links to #{anchor}, which {path} lacks"),
                ));
            }
        }
    }
    violations
}

/// A README that has grown too long.
pub(super) fn readme(files: &[SourceFile]) -> Vec<Violation> {
    let lines =
        files.iter().find(|file| file.path == "README.md").map(|file| file.text.lines().count());
    let what = match lines {
        None => "is missing".to_owned(),
        Some(lines) if lines > README_LINES => {
            format!("has {lines} lines, more than {README_LINES}")
        }
        Some(_) => return Vec::new(),
    };
    vec![Violation::new("README.md", what)]
}

fn is_markdown(file: &SourceFile) -> bool {
    Path::new(&file.path).extension().is_some_and(|extension| extension == "md")
}

/// Every file and every directory above one.
fn places(files: &[SourceFile]) -> BTreeSet<&str> {
    let mut places = BTreeSet::new();
    for file in files {
        places.insert(file.path.as_str());
        places.extend(file.path.match_indices('/').map(|(end, _)| &file.path[..end]));
    }
    places
}

/// The relative targets of a document's links, with their line, outside code.
fn targets(text: &str) -> Vec<(usize, &str)> {
    let mut targets = Vec::new();
    for (number, line) in prose(text) {
        // Between the odd backticks stands code.
        for part in line.split('`').step_by(2) {
            let ends = part.split("](").skip(1).filter_map(|rest| rest.split(')').next());
            let inside = ends.map(|target| target.split(' ').next().unwrap_or(target));
            targets
                .extend(inside.filter(|target| is_relative(target)).map(|target| (number, target)));
        }
    }
    targets
}

fn is_relative(target: &str) -> bool {
    !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:")
}

/// The numbered lines outside fenced code.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fence && !fenced
    })
}

/// `a/b.md` and `../c.md` make `c.md`.
fn resolve(from: &str, target: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The anchors of a document's headings, as code hosts make them.
fn headings(text: &str) -> BTreeSet<String> {
    let titles = prose(text).filter_map(|(_, line)| {
        let title = line.trim_start_matches('#');
        (title.len() < line.len()).then(|| title.strip_prefix(' ')).flatten()
    });
    titles.map(slug).collect()
}

fn slug(title: &str) -> String {
    let kept =
        title.trim().chars().filter(|&c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_without_a_head_is_found() {
        let module = |text: &str| SourceFile::planted("crates/tutti-dsl/src/task.rs", text);
        assert_eq!(module_heads(&[module("use std::fmt;\n//! late")]).len(), 1);
        assert_eq!(module_heads(&[module("")]).len(), 1);
        assert_eq!(module_heads(&[module("\n//! Tasks.\n")]), []);
    }

    #[test]
    fn a_broken_link_is_found() {
        let check = |text: &str| {
            links(&[
                SourceFile::planted("docs/a.md", text),
                SourceFile::planted("b.md", "## An `x` it"),
            ])
        };
        for broken in ["[b](b.md)", "[b](../c.md)", "[b](../b.md#none)", "x\n[b](#none)"] {
            assert_eq!(check(broken).len(), 1, "{broken}");
        }
        for whole in [
            "[b](../b.md)",
            "[d](../docs)",
            "[b](../b.md#an-x-it)",
            "[w](https://a.example/b)",
            "# T\n[t](#t)",
        ] {
            assert_eq!(check(whole), [], "{whole}");
        }
    }

    #[test]
    fn links_inside_code_are_not_links() {
        assert_eq!(targets("`[a](b.md)`\n```\n[a](b.md)\n```\n[c](d.md)"), [(4, "d.md")]);
    }

    #[test]
    fn a_long_or_missing_readme_is_found() {
        let check =
            |lines: usize| readme(&[SourceFile::planted("README.md", &"x\n".repeat(lines))]);
        assert_eq!(check(README_LINES), []);
        assert_eq!(check(README_LINES + 1).len(), 1);
        assert_eq!(readme(&[]).len(), 1);
    }
}
