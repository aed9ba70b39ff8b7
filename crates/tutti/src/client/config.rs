//! The configuration file of the client: contexts, each a server and who asks it.
//!
//! Tokens stand in files of their own, so that the configuration can be shown and shared.

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::exit::Failure;

/// What the file says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// The context that is meant unless another is named.
    pub(super) current: Option<String>,
    /// The contexts by name.
    #[serde(default)]
    contexts: BTreeMap<String, Context>,
    /// Where the file is.
    #[serde(skip)]
    path: PathBuf,
}

/// A server and who asks it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Context {
    /// The server.
    pub(super) url: Option<String>,
    /// The namespace.
    pub(super) namespace: Option<String>,
    /// The file with the token; beside the configuration where it is relative.
    pub(super) token_file: Option<PathBuf>,
}

impl Config {
    /// Reads the file; where there is none, nothing is configured.
    pub(super) fn load() -> Result<Self, Failure> {
        let Some(path) = place() else { return Ok(Self::default()) };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(Failure::of(&format!("cannot read {}", path.display()), &error));
            }
        };
        Self::parse(&text, path)
    }

    pub(super) fn parse(text: &str, path: PathBuf) -> Result<Self, Failure> {
        let parsed: Result<Self, basic_toml::Error> = basic_toml::from_str(text);
        let config = parsed.map_err(|error| {
            Failure::usage(format!("{} cannot be read: {error}", path.display())).hint(
                "it has `current = \"NAME\"` and tables `[contexts.NAME]` with url, namespace, token-file",
            )
        })?;
        Ok(Self { path, ..config })
    }

    /// The context of this name, with its files where they are.
    pub(super) fn context(&self, name: &str) -> Result<Context, Failure> {
        let found = self.contexts.get(name).cloned();
        let mut context = found.ok_or_else(|| self.unknown(name))?;
        context.token_file = context.token_file.map(|file| self.resolved(&file));
        Ok(context)
    }

    fn resolved(&self, file: &Path) -> PathBuf {
        match (file.strip_prefix("~"), home()) {
            (Ok(rest), Some(home)) => home.join(rest),
            _ => self.path.parent().unwrap_or(Path::new("")).join(file),
        }
    }

    fn unknown(&self, name: &str) -> Failure {
        let known: Vec<&str> = self.contexts.keys().map(String::as_str).collect();
        let place = self.path.display();
        let failure = Failure::usage(format!("there is no context `{name}` in {place}"));
        if known.is_empty() {
            return failure.hint(format!("write one there: [contexts.{name}] with a url"));
        }
        failure.hint(format!("there are: {}", known.join(", ")))
    }
}

/// Where the file is, whether it exists or not.
fn place() -> Option<PathBuf> {
    let variable = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let directory = variable("XDG_CONFIG_HOME")
        .or_else(|| home().map(|home| home.join(".config")))
        .or_else(|| variable("APPDATA"))?;
    Some(directory.join("tutti").join("config.toml"))
}

fn home() -> Option<PathBuf> {
    let variable = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    variable("HOME")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "current = \"prod\"\n\n[contexts.prod]\nurl = \"https://tutti.example.com\"\nnamespace = \"ops\"\ntoken-file = \"prod.token\"\n\n[contexts.dev]\nurl = \"http://127.0.0.1:8420\"\n";

    #[test]
    fn contexts_are_read_with_their_files_beside_the_configuration() {
        let config = Config::parse(TEXT, PathBuf::from("/etc/it/config.toml")).expect("it is");
        let context = config.context("prod").expect("it is there");
        assert_eq!(config.current.as_deref(), Some("prod"));
        assert_eq!(context.namespace.as_deref(), Some("ops"));
        assert_eq!(context.token_file, Some(PathBuf::from("/etc/it/prod.token")));
        assert_eq!(config.context("dev").expect("it is there").token_file, None);
    }

    #[test]
    fn what_is_misspelt_is_told_with_advice() {
        let check = |text: &str, expected: &str| {
            let config = Config::parse(text, PathBuf::from("config.toml"));
            let told = match config.and_then(|config| config.context("prod")) {
                Ok(context) => format!("{context:?}"),
                Err(failure) => format!("{} {}", failure.message, failure.hint.unwrap_or_default()),
            };
            assert!(told.contains(expected), "{text}: {told}");
        };
        check("[contexts.prod]\nuri = \"x\"\n", "unknown field `uri`");
        check("[contexts.dev]\nurl = \"x\"\n", "there are: dev");
        check("", "write one there: [contexts.prod]");
        check("current = [", "cannot be read");
    }
}
