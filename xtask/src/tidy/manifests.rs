//! Manifests and lint settings: what holds for one crate holds for all.

use super::Violation;
use crate::repository::SourceFile;

/// Crates that do not take the workspace's lints.
pub(super) fn lints(files: &[SourceFile]) -> Vec<Violation> {
    let silent = files.iter().filter(|file| is_manifest_of_a_crate(file)).filter(|file| {
        let mut lines =
            file.text.lines().map(str::trim).skip_while(|line| *line != "[lints]").skip(1);
        lines.next() != Some("workspace = true")
    });
    silent.map(|file| Violation::new(&file.path, "lacks `[lints] workspace = true`")).collect()
}

/// Dependencies of the workspace that are out of order within their group.
pub(super) fn order(files: &[SourceFile]) -> Vec<Violation> {
    let Some(file) = files.iter().find(|file| file.path == "Cargo.toml") else {
        return vec![Violation::new("Cargo.toml", "is missing")];
    };
    let mut violations = Vec::new();
    let mut previous = "";
    let section =
        file.text.lines().enumerate().skip_while(|(_, line)| *line != "[workspace.dependencies]");
    for (number, line) in section.skip(1).take_while(|(_, line)| !line.starts_with('[')) {
        let Some((name, _)) = line.split_once(" = ").filter(|_| !line.starts_with(['#', ' ']))
        else {
            // A group ends at an empty line; a comment or a continued line does not end it.
            previous = if line.is_empty() { "" } else { previous };
            continue;
        };
        if name < previous {
            violations.push(Violation::at(
                file,
                number,
                format!("`{name}` stands after `{previous}`"),
            ));
        }
        previous = name;
    }
    violations
}

/// A crate's clippy.toml replaces the root's, so it must repeat all of it.
pub(super) fn clippy(files: &[SourceFile]) -> Vec<Violation> {
    let Some(root) = files.iter().find(|file| file.path == "clippy.toml") else {
        return vec![Violation::new("clippy.toml", "is missing")];
    };
    let mut violations = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with("/clippy.toml")) {
        let missing = rules(root).find(|rule| !rules(file).any(|other| other.contains(rule)));
        let what =
            |rule| format!("does not repeat `{rule}` of the root's clippy.toml, which it replaces");
        violations.extend(missing.map(|rule| Violation::new(&file.path, what(rule))));
    }
    violations
}

/// The lines that say something, without the comma that ends them.
fn rules(file: &SourceFile) -> impl Iterator<Item = &str> {
    let lines = file.text.lines().map(|line| line.trim().trim_end_matches(','));
    lines.filter(|line| !line.is_empty() && !line.starts_with('#') && *line != "]")
}

fn is_manifest_of_a_crate(file: &SourceFile) -> bool {
    ["examples/Cargo.toml", "xtask/Cargo.toml"].contains(&file.path.as_str())
        || (file.path.starts_with("crates/") && file.path.ends_with("/Cargo.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_without_the_workspaces_lints_is_found() {
        let manifest = |text: &str| SourceFile::planted("crates/tutti-dsl/Cargo.toml", text);
        assert_eq!(lints(&[manifest("[package]\nname = \"x\"\n")]).len(), 1);
        assert_eq!(lints(&[manifest("[lints]\nrust = 1\n")]).len(), 1);
        assert_eq!(lints(&[manifest("[lints]\nworkspace = true\n")]), []);
    }

    #[test]
    fn a_dependency_out_of_order_is_found() {
        let check = |text: &str| {
            order(&[SourceFile::planted(
                "Cargo.toml",
                &format!("[workspace.dependencies]\n{text}\n[profile.dev]\na = 1"),
            )])
        };
        assert_eq!(check("serde = \"1\"\nanyhow = \"1\"").len(), 1);
        assert_eq!(check("tutti-ids = 1\n\n# others\nanyhow = \"1\"\n# why\nserde = \"1\""), []);
    }

    #[test]
    fn a_clippy_file_that_forgets_a_rule_of_the_root_is_found() {
        let root = SourceFile::planted(
            "clippy.toml",
            "# why\nwords = [\n  \"A\",\n  \"B\",\n]\nflag = true\n",
        );
        let check =
            |text: &str| clippy(&[root.clone(), SourceFile::planted("crates/a/clippy.toml", text)]);
        assert_eq!(check("words = [\n  \"A\",\n]\nflag = true\n").len(), 1);
        assert_eq!(check("words = [\n  \"A\", \"B\",\n]\nflag = true\nmore = 1\n"), []);
    }
}
