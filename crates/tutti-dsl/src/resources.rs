//! What a document needs from elsewhere: schemas, scripts and functions.
//!
//! Nothing here reads a file or a network: [`parse_with`](crate::parse_with) says what is needed ([`Need`]), whoever calls
//! loads it into [`Resources`] and parses again, until nothing more is needed. A [`bundle`](Resources::bundle) is one text
//! that holds a document and all it needs; its digest pins both.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use tutti_expr::Value;

use crate::{
    Authentication,
    codes::{Code, Severity},
    tree::{self, Node},
};

/// The largest resource, in bytes.
pub const MAX_RESOURCE: usize = 512 * 1024;
/// How many resources a document may need, those its functions need included.
pub const MAX_RESOURCES: usize = 64;
/// The resources of a document together, in bytes.
pub const MAX_RESOURCES_SIZE: usize = 4 * 1024 * 1024;

/// Something that a document needs from elsewhere.
#[derive(Debug, Clone)]
pub struct Need {
    /// Where it is: `http:`, `https:`, `file:///…`, or `file:` and a path below the document's directory that never leaves
    /// it. Percent-encoded as written.
    pub uri: Arc<str>,
    /// As whom it is loaded; its expressions may read `$secrets`.
    pub authentication: Option<Authentication>,
}

/// What was loaded for a document, by URI as in [`Need::uri`].
#[derive(Debug, Default)]
pub struct Resources(BTreeMap<Arc<str>, Result<Resource, LoadError>>);

/// Why a resource was not loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// It is not there, or is not given to us.
    #[error("{0}")]
    Unavailable(String),
    /// It is larger than accepted, or there are too many.
    #[error("{0}")]
    TooLarge(String),
    /// Its bytes are not UTF-8.
    #[error("is not UTF-8")]
    NotText,
}

/// A loaded text, read as a tree when somebody asks.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) text: Arc<str>,
    node: OnceLock<Result<Node, String>>,
}

impl Resource {
    fn new(text: &str) -> Self {
        Self { text: Arc::from(text), node: OnceLock::new() }
    }

    /// The text as YAML or JSON, or what is wrong with it.
    pub(crate) fn node(&self) -> Result<&Node, &str> {
        let read = || {
            let (root, problems) = tree::load(&self.text);
            match problems.iter().find(|problem| problem.code.severity() == Severity::Error) {
                Some(problem) => Err(problem.message.clone()),
                None => root.ok_or_else(|| "it is empty".to_owned()),
            }
        };
        self.node.get_or_init(read).as_ref().map_err(String::as_str)
    }
}

impl LoadError {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Unavailable(_) => Code::CannotLoad,
            Self::TooLarge(_) => Code::ResourceTooLarge,
            Self::NotText => Code::ResourceNotText,
        }
    }
}

impl Resources {
    /// Whether nothing was loaded.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keeps what was loaded: its bytes, or why there are none. Bytes that are too many, together with the others or alone,
    /// or are not UTF-8 are kept as that.
    pub fn insert(&mut self, uri: Arc<str>, loaded: Result<&[u8], LoadError>) {
        let size: usize = self.0.values().flatten().map(|resource| resource.text.len()).sum();
        let loaded = loaded.and_then(|bytes| {
            if bytes.len() > MAX_RESOURCE {
                let why = format!("has more than {MAX_RESOURCE} bytes");
                return Err(LoadError::TooLarge(why));
            }
            if self.0.len() >= MAX_RESOURCES {
                let why = format!("is one more than the {MAX_RESOURCES} a document may need");
                return Err(LoadError::TooLarge(why));
            }
            if size + bytes.len() > MAX_RESOURCES_SIZE {
                let why =
                    format!("makes the document's resources exceed {MAX_RESOURCES_SIZE} bytes");
                return Err(LoadError::TooLarge(why));
            }
            let text = std::str::from_utf8(bytes).map_err(|_not_text| LoadError::NotText)?;
            Ok(Resource::new(text))
        });
        self.0.insert(uri, loaded);
    }

    pub(crate) fn get(&self, uri: &str) -> Option<Result<&Resource, &LoadError>> {
        self.0.get(uri).map(Result::as_ref)
    }

    /// The document and what was loaded for it as one text, the same for the same content; the document itself where
    /// nothing was loaded. No bundle is a valid document, and no valid document is a bundle.
    pub fn bundle(&self, document: &str) -> String {
        let loaded = self.0.iter().filter_map(|(uri, loaded)| {
            let text = loaded.as_ref().ok()?.text.clone();
            Some((uri.clone(), Value::from(text)))
        });
        let loaded: Vec<_> = loaded.collect();
        if loaded.is_empty() {
            return document.to_owned();
        }
        let members = [
            ("bundle", Value::from(1_i64)),
            ("document", document.into()),
            ("resources", Value::object(loaded)),
        ];
        Value::object(members).to_json()
    }

    /// The parts of a stored text: the document, and what was loaded for it.
    pub fn unbundle(stored: &str) -> (String, Self) {
        Self::read_bundle(stored).unwrap_or_else(|| (stored.to_owned(), Self::default()))
    }

    fn read_bundle(stored: &str) -> Option<(String, Self)> {
        if !stored.starts_with("{\"bundle\":1,") {
            return None;
        }
        let value = Value::from_json(stored).ok()?;
        let document = value.get("document")?.as_str()?.to_owned();
        let mut resources = Self::default();
        for (uri, text) in value.get("resources")?.as_object()?.iter() {
            resources.0.insert(uri.clone(), Ok(Resource::new(text.as_str()?)));
        }
        Some((document, resources))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_gives_back_what_it_was_made_of() {
        let mut resources = Resources::default();
        resources.insert(Arc::from("file:b"), Ok(b"text \"b\"\n"));
        resources.insert(Arc::from("file:a"), Ok(b"a"));
        resources.insert(Arc::from("file:c"), Ok(&[0xff]));
        let stored = resources.bundle("do: []\n");
        let (document, unbundled) = Resources::unbundle(&stored);
        assert_eq!(document, "do: []\n");
        assert_eq!(unbundled.bundle(&document), stored);
        assert_eq!(unbundled.0.len(), 2);
        assert!(matches!(resources.get("file:c"), Some(Err(LoadError::NotText))));
        assert_eq!(Resources::default().bundle("x"), "x");
        assert_eq!(Resources::unbundle("x").0, "x");
    }

    #[test]
    fn resources_are_limited_alone_in_number_and_together() {
        let mut resources = Resources::default();
        let most = vec![b' '; MAX_RESOURCE];
        let too_large = |resources: &Resources, uri: &str| {
            matches!(resources.get(uri), Some(Err(LoadError::TooLarge(_))))
        };
        resources.insert(Arc::from("more"), Ok(&[&most[..], b" "].concat()));
        assert!(too_large(&resources, "more"));
        for number in 0..MAX_RESOURCES_SIZE / MAX_RESOURCE {
            resources.insert(Arc::from(format!("{number}")), Ok(&most));
            assert!(!too_large(&resources, &number.to_string()));
        }
        resources.insert(Arc::from("together"), Ok(b" "));
        assert!(too_large(&resources, "together"));
        let mut many = Resources::default();
        for number in 0..=MAX_RESOURCES {
            many.insert(Arc::from(format!("{number}")), Ok(b""));
        }
        assert!(too_large(&many, &MAX_RESOURCES.to_string()));
        assert!(!too_large(&many, &(MAX_RESOURCES - 1).to_string()));
    }
}
