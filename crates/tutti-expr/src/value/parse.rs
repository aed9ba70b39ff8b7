//! JSON text to values.

use std::sync::Arc;

use super::{Array, Decimal, Node, Object, Value};

/// A text that is not JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// What is wrong.
    pub message: String,
    /// The line it is in, from 1.
    pub line: usize,
    /// The column it is at, from 1, in bytes.
    pub column: usize,
}

impl Value {
    /// Parses JSON text. Numbers that neither 64 bits nor a double hold exactly keep their text until computed with.
    ///
    /// # Errors
    /// If the text is not JSON or is nested deeper than [`Value::MAX_DEPTH`].
    pub fn from_json(text: &str) -> Result<Self, ParseError> {
        let mut parser = Parser { text, at: 0 };
        parser.document().map_err(|message| parser.error(message))
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

type Parsed<T> = Result<T, &'static str>;

impl Parser<'_> {
    fn document(&mut self) -> Parsed<Value> {
        let value = self.value(0)?;
        self.space();
        if self.at < self.text.len() {
            Err("trailing characters after the JSON value")
        } else {
            Ok(value)
        }
    }

    fn error(&self, message: &str) -> ParseError {
        let before = &self.text.as_bytes()[..self.at.min(self.text.len())];
        let line = 1 + before.split(|byte| *byte == b'\n').count() - 1;
        let column = 1 + before.iter().rev().take_while(|byte| **byte != b'\n').count();
        ParseError { message: format!("{message} at line {line} column {column}"), line, column }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: u32) -> Parsed<Value> {
        self.space();
        match self.peek() {
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'"') => Ok(Value::from(self.string()?)),
            Some(b't') => self.word("true", Value::from(true)),
            Some(b'f') => self.word("false", Value::from(false)),
            Some(b'n') => self.word("null", Value::NULL),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => Err("expected a JSON value"),
            None => Err("the JSON text ends too early"),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Parsed<Value> {
        if !self.text[self.at..].starts_with(word) {
            return Err("expected a JSON value");
        }
        self.at += word.len();
        Ok(value)
    }

    fn enter(&mut self, depth: u32) -> Parsed<()> {
        if depth > Value::MAX_DEPTH {
            return Err("the JSON value is nested deeper than 128 levels");
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    fn array(&mut self, depth: u32) -> Parsed<Value> {
        self.enter(depth)?;
        let mut items = Vec::new();
        if self.peek() != Some(b']') {
            loop {
                items.push(self.value(depth)?);
                if self.ends(b']')? {
                    break;
                }
            }
        }
        self.at += 1;
        items.shrink_to_fit();
        Ok(Value::from(Array::new(items)))
    }

    fn object(&mut self, depth: u32) -> Parsed<Value> {
        self.enter(depth)?;
        let mut object = Object::default();
        if self.peek() != Some(b'}') {
            loop {
                self.space();
                if self.peek() != Some(b'"') {
                    return Err("expected a member name");
                }
                let key = self.string()?;
                self.space();
                if self.peek() != Some(b':') {
                    return Err("expected `:` after a member name");
                }
                self.at += 1;
                let value = self.value(depth)?;
                object.insert(key, value);
                if self.ends(b'}')? {
                    break;
                }
            }
        }
        self.at += 1;
        Ok(Value::from(object))
    }

    /// Whether the container ends here; otherwise steps over the comma.
    fn ends(&mut self, close: u8) -> Parsed<bool> {
        self.space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(false)
            }
            Some(byte) if byte == close => Ok(true),
            Some(_) => Err("expected `,` or the end of the array or object"),
            None => Err("the JSON text ends too early"),
        }
    }

    fn string(&mut self) -> Parsed<Arc<str>> {
        self.at += 1;
        let start = self.at;
        let mut owned: Option<String> = None;
        let mut plain = start;
        loop {
            match self.peek() {
                Some(b'"') => {
                    let rest = &self.text[plain..self.at];
                    self.at += 1;
                    return Ok(match owned {
                        Some(text) => Arc::from(text + rest),
                        None => Arc::from(rest),
                    });
                }
                Some(b'\\') => {
                    let text = owned.get_or_insert_with(String::new);
                    text.push_str(&self.text[plain..self.at]);
                    self.at += 1;
                    let character = self.escape()?;
                    text.push(character);
                    plain = self.at;
                }
                Some(0..=0x1f) => return Err("a control character in a string must be escaped"),
                Some(_) => self.at += 1,
                None => return Err("the JSON text ends inside a string"),
            }
        }
    }

    fn escape(&mut self) -> Parsed<char> {
        let escape = self.peek().ok_or("the JSON text ends inside a string")?;
        self.at += 1;
        Ok(match escape {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return Err("an unknown escape in a string"),
        })
    }

    /// A `\u` escape or a pair of them; half a pair reads as the replacement character.
    fn unicode(&mut self) -> Parsed<char> {
        let first = self.hex()?;
        if (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with("\\u") {
            let back = self.at;
            self.at += 2;
            let second = self.hex()?;
            if (0xdc00..0xe000).contains(&second) {
                let joined = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = back;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self) -> Parsed<u32> {
        const EXPECTED: &str = "expected four hexadecimal digits after `\\u`";
        let digits = self.text.get(self.at..self.at + 4).ok_or(EXPECTED)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(EXPECTED);
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_not_hexadecimal| EXPECTED)
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Parsed<Value> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let leading_zero = self.peek() == Some(b'0');
        let whole = self.digits();
        if whole == 0 || leading_zero && whole > 1 {
            return Err("a malformed number");
        }
        let mut fraction = false;
        if self.peek() == Some(b'.') {
            self.at += 1;
            fraction = true;
            if self.digits() == 0 {
                return Err("a malformed number");
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            fraction = true;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err("a malformed number");
            }
        }
        Ok(Value::number(&self.text[start..self.at], fraction))
    }
}

impl Value {
    /// The number of a well-formed JSON number's text.
    pub(crate) fn number(text: &str, fraction: bool) -> Self {
        const EXACT_DIGITS: usize = 17;
        if !fraction
            && text != "-0"
            && let Ok(integer) = text.parse::<i64>()
        {
            return Self::from(integer);
        }
        let number: f64 = text.parse().unwrap_or(0.0);
        let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
        let digits =
            mantissa.bytes().filter(u8::is_ascii_digit).skip_while(|digit| *digit == b'0').count();
        if number.is_finite() && fraction && digits <= EXACT_DIGITS || number == 0.0 && digits == 0
        {
            return Self::leaf(Node::Float(number));
        }
        Self::leaf(Node::Decimal(Arc::new(Decimal::new(text, number))))
    }
}
