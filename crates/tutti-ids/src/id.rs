//! Ids of things that live: `<kind>_<ulid>`.

use std::{fmt, str::FromStr};

use crate::ulid::Ulid;

/// Identifies one execution of a workflow: `exec_` and a lowercase ULID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExecutionId(Ulid);

impl ExecutionId {
    const PREFIX: &str = "exec_";

    /// Makes an id from its creation time (milliseconds since the Unix epoch, 48 bits used) and 80 bits of chance.
    pub fn new(created_at_ms: u64, chance: u128) -> Self {
        Self(Ulid::new(created_at_ms, chance))
    }

    /// The id's 128 bits, as stored and hashed.
    pub fn to_bits(self) -> u128 {
        self.0.0
    }

    /// The id whose bits are `bits`: the inverse of [`ExecutionId::to_bits`].
    pub fn from_bits(bits: u128) -> Self {
        Self(Ulid(bits))
    }

    /// When the id was made, in milliseconds since the Unix epoch.
    pub fn created_at_ms(self) -> u64 {
        self.0.created_at_ms()
    }
}

impl fmt::Display for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Self::PREFIX, self.0)
    }
}

impl fmt::Debug for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ExecutionId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let ulid = text.strip_prefix(Self::PREFIX).and_then(Ulid::parse);
        ulid.map(Self).ok_or_else(|| InvalidId::new(text, "an execution id", "`exec_`"))
    }
}

/// Identifies one who may ask for things: `usr_` (a user) or `svc_` (a service) and a lowercase ULID.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrincipalId {
    kind: PrincipalKind,
    ulid: Ulid,
}

/// What kind of principal one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalKind {
    /// A person.
    User,
    /// A program, such as a build server.
    Service,
}

impl PrincipalKind {
    fn prefix(self) -> &'static str {
        match self {
            Self::User => "usr_",
            Self::Service => "svc_",
        }
    }
}

impl PrincipalId {
    /// Makes an id of this kind from its creation time (milliseconds since the Unix epoch, 48 bits used) and 80 bits of
    /// chance.
    pub fn new(kind: PrincipalKind, created_at_ms: u64, chance: u128) -> Self {
        Self { kind, ulid: Ulid::new(created_at_ms, chance) }
    }

    /// The kind of the principal.
    pub fn kind(self) -> PrincipalKind {
        self.kind
    }

    /// When the id was made, in milliseconds since the Unix epoch.
    pub fn created_at_ms(self) -> u64 {
        self.ulid.created_at_ms()
    }
}

impl fmt::Display for PrincipalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.kind.prefix(), self.ulid)
    }
}

impl fmt::Debug for PrincipalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PrincipalId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let of_kind = |kind: PrincipalKind| {
            let ulid = text.strip_prefix(kind.prefix()).and_then(Ulid::parse)?;
            Some(Self { kind, ulid })
        };
        [PrincipalKind::User, PrincipalKind::Service]
            .into_iter()
            .find_map(of_kind)
            .ok_or_else(|| InvalidId::new(text, "a principal's id", "`usr_` or `svc_`"))
    }
}

/// Identifies one API token: `tok_` and a lowercase ULID. It is no secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(Ulid);

impl TokenId {
    const PREFIX: &str = "tok_";

    /// Makes an id from its creation time (milliseconds since the Unix epoch, 48 bits used) and 80 bits of chance.
    pub fn new(created_at_ms: u64, chance: u128) -> Self {
        Self(Ulid::new(created_at_ms, chance))
    }

    /// When the id was made, in milliseconds since the Unix epoch.
    pub fn created_at_ms(self) -> u64 {
        self.0.created_at_ms()
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Self::PREFIX, self.0)
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for TokenId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let ulid = text.strip_prefix(Self::PREFIX).and_then(Ulid::parse);
        ulid.map(Self).ok_or_else(|| InvalidId::new(text, "a token's id", "`tok_`"))
    }
}

