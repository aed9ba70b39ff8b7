//! Texts that are expressions, and those that may be.

use std::{ops::Range, sync::Arc};

use tutti_expr::{Expression, Template};

use super::{
    At, Compiler,
    scope::{LANGUAGE, Place},
};
use crate::{
    codes::Code,
    diagnostic::{Problem, nearest},
    tree::{Node, NodeKind},
};

/// How a text in a value position is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marked {
    /// `${ … }` around all of it; the range is what stands between.
    Whole(usize, usize),
    /// `${` somewhere inside.
    Embedded(usize),
    None,
}

fn marked(text: &str) -> Marked {
    let trimmed = text.trim();
    let start = text.len() - text.trim_start().len();
    if trimmed.starts_with("${") && trimmed.ends_with('}') {
        return Marked::Whole(start + 2, start + trimmed.len() - 1);
    }
    text.find("${").map_or(Marked::None, Marked::Embedded)
}

impl Compiler<'_> {
    /// An expression position: `${ }` is optional.
    pub(super) fn expression(&mut self, at: &At<'_>, place: &Place) -> Option<Expression> {
        let text = at.text()?;
        let range = match marked(text) {
            Marked::Whole(start, end) => start..end,
            Marked::Embedded(_) | Marked::None => 0..text.len(),
        };
        self.compile_source(at, range, place)
    }

    /// A string that is one expression, or a mapping whose strings may be: `input.from`, `output.as`, `export.as`.
    pub(super) fn transform(&mut self, at: &At<'_>, place: &Place) -> Option<Template> {
        match &at.node.kind {
            NodeKind::String(..) => self.expression(at, place).map(Template::Expression),
            _ => self.template(at, place),
        }
    }

    /// A value position: a text is an expression where `${ }` stands around all of it.
    pub(super) fn template(&mut self, at: &At<'_>, place: &Place) -> Option<Template> {
        match &at.node.kind {
            NodeKind::String(text, _) => self.text_template(at, text, place),
            NodeKind::List(_) => {
                let items: Vec<_> = at.items().map(|item| self.template(&item, place)).collect();
                let items: Vec<Template> = items.into_iter().collect::<Option<_>>()?;
                Some(literal_or(items.iter().all(is_literal), at.node, Template::Array(items)))
            }
            NodeKind::Map(_) => {
                let members: Vec<_> = at
                    .members()
                    .map(|(key, member)| {
                        self.template(&member, place).map(|member| (key.text.clone(), member))
                    })
                    .collect();
                let members: Vec<(Arc<str>, Template)> =
                    members.into_iter().collect::<Option<_>>()?;
                let literal = members.iter().all(|(_, member)| is_literal(member));
                Some(literal_or(literal, at.node, Template::Object(members)))
            }
            _ => Some(Template::Literal(at.node.to_value())),
        }
    }

    fn text_template(&mut self, at: &At<'_>, text: &Arc<str>, place: &Place) -> Option<Template> {
        let literal = at.node.to_value();
        match marked(text) {
            Marked::Whole(start, end) => {
                self.compile_source(at, start..end, place).map(Template::Expression)
            }
            Marked::Embedded(start) => {
                self.embedded(at, text, start);
                None
            }
            Marked::None if self.loose => Some(match Expression::compile(text, &place.scope) {
                Ok(expression) => Template::Loose { expression, literal },
                Err(_not_an_expression) => Template::Literal(literal),
            }),
            Marked::None => {
                self.warn_about_bare_paths(at, text);
                Some(Template::Literal(literal))
            }
        }
    }

    /// A text that stays as it is: `${` inside it is told as a warning, as a shell or script may mean it.
    pub(super) fn code_template(&mut self, at: &At<'_>, place: &Place) -> Option<Template> {
        let text = at.text()?;
        if let Marked::Whole(start, end) = marked(text) {
            return self.compile_source(at, start..end, place).map(Template::Expression);
        }
        if let Some(start) = text.find("${") {
            let span = at.node.span_within(self.text, &(start..start + 2));
            let message =
                "this `${` is for the shell or the script: no expression is evaluated inside code";
            self.push(
                Problem::new(Code::ExpressionInCode, span, &*at.pointer, message)
                    .hint("hand values over through `arguments`, `environment` or `stdin`"),
            );
        }
        Some(Template::Literal(at.node.to_value()))
    }

    fn embedded(&mut self, at: &At<'_>, text: &str, start: usize) {
        let end = text[start..].find('}').map_or(text.len(), |end| start + end + 1);
        let span = at.node.span_within(self.text, &(start..end));
        let message = "an expression must be the whole text: it is not evaluated inside one";
        self.push(
            Problem::new(Code::EmbeddedExpression, span, &*at.pointer, message)
                .maybe_hint(interpolated(text).map(|fixed| format!("write `{fixed}`"))),
        );
    }

    fn warn_about_bare_paths(&mut self, at: &At<'_>, text: &str) {
        if !looks_like_expression(text) {
            return;
        }
        let message = format!("`{text}` is a literal text here, not an expression");
        self.push(
            at.problem(Code::LooksLikeExpression, message)
                .hint(format!("write `${{ {text} }}` if it should be evaluated")),
        );
    }

    /// Compiles the bytes `range` of a text.
    fn compile_source(
        &mut self,
        at: &At<'_>,
        range: Range<usize>,
        place: &Place,
    ) -> Option<Expression> {
        let text = at.text()?;
        let source = text.get(range.clone())?;
        self.check_secrets(at, source, range.start, place);
        match Expression::compile(source, &place.scope) {
            Ok(expression) => Some(expression),
            Err(error) => {
                let inner = range.start + error.range.start..range.start + error.range.end;
                let span = at.node.span_within(self.text, &inner);
                self.push(expression_problem(&error, source, span, at, place));
                None
            }
        }
    }

    fn check_secrets(&mut self, at: &At<'_>, source: &str, start: usize, place: &Place) {
        let uses = secret_uses(source);
        if let Some(first) = uses.first()
            && !place.secrets_expected
        {
            let inner = start + first.range.start..start + first.range.end;
            let span = at.node.span_within(self.text, &inner);
            let message = "a secret used here easily ends up in data";
            self.push(Problem::new(Code::SecretOutsideInput, span, &*at.pointer, message).hint(
                "use secrets in `authentication` (`use: NAME`) or in `input.from` where possible",
            ));
        }
        for used in uses {
            let Some(name) = used.name else { continue };
            if !self.names.declares_secret(&name) {
                let inner = start + used.range.start..start + used.range.end;
                let span = at.node.span_within(self.text, &inner);
                let problem = self.undeclared_secret(&name, span, &at.pointer);
                self.push(problem);
            }
        }
    }

    pub(super) fn undeclared_secret(
        &self,
        name: &str,
        span: Range<usize>,
        pointer: &str,
    ) -> Problem {
        let message = format!("the secret `{name}` is not declared in `use.secrets`");
        let hint = match nearest(name, self.names.secret_names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add `{name}` to `use.secrets`"),
        };
        Problem::new(Code::UndeclaredSecret, span, pointer, message).hint(hint)
    }
}

