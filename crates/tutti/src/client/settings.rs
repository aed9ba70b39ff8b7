//! Which server is asked, in which namespace, and as whom.
//!
//! What the command line says counts before the context it names, that before the environment, and that before the context of
//! the environment or the file's `current`. A token goes to the server it stands beside only: that of a context to its `url`,
//! that of the environment to `TUTTI_URL` where that is set.

use std::{env, path::Path};

use tutti_secrets::Secret;

use super::{
    address::Address,
    config::{Config, Context},
};
use crate::{command_line::ConnectionArguments, console::Console, exit::Failure, run::read_file};

/// Where a server listens unless it is told otherwise.
const DEFAULT_URL: &str = "http://127.0.0.1:8420";
const DEFAULT_NAMESPACE: &str = "default";

/// Which server is asked, and as whom.
#[derive(Debug)]
pub(super) struct Settings {
    /// The server.
    pub(super) address: Address,
    /// What is shown to it.
    pub(super) token: Option<Secret<String>>,
    /// The namespace.
    pub(super) namespace: String,
    /// Whether the command line says the namespace.
    pub(super) is_namespace_given: bool,
    /// The flags that say which server: what commands that are told to a person end with.
    pub(super) flags: String,
}

/// What the environment says.
#[derive(Debug, Default)]
struct Environment {
    url: Option<String>,
    token: Option<Secret<String>>,
    namespace: Option<String>,
    context: Option<String>,
}

impl Environment {
    fn read() -> Self {
        let variable = |name| env::var(name).ok().filter(|text| !text.is_empty());
        Self {
            url: variable("TUTTI_URL"),
            token: variable("TUTTI_TOKEN").map(|text| Secret::new(text.trim().to_owned())),
            namespace: variable("TUTTI_NAMESPACE"),
            context: variable("TUTTI_CONTEXT"),
        }
    }
}

impl Settings {
    /// Of the command line, the environment and the configuration file.
    pub(super) fn of(arguments: &ConnectionArguments, console: &Console) -> Result<Self, Failure> {
        Self::decide(arguments, Environment::read(), &Config::load()?, console)
    }

    fn decide(
        arguments: &ConnectionArguments,
        environment: Environment,
        config: &Config,
        console: &Console,
    ) -> Result<Self, Failure> {
        let named = arguments.context.as_deref();
        let context = match named.or(environment.context.as_deref()).or(config.current.as_deref()) {
            Some(name) => config.context(name)?,
            None => Context::default(),
        };
        // The context that the command line names counts before the environment, any other after it.
        let beside = environment.url.clone();
        let environment = if named.is_some() { under(environment, &context) } else { environment };
        let other = arguments.url.clone().or(environment.url);
        let is_of_context = other.is_none() || other == context.url;
        let url = other.or(context.url).unwrap_or_else(|| DEFAULT_URL.to_owned());
        let of_context = context.token_file.filter(|_| is_of_context);
        let of_environment =
            environment.token.filter(|_| beside.is_none_or(|beside| beside == url));
        let token = match (&arguments.token_file, of_environment, of_context) {
            (Some(file), ..) => Some(token_in(file, console)?),
            (None, Some(token), _) => Some(token),
            (None, None, Some(file)) => Some(token_in(&file, console)?),
            (None, None, None) => None,
        };
        let namespace = arguments.namespace.clone().or(environment.namespace).or(context.namespace);
        let address = Address::parse(&url)?;
        if token.is_some() && !address.secure && !address.is_here() {
            let message = format!("the token goes to {address} without encryption");
            console.warning(&message, Some("let the server be reached by https://"));
        }
        Ok(Self {
            address,
            token,
            namespace: namespace.unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned()),
            is_namespace_given: arguments.namespace.is_some(),
            flags: flags(arguments),
        })
    }
}

fn flags(arguments: &ConnectionArguments) -> String {
    let file = arguments.token_file.as_ref().map(|file| file.display().to_string());
    let given = [
        ("--url", arguments.url.as_ref()),
        ("--token-file", file.as_ref()),
        ("--context", arguments.context.as_ref()),
    ];
    let given = given.into_iter().filter_map(|(flag, value)| Some(format!(" {flag} {}", value?)));
    given.collect()
}

/// The environment where a context says nothing.
fn under(environment: Environment, context: &Context) -> Environment {
    Environment {
        url: environment.url.filter(|_| context.url.is_none()),
        token: environment.token.filter(|_| context.token_file.is_none()),
        namespace: environment.namespace.filter(|_| context.namespace.is_none()),
        context: environment.context,
    }
}

/// Whether the command line or the environment means a server.
pub(super) fn names_a_server(arguments: &ConnectionArguments) -> bool {
    let environment = Environment::read();
    let texts = [&arguments.url, &arguments.context, &environment.url, &environment.context];
    texts.iter().any(|text| text.is_some())
}

/// Whether the configuration file has a context that is meant unless another is named.
pub(super) fn is_configured() -> bool {
    Config::load().is_ok_and(|config| config.current.is_some())
}

