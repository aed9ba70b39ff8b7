//! The settings of the server: defaults, then a file, then the environment, then flags; each says more than the one before.
//!
//! Nothing that is misspelt is passed over: an unknown key or variable is refused with what it may have been meant to be.

mod catalog;
mod file;
#[cfg(test)]
mod page;
mod place;

use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    fmt::{self, Write as _},
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use tutti_runtime::EventsKept;
use tutti_server::LogLevel;

use self::catalog::{PREFIX, SETTINGS, Setting};
use crate::{
    command_line::{LogFormat, ServerArguments},
    exit::Failure,
    length_of_time,
};

/// The file that is read where there is one, unless `--config` names another.
const USUAL_FILE: &str = "/etc/tutti/server.toml";
/// The most calls at once.
const MOST_CALLS: usize = 100_000;
/// The most executions of a loop in memory.
const MOST_RESIDENTS: usize = 10_000_000;

/// What a server is told, checked.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) store: PathBuf,
    pub(crate) listen: SocketAddr,
    /// Whether everybody is let in.
    pub(crate) no_login: bool,
    /// Where the token of the first administrator is.
    pub(crate) bootstrap_token_file: Option<PathBuf>,
    pub(crate) max_calls: usize,
    pub(crate) allow_loopback: bool,
    pub(crate) allow_private: bool,
    pub(crate) max_residents: usize,
    pub(crate) events_kept: EventsKept,
    /// Where checkpoints are written to.
    pub(crate) checkpoints: Option<PathBuf>,
    pub(crate) checkpoints_every: Duration,
    pub(crate) log_format: LogFormat,
    pub(crate) log_level: LogLevel,
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
}

/// Who said a value.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Origin {
    Default,
    /// `FILE:LINE:COLUMN`
    File(String),
    Variable(String),
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(place) => f.write_str(place),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// Every setting as it was said last.
#[derive(Debug)]
pub(crate) struct Layers {
    said: BTreeMap<&'static str, (String, Origin)>,
    file: Option<PathBuf>,
}

impl Layers {
    /// What file, environment and flags say.
    pub(crate) fn load(arguments: &ServerArguments) -> Result<Self, Failure> {
        let mut layers = Self::defaults();
        layers.read_file(arguments.config.as_deref())?;
        let variable = |name: &str| env::var_os(name);
        if let Some(file) = variable("TUTTI_BOOTSTRAP_TOKEN_FILE").filter(|it| !it.is_empty()) {
            let name = "TUTTI_BOOTSTRAP_TOKEN_FILE".to_owned();
            layers.say("bootstrap-token-file", text(&name, file)?, Origin::Variable(name));
        }
        layers.read_environment(env::vars_os())?;
        layers.read_flags(arguments);
        Ok(layers)
    }

    fn defaults() -> Self {
        let default = |it: &Setting| (it.key, (it.default.to_owned(), Origin::Default));
        Self { said: SETTINGS.iter().map(default).collect(), file: None }
    }

    fn say(&mut self, key: &'static str, value: String, origin: Origin) {
        self.said.insert(key, (value, origin));
    }