/// A text that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not {what}: expected {prefix} and 26 characters of 0-9 a-z without i, l, o, u"
)]
pub struct InvalidId {
    /// What was given, cut at 64 characters.
    pub text: String,
    what: &'static str,
    prefix: &'static str,
}

impl InvalidId {
    fn new(text: &str, what: &'static str, prefix: &'static str) -> Self {
        Self { text: text.chars().take(64).collect(), what, prefix }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_and_sorts_by_time() {
        let early = ExecutionId::new(1_700_000_000_000, 7);
        let late = ExecutionId::new(1_700_000_000_001, 3);
        assert_eq!(early.to_string().parse(), Ok(early));
        assert!(early.to_string() < late.to_string());
        assert_eq!(late.created_at_ms(), 1_700_000_000_001);
        let highest = ExecutionId::from_bits(u128::MAX);
        assert_eq!(highest.to_string(), "exec_7zzzzzzzzzzzzzzzzzzzzzzzzz");
        assert_eq!(highest.to_string().parse(), Ok(highest));
    }

    #[test]
    fn ids_of_principals_know_their_kind() {
        for (kind, prefix) in [(PrincipalKind::User, "usr_"), (PrincipalKind::Service, "svc_")] {
            let early = PrincipalId::new(kind, 1_700_000_000_000, u128::MAX);
            let late = PrincipalId::new(kind, 1_700_000_000_001, 0);
            assert_eq!(early.to_string(), format!("{prefix}01hf7yat00zzzzzzzzzzzzzzzz"));
            assert_eq!(early.to_string().parse(), Ok(early));
            assert_eq!((early.kind(), late.created_at_ms()), (kind, 1_700_000_000_001));
            assert!(early < late && early.to_string() < late.to_string());
            assert_eq!(format!("{early:?}"), early.to_string());
        }
    }

    #[test]
    fn ids_of_tokens_round_trip() {
        let id = TokenId::new(1_700_000_000_000, 7);
        assert_eq!(id.to_string(), "tok_01hf7yat000000000000000007");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!((id.created_at_ms(), format!("{id:?}")), (1_700_000_000_000, id.to_string()));
    }

    #[test]
    fn foreign_texts_are_refused() {
        let check = |prefix: &str, is_refused: fn(&str) -> bool| {
            for text in [
                "",
                prefix,
                "run_7zzzzzzzzzzzzzzzzzzzzzzzzz",
                &format!("{prefix}8zzzzzzzzzzzzzzzzzzzzzzzzz"),
                &format!("{prefix}7ZZZZZZZZZZZZZZZZZZZZZZZZZ"),
                &format!("{prefix}../../etc/passwd..........."),
                &format!("{prefix}é1hf7yat0000000000000000é"),
                &format!("{prefix}01hf7yat000000000000000007 "),
            ] {
                assert!(is_refused(text), "{text}");
            }
        };
        check("exec_", |text| text.parse::<ExecutionId>().is_err());
        check("usr_", |text| text.parse::<PrincipalId>().is_err());
        check("svc_", |text| text.parse::<PrincipalId>().is_err());
        check("tok_", |text| text.parse::<TokenId>().is_err());
        assert!("tok_01hf7yat000000000000000007".parse::<PrincipalId>().is_err());
    }

    #[test]
    fn refusals_say_what_was_expected() {
        let check = |error: InvalidId, expected: &str| {
            let rest = "and 26 characters of 0-9 a-z without i, l, o, u";
            assert_eq!(error.to_string(), format!("`x` is not {expected} {rest}"));
        };
        check("x".parse::<ExecutionId>().expect_err("no id"), "an execution id: expected `exec_`");
        check(
            "x".parse::<PrincipalId>().expect_err("no id"),
            "a principal's id: expected `usr_` or `svc_`",
        );
        check("x".parse::<TokenId>().expect_err("no id"), "a token's id: expected `tok_`");
    }
}
