//! Source text to tokens, one at a time.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    End,
    /// A name, perhaps with `::` in it, or a keyword.
    Word,
    /// `.name`
    Field,
    /// `$name`
    Variable,
    /// `@name`
    Format,
    Number,
    /// The quote that opens a string.
    Quote,
    /// An operator or bracket, as many characters as belong together.
    Symbol(&'static str),
    /// A character no token begins with.
    Unknown,
}

/// The longest first, so that the first match is the right one.
const SYMBOLS: [&str; 33] = [
    "?//", "//=", "|=", "+=", "-=", "*=", "/=", "%=", "==", "!=", "<=", ">=", "//", "..", "|", ",",
    "+", "-", "*", "/", "%", "=", "<", ">", "(", ")", "[", "]", "{", "}", ":", ";", "?",
];

/// The token at or after `at`, and where it stands.
pub(crate) fn token(source: &str, at: usize) -> (Token, Range<usize>) {
    let start = skip_space(source, at);
    let rest = &source.as_bytes()[start..];
    let Some(first) = rest.first() else { return (Token::End, start..start) };
    let (token, length) = match first {
        b'"' => (Token::Quote, 1),
        b'a'..=b'z' | b'A'..=b'Z' | b'_' => word(&source[start..]),
        b'.' if rest.get(1).is_some_and(|byte| is_name_start(*byte)) => {
            (Token::Field, 1 + name_length(&rest[1..]))
        }
        b'0'..=b'9' => (Token::Number, number_length(rest)),
        b'.' if rest.get(1).is_some_and(u8::is_ascii_digit) => (Token::Number, number_length(rest)),
        b'$' if rest.get(1).is_some_and(|byte| is_name_start(*byte)) => {
            (Token::Variable, 1 + qualified_length(&rest[1..]))
        }
        b'@' if rest.get(1).is_some_and(u8::is_ascii_alphanumeric) => (
            Token::Format,
            1 + rest[1..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count(),
        ),
        _ => symbol(&source[start..]),
    };
    (token, start..start + length)
}

fn skip_space(source: &str, mut at: usize) -> usize {
    let bytes = source.as_bytes();
    while let Some(byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => at += 1,
            b'#' => at += bytes[at..].iter().take_while(|byte| **byte != b'\n').count(),
            _ => break,
        }
    }
    at
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn name_length(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()
}

fn qualified_length(bytes: &[u8]) -> usize {
    let mut length = name_length(bytes);
    while bytes[length..].starts_with(b"::")
        && bytes.get(length + 2).is_some_and(|byte| is_name_start(*byte))
    {
        length += 2 + name_length(&bytes[length + 2..]);
    }
    length
}

fn number_length(bytes: &[u8]) -> usize {
    let digits =
        |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut length = digits(0);
    if bytes.get(length) == Some(&b'.') && bytes.get(length + 1) != Some(&b'.') {
        length += 1 + digits(length + 1);
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let exponent = digits(length + 1 + sign);
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    length
}

fn word(rest: &str) -> (Token, usize) {
    let length = qualified_length(rest.as_bytes());
    match &rest[..length] {
        "and" => (Token::Symbol("and"), length),
        "or" => (Token::Symbol("or"), length),
        _ => (Token::Word, length),
    }
}

fn symbol(rest: &str) -> (Token, usize) {
    for symbol in SYMBOLS {
        if rest.starts_with(symbol) {
            return (Token::Symbol(symbol), symbol.len());
        }
    }
    if rest.starts_with('.') {
        return (Token::Symbol("."), 1);
    }
    (Token::Unknown, rest.chars().next().map_or(1, char::len_utf8))
}
