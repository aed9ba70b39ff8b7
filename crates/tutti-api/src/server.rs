//! The server itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether the server can be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// `ok`, or what stands in the way.
    pub status: String,
}

/// What the server is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerInfo {
    /// The version of the product.
    pub version: String,
    /// Whether the first administrator is still to be created.
    pub needs_setup: bool,
    /// How safely commits are written: `full`.
    pub durability: String,
}