fn literal_or(literal: bool, node: &Node, template: Template) -> Template {
    if literal { Template::Literal(node.to_value()) } else { template }
}

fn is_literal(template: &Template) -> bool {
    matches!(template, Template::Literal(_))
}

fn expression_problem(
    error: &tutti_expr::CompileError,
    source: &str,
    span: Range<usize>,
    at: &At<'_>,
    place: &Place,
) -> Problem {
    let part = source.get(error.range.clone()).unwrap_or("");
    let Some(name) = part.strip_prefix('$').filter(|name| is_name(name)) else {
        let embedded = source.contains("${").then(|| {
            "`${ }` stands once around the whole text; inside it texts are built with `\\( )`"
                .to_owned()
        });
        return Problem::new(Code::InvalidExpression, span, &*at.pointer, &*error.message)
            .maybe_hint(error.hint.clone().or(embedded));
    };
    let message = if LANGUAGE.contains(&name) {
        format!("the variable `${name}` does not exist in {}", place.name)
    } else {
        format!("the variable `${name}` does not exist here")
    };
    let known: Vec<&str> = place.scope.names().collect();
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `${near}`?"),
        None => format!("variables in scope: ${}", known.join(", $")),
    };
    Problem::new(Code::UnknownVariable, span, &*at.pointer, message).hint(hint)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// `.customer`, `$error.title`: a path and nothing else.
