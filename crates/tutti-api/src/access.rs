//! Who may ask: principals, tokens; what is kept from everybody: secrets; what is kept of what was done: the audit.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A role, and where it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GrantView {
    /// `viewer`, `operator`, `author` or `admin`.
    pub role: String,
    /// The namespace; everywhere where it is left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub namespace: Option<String>,
}

/// Asks to create a principal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewPrincipal {
    /// What people call it.
    pub name: String,
    /// `user` or `service`; a service if it is left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kind: Option<String>,
    /// What it may do.
    pub grants: Vec<GrantView>,
}

/// Somebody who may ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PrincipalView {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// `user` or `service`.
    pub kind: String,
    /// What it may do.
    pub grants: Vec<GrantView>,
}

/// Asks for a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewToken {
    /// What people call it.
    pub name: String,
    /// Whose it is; the caller's if it is left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub principal: Option<String>,
    /// What it may do, at most what its principal may; all of that if it is left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub grants: Option<Vec<GrantView>>,
    /// From when on it is refused, in RFC 3339; never if it is left out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_at: Option<String>,
}

/// What is known of a token; its text is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenView {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Whose it is; absent for the setup token.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub principal: Option<String>,
    /// What it may do at most; absent where that is all its principal may.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub grants: Option<Vec<GrantView>>,
    /// From when on it is refused.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_at: Option<String>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revoked_at: Option<String>,
}

/// A token, and the only time that its text is shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedToken {
    /// What is known of it from now on.
    #[serde(flatten)]
    pub token: TokenView,
    /// What is shown to the server: `Authorization: Bearer TEXT`.
    pub text: String,
}

impl fmt::Debug for CreatedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedToken").field("token", &self.token).finish_non_exhaustive()
    }
}

/// Creates the first administrator, with the setup token that the server printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetupRequest {
    /// What people call the administrator.
    pub name: String,
}

/// The text of a secret; nobody gets it back.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretText {
    /// The text; one that is a JSON object has members.
    pub value: String,
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(«secret»)")
    }
}

/// What is known of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretView {
    /// Its name.
    pub name: String,
    /// When it was written, in RFC 3339.
    pub written_at: String,
    /// Who wrote it.
    pub written_by: String,
}

/// A record of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// Its place in the trail, from 1.
    pub number: u64,
    /// The commit it was written with.
    pub commit: i64,
    /// When, in RFC 3339.
    pub at: String,
    /// Who: the id of a principal, `system` or `anonymous`.
    pub actor: String,
    /// What that principal was called then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub actor_name: Option<String>,
    /// The token that was shown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token: Option<String>,
    /// What: `execution.cancel`, `workflow.publish`.
    pub action: String,
    /// `allowed`, or why it was refused.
    pub outcome: String,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub namespace: Option<String>,
    /// To what.
    pub subject: String,
    /// Why, in the words of whoever asked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// What else there is to say.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub detail: BTreeMap<String, String>,
    /// The id of the request, which its answer and the log of the server have as well.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request: Option<String>,
    /// Where the request came from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub address: Option<String>,
}
