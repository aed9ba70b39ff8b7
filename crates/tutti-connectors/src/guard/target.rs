//! Where a request goes: a URI taken apart and checked.

use std::{fmt, net::IpAddr};

use fluent_uri::{Uri, UriRef, component::Host as UriHost};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// The longest URI, in bytes.
const LONGEST: usize = 16 * 1024;

/// What is not allowed to stand plainly in a URI but is often written.
const PLAIN: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Scheme, host and port: what credentials are bound to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Origin {
    /// Whether it is reached by TLS.
    pub(crate) secure: bool,
    /// Its host.
    pub(crate) host: Host,
    /// Its port.
    pub(crate) port: u16,
}

/// A host in a URI.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Host {
    /// An address, written as such.
    Address(IpAddr),
    /// A name, in lower case.
    Name(String),
}

/// An absolute http or https URI without credentials or fragment.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    uri: Uri<String>,
    /// Where it leads.
    pub(crate) origin: Origin,
}

/// A text that is no [`Target`]; the text itself is never repeated, since it may hold a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidTarget {
    #[error("is not an absolute URI")]
    NotAbsolute,
    #[error("is longer than 16 KiB")]
    TooLong,
    #[error("must begin with http:// or https://")]
    Scheme,
    #[error("must not carry a user name or password; use `authentication`")]
    Credentials,
    #[error("names no host")]
    NoHost,
    #[error("names a host that is neither a plain name nor an address in its usual form")]
    Host,
    #[error("has a port that is not between 1 and 65535")]
    Port,
}

impl Target {
    /// Parses an absolute URI.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidTarget> {
        let uri = Uri::parse(plain(text)?).map_err(|_error| InvalidTarget::NotAbsolute)?;
        Self::of(uri)
    }

    /// The target that `reference` means here, as in a `Location` header.
    pub(crate) fn join(&self, reference: &str) -> Result<Self, InvalidTarget> {
        let reference =
            UriRef::parse(plain(reference)?).map_err(|_error| InvalidTarget::NotAbsolute)?;
        let base = self.uri.strip_fragment();
        let uri = reference.resolve_against(&base).map_err(|_error| InvalidTarget::NotAbsolute)?;
        Self::of(uri)
    }

    /// This target with more query parameters, already encoded.
    pub(crate) fn with_query(&self, query: &str) -> Result<Self, InvalidTarget> {
        if query.is_empty() {
            return Ok(self.clone());
        }
        let separator = match self.uri.query() {
            None => "?",
            Some(existing) if existing.as_str().is_empty() => "",
            Some(_) => "&",
        };
        Self::parse(&format!("{}{separator}{query}", self.uri))
    }

    fn of(mut uri: Uri<String>) -> Result<Self, InvalidTarget> {
        uri.set_fragment(None);
        let secure = match uri.scheme().as_str().to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(InvalidTarget::Scheme),
        };
        let authority = uri.authority().ok_or(InvalidTarget::NoHost)?;
        if authority.has_userinfo() {
            return Err(InvalidTarget::Credentials);
        }
        let host = match authority.host_parsed() {
            UriHost::Ipv4(address) => Host::Address(address.into()),
            UriHost::Ipv6(address) => Host::Address(address.into()),
            UriHost::RegName(name) => name_of(name.as_str())?,
            UriHost::IpvFuture { .. } => return Err(InvalidTarget::Host),
        };
        let port = authority.port_to_u16().map_err(|_error| InvalidTarget::Port)?;
        let port = port.unwrap_or(if secure { 443 } else { 80 });
        if port == 0 {
            return Err(InvalidTarget::Port);
        }
        Ok(Self { origin: Origin { secure, host, port }, uri })
    }

    /// The path and query, as a request line has them.
    pub(crate) fn path_and_query(&self) -> String {
        let path = self.uri.path().as_str();
        let path = if path.is_empty() { "/" } else { path };
        match self.uri.query() {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        }
    }

    /// The whole URI.
    pub(crate) fn as_str(&self) -> &str {
        self.uri.as_str()
    }
}

impl Origin {
    /// The host and port as the `Host` header has them.
    pub(crate) fn authority(&self) -> String {
        let usual = if self.secure { 443 } else { 80 };
        if self.port == usual {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

fn plain(text: &str) -> Result<String, InvalidTarget> {
    if text.len() > LONGEST {
        return Err(InvalidTarget::TooLong);
    }
    Ok(utf8_percent_encode(text, PLAIN).to_string())
}

/// A name whose last label is a number is an address in disguise (`2130706433`, `0x7f.1`, `0177.0.0.1`).
fn name_of(name: &str) -> Result<Host, InvalidTarget> {
    if name.is_empty() {
        return Err(InvalidTarget::NoHost);
    }
    let name = name.to_ascii_lowercase();
    let ordinary = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let last = name.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    if !name.bytes().all(ordinary) || number || name.len() > 253 {
        return Err(InvalidTarget::Host);
    }
    Ok(Host::Name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let shown = match Target::parse(text) {
            Ok(target) => format!("{} {}", target.origin, target.path_and_query()),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn uris_are_taken_apart() {
        check("http://Example.com", "http://example.com /");
        check("https://a.b:8443/x?y=1#z", "https://a.b:8443 /x?y=1");
        check("http://[::1]:80/", "http://[::1] /");
        check("http://h/a b/ü?q={x}", "http://h /a%20b/%C3%BC?q=%7Bx%7D");
    }

    #[test]
    fn hosts_in_disguise_are_refused() {
        let refused = InvalidTarget::Host.to_string();
        for uri in [
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "http://0x7f.1/",
            "http://1.2.3.4./",
            "http://%31%32%37.0.0.1/",
            "http://a%2fb/",
        ] {
            check(uri, &refused);
        }
        check("http://user:pw@h/", &InvalidTarget::Credentials.to_string());
        check("file:///etc/passwd", &InvalidTarget::Scheme.to_string());
        check("http:///x", &InvalidTarget::NoHost.to_string());
        check("/x", &InvalidTarget::NotAbsolute.to_string());
        check("http://h:0/", &InvalidTarget::Port.to_string());
        check("http://h:70000/", &InvalidTarget::Port.to_string());
    }

    #[test]
    fn references_resolve() {
        let base = Target::parse("https://a.b/c/d?e#f").expect("a target");
        for (reference, expected) in [
            ("/x", "https://a.b/x"),
            ("x", "https://a.b/c/x"),
            ("?y", "https://a.b/c/d?y"),
            ("//c.d/x", "https://c.d/x"),
            ("http://c.d", "http://c.d"),
            ("../../../x", "https://a.b/x"),
        ] {
            assert_eq!(base.join(reference).expect("a target").as_str(), expected);
        }
    }

    #[test]
    fn query_parameters_are_added() {
        for (uri, expected) in [
            ("http://h/a", "http://h/a?q=1"),
            ("http://h/a?", "http://h/a?q=1"),
            ("http://h/a?b=2", "http://h/a?b=2&q=1"),
            ("http://h/a?b=2#f", "http://h/a?b=2&q=1"),
        ] {
            let target = Target::parse(uri).expect("a target").with_query("q=1");
            assert_eq!(target.expect("a target").as_str(), expected);
        }
    }
}
