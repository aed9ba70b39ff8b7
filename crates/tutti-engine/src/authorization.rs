//! `$authorization`: what a call says about who we are.
//!
//! For the schemes of this version it follows from the call's own arguments, so nothing is asked for first and nothing of
//! it is journaled beside them. A scheme whose token comes over the network (`oauth2`, `oidc`) cannot be resolved here:
//! its token has to become an entry before the call's arguments are evaluated. [`descriptor`] is then given what that
//! entry says, and its callers stay as they are.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tutti_expr::Value;

/// Members of a policy that are secrets wherever they come from.
const CREDENTIALS: [&str; 2] = ["password", "token"];

/// The descriptor of a call's `authentication` argument: `{ scheme, parameter }`, the parameter marked as a secret.
///
/// The parameter is what follows the scheme in an `Authorization` header. That of `digest` answers a challenge of the
/// server's, request by request, so there is none to give: it is null, as is that of a policy which the connector will
/// refuse. Null for a scheme that is not resolved here.
pub(crate) fn descriptor(authentication: &Value) -> Value {
    let parameters = authentication.get("parameters").unwrap_or(&Value::NULL);
    let (scheme, parameter) = match authentication.get("scheme").and_then(Value::as_str) {
        Some("basic") => ("Basic", basic(parameters)),
        Some("bearer") => ("Bearer", bearer(parameters)),
        Some("digest") => ("Digest", None),
        _ => return Value::NULL,
    };
    let parameter = parameter.map_or(Value::NULL, Value::tainted);
    Value::object([("scheme", Value::from(scheme)), ("parameter", parameter)])
}

/// The parameters of a policy that stands in the document: what proves who we are is a secret, declared as one or not.
pub(crate) fn marked(parameters: &Value) -> Value {
    let Some(members) = parameters.as_object() else { return parameters.clone().tainted() };
    Value::object(members.iter().map(|(name, value)| {
        let value = value.clone();
        let is_secret = CREDENTIALS.contains(&&**name);
        (name.clone(), if is_secret { value.tainted() } else { value })
    }))
}

fn basic(parameters: &Value) -> Option<Value> {
    let username = parameters.get("username")?.as_str()?;
    let password = parameters.get("password")?.as_str()?;
    Some(Value::from(STANDARD.encode(format!("{username}:{password}"))))
}

fn bearer(parameters: &Value) -> Option<Value> {
    let token = parameters.get("token").unwrap_or(parameters);
    token.as_str().is_some().then(|| token.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameter_is_what_the_header_has_after_the_scheme() {
        for (authentication, clear, shown) in [
            (
                r#"{"scheme":"basic","parameters":{"username":"Aladdin","password":"open sesame"}}"#,
                r#"{"scheme":"Basic","parameter":"QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}"#,
                r#"{"scheme":"Basic","parameter":"«secret»"}"#,
            ),
            (
                r#"{"scheme":"bearer","parameters":{"token":"t0ken"}}"#,
                r#"{"scheme":"Bearer","parameter":"t0ken"}"#,
                r#"{"scheme":"Bearer","parameter":"«secret»"}"#,
            ),
            (
                r#"{"scheme":"bearer","parameters":"t0ken"}"#,
                r#"{"scheme":"Bearer","parameter":"t0ken"}"#,
                r#"{"scheme":"Bearer","parameter":"«secret»"}"#,
            ),
            (
                r#"{"scheme":"digest","parameters":{"username":"me","password":"x"}}"#,
                r#"{"scheme":"Digest","parameter":null}"#,
                r#"{"scheme":"Digest","parameter":null}"#,
            ),
            (
                r#"{"scheme":"basic","parameters":"me:x"}"#,
                r#"{"scheme":"Basic","parameter":null}"#,
                r#"{"scheme":"Basic","parameter":null}"#,
            ),
            (r#"{"scheme":"oauth2","parameters":{"client":{}}}"#, "null", "null"),
            ("null", "null", "null"),
        ] {
            let value = Value::from_json(authentication).expect("JSON");
            let descriptor = descriptor(&value);
            assert_eq!(descriptor.to_json(), clear, "{authentication}");
            assert_eq!(descriptor.to_redacted_json(), shown, "{authentication}");
        }
    }

    #[test]
    fn what_proves_who_we_are_is_marked() {
        let marked = |text| marked(&Value::from_json(text).expect("JSON")).to_redacted_json();
        assert_eq!(
            marked(r#"{"username":"me","password":"x"}"#),
            r#"{"username":"me","password":"«secret»"}"#
        );
        assert_eq!(marked(r#""t0ken""#), "\"«secret»\"");
    }
}
