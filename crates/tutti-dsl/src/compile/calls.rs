//! `call`: the language's own functions, those of `use.functions`, and ours.

use std::sync::Arc;

use super::{
    At, Compiler,
    flow::some_names,
    functions::FunctionCall,
    scope::{Place, Scopes},
};
use crate::{
    Call, Endpoint, HttpCall, HttpOutput, TaskKind, UriSource, built_in,
    codes::Code,
    diagnostic::nearest,
    kinds::Keyword,
    location::{self, Cataloged},
};

impl<'n> Compiler<'n> {
    pub(super) fn call(&mut self, at: &At<'n>, scopes: &Scopes) -> Option<TaskKind> {
        let function = at.get("call")?;
        let name = function.text()?.clone();
        match &*name {
            "http" => {
                let call = self.http(&at.get("with")?, &scopes.body)?;
                Some(TaskKind::Call(Call::Http(Box::new(call))))
            }
            "asyncapi" | "grpc" | "openapi" | "a2a" | "mcp" => {
                self.check_unexecuted(Keyword::Call, at, scopes);
                Some(TaskKind::Call(Call::Unsupported))
            }
            "each" if !self.names.functions.contains_key(&name) => self.each(at, scopes),
            _ => {
                // All that is wrong is told: neither keeps the other from being looked at.
                let with = at.get("with");
                let arguments = with.map(|with| self.template(&with, &scopes.body));
                let called = self.function_called(&function);
                let arguments = arguments.map_or(Some(None), |it| it.map(Some))?;
                if let Some(task) = called {
                    return Some(TaskKind::Call(Call::Function { task, arguments }));
                }
                let is_unloaded = self.outside.unloaded.is_some();
                is_unloaded.then_some(TaskKind::Call(Call::Unsupported))
            }
        }
    }

    /// A function of `use.functions`, at a URI or of a catalog; tells if there is none.
    pub(super) fn function_called(&mut self, at: &At<'n>) -> Option<crate::TaskId> {
        let name = at.text()?;
        let called = match self.names.functions.get(name).copied() {
            Some(task) => Some((name.clone(), task)),
            None => self.function_elsewhere(at, name),
        };
        let (to, task) = called?;
        let (span, pointer) = self.outside.place_of(at);
        self.calls.push(FunctionCall { from: self.function.clone(), to, span, pointer });
        Some(task)
    }

    /// A function that does not stand in the document: at a URI, of a catalog, of ours, or unknown.
    fn function_elsewhere(
        &mut self,
        at: &At<'n>,
        name: &Arc<str>,
    ) -> Option<(Arc<str>, crate::TaskId)> {
        if location::is_uri(name) {
            return self.function_at(at, name, None);
        }
        let plain = name.strip_suffix("@default").unwrap_or(name);
        let plain = plain.split_once(':').map_or(plain, |(plain, _version)| plain);
        let own_catalog = !self.names.catalogs.contains_key("default");
        if built_in::NAMES.contains(&plain) && (own_catalog || plain == &**name) {
            let message = format!(
                "the function `{plain}` is known, but this version does not support it yet"
            );
            self.push(at.problem(Code::NotSupportedYet, message));
            return None;
        }
        let Some(function) = Cataloged::read(name) else {
            self.unknown_function(at, name);
            return None;
        };
        let catalog = function.catalog.unwrap_or("default");
        let Some(declared) = self.names.catalogs.get(catalog).cloned() else {
            self.unknown_catalog(at, name, catalog);
            return None;
        };
        self.function_of(at, &function, &declared)
    }

    fn unknown_catalog(&mut self, at: &At<'_>, name: &str, catalog: &str) {
        let names: Vec<&str> = self.names.catalogs.keys().map(AsRef::as_ref).collect();
        let message = if catalog == "default" {
            format!(
                "`{name}` is in no catalog: the built-in one lacks it, and `default` is not declared"
            )
        } else {
            format!("the catalog `{catalog}` of function `{name}` is not declared")
        };
        let hint = super::errors::declared_hint(catalog, &names, "use.catalogs");
        self.push(at.problem(Code::UnknownFunction, message).hint(hint));
    }

    fn unknown_function(&mut self, at: &At<'n>, name: &str) {
        let task = at.pointer.rsplit_once('/').map_or("", |(task, _)| task);
        let declared: Vec<&str> = self.names.functions.keys().map(AsRef::as_ref).collect();
        let language = ["http", "grpc", "openapi", "asyncapi", "mcp", "a2a", "each"];
        let candidates =
            declared.iter().copied().chain(language).chain(built_in::NAMES.iter().copied());
        let hint = match nearest(name, candidates) {
            Some(near) if declared.is_empty() => format!("did you mean `{near}`?"),
            Some(near) => {
                format!("did you mean `{near}`? functions in scope: {}", some_names(&declared))
            }
            None if declared.is_empty() => format!("declare it in `use.functions.{name}`"),
            None => format!("functions in scope: {}", some_names(&declared)),
        };
        let message = format!("task `{task}` calls unknown function `{name}`");
        self.push(at.problem(Code::UnknownFunction, message).hint(hint));
    }

    fn http(&mut self, at: &At<'n>, place: &Place) -> Option<HttpCall> {
        let method = at.get("method").and_then(|at| self.method(&at, place));
        let endpoint = at.get("endpoint").and_then(|at| self.endpoint(&at, place));
        let mut part = |key: &str| at.get(key).and_then(|at| self.template(&at, place));
        let (headers, query, body, redirect) =
            (part("headers"), part("query"), part("body"), part("redirect"));
        Some(HttpCall {
            method: method?,
            endpoint: endpoint?,
            headers,
            query,
            body,
            output: at.get("output").map_or(HttpOutput::Content, |at| http_output(&at)),
            redirect,
        })
    }

    fn method(&mut self, at: &At<'n>, place: &Place) -> Option<tutti_expr::Template> {
        let text = at.text()?;
        if text.contains("${") {
            return self.template(at, place);
        }
        let literal = text;
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if literal.is_empty() || !literal.bytes().all(token) {
            let message = format!("`{literal}` is not an HTTP method");
            self.push(at.problem(Code::NotAllowed, message).hint("such as `get` or `post`"));
        }
        self.template(at, place)
    }

    /// An endpoint: a URI, or a mapping of `uri` and `authentication`.
    pub(super) fn endpoint(&mut self, at: &At<'n>, place: &Place) -> Option<Endpoint> {
        if at.text().is_some() {
            return self.uri(at, place).map(|uri| Endpoint { uri, authentication: None });
        }
        let uri = at.get("uri").and_then(|at| self.uri(&at, place));
        let authentication = match at.get("authentication") {
            Some(policy) => self.authentication(&policy, place).map(Some),
            None => Some(None),
        };
        Some(Endpoint { uri: uri?, authentication: authentication? })
    }

    fn uri(&mut self, at: &At<'n>, place: &Place) -> Option<UriSource> {
        let text = at.text()?;
        if text.trim().starts_with("${") {
            return self.expression(at, place).map(UriSource::Expression);
        }
        self.uri_template(at).map(UriSource::Template)
    }
}

fn http_output(at: &At<'_>) -> HttpOutput {
    match at.text().map(|text| &**text) {
        Some("raw") => HttpOutput::Raw,
        Some("response") => HttpOutput::Response,
        _ => HttpOutput::Content,
    }
}
