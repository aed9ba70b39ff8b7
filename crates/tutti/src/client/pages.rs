//! Lists that come in pages.

use serde::de::DeserializeOwned;
use tutti_api::Page;

use super::ask::{Ask, Client};
use crate::exit::Failure;

/// The most that one page is asked for.
const PAGE: usize = 1_000;

/// A list, as far as it was asked for.
#[derive(Debug)]
pub(super) struct Listed<T> {
    /// The items.
    pub(super) items: Vec<T>,
    /// Whether there are more.
    pub(super) has_more: bool,
}

/// The first `limit` items of a list; `ask` makes what is asked for each page.
pub(super) async fn all<T: DeserializeOwned>(
    client: &Client,
    limit: usize,
    ask: impl Fn() -> Ask,
) -> Result<Listed<T>, Failure> {
    let (mut items, mut cursor) = (Vec::new(), None);
    loop {
        let wanted = (limit - items.len()).min(PAGE);
        let page = ask().query("limit", Some(wanted)).query("cursor", cursor.as_ref());
        let page: Page<T> = client.json(&page).await?;
        let is_empty = page.items.is_empty();
        items.extend(page.items);
        cursor = page.next;
        if cursor.is_none() || items.len() >= limit || is_empty {
            return Ok(Listed { items, has_more: cursor.is_some() });
        }
    }
}
