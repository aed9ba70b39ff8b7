//! Every diagnostic and problem code has its page, and every page its code.

use std::collections::BTreeMap;

use super::{Violation, names::words};
use crate::repository::SourceFile;

/// Where the pages are: `PAGES/E0117.md`.
const PAGES: &str = "docs/reference/errors/";

/// Codes without a page, and pages without a code.
pub(super) fn check(files: &[SourceFile]) -> Vec<Violation> {
    let mut declared = declared(files);
    let mut violations = Vec::new();
    for code in files.iter().filter_map(page) {
        if declared.remove(code).is_none() {
            violations
                .push(Violation::new(format!("{PAGES}{code}.md"), "no crate declares this code"));
        }
    }
    let missing = declared.into_iter();
    violations.extend(
        missing.map(|(code, place)| Violation::new(place, format!("{PAGES}{code}.md is missing"))),
    );
    violations
}

/// Codes that code (not a comment) names, each with the first place.
fn declared(files: &[SourceFile]) -> BTreeMap<&str, String> {
    let mut declared = BTreeMap::new();
    for file in files.iter().filter(|file| file.is_module() && file.path.starts_with("crates/")) {
        for (number, line) in file.text.lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for code in words(line).filter(|word| is_code(word)) {
                declared.entry(code).or_insert_with(|| format!("{}:{}", file.path, number + 1));
            }
        }
    }
    declared
}

/// `E0117`, `W0003`.
fn is_code(word: &str) -> bool {
    let digits = word.strip_prefix(['E', 'W']).unwrap_or("");
    digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The code that a page is about.
fn page(file: &SourceFile) -> Option<&str> {
    file.path.strip_prefix(PAGES)?.strip_suffix(".md").filter(|name| is_code(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> SourceFile {
        SourceFile::planted("crates/tutti-dsl/src/code.rs", text)
    }

    #[test]
    fn a_code_without_a_page_is_found() {
        let violations = check(&[source("\nconst A: Code = code(\"E0117\");")]);
        assert_eq!(violations.len(), 1);
        assert_eq!(violations[0].place, "crates/tutti-dsl/src/code.rs:2");
    }

    #[test]
    fn a_page_without_a_code_is_found() {
        let page = SourceFile::planted("docs/reference/errors/W0001.md", "");
        assert_eq!(check(&[page]).len(), 1);
    }

    #[test]
    fn a_code_with_its_page_and_a_code_in_a_comment_are_fine() {
        let page = SourceFile::planted("docs/reference/errors/E0117.md", "");
        let readme = SourceFile::planted("docs/reference/errors/README.md", "");
        assert_eq!(
            check(&[source("E0117 => 1, // E12345 is none\n/// like E0200"), page, readme]),
            []
        );
    }
}
