//! Import cycles among the files of one crate. Two files that need each other are one subject, or hide a third.
//!
//! An edge is a path written in code (`crate::a::B`, `super::b`, `self::c`, a child's name), followed through the
//! re-exports of the files it passes. What a file takes from the modules above it is no edge: a parent's shared words are
//! what its children are for. Test modules (`#[cfg(test)] mod`) do not count.

mod imports;

use std::collections::{BTreeMap, BTreeSet};

use self::imports::imports;
use super::Violation;
use crate::repository::SourceFile;

/// A module's path below its crate: empty for the root.
type ModulePath = Vec<String>;
/// The modules of one crate, with their files.
type Modules<'a> = BTreeMap<ModulePath, &'a SourceFile>;

/// One violation for each set of files that import each other in a circle.
pub(super) fn check(files: &[SourceFile]) -> Vec<Violation> {
    let mut crates: BTreeMap<&str, Modules<'_>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.is_module()) {
        if let Some((home, inside)) = file.path.split_once("/src/") {
            crates.entry(home).or_default().insert(module_path(inside), file);
        }
    }
    crates.values().flat_map(cycles).collect()
}

fn module_path(inside: &str) -> ModulePath {
    match inside.trim_end_matches(".rs") {
        "lib" | "main" => Vec::new(),
        path => path.split('/').map(str::to_owned).collect(),
    }
}

fn cycles(modules: &Modules<'_>) -> Vec<Violation> {
    let edges: BTreeMap<&ModulePath, BTreeSet<ModulePath>> =
        modules.keys().map(|module| (module, edges(module, modules))).collect();
    let mut seen = BTreeSet::new();
    let mut violations = Vec::new();
    for (module, file) in modules {
        let Some(cycle) = way_back(module, &edges).filter(|_| !seen.contains(module)) else {
            continue;
        };
        let paths = cycle.iter().map(|step| name(step)).collect::<Vec<_>>().join(" → ");
        violations
            .push(Violation::new(&file.path, format!("import cycle: {paths} → {}", name(module))));
        seen.extend(cycle);
    }
    violations
}

fn name(module: &[String]) -> String {
    if module.is_empty() { "crate".to_owned() } else { module.join("::") }
}

/// The files a module imports from, but for those above it.
fn edges(module: &ModulePath, modules: &Modules<'_>) -> BTreeSet<ModulePath> {
    let Some(file) = modules.get(module) else { return BTreeSet::new() };
    let paths = imports(&file.text);
    let targets = paths.iter().filter_map(|path| target(module, path, modules, 0));
    targets.filter(|target| !module.starts_with(target)).collect()
}

/// How many re-exports a path is followed through.
const REEXPORTS: usize = 8;

/// The module whose file defines what `path`, written in `module`, names.
fn target(
    module: &[String],
    path: &[String],
    modules: &Modules<'_>,
    depth: usize,
) -> Option<ModulePath> {
    let (mut at, mut rest) = start(module, path, modules)?;
    while let Some((first, after)) = rest.split_first() {
        let child = [at.as_slice(), std::slice::from_ref(first)].concat();
        if !modules.contains_key(&child) {
            return Some(reexported(&at, first, modules, depth).unwrap_or(at));
        }
        (at, rest) = (child, after);
    }
    Some(at)
}

/// Where a path begins: the root, a module above, or a child of this module.
fn start<'p>(
    module: &[String],
    path: &'p [String],
    modules: &Modules<'_>,
) -> Option<(ModulePath, &'p [String])> {
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => Some((Vec::new(), rest)),
        "self" => Some((module.to_vec(), rest)),
        "super" => {
            let ups = path.iter().take_while(|part| *part == "super").count();
            let above = module.len().checked_sub(ups)?;
            Some((module[..above].to_vec(), &path[ups..]))
        }
        _ => {
            let child = [module, std::slice::from_ref(first)].concat();
            modules.contains_key(&child).then_some((child, rest))
        }
    }
}

/// The module that `name`, imported into `module`, comes from.
fn reexported(
    module: &[String],
    name: &str,
    modules: &Modules<'_>,
    depth: usize,
) -> Option<ModulePath> {
    if depth == REEXPORTS {
        return None;
    }
    let imports = imports(&modules.get(module)?.text);
    let import = imports
        .iter()
        .find(|path| path.len() > 1 && path.last().is_some_and(|last| last == name))?;
    target(module, import, modules, depth + 1)
}

/// A shortest way from a module back to itself.
fn way_back(
    module: &ModulePath,
    edges: &BTreeMap<&ModulePath, BTreeSet<ModulePath>>,
) -> Option<Vec<ModulePath>> {
    let mut ways = vec![vec![module.clone()]];
    let mut visited = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in way.last().and_then(|last| edges.get(last)).into_iter().flatten() {
                if next == module {
                    return Some(way);
                }
                if visited.insert(next.clone()) {
                    longer.push([way.as_slice(), std::slice::from_ref(next)].concat());
                }
            }
        }
        ways = longer;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn krate(files: &[(&str, &str)]) -> Vec<Violation> {
        let plant = |(path, text): &(&str, &str)| {
            SourceFile::planted(&format!("crates/c/src/{path}"), text)
        };
        check(&files.iter().map(plant).collect::<Vec<_>>())
    }

    #[test]
    fn two_files_that_import_each_other_are_found_once() {
        let violations = krate(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::B;"),
            ("b.rs", "fn f() { super::a::f() }"),
        ]);
        assert_eq!(violations, [Violation::new("crates/c/src/a.rs", "import cycle: a → b → a")]);
    }

    #[test]
    fn a_cycle_through_a_re_export_is_found() {
        let violations = krate(&[
            ("lib.rs", "mod a;\nmod b;\npub use a::A;\npub use self::b::{B, C};"),
            ("a.rs", "use crate::{B, other};"),
            ("b.rs", "use crate::A;"),
        ]);
        assert_eq!(violations.len(), 1);
    }

    #[test]
    fn a_cycle_of_three_with_nested_modules_is_found() {
        let violations = krate(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "mod x;\nuse x::X;"),
            ("a/x.rs", "use crate::b;"),
            ("b.rs", "use crate::a;"),
        ]);
        assert_eq!(violations.len(), 1);
        assert!(violations[0].what.contains("a → a::x → b"), "{}", violations[0]);
    }

    #[test]
    fn a_child_that_uses_its_parents_words_is_fine() {
        let violations = krate(&[
            ("lib.rs", "mod a;\nmod b;\npub use a::A;\npub struct Error;"),
            ("a.rs", "mod x;\nuse x::X;\nuse crate::Error;"),
            ("a/x.rs", "use super::Shared;\nuse crate::Error;"),
            ("b.rs", "use crate::A;\n// use crate::b;"),
        ]);
        assert_eq!(violations, []);
    }

    #[test]
    fn tests_may_import_what_they_like() {
        let violations = krate(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b;"),
            ("b.rs", "struct B;\n#[cfg(test)]\nmod tests {\n use crate::a;\n}"),
        ]);
        assert_eq!(violations, []);
    }
}