fn looks_like_expression(text: &str) -> bool {
    let Some(path) = text.strip_prefix(['.', '$']) else { return false };
    path.len() >= 2
        && path.split('.').all(|part| {
            is_name(part.trim_end_matches(|c: char| c == '[' || c == ']' || c.is_ascii_digit()))
        })
}

/// `Disk full on ${ .host }` → `${ "Disk full on \(.host)" }`
fn interpolated(text: &str) -> Option<String> {
    if text.len() > 200 || text.contains(['"', '\\', '\n']) {
        return None;
    }
    let mut fixed = String::from("${ \"");
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let end = start + rest[start..].find('}')?;
        fixed.push_str(&rest[..start]);
        fixed.push_str("\\(");
        fixed.push_str(rest[start + 2..end].trim());
        fixed.push(')');
        rest = &rest[end + 1..];
    }
    fixed.push_str(rest);
    fixed.push_str("\" }");
    Some(fixed)
}

/// Where an expression names `$secrets`.
struct SecretUse {
    range: Range<usize>,
    /// The secret, where it can be told.
    name: Option<String>,
}

/// Every `$secrets` of a jq source outside its texts, `$secrets.NAME` and `$secrets["NAME"]` with the name.
fn secret_uses(source: &str) -> Vec<SecretUse> {
    const VARIABLE: &str = "$secrets";
    let mut uses = Vec::new();
    if !source.contains(VARIABLE) {
        return uses;
    }
    // For every text that is open: how many parentheses are open inside its interpolation; `None` outside of one.
    let mut texts: Vec<Option<usize>> = Vec::new();
    let mut at = 0;
    while let Some(character) = source[at..].chars().next() {
        let in_text = matches!(texts.last(), Some(None));
        let rest = &source[at..];
        if in_text {
            match character {
                '"' => _ = texts.pop(),
                '\\' if rest.starts_with("\\(") => {
                    if let Some(open) = texts.last_mut() {
                        *open = Some(0);
                    }
                    at += 1;
                }
                '\\' => at += rest[1..].chars().next().map_or(0, char::len_utf8),
                _ => {}
            }
        } else if rest.starts_with(VARIABLE)
            && !rest[VARIABLE.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        {
            let (length, name) = secret_name(&rest[VARIABLE.len()..]);
            uses.push(SecretUse { range: at..at + VARIABLE.len() + length, name });
        } else {
            match (character, texts.last_mut()) {
                ('"', _) => texts.push(None),
                ('(', Some(Some(open))) => *open += 1,
                (')', Some(slot)) => *slot = slot.and_then(|open| open.checked_sub(1)),
                _ => {}
            }
        }
        at += character.len_utf8();
    }
    uses
}

/// The name after `$secrets` and how many bytes it takes.
fn secret_name(rest: &str) -> (usize, Option<String>) {
    let quoted = |opening: &str, closing: &str| {
        let inner = rest.strip_prefix(opening)?;
        let end = inner.find('"').filter(|end| inner[end + 1..].starts_with(closing))?;
        let name = &inner[..end];
        (!name.contains('\\'))
            .then(|| (opening.len() + end + 1 + closing.len(), Some(name.to_owned())))
    };
    if let Some(found) =
        quoted("[\"", "]").or_else(|| quoted(".[\"", "]")).or_else(|| quoted(".\"", ""))
    {
        return found;
    }
    let Some(path) = rest.strip_prefix('.') else { return (0, None) };
    let name: String =
        path.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    if is_name(&name) { (1 + name.len(), Some(name)) } else { (0, None) }
}
