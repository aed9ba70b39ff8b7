//! A value with expressions in it.

use std::{ops::Range, sync::Arc};

use crate::{CompileError, Environment, Error, Expression, Kind, Scope, Value};

/// A value whose parts may be expressions: what `set`, `with`, `input.from` and their like hold once compiled.
#[derive(Debug, Clone)]
pub enum Template {
    /// A value without any expression in it.
    Literal(Value),
    /// One expression.
    Expression(Expression),
    /// In `loose` mode, a text that is tried as an expression and stands for itself where that fails.
    Loose {
        /// The text as an expression.
        expression: Expression,
        /// The text itself.
        literal: Value,
    },
    /// An array with an expression somewhere in it.
    Array(Vec<Template>),
    /// An object with an expression somewhere in it.
    Object(Vec<(Arc<str>, Template)>),
}

/// How texts that are not wholly `${…}` are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// They are literal texts.
    #[default]
    Strict,
    /// They are tried as expressions and stand for themselves where that fails.
    Loose,
}

/// A text in a template that is no valid expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// The RFC 6901 pointer of the text inside the template.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// What could be done about it.
    pub hint: Option<String>,
    /// The byte range of the offending part inside the text.
    pub range: Range<usize>,
}

/// All that is wrong in a template, in the order it is written; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} text(s) in the template are no valid expressions, the first at `{}`: {}", .0.len(), .0[0].pointer, .0[0].message)]
pub struct TemplateErrors(pub Vec<TemplateError>);

impl Template {
    /// Compiles a value position: texts that are wholly `${…}`, whitespace around aside, are expressions.
    ///
    /// # Errors
    /// Every text that holds an expression which does not compile, or that mixes `${` with other text.
    pub fn compile(value: &Value, mode: Mode, scope: &Scope) -> Result<Self, TemplateErrors> {
        let mut compiler = Compiler { mode, scope, pointer: String::new(), errors: Vec::new() };
        let template = compiler.template(value, 0);
        if compiler.errors.is_empty() { Ok(template) } else { Err(TemplateErrors(compiler.errors)) }
    }

    /// Evaluates every expression once, in the order they are written.
    ///
    /// # Errors
    /// The first error an expression raises, or the limit that the whole exceeds.
    pub fn evaluate(&self, input: &Value, environment: &dyn Environment) -> Result<Value, Error> {
        let value = self.build(input, environment)?;
        if value.depth() > Value::MAX_DEPTH {
            return Err(Error::Limit { limit: crate::Limit::ValueDepth });
        }
        Ok(value)
    }

    fn build(&self, input: &Value, environment: &dyn Environment) -> Result<Value, Error> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Expression(expression) => expression.evaluate(input, environment),
            Self::Loose { expression, literal } => Ok(expression
                .evaluate(input, environment)
                .unwrap_or_else(|_not_an_expression| literal.clone())),
            Self::Array(items) => {
                let items: Result<Vec<_>, _> =
                    items.iter().map(|item| item.build(input, environment)).collect();
                Ok(Value::array(items?))
            }
            Self::Object(members) => {
                let members: Result<Vec<_>, Error> = members
                    .iter()
                    .map(|(key, member)| Ok((key.clone(), member.build(input, environment)?)))
                    .collect();
                Ok(Value::object(members?))
            }
        }
    }

    /// Whether there is no expression in it.
    pub fn is_literal(&self) -> bool {
        matches!(self, Self::Literal(_))
    }

    /// The expressions in it, in the order they are written.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let mut pending = vec![self];
        std::iter::from_fn(move || {
            while let Some(template) = pending.pop() {
                match template {
                    Self::Literal(_) => {}
                    Self::Expression(expression) | Self::Loose { expression, .. } => {
                        return Some(expression);
                    }
                    Self::Array(items) => pending.extend(items.iter().rev()),
                    Self::Object(members) => {
                        pending.extend(members.iter().rev().map(|member| &member.1));
                    }
                }
            }
            None
        })
    }
}

struct Compiler<'a> {
    mode: Mode,
    scope: &'a Scope,
    pointer: String,
    errors: Vec<TemplateError>,
}