    fn read_file(&mut self, named: Option<&Path>) -> Result<(), Failure> {
        let path = named.unwrap_or(Path::new(USUAL_FILE));
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => {
                return Ok(());
            }
            Err(error) => {
                return Err(Failure::of(&format!("cannot read {}", path.display()), &error));
            }
        };
        for said in file::read(&text, path)? {
            self.say(said.setting, said.value, Origin::File(said.place));
        }
        self.file = Some(path.to_owned());
        Ok(())
    }

    /// An empty variable says nothing.
    fn read_environment(
        &mut self,
        variables: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<(), Failure> {
        for (name, value) in variables {
            let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else {
                continue;
            };
            let rest = &name[PREFIX.len()..];
            let key = rest.to_ascii_lowercase().replace("__", ".").replace('_', "-");
            let known = Setting::find(&key).filter(|setting| setting.variable() == name);
            let setting = known.ok_or_else(|| {
                Failure::usage(format!("there is no setting for the variable {name}"))
                    .hint(file::advice(&key))
            })?;
            if !value.is_empty() {
                self.say(setting.key, text(name, value)?, Origin::Variable(name.to_owned()));
            }
        }
        Ok(())
    }

    fn read_flags(&mut self, arguments: &ServerArguments) {
        let on = |is_on: bool| is_on.then(|| "true".to_owned());
        let flags = [
            ("store", arguments.store.clone()),
            ("listen", arguments.listen.map(|listen| listen.to_string())),
            ("no-login", on(arguments.insecure)),
            ("calls.allow-loopback", on(arguments.allow_loopback)),
            ("calls.allow-private", on(arguments.allow_private)),
            ("checkpoints.file", arguments.checkpoints.clone()),
            ("log.format", arguments.log_format.map(|it| it.as_str().to_owned())),
            ("log.level", arguments.log_level.map(|it| it.as_str().to_owned())),
        ];
        for (key, value) in flags {
            let flag = Setting::find(key).and_then(|setting| setting.flag);
            if let (Some(value), Some(flag)) = (value, flag) {
                self.say(key, value, Origin::Flag(flag));
            }
        }
    }

    /// The settings, if each is what it must be.
    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        let kept = |key| {
            self.parsed(key, "a length of time such as 12h, 7d or P7D", |text| {
                let kept = length_of_time::parse(text).ok()?;
                (kept.months == 0 && kept.milliseconds > 0).then_some(kept.milliseconds)
            })
        };
        let events_kept =
            EventsKept { window_ms: kept("events.keep")?, limit_ms: kept("events.keep-at-most")? };
        if events_kept.limit_ms < events_kept.window_ms {
            let message = "`events.keep-at-most` is shorter than `events.keep`";
            return Err(Failure::usage(format!(
                "{}: {message}",
                self.origin("events.keep-at-most")
            )));
        }
        let file = |key| Some(PathBuf::from(self.text(key))).filter(|it| it != Path::new(""));
        let every = kept("checkpoints.every")?;
        Ok(Settings {
            store: self.store()?,
            listen: self.parsed("listen", "ADDRESS:PORT such as 127.0.0.1:8420", parse)?,
            no_login: self.flag("no-login")?,
            bootstrap_token_file: file("bootstrap-token-file"),
            max_calls: self.number("calls.max", MOST_CALLS)?,
            allow_loopback: self.flag("calls.allow-loopback")?,
            allow_private: self.flag("calls.allow-private")?,
            max_residents: self.number("executions.max-resident", MOST_RESIDENTS)?,
            events_kept,
            checkpoints: file("checkpoints.file"),
            checkpoints_every: Duration::from_millis(every),
            log_format: self.parsed("log.format", "auto, text or json", LogFormat::from_word)?,
            log_level: self.parsed("log.level", "error, warn, info or debug", |text| {
                LogLevel::ALL.into_iter().find(|level| level.as_str() == text)
            })?,
            file: self.file.clone(),
        })
    }

    fn store(&self) -> Result<PathBuf, Failure> {
        let text = self.text("store");
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            // The address may hold a password.
            let message =
                "`store` names a PostgreSQL database, which this version cannot keep a store in";
            return Err(Failure::usage(format!("{}: {message}", self.origin("store")))
                .hint("give a directory: DIR or sqlite:DIR"));
        }
        self.parsed("store", "DIR or sqlite:DIR", |text| {
            let directory = text.strip_prefix("sqlite:").unwrap_or(text);
            (!directory.is_empty()).then(|| PathBuf::from(directory))
        })
    }

    fn flag(&self, key: &str) -> Result<bool, Failure> {
        self.parsed(key, "true or false", parse)
    }

    fn number(&self, key: &str, most: usize) -> Result<usize, Failure> {
        self.parsed(key, &format!("a whole number from 1 to {most}"), |text| {
            parse(text).filter(|number| (1..=most).contains(number))
        })
    }

    fn parsed<T>(
        &self,
        key: &str,
        form: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Failure> {
        let text = self.text(key);
        parse(text).ok_or_else(|| {
            let origin = self.origin(key);
            Failure::usage(format!("{origin}: `{key}` cannot be `{text}`: expected {form}"))
        })
    }

    fn text(&self, key: &str) -> &str {
        self.said.get(key).map_or("", |(text, _)| text)
    }

    fn origin(&self, key: &str) -> &Origin {
        self.said.get(key).map_or(&Origin::Default, |(_, origin)| origin)
    }

    /// The settings as a file that says the same, with who said each.
    pub(crate) fn as_toml(&self) -> String {
        let (mut text, mut section) = (String::new(), "");
        for setting in &SETTINGS {
            let (within, name) = setting.key.split_once('.').unwrap_or(("", setting.key));
            if within != section {
                section = within;
                writeln!(text, "\n[{section}]").ok();
            }
            writeln!(text, "# {}", setting.meaning).ok();
            let value = self.text(setting.key);
            let value = match setting.kind {
                catalog::Kind::Text => serde_json::Value::from(value).to_string(),
                catalog::Kind::Number | catalog::Kind::Flag => value.to_owned(),
            };
            let unset = if self.text(setting.key).is_empty() { "# " } else { "" };
            writeln!(text, "{unset}{name} = {value} # {}", self.origin(setting.key)).ok();
        }
        text
    }
}

