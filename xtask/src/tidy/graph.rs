//! Who depends on whom, from `cargo metadata`.

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::{process, repository::Repository};

/// The workspace's packages, and everything they pull in.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// Our own packages, by name.
    pub(super) members: Vec<Package>,
    /// Every package of the lock file that is resolved, ours included: (name, the native library it links).
    pub(super) resolved: Vec<(String, Option<String>)>,
}

/// One of our packages and what its manifest asks for.
#[derive(Debug)]
pub(super) struct Package {
    /// Its name.
    pub(super) name: String,
    /// Its dependencies of every kind.
    pub(super) dependencies: Vec<Dependency>,
}

/// One line under a manifest's dependencies.
#[derive(Debug)]
pub(super) struct Dependency {
    /// The package's name, however it is renamed.
    pub(super) name: String,
    /// Whether only tests, examples and benchmarks use it.
    pub(super) dev: bool,
}

impl Graph {
    /// Asks cargo.
    pub(super) fn load(repository: &Repository) -> Result<Self> {
        let mut command =
            process::cargo(repository, &["metadata", "--format-version", "1", "--locked"]);
        let text = process::output(&mut command)?;
        let metadata: Value = serde_json::from_str(&text).context("cargo metadata is JSON")?;
        Self::read(&metadata).context("cargo metadata has another shape than expected")
    }

    fn read(metadata: &Value) -> Option<Self> {
        let ids = metadata["workspace_members"].as_array()?;
        let packages = metadata["packages"].as_array()?;
        let members = packages.iter().filter(|package| ids.contains(&package["id"])).map(package);
        let resolved = packages.iter().map(|package| {
            Some((
                package["name"].as_str()?.to_owned(),
                package["links"].as_str().map(str::to_owned),
            ))
        });
        Some(Self {
            members: members.collect::<Option<_>>()?,
            resolved: resolved.collect::<Option<_>>()?,
        })
    }
}

fn package(package: &Value) -> Option<Package> {
    let dependencies = package["dependencies"].as_array()?.iter().map(|dependency| {
        let name = dependency["name"].as_str()?.to_owned();
        Some(Dependency { name, dev: dependency["kind"] == "dev" })
    });
    Some(Package {
        name: package["name"].as_str()?.to_owned(),
        dependencies: dependencies.collect::<Option<_>>()?,
    })
}

#[cfg(test)]
impl Graph {
    /// A workspace of one package with one dependency.
    pub(super) fn planted(name: &str, dependency: &str, dev: bool) -> Self {
        let dependencies = vec![Dependency { name: dependency.to_owned(), dev }];
        Self {
            members: vec![Package { name: name.to_owned(), dependencies }],
            resolved: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_read_with_kinds_and_links() {
        let metadata = serde_json::json!({
            "workspace_members": ["a 1"],
            "packages": [
                { "id": "a 1", "name": "a", "links": null,
                  "dependencies": [{ "name": "b", "kind": null }, { "name": "c", "kind": "dev" }] },
                { "id": "b 1", "name": "b", "links": "sqlite3", "dependencies": [] },
            ],
        });
        let graph = Graph::read(&metadata).expect("the shape of cargo metadata");
        let dependencies = &graph.members[0].dependencies;
        assert_eq!(graph.members.len(), 1);
        assert_eq!((dependencies[0].dev, dependencies[1].dev), (false, true));
        assert_eq!(graph.resolved[1], ("b".to_owned(), Some("sqlite3".to_owned())));
    }
}
