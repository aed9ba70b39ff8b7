//! The paths that a file's code writes down: `use` trees spread out, and paths inside expressions.

/// Every path of more than one part, and every `use`, outside comments and test modules.
pub(super) fn imports(text: &str) -> Vec<Vec<String>> {
    let code = without_comments(before_tests(text));
    let mut paths = Vec::new();
    for statement in code.split(';') {
        match use_tree(statement) {
            Some(tree) => spread(tree, &[], &mut paths),
            None => paths.extend(written(statement)),
        }
    }
    paths
}

/// Tests come last in a file, so what precedes them is the code.
fn before_tests(text: &str) -> &str {
    let tests = text.match_indices("#[cfg(test)]").find(|(at, mark)| {
        let after = text[at + mark.len()..].trim_start();
        after.starts_with("mod ") && after.lines().next().is_some_and(|line| line.ends_with('{'))
    });
    tests.map_or(text, |(at, _)| &text[..at])
}

fn without_comments(text: &str) -> String {
    let lines = text.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code));
    lines.collect::<Vec<_>>().join("\n")
}

/// The tree of a statement that ends in a `use`: what precedes it on other lines belongs to what came before.
fn use_tree(statement: &str) -> Option<&str> {
    let starts = statement.match_indices("use ").filter(|(at, _)| {
        let before = statement[..*at].trim_end();
        before.is_empty()
            || before.ends_with(['}', ']', '{'])
            || before.ends_with("pub")
            || before.ends_with(')')
    });
    starts.map(|(at, word)| &statement[at + word.len()..]).last()
}

/// `a::{b, c::d as e}` as `a::b` and `a::c::d`.
fn spread(tree: &str, prefix: &[String], paths: &mut Vec<Vec<String>>) {
    let tree = tree.trim();
    let Some((head, group)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or(tree);
        paths.push([prefix, &parts(path)].concat());
        return;
    };
    let prefix = [prefix, &parts(head)].concat();
    let group = group.trim_end().strip_suffix('}').unwrap_or(group);
    for branch in branches(group) {
        spread(branch, &prefix, paths);
    }
}

/// Splits at the commas outside braces.
fn branches(group: &str) -> Vec<&str> {
    let (mut depth, mut from, mut found) = (0_usize, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                found.push(&group[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    found.push(&group[from..]);
    found.into_iter().filter(|branch| !branch.trim().is_empty()).collect()
}

/// Paths inside expressions, signatures and types.
fn written(code: &str) -> impl Iterator<Item = Vec<String>> {
    let paths = code.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
    paths.filter(|path| path.contains("::")).map(parts)
}

fn parts(path: &str) -> Vec<String> {
    let parts = path.split("::").map(|part| part.trim().trim_matches(':'));
    parts.filter(|part| !part.is_empty() && *part != "*").map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found: Vec<_> = imports(text).iter().map(|path| path.join("::")).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn use_trees_are_spread_out() {
        check("use crate::a;", &["crate::a"]);
        check(
            "pub(crate) use a::{b, c::{d, e as f}, g::*};",
            &["a::b", "a::c::d", "a::c::e", "a::g"],
        );
        check("mod a;\nuse std::fmt;\n#[expect(x)]\nuse super::b;", &["std::fmt", "super::b"]);
    }

    #[test]
    fn paths_in_code_count_and_comments_do_not() {
        check("fn f(a: crate::b::C) -> d { e::g() } // use h::i;", &["crate::b::C", "e::g"]);
    }
}
