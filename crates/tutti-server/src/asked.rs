//! A request as handlers see it: who asks, what the path and query say, and the body, all within limits.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use axum::http::HeaderMap;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use tutti_api::Problem;
use tutti_auth::Caller;
use tutti_ids::Name;

use crate::{
    answer::{invalid, not_found},
    desk::Desk,
};

/// How many items a page has unless told.
const PAGE: usize = 100;
/// How many it has at most.
const LARGEST_PAGE: usize = 1_000;

/// A request.
pub(crate) struct Asked {
    pub(crate) desk: Arc<Desk>,
    /// Who asks; nobody where a route takes anybody.
    pub(crate) caller: Option<Caller>,
    /// What stands for the parts of the path in braces.
    pub(crate) path: BTreeMap<String, String>,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) address: Option<IpAddr>,
    /// The id of the request.
    pub(crate) request: String,
}

impl Asked {
    /// A part of the path. The route has it.
    pub(crate) fn part(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// A part of the path that is a name; one that cannot be names nothing.
    pub(crate) fn name(&self, part: &str) -> Result<Name, Problem> {
        let text = self.part(part);
        text.parse().map_err(|_malformed| not_found(&format!("{part} `{}`", short(text))))
    }

    /// A parameter of the query.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// A parameter of the query in its form.
    pub(crate) fn parsed<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(text) = self.parameter(name) else { return Ok(None) };
        let malformed = || invalid(format!("`{name}` cannot be `{}`", short(text)));
        parse(text).map(Some).ok_or_else(malformed)
    }

    /// How many items a page is to have.
    pub(crate) fn limit(&self) -> Result<usize, Problem> {
        let parse =
            |text: &str| text.parse().ok().filter(|limit| (1..=LARGEST_PAGE).contains(limit));
        Ok(self.parsed("limit", parse)?.unwrap_or(PAGE))
    }

    /// A header, where it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as text.
    pub(crate) fn text(&self) -> Result<&str, Problem> {
        std::str::from_utf8(&self.body).map_err(|_other| invalid("the body is not UTF-8"))
    }

    /// The body, which must be JSON of this form.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_slice(&self.body)
            .map_err(|error| invalid(format!("the body is not what is taken here: {error}")))
    }

    /// The body where there is one.
    pub(crate) fn json_or_default<T: DeserializeOwned + Default>(&self) -> Result<T, Problem> {
        if self.body.is_empty() { Ok(T::default()) } else { self.json() }
    }

    /// Who asks, for what is written down beside it.
    pub(crate) fn who(&self) -> String {
        self.caller.as_ref().map_or_else(String::new, |caller| caller.principal().to_string())
    }
}

/// What is said of a text that may be anything.
pub(crate) fn short(text: &str) -> String {
    text.chars().take(80).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