fn parse<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn text(name: &str, value: OsString) -> Result<String, Failure> {
    value.into_string().map_err(|_other| Failure::usage(format!("{name} is not UTF-8")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(file: &str, variables: &[(&str, &str)]) -> Result<Layers, Failure> {
        let mut layers = Layers::defaults();
        for said in file::read(file, Path::new("s.toml"))? {
            layers.say(said.setting, said.value, Origin::File(said.place));
        }
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
        layers.read_environment(variables)?;
        Ok(layers)
    }

    #[test]
    fn defaults_are_what_the_catalog_says() {
        let settings = Layers::defaults().settings().expect("they are well");
        assert_eq!(settings.store, Path::new("/var/lib/tutti"));
        assert_eq!(settings.events_kept, EventsKept::default());
        assert_eq!(settings.max_residents, tutti_runtime::DEFAULT_MAX_RESIDENTS);
        assert_eq!((settings.no_login, settings.bootstrap_token_file), (false, None));
    }

    #[test]
    fn the_environment_says_more_than_the_file_and_nothing_where_it_is_empty() {
        let file = "listen = '127.0.0.1:1'\n[calls]\nmax = 3\n[log]\nlevel = 'warn'\n";
        let variables = [
            ("TUTTI_SERVER__LISTEN", "127.0.0.1:2"),
            ("TUTTI_SERVER__CALLS__MAX", ""),
            ("TUTTI_SERVER__CALLS__ALLOW_PRIVATE", "true"),
            ("TUTTI_URL", "http://elsewhere"),
        ];
        let layers = layers(file, &variables).expect("all are known");
        let settings = layers.settings().expect("they are well");
        assert_eq!(settings.listen.port(), 2);
        assert_eq!((settings.max_calls, settings.allow_private), (3, true));
        assert_eq!(settings.log_level, LogLevel::Warn);
        let shown = layers.as_toml();
        assert!(shown.contains("listen = \"127.0.0.1:2\" # TUTTI_SERVER__LISTEN\n"), "{shown}");
        assert!(shown.contains("\nmax = 3 # s.toml:3:1\n"), "{shown}");
        assert!(shown.contains("# bootstrap-token-file = \"\" # default\n"), "{shown}");
        let again = file::read(&shown, Path::new("again.toml")).expect("it is a file");
        let unset = SETTINGS.iter().filter(|setting| setting.default.is_empty()).count();
        assert_eq!(again.len(), SETTINGS.len() - unset);
    }

    #[test]
    fn what_cannot_be_is_refused_with_who_said_it() {
        let check = |file: &str, variables: &[(&str, &str)], expected: &str| {
            let refused = layers(file, variables).and_then(|layers| layers.settings());
            let failure = refused.expect_err("it is refused");
            let told = format!("{} | {}", failure.message, failure.hint.unwrap_or_default());
            assert!(told.contains(expected), "{told}");
        };
        check(
            "listen = 'here'",
            &[],
            "s.toml:1:1: `listen` cannot be `here`: expected ADDRESS:PORT",
        );
        check(
            "[calls]\nmax = 0",
            &[],
            "s.toml:2:1: `calls.max` cannot be `0`: expected a whole number from 1",
        );
        check("[events]\nkeep = '1 week'", &[], "expected a length of time");
        check("[events]\nkeep = '91d'", &[], "`events.keep-at-most` is shorter than");
        check("store = 'postgres://u:p@h/d'", &[], "which this version cannot keep a store in");
        check("store = 'sqlite:'", &[], "`store` cannot be `sqlite:`");
        let check = |name, value, expected| check("", &[(name, value)], expected);
        check(
            "TUTTI_SERVER__NO_LOGIN",
            "yes",
            "TUTTI_SERVER__NO_LOGIN: `no-login` cannot be `yes`",
        );
        check("TUTTI_SERVER__LISTN", "x", "variable TUTTI_SERVER__LISTN | did you mean `listen`?");
        check("TUTTI_SERVER__CALLS_MAX", "1", "there is no setting for the variable");
        check("TUTTI_SERVER__log__level", "warn", "there is no setting for the variable");
    }
}
