//! Durations, schemas, URIs, names and versions.

use super::{
    At, Compiler,
    scope::{Place, Scopes},
};
use crate::{Duration, DurationSource, Schema, UriTemplate, codes::Code, diagnostic::Problem};

impl<'n> Compiler<'n> {
    pub(super) fn duration(&mut self, at: &At<'n>, place: &Place) -> Option<DurationSource> {
        if at.text().is_some_and(|text| text.trim().starts_with("${")) {
            return self.expression(at, place).map(DurationSource::Expression);
        }
        if at.text().is_none() && at.node.as_map().is_none() {
            return None;
        }
        match Duration::from_value(&at.node.to_value()) {
            Ok(duration) => Some(DurationSource::Fixed(duration)),
            Err(error) => {
                self.push(
                    at.problem(Code::InvalidDuration, error.to_string())
                        .hint("such as `PT15M`, or `{ minutes: 15 }`"),
                );
                None
            }
        }
    }

    /// `timeout` of a task or workflow: `{ after }` or a name.
    pub(super) fn timeout(&mut self, owner: &At<'n>, scopes: &Scopes) -> Option<DurationSource> {
        let at = owner.get("timeout")?;
        let Some(name) = at.text() else {
            return at.get("after").and_then(|after| self.duration(&after, &scopes.input));
        };
        if let Some(named) = self.names.timeouts.get(name).cloned() {
            return named.get("after").and_then(|after| self.duration(&after, &scopes.input));
        }
        let names: Vec<&str> = self.names.timeouts.keys().map(AsRef::as_ref).collect();
        let hint = if name.starts_with('P') && Duration::from_value(&at.node.to_value()).is_ok() {
            format!("write `timeout: {{ after: {name} }}`")
        } else {
            super::errors::declared_hint(name, &names, "use.timeouts")
        };
        let message = format!("the timeout `{name}` is not declared in `use.timeouts`");
        self.push(at.problem(Code::UnknownTimeout, message).hint(hint));
        None
    }

    /// `schema` of `input`, `output` or `export`.
    pub(super) fn schema(&mut self, owner: &At<'n>) -> Option<Schema> {
        let at = owner.get("schema")?;
        if let Some(format) = at.get("format")
            && let Some(text) = format.text()
            && !(&**text == "json" || text.starts_with("json:"))
        {
            let message = format!("schemas of the format `{text}` cannot be checked");
            self.push(format.problem(Code::SchemaFormat, message).hint("use `json`"));
            return None;
        }
        if let Some(resource) = at.get("resource") {
            return self.loaded_schema(&resource);
        }
        let document = at.get("document")?;
        match Schema::compile(&document.node.to_value()) {
            Ok(schema) => Some(schema),
            Err(error) => {
                let at = at_pointer(&document, &error.pointer);
                let message = format!("the JSON Schema cannot be used: {error}");
                self.push(at.problem(Code::InvalidSchema, message));
                None
            }
        }
    }

    /// A literal URI or template.
    pub(super) fn uri_template(&mut self, at: &At<'_>) -> Option<UriTemplate> {
        let text = at.text()?;
        match UriTemplate::compile(text) {
            Ok(template) => Some(template),
            Err(error) => {
                let span = at.node.span_within(self.text, &error.range);
                self.push(
                    Problem::new(Code::InvalidUri, span, &*at.pointer, error.to_string())
                        .maybe_hint(error.hint.map(str::to_owned)),
                );
                None
            }
        }
    }

    /// A URI where expressions are also accepted, such as an error's type.
    pub(super) fn uri_or_expression(&mut self, at: &At<'_>) {
        let literal = at.text().is_some_and(|text| !text.contains("${"));
        if literal {
            self.uri_template(at);
        }
    }

    /// `document.dsl`: this version knows 1.0.0 to 1.0.3, and takes later patches for what they promise to be.
    pub(super) fn check_dsl_version(&mut self, at: &At<'_>) {
        let Some(text) = at.text().filter(|text| crate::version::is_semantic(text)) else { return };
        if text.starts_with("1.0.") && !text.contains('-') {
            return;
        }
        let message =
            format!("version {text} of the language is not known: this version executes 1.0");
        self.push(at.problem(Code::DslVersion, message).hint("write the workflow in 1.0.3"));
    }
}

/// The part of `at` that a pointer into it names, or the nearest part around it.
fn at_pointer<'n>(at: &At<'n>, pointer: &str) -> At<'n> {
    let mut found = at.clone();
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        let item = token.parse::<usize>().ok().and_then(|index| found.items().nth(index));
        match found.get(&token).or(item) {
            Some(inner) => found = inner,
            None => break,
        }
    }
    found
}
