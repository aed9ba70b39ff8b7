//! Authentication policies.

use super::{At, Compiler, scope::Place};
use crate::{Authentication, SchemeParameters, codes::Code, diagnostic::Problem};

const SCHEMES: &[&str] = &["basic", "bearer", "digest", "oauth2", "oidc", "certificate"];

impl<'n> Compiler<'n> {
    /// A policy, or `use: NAME` of `use.authentications`.
    pub(super) fn authentication(&mut self, at: &At<'n>, place: &Place) -> Option<Authentication> {
        let Some(name) = at.get("use") else { return self.policy(at, place) };
        let text = name.text()?;
        if let Some(named) = self.names.authentications.get(text).cloned() {
            return self.policy(&named, place);
        }
        let names: Vec<&str> = self.names.authentications.keys().map(AsRef::as_ref).collect();
        let hint = super::errors::declared_hint(text, &names, "use.authentications");
        let message =
            format!("the authentication `{text}` is not declared in `use.authentications`");
        self.push(name.problem(Code::UnknownAuthentication, message).hint(hint));
        None
    }

    /// A policy that stands here.
    pub(super) fn policy(&mut self, at: &At<'n>, place: &Place) -> Option<Authentication> {
        let (key, parameters) = at.members().find(|(key, _)| SCHEMES.contains(&&*key.text))?;
        let scheme = key.text.clone();
        if let Some(secret) = parameters.get("use") {
            let name = secret.text()?.clone();
            if !self.names.declares_secret(&name) {
                let problem: Problem =
                    self.undeclared_secret(&name, secret.node.span.clone(), &secret.pointer);
                self.push(problem);
            }
            return Some(Authentication { scheme, parameters: SchemeParameters::Secret(name) });
        }
        let template = self.template(&parameters, &place.expecting_secrets())?;
        Some(Authentication { scheme, parameters: SchemeParameters::Inline(template) })
    }
}
