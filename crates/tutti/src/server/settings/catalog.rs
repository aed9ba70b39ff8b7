//! Every setting of the server: its key, what it takes, what it is unless told, and what it means.

/// A setting.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Its key in the file: the sections it stands in and its name, with dots between.
    pub(crate) key: &'static str,
    /// What it takes.
    pub(crate) kind: Kind,
    /// What it is unless told; empty where there is nothing then.
    pub(crate) default: &'static str,
    /// The flag that says the same.
    pub(crate) flag: Option<&'static str>,
    /// What it means.
    pub(crate) meaning: &'static str,
}

/// What a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text of some form.
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Flag,
}

impl Kind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a whole number",
            Self::Flag => "true or false",
        }
    }
}

const fn setting(
    key: &'static str,
    kind: Kind,
    default: &'static str,
    flag: Option<&'static str>,
    meaning: &'static str,
) -> Setting {
    Setting { key, kind, default, flag, meaning }
}

/// All of them: those in no section first, as a file must have them.
pub(crate) const SETTINGS: [Setting; 14] = [
    setting(
        "store",
        Kind::Text,
        "/var/lib/tutti",
        Some("--store"),
        "The data directory, used by one server only: `DIR` or `sqlite:DIR`.",
    ),
    setting(
        "listen",
        Kind::Text,
        "127.0.0.1:8420",
        Some("--listen"),
        "Where to listen, `ADDRESS:PORT`; port 0 takes a free one.",
    ),
    setting(
        "no-login",
        Kind::Flag,
        "false",
        Some("--no-login"),
        "Let everybody in who reaches the server, as an administrator; on loopback only.",
    ),
    setting(
        "bootstrap-token-file",
        Kind::Text,
        "",
        None,
        "The file with the token of the first administrator, who is made with it where there is none yet.",
    ),
    setting(
        "calls.max",
        Kind::Number,
        "256",
        None,
        "How many calls may be made at once, 1 to 100000; more wait for a slot.",
    ),
    setting(
        "calls.allow-loopback",
        Kind::Flag,
        "false",
        Some("--allow-loopback"),
        "Let calls reach this machine.",
    ),
    setting(
        "calls.allow-private",
        Kind::Flag,
        "false",
        Some("--allow-private"),
        "Let calls reach private networks.",
    ),
    setting(
        "executions.max-resident",
        Kind::Number,
        "10000",
        None,
        "Beyond how many executions in memory, of each loop, those that only wait are dropped from it, 1 to 10000000.",
    ),
    setting(
        "events.keep",
        Kind::Text,
        "7d",
        None,
        "How long events are kept, and known as duplicates, at least.",
    ),
    setting(
        "events.keep-at-most",
        Kind::Text,
        "90d",
        None,
        "How long events are kept for executions that began before and may still listen for them.",
    ),
    setting(
        "checkpoints.file",
        Kind::Text,
        "",
        Some("--checkpoints"),
        "The file that signed heads of the history are added to: on another disk, or one that only grows.",
    ),
    setting(
        "checkpoints.every",
        Kind::Text,
        "1m",
        None,
        "How often one is written where something was committed since; one is also written at the end.",
    ),
    setting(
        "log.format",
        Kind::Text,
        "auto",
        Some("--log-format"),
        "`text` for people, `json` for machines, `auto`: `text` where standard error is a terminal, else `json`.",
    ),
    setting(
        "log.level",
        Kind::Text,
        "info",
        Some("--log-level"),
        "What is logged: `error`, `warn`, `info` or `debug`, each with those before it.",
    ),
];

/// What the variables begin with that say settings.
pub(crate) const PREFIX: &str = "TUTTI_SERVER__";

impl Setting {
    /// The setting of this key.
    pub(super) fn find(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }

    /// The environment variable that says it.
    pub(crate) fn variable(&self) -> String {
        let name = self.key.replace('.', "__").replace('-', "_");
        format!("{PREFIX}{}", name.to_ascii_uppercase())
    }
}

/// Of some words the one that is most like another, if any is.
pub(super) fn nearest<'a>(text: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let (distance, near) = known.map(|word| (distance(text, word), word)).min()?;
    (distance <= 2.max(text.chars().count() / 3)).then_some(near)
}

/// How many characters must be inserted, removed or replaced to make one text of the other.
fn distance(left: &str, right: &str) -> usize {
    // Keys are short; of a text that is not, the beginning says enough.
    let right: Vec<char> = right.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (above, one) in left.chars().take(64).enumerate() {
        let mut before = above;
        row[0] = above + 1;
        for (at, other) in right.iter().enumerate() {
            let replaced = before + usize::from(one != *other);
            before = row[at + 1];
            row[at + 1] = replaced.min(before + 1).min(row[at] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_where_one_is_near() {
        let check = |text, expected| {
            assert_eq!(nearest(text, SETTINGS.iter().map(|it| it.key)), expected, "{text}");
        };
        check("listn", Some("listen"));
        check("log.levle", Some("log.level"));
        check("calls.allow_private", Some("calls.allow-private"));
        check("events.kep", Some("events.keep"));
        check("frobnicate", None);
        check("", None);
    }

    #[test]
    fn no_two_settings_share_a_variable_and_sections_stand_together() {
        let variables: Vec<String> = SETTINGS.iter().map(Setting::variable).collect();
        let mut unique = variables.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), variables.len());
        assert_eq!(variables[5], "TUTTI_SERVER__CALLS__ALLOW_LOOPBACK");
        let mut sections: Vec<&str> = SETTINGS
            .iter()
            .map(|it| it.key.split_once('.').map_or("", |(section, _)| section))
            .collect();
        sections.dedup();
        assert_eq!(sections, ["", "calls", "executions", "events", "checkpoints", "log"]);
    }
}
