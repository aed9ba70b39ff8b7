//! Enums whose variants are words, the same in the API, on the command line and in audit records.

/// Makes an enum of words: `ALL`, `as_str`, `Display` and `FromStr` beside what it derives.
macro_rules! words {
    (
        $(#[$about:meta])*
        pub enum $name:ident: $what:literal {
            $($(#[$about_variant:meta])* $variant:ident = $word:literal,)+
        }
    ) => {
        $(#[$about])*
        pub enum $name {
            $($(#[$about_variant])* $variant,)+
        }

        impl $name {
            /// Every one, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::words::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let found = Self::ALL.iter().copied().find(|one| one.as_str() == text);
                let expected = Self::ALL.iter().map(|one| one.as_str());
                found.ok_or_else(|| $crate::words::UnknownWord::new(text, $what, expected))
            }
        }
    };
}

pub(crate) use words;

/// A word that is none of those expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {what}: expected one of {expected}")]
pub struct UnknownWord {
    /// What was given, cut at 64 characters.
    pub text: String,
    what: &'static str,
    expected: String,
}

impl UnknownWord {
    pub(crate) fn new<'a>(
        text: &str,
        what: &'static str,
        expected: impl Iterator<Item = &'a str>,
    ) -> Self {
        let expected = expected.collect::<Vec<_>>().join(", ");
        Self { text: text.chars().take(64).collect(), what, expected }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fmt::Debug, str::FromStr};

    use crate::{Action, Permission, Refusal, Role};

    /// Each word is its own, reads back, and is made of lowercase parts between `separators`.
    fn check<T: Copy + Debug + Ord + FromStr>(all: &[T], word: fn(T) -> &'static str) {
        let words: BTreeSet<&str> = all.iter().map(|one| word(*one)).collect();
        assert_eq!(words.len(), all.len(), "a word stands for one thing");
        for one in all {
            let text = word(*one);
            assert_eq!(text.parse::<T>().ok(), Some(*one), "{text}");
            let fits =
                |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
            assert!(text.split(['.', '-']).all(fits), "{text}");
            assert!(text.to_uppercase().parse::<T>().is_err(), "{text}");
        }
        assert!(all.is_sorted(), "in order");
    }

    #[test]
    fn words_read_back() {
        check(Role::ALL, Role::as_str);
        check(Permission::ALL, Permission::as_str);
        check(Action::ALL, Action::as_str);
        check(Refusal::ALL, Refusal::as_str);
    }

    #[test]
    fn an_unknown_word_is_told_with_what_was_expected() {
        let error = "root".parse::<Role>().expect_err("no role");
        let expected = "`root` is no role: expected one of viewer, operator, author, admin";
        assert_eq!(error.to_string(), expected);
        let error = "x".repeat(100).parse::<Role>().expect_err("no role");
        assert_eq!(error.text.len(), 64);
    }
}
