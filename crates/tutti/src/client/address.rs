//! Where a server is: `http://127.0.0.1:8420`, `https://tutti.example.com/ops`.

use std::fmt;

use http::Uri;

use crate::exit::Failure;

/// The address of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// Whether TLS is spoken.
    pub(super) secure: bool,
    /// The name or address of the machine; an IPv6 address without its brackets.
    pub(super) host: String,
    /// The port.
    pub(super) port: u16,
    /// What every path begins with; empty, or `/ops` where a proxy serves it there.
    pub(super) prefix: String,
}

impl Address {
    /// Reads an address as people type it.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let fail = |why: &str| {
            Failure::usage(format!("`{text}` is not the address of a server: {why}"))
                .hint("for example http://127.0.0.1:8420 or https://tutti.example.com")
        };
        let uri: Uri = text.parse().map_err(|_malformed| fail("it is no URL"))?;
        let secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(fail("it begins with neither http:// nor https://")),
        };
        let authority = uri.authority().ok_or_else(|| fail("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(Failure::usage("the address of a server holds no user or password")
                .hint("a token is given with --token-file or TUTTI_TOKEN"));
        }
        if uri.query().is_some() {
            return Err(fail("it has a query"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let prefix = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { secure, host, port, prefix })
    }

    /// What the header `Host` says.
    pub(super) fn authority(&self) -> String {
        let host =
            if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.secure, self.port) {
            (true, 443) | (false, 80) => host,
            _ => format!("{host}:{}", self.port),
        }
    }

    /// Whether what is sent stays on this machine.
    pub(super) fn is_here(&self) -> bool {
        let address: Option<std::net::IpAddr> = self.host.parse().ok();
        self.host == "localhost" || address.is_some_and(|it| it.is_loopback())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_type_them() {
        let check = |text: &str, expected: Option<&str>| {
            let read = Address::parse(text).ok().map(|address| address.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        };
        check("http://127.0.0.1:8420", Some("http://127.0.0.1:8420"));
        check("http://127.0.0.1:8420/", Some("http://127.0.0.1:8420"));
        check("https://tutti.example.com:443", Some("https://tutti.example.com"));
        check("https://example.com/ops/", Some("https://example.com/ops"));
        check("http://[::1]:8420", Some("http://[::1]:8420"));
        check("127.0.0.1:8420", None);
        check("tutti.example.com", None);
        check("ftp://example.com", None);
        check("http://user:word@example.com", None);
        check("http://example.com/?a=b", None);
        check("", None);
    }

    #[test]
    fn loopback_is_here() {
        let check = |text: &str, expected: bool| {
            let address = Address::parse(text).expect("an address");
            assert_eq!(address.is_here(), expected, "{text}");
        };
        check("http://127.0.0.1:1", true);
        check("http://localhost:1", true);
        check("http://[::1]:1", true);
        check("http://10.0.0.1", false);
        check("http://example.com", false);
    }
}