fn token_in(file: &Path, console: &Console) -> Result<Secret<String>, Failure> {
    let text = Secret::new(read_file(file)?);
    let token = text.expose().trim();
    if token.is_empty() || token.contains(char::is_whitespace) {
        return Err(Failure::usage(format!("there is no token in {}", file.display()))
            .hint("the file holds the token and nothing else"));
    }
    if is_read_by_others(file) {
        let message = format!("others may read {}, which holds a token", file.display());
        console.warning(&message, Some(&format!("chmod 600 {}", file.display())));
    }
    Ok(Secret::new(token.to_owned()))
}

#[cfg(unix)]
fn is_read_by_others(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = std::fs::metadata(file);
    metadata.is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o044 != 0)
}

#[cfg(not(unix))]
fn is_read_by_others(_file: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    const NO: Option<&str> = None;

    struct Case {
        flags: [Option<&'static str>; 3],
        environment: [Option<&'static str>; 4],
        config: &'static str,
        expected: &'static str,
    }

    const CONFIG: &str = "current = \"a\"\n[contexts.a]\nurl = \"http://a\"\nnamespace = \"na\"\ntoken-file = \"a.token\"\n[contexts.b]\nurl = \"http://b\"\n";

    /// Server, namespace and token as one text.
    fn decided(case: &Case, directory: &Path) -> String {
        let [url, namespace, context] = case.flags.map(|it| it.map(str::to_owned));
        let arguments = ConnectionArguments { url, namespace, context, token_file: None };
        let [url, token, namespace, context] = case.environment.map(|it| it.map(str::to_owned));
        let environment = Environment { url, token: token.map(Secret::new), namespace, context };
        std::fs::write(directory.join("tutti/config.toml"), case.config).expect("a file");
        let path = directory.join("tutti/config.toml");
        let config = Config::parse(case.config, path).expect("a configuration");
        let console = Console::new(true);
        match Settings::decide(&arguments, environment, &config, &console) {
            Ok(settings) => {
                let token = settings.token.as_ref().map_or("nobody", |token| token.expose());
                format!("{} {} {token}", settings.address, settings.namespace)
            }
            Err(failure) => failure.message,
        }
    }

    #[test]
    fn what_is_said_more_closely_counts() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(directory.path().join("tutti")).expect("a directory");
        std::fs::write(directory.path().join("tutti/a.token"), "secret-a\n").expect("a file");
        let check = |flags, environment, config, expected| {
            let case = Case { flags, environment, config, expected };
            let told = decided(&case, directory.path());
            assert_eq!(told, case.expected, "{:?} {:?}", case.flags, case.environment);
        };
        check([NO; 3], [NO; 4], "", "http://127.0.0.1:8420 default nobody");
        check([NO; 3], [NO; 4], CONFIG, "http://a na secret-a");
        check([NO, NO, Some("b")], [NO; 4], CONFIG, "http://b default nobody");
        check([NO; 3], [NO, NO, NO, Some("b")], CONFIG, "http://b default nobody");
        check([NO; 3], [Some("http://e"), Some("t"), NO, NO], CONFIG, "http://e na t");
        // The token of a context is for its server.
        check([NO; 3], [Some("http://e"), NO, NO, NO], CONFIG, "http://e na nobody");
        check([Some("http://f"), NO, NO], [NO; 4], CONFIG, "http://f na nobody");
        check([Some("http://f"), Some("n"), NO], [NO, Some("t"), NO, NO], "", "http://f n t");
        // A context that is named counts before the environment.
        check(
            [NO, NO, Some("a")],
            [Some("http://e"), Some("t"), NO, NO],
            CONFIG,
            "http://a na secret-a",
        );
        check(
            [NO, NO, Some("b")],
            [Some("http://e"), Some("t"), Some("n"), NO],
            CONFIG,
            "http://b n nobody",
        );
        check([NO, NO, Some("b")], [NO, Some("t"), NO, NO], CONFIG, "http://b default t");
        check(
            [Some("http://f"), NO, NO],
            [Some("http://e"), Some("t"), NO, NO],
            "",
            "http://f default nobody",
        );
        check([NO, NO, Some("a")], [NO, NO, Some("n"), NO], CONFIG, "http://a na secret-a");
        let missing = decided(
            &Case {
                flags: [NO, NO, Some("c")],
                environment: [NO; 4],
                config: CONFIG,
                expected: "",
            },
            directory.path(),
        );
        assert!(missing.starts_with("there is no context `c`"), "{missing}");
    }

    #[test]
    fn a_file_without_a_token_is_refused() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let console = Console::new(true);
        for text in ["", "\n", "two words"] {
            std::fs::write(file.path(), text).expect("a file");
            assert!(token_in(file.path(), &console).is_err(), "{text:?}");
        }
        assert!(token_in(&PathBuf::from("nowhere"), &console).is_err());
    }
}