impl Compiler<'_> {
    fn template(&mut self, value: &Value, depth: u32) -> Template {
        match value.kind() {
            Kind::String(text) => self.text(value, text),
            Kind::Array(items) if depth < Value::MAX_DEPTH => self.array(value, items, depth),
            Kind::Object(object) if depth < Value::MAX_DEPTH => {
                let members: Vec<_> = object
                    .iter()
                    .map(|(key, member)| {
                        let token = key.replace('~', "~0").replace('/', "~1");
                        (key.clone(), self.part(&token, member, depth))
                    })
                    .collect();
                if members.iter().all(|(_, member)| member.is_literal()) {
                    return Template::Literal(value.clone());
                }
                Template::Object(members)
            }
            Kind::Array(_) | Kind::Object(_) => {
                self.error("the template is nested deeper than 128 levels".to_owned(), None, 0..0);
                Template::Literal(Value::NULL)
            }
            _ => Template::Literal(value.clone()),
        }
    }

    fn array(&mut self, value: &Value, items: &[Value], depth: u32) -> Template {
        let items: Vec<_> = items
            .iter()
            .enumerate()
            .map(|(index, item)| self.part(&index.to_string(), item, depth))
            .collect();
        if items.iter().all(Template::is_literal) {
            return Template::Literal(value.clone());
        }
        Template::Array(items)
    }

    fn part(&mut self, token: &str, value: &Value, depth: u32) -> Template {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(token);
        let template = self.template(value, depth + 1);
        self.pointer.truncate(length);
        template
    }

    fn text(&mut self, value: &Value, text: &Arc<str>) -> Template {
        let literal = Template::Literal(value.clone());
        match read(text) {
            Reading::Expression(inside) => {
                match Expression::compile(&text[inside.clone()], self.scope) {
                    Ok(expression) => Template::Expression(expression),
                    Err(error) => {
                        self.compile_error(error, inside.start);
                        literal
                    }
                }
            }
            Reading::Embedded(range) => {
                let hint = format!("make the whole text one expression: {}", as_expression(text));
                let message = "`${…}` cannot stand inside other text".to_owned();
                self.error(message, Some(hint), range);
                literal
            }
            Reading::Literal => match self.mode {
                Mode::Strict => literal,
                Mode::Loose => match Expression::compile(text, self.scope) {
                    Ok(expression) => Template::Loose { expression, literal: value.clone() },
                    Err(_) => literal,
                },
            },
        }
    }

    fn compile_error(&mut self, error: CompileError, offset: usize) {
        let range = error.range.start + offset..error.range.end + offset;
        self.error(error.message, error.hint, range);
    }

    fn error(&mut self, message: String, hint: Option<String>, range: Range<usize>) {
        self.errors.push(TemplateError { pointer: self.pointer.clone(), message, hint, range });
    }
}

/// How a text in a value position reads.
enum Reading {
    /// Wholly an expression, which stands in this range.
    Expression(Range<usize>),
    /// There is `${` in this range, and other text around it.
    Embedded(Range<usize>),
    Literal,
}

fn read(text: &str) -> Reading {
    let Some(first) = text.find("${") else { return Reading::Literal };
    let trimmed = text.trim();
    let start = text.len() - text.trim_start().len();
    let whole = closing(text, first + 2);
    if first == start && whole == Some(start + trimmed.len() - 1) {
        return Reading::Expression(first + 2..start + trimmed.len() - 1);
    }
    // What is not closed where the text ends may still be an expression with a mistake in it.
    if first == start && trimmed.ends_with('}') && (whole.is_none() || !trimmed[2..].contains("${"))
    {
        let inside = first + 2..start + trimmed.len() - 1;
        if whole.is_none() {
            return Reading::Expression(inside);
        }
    }
    Reading::Embedded(first..whole.map_or(text.len(), |end| end + 1))
}

/// Where the brace is that closes what was opened before `from`, strings and comments skipped.
fn closing(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    // What is open: a brace, or an interpolation inside a string.
    let mut open: Vec<u8> = vec![b'{'];
    let mut at = from;
    let mut inside_string = false;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if inside_string => {
                at += 1;
                if bytes.get(at) == Some(&b'(') {
                    open.push(b'"');
                    inside_string = false;
                }
            }
            b'"' => inside_string = !inside_string,
            _ if inside_string => {}
            b'#' => at += bytes[at..].iter().take_while(|byte| **byte != b'\n').count(),
            opening @ (b'{' | b'(') => open.push(opening),
            b')' => inside_string = open.pop()? == b'"',
            b'}' => {
                open.pop();
                if open.is_empty() {
                    return Some(at);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// A text with `${…}` inside as one interpolated expression.
fn as_expression(text: &str) -> String {
    let mut result = String::from("${ \"");
    let mut rest = text.trim();
    while let Some(start) = rest.find("${") {
        let end = closing(rest, start + 2).unwrap_or(rest.len());
        result.push_str(&escaped(&rest[..start]));
        result.push_str("\\(");
        result.push_str(rest[start + 2..end].trim());
        result.push(')');
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    result.push_str(&escaped(rest));
    result.push_str("\" }");
    result
}

fn escaped(text: &str) -> String {
    let json = Value::from(text).to_json();
    json[1..json.len() - 1].to_owned()
}
