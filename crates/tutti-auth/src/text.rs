//! Texts that people or programs gave, none longer than it may be.

use std::{fmt, str::FromStr, sync::Arc};

use minicbor::{
    Decode, Decoder, Encode, Encoder,
    decode::Error as DecodeError,
    encode::{Error as EncodeError, Write},
};

/// Something has more parts or bytes than it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {limit} {what}")]
pub struct Exceeded {
    /// How many there may be.
    pub limit: usize,
    /// Of what.
    pub what: &'static str,
}

/// A text of at most `MAX` bytes. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const MAX: usize>(Arc<str>);

impl<const MAX: usize> Text<MAX> {
    /// Takes a text that is short enough.
    pub fn new(text: &str) -> Result<Self, Exceeded> {
        if text.len() > MAX {
            return Err(Exceeded { limit: MAX, what: "bytes" });
        }
        Ok(Self(Arc::from(text)))
    }

    /// Takes what fits of a text: for what is written down about a request that is refused anyway.
    pub fn cut(text: &str) -> Self {
        Self(Arc::from(&text[..text.floor_char_boundary(MAX)]))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<const MAX: usize, C> Encode<C> for Text<MAX> {
    fn encode<W: Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        encoder.str(&self.0).map(|_| ())
    }
}

impl<'b, const MAX: usize, C> Decode<'b, C> for Text<MAX> {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        Self::new(decoder.str()?).map_err(DecodeError::message)
    }
}

/// What people call a principal or a token: 1 to 200 bytes on one line, nothing invisible that reorders them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(Text<200>);

impl Label {
    /// The label as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for Label {
    type Err = InvalidLabel;

    fn from_str(text: &str) -> Result<Self, InvalidLabel> {
        // What is shown in an audit must not be able to look like another name.
        let misleads = |c: char| {
            c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        };
        if text.trim().is_empty() || text.trim() != text || text.chars().any(misleads) {
            return Err(InvalidLabel);
        }
        Text::new(text).map(Self).map_err(|_too_long| InvalidLabel)
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A text that cannot be a name of a principal or token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a name of 1 to 200 bytes on one line, without spaces around it or invisible characters in it"
)]
pub struct InvalidLabel;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_ends_at_its_limit() {
        assert_eq!(Text::<4>::new("abcd").map(|text| text.to_string()), Ok("abcd".to_owned()));
        let exceeded = Text::<4>::new("abcde").expect_err("too long");
        assert_eq!(exceeded.to_string(), "more than 4 bytes");
        assert_eq!(Text::<4>::cut("abcde").as_str(), "abcd");
        assert_eq!(Text::<4>::cut("abcé").as_str(), "abc", "no half of a character");
        assert_eq!(Text::<4>::cut("abé").as_str(), "abé");
    }

    #[test]
    fn a_label_is_one_plain_line() {
        for text in ["a", "Zoë from operations", "ci@example.com", &"x".repeat(200)] {
            assert_eq!(text.parse::<Label>().as_ref().map(Label::as_str), Ok(text));
        }
        let reversed = "admin\u{202e}nimda";
        for text in ["", " ", " a", "a ", "a\nb", "a\0", reversed, "a\u{200b}b", &"x".repeat(201)] {
            assert_eq!(text.parse::<Label>(), Err(InvalidLabel), "{text:?}");
        }
    }
}
