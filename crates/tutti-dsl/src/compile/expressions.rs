//! Texts that are expressions, and those that may be.

use std::{ops::Range, sync::Arc};

use tutti_expr::{Expression, Reads, Template};

use super::{
    At, Compiler,
    jq_text::{VariableUse, binds, is_name, member_named, variables},
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
            Marked::None if self.loose => Some(match self.compiled(text, place) {
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
        if start == 0 && !text.contains('}') {
            return self.push(not_closed(text, span, at));
        }
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
        let variables = variables(source);
        self.warn_of_secrets(at, &variables, range.start, place);
        if self.refuse_absent_variables(at, source, &variables, range.start, place) {
            return None;
        }
        match self.compiled(source, place) {
            Ok(expression) => {
                self.check_secrets(at, &expression, &variables, range.start);
                Some(expression)
            }
            Err(error) => {
                let inner = range.start + error.range.start..range.start + error.range.end;
                let span = at.node.span_within(self.text, &inner);
                self.push(expression_problem(&error, source, span, at, place));
                None
            }
        }
    }

    fn compiled(
        &mut self,
        source: &str,
        place: &Place,
    ) -> Result<Expression, tutti_expr::CompileError> {
        let key = (place.key.clone(), Arc::from(source));
        let compiled = self.expressions.entry(key);
        compiled.or_insert_with(|| Expression::compile(source, &place.scope)).clone()
    }

    fn warn_of_secrets(
        &mut self,
        at: &At<'_>,
        variables: &[VariableUse<'_>],
        start: usize,
        place: &Place,
    ) {
        let first = variables.iter().find(|used| used.name == "secrets");
        if let Some(first) = first.filter(|_| !place.secrets_expected) {
            let span = self.within(at, start, &first.range);
            let message = "a secret used here easily ends up in data";
            self.push(Problem::new(Code::SecretOutsideInput, span, &*at.pointer, message).hint(
                "use secrets in `authentication` (`use: NAME`) or in `input.from` where possible",
            ));
        }
    }

    /// Tells about secrets the expression reads by name and the document does not declare.
    fn check_secrets(
        &mut self,
        at: &At<'_>,
        expression: &Expression,
        variables: &[VariableUse<'_>],
        start: usize,
    ) {
        let Some(Reads::Members(names)) = expression.reads("secrets") else {
            if expression.reads("secrets").is_some() {
                self.refuse_all_secrets(at);
            }
            return;
        };
        for name in names {
            if self.names.declares_secret(name) {
                continue;
            }
            for range in secret_ranges(expression.source(), variables, name) {
                let span = self.within(at, start, &range);
                let problem = self.undeclared_secret(name, span, &at.pointer);
                self.push(problem);
            }
        }
    }

    /// Tells about variables of the language that do not exist at this place. Whether there are any.
    fn refuse_absent_variables(
        &mut self,
        at: &At<'_>,
        source: &str,
        variables: &[VariableUse<'_>],
        start: usize,
        place: &Place,
    ) -> bool {
        let absent: Vec<_> = variables
            .iter()
            .filter(|used| LANGUAGE.contains(&used.name))
            .filter(|used| !place.scope.names().any(|known| known == used.name))
            .filter(|used| !binds(source, used.name))
            .collect();
        for used in &absent {
            let span = self.within(at, start, &used.range);
            let problem = unknown_variable(used.name, span, at, place);
            self.push(problem);
        }
        !absent.is_empty()
    }

    fn within(&self, at: &At<'_>, start: usize, range: &Range<usize>) -> Range<usize> {
        at.node.span_within(self.text, &(start + range.start..start + range.end))
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

/// Where a source reads the secret `name`: each `$secrets` with that name after it, else the first `$secrets`.
fn secret_ranges(source: &str, variables: &[VariableUse<'_>], name: &str) -> Vec<Range<usize>> {
    let uses = || variables.iter().filter(|used| used.name == "secrets");
    let named: Vec<_> = uses()
        .filter_map(|used| {
            let (length, member) = member_named(&source[used.range.end..]);
            (member? == name).then(|| used.range.start..used.range.end + length)
        })
        .collect();
    if named.is_empty() { uses().take(1).map(|used| used.range.clone()).collect() } else { named }
}

fn literal_or(literal: bool, node: &Node, template: Template) -> Template {
    if literal { Template::Literal(node.to_value()) } else { template }
}

fn is_literal(template: &Template) -> bool {
    matches!(template, Template::Literal(_))
}

fn not_closed(text: &str, span: Range<usize>, at: &At<'_>) -> Problem {
    let message = "the expression that begins here is not closed";
    Problem::new(Code::EmbeddedExpression, span, &*at.pointer, message)
        .hint(format!("write `{} }}`", text.trim()))
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
        if source.trim_start().starts_with("${") && !source.contains('}') {
            return not_closed(source, span, at);
        }
        // `${ .a } and ${ .b }` begins and ends like one expression.
        if source.contains("${") {
            let message = "an expression must be the whole text: this has two of them";
            let fixed = at.text().and_then(|text| interpolated(text));
            return Problem::new(Code::EmbeddedExpression, span, &*at.pointer, message)
                .maybe_hint(fixed.map(|fixed| format!("write `{fixed}`")));
        }
        return Problem::new(Code::InvalidExpression, span, &*at.pointer, &*error.message)
            .maybe_hint(error.hint.clone());
    };
    unknown_variable(name, span, at, place)
}

fn unknown_variable(name: &str, span: Range<usize>, at: &At<'_>, place: &Place) -> Problem {
    let message = if LANGUAGE.contains(&name) {
        format!("the variable `${name}` does not exist in {}", place.name)
    } else {
        format!("the variable `${name}` does not exist here")
    };
    let known: Vec<&str> = place.scope.names().collect();
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `${near}`?"),
        None if known.is_empty() => "no variable exists here: `.` is the raw input".to_owned(),
        None => format!("variables in scope: ${}", known.join(", $")),
    };
    Problem::new(Code::UnknownVariable, span, &*at.pointer, message).hint(hint)
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
