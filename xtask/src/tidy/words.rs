//! Words that belong to one machine and must not travel with the repository.

use super::Violation;
use crate::repository::SourceFile;

/// Spelled in two halves, so that this file may stand in the repository.
const FORBIDDEN: &[(&str, &str)] = &[
    ("/wo", "rk/"),
    ("/fa", "rm/"),
    ("index.crates", ".io"),
    ("static.crates", ".io"),
    ("registry.npmjs", ".org"),
    ("files.pythonhosted", ".org"),
    ("pypi", ".org"),
    ("proxy.golang", ".org"),
];

/// Lines with a path of one machine or the host of a package registry.
pub(super) fn check(files: &[SourceFile]) -> Vec<Violation> {
    let forbidden: Vec<String> =
        FORBIDDEN.iter().map(|(start, end)| format!("{start}{end}")).collect();
    let mut violations = Vec::new();
    for file in files {
        for (number, line) in file.text.lines().enumerate() {
            let found = forbidden.iter().filter(|word| line.contains(word.as_str()));
            violations.extend(
                found.map(|word| Violation::at(file, number, format!("forbidden: {word}"))),
            );
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_one_machine_is_found() {
        for (start, end) in FORBIDDEN {
            let file = SourceFile::planted("docs/README.md", &format!("see\n{start}{end}x"));
            let violations = check(&[file]);
            assert_eq!(violations.len(), 1);
            assert_eq!(violations[0].place, "docs/README.md:2");
        }
    }

    #[test]
    fn a_path_of_no_machine_is_fine() {
        assert_eq!(check(&[SourceFile::planted("a.md", "network/ frameworks")]), []);
    }
}
