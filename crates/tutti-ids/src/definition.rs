//! How a published workflow is named.

use std::{cmp::Ordering, fmt, str::FromStr, sync::Arc};

/// Names one version of a workflow: (namespace, name, version).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DefinitionRef {
    /// The namespace the workflow belongs to.
    pub namespace: Name,
    /// The workflow's name, unique in its namespace.
    pub name: Name,
    /// The version of its document.
    pub version: Version,
}

impl fmt::Display for DefinitionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}:{}", self.namespace, self.name, self.version)
    }
}

/// A DNS label of 1 to 63 letters, digits and inner hyphens (`document.namespace`, `document.name`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl Name {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let inner = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
        let fits = (1..=63).contains(&text.len());
        if !fits
            || !text.as_bytes().iter().all(inner)
            || text.starts_with('-')
            || text.ends_with('-')
        {
            return Err(InvalidName);
        }
        Ok(Self(Arc::from(text)))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A semantic version (`document.version`), ordered by SemVer 2.0 precedence; build metadata breaks ties by text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Version {
    text: Arc<str>,
    release: [u64; 3],
}

impl Version {
    /// The version as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether this is a release, not a pre-release such as `1.0.0-rc.1`.
    pub fn is_release(&self) -> bool {
        self.pre_release().is_empty()
    }

    fn pre_release(&self) -> &str {
        let without_build = self.text.split('+').next().unwrap_or("");
        without_build.split_once('-').map_or("", |(_, pre_release)| pre_release)
    }
}

impl FromStr for Version {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let (rest, build) =
            text.split_once('+').map_or((text, None), |(rest, build)| (rest, Some(build)));
        let (core, pre_release) =
            rest.split_once('-').map_or((rest, None), |(core, pre)| (core, Some(pre)));
        let mut numbers = core.split('.').map(numeric);
        let (Some(Some(major)), Some(Some(minor)), Some(Some(patch)), None) =
            (numbers.next(), numbers.next(), numbers.next(), numbers.next())
        else {
            return Err(InvalidName);
        };
        let word = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let unpadded =
            |part: &str| !part.bytes().all(|byte| byte.is_ascii_digit()) || numeric(part).is_some();
        let pre_release_fits =
            pre_release.is_none_or(|pre| pre.split('.').all(|part| word(part) && unpadded(part)));
        let build_fits = build.is_none_or(|build| build.split('.').all(word));
        if text.len() > 256 || !pre_release_fits || !build_fits {
            return Err(InvalidName);
        }
        Ok(Self { text: Arc::from(text), release: [major, minor, patch] })
    }
}

/// A SemVer numeric identifier: digits without a leading zero.
fn numeric(part: &str) -> Option<u64> {
    let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let padded = part.len() > 1 && part.starts_with('0');
    if digits && !padded { part.parse().ok() } else { None }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.release
            .cmp(&other.release)
            .then_with(|| compare_pre_releases(self.pre_release(), other.pre_release()))
            .then_with(|| self.text.cmp(&other.text))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn compare_pre_releases(left: &str, right: &str) -> Ordering {
    match (left.is_empty(), right.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => compare_identifiers(left, right),
    }
}

fn compare_identifiers(left: &str, right: &str) -> Ordering {
    let key = |part: &str| match numeric(part) {
        Some(number) => (0, number, String::new()),
        None => (1, 0, part.to_owned()),
    };
    left.split('.').map(key).cmp(right.split('.').map(key))
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

/// A text that is not a name or a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a DNS label (1 to 63 letters, digits and inner hyphens) or a semantic version such as `1.0.0`"
)]
pub struct InvalidName;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_precedence() {
        let ordered = [
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.2.0",
            "1.10.0",
        ];
        let parsed: Vec<Version> = ordered.iter().filter_map(|text| text.parse().ok()).collect();
        assert_eq!(parsed.len(), ordered.len());
        assert!(parsed.is_sorted());
    }

    #[test]
    fn malformed_versions_and_names_are_refused() {
        for text in ["", "1", "1.0", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0+", "1.0.0.0", "v1.0.0"]
        {
            assert_eq!(text.parse::<Version>(), Err(InvalidName), "{text}");
        }
        for text in ["", "-a", "a-", "a_b", "a.b", &"x".repeat(64)] {
            assert_eq!(text.parse::<Name>().map(|_| ()), Err(InvalidName), "{text}");
        }
        assert!(
            "a".parse::<Name>().is_ok()
                && "7".parse::<Name>().is_ok()
                && "a--b".parse::<Name>().is_ok()
        );
    }
}
