//! Digest access authentication (RFC 7616) as a client: MD5 and SHA-256, also `-sess`, with `qop=auth` or none.

use std::fmt::Write;

use md5::Md5;
use sha2::{Digest as _, Sha256};

/// What the server asks.
pub(super) struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    session: bool,
    /// The algorithm as the server wrote it.
    label: Option<String>,
    auth: bool,
    stale: bool,
}

/// What the answer is about.
pub(super) struct Request<'a> {
    pub(super) username: &'a str,
    pub(super) password: &'a str,
    pub(super) method: &'a str,
    pub(super) uri: &'a str,
    pub(super) client_nonce: &'a str,
    /// How many answers were given under this nonce, this one included.
    pub(super) count: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Algorithm {
    Md5,
    Sha256,
}

impl Challenge {
    /// The strongest challenge we can answer among the values of `WWW-Authenticate`.
    pub(super) fn best<'a>(values: impl Iterator<Item = &'a str>) -> Option<Self> {
        values.flat_map(challenges).filter_map(|parameters| Self::of(&parameters)).fold(
            None,
            |best: Option<Self>, next| match best {
                Some(best) if best.algorithm >= next.algorithm => Some(best),
                _ => Some(next),
            },
        )
    }

    /// Whether the server only says that its nonce is old.
    pub(super) fn is_stale(&self) -> bool {
        self.stale
    }

    /// The value of `Authorization`.
    pub(super) fn answer(&self, request: &Request<'_>) -> String {
        let count = format!("{:08x}", request.count);
        let Self { realm, nonce, .. } = self;
        let Request { username, password, method, uri, client_nonce, .. } = request;
        let mut secret = self.hash(&format!("{username}:{realm}:{password}"));
        if self.session {
            secret = self.hash(&format!("{secret}:{nonce}:{client_nonce}"));
        }
        let subject = self.hash(&format!("{method}:{uri}"));
        let response = if self.auth {
            self.hash(&format!("{secret}:{nonce}:{count}:{client_nonce}:auth:{subject}"))
        } else {
            self.hash(&format!("{secret}:{nonce}:{subject}"))
        };
        let mut text = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, response=\"{response}\"",
            quote(username),
            quote(realm),
            quote(nonce),
            quote(uri),
        );
        let mut add = |part: String| text.push_str(&part);
        if let Some(label) = &self.label {
            add(format!(", algorithm={label}"));
        }
        if let Some(opaque) = &self.opaque {
            add(format!(", opaque={}", quote(opaque)));
        }
        if self.auth {
            add(format!(", qop=auth, nc={count}"));
        }
        if self.auth || self.session {
            add(format!(", cnonce={}", quote(client_nonce)));
        }
        text
    }

    fn of(parameters: &[(String, String)]) -> Option<Self> {
        let find = |name: &str| {
            parameters
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value)
        };
        let label = find("algorithm");
        let (algorithm, session) = match label.map(|label| label.to_ascii_uppercase()).as_deref() {
            None | Some("MD5") => (Algorithm::Md5, false),
            Some("MD5-SESS") => (Algorithm::Md5, true),
            Some("SHA-256") => (Algorithm::Sha256, false),
            Some("SHA-256-SESS") => (Algorithm::Sha256, true),
            Some(_) => return None,
        };
        let auth = match find("qop") {
            None => false,
            Some(offered) if offered.split(',').any(|qop| qop.trim() == "auth") => true,
            Some(_) => return None,
        };
        Some(Self {
            realm: find("realm")?.clone(),
            nonce: find("nonce")?.clone(),
            opaque: find("opaque").cloned(),
            algorithm,
            session,
            label: label.cloned(),
            auth,
            stale: find("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }

    fn hash(&self, text: &str) -> String {
        match self.algorithm {
            Algorithm::Md5 => hexadecimal(&Md5::digest(text)),
            Algorithm::Sha256 => hexadecimal(&Sha256::digest(text)),
        }
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("invariant: writing to a string cannot fail");
        text
    })
}

fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The parameters of each `Digest` challenge in one header value, which may list several schemes.
fn challenges(value: &str) -> Vec<Vec<(String, String)>> {
    let mut found: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut rest = value.trim_start_matches([' ', ',']);
    while !rest.is_empty() {
        let end = rest.find([' ', ',', '=']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let after_spaces = after.trim_start();
        if let Some(value) = after_spaces.strip_prefix('=').filter(|_| !word.is_empty()) {
            let (text, after) = parameter(value.trim_start());
            if let Some((_, parameters)) = found.last_mut() {
                parameters.push((word.to_owned(), text));
            }
            rest = after;
        } else {
            found.push((word.to_owned(), Vec::new()));
            rest = after;
        }
        // A stray `=` (the padding of another scheme's token) is passed over, so that the loop always moves on.
        rest = rest.trim_start_matches([' ', ',', '=']);
    }
    let is_digest = |scheme: &str| scheme.eq_ignore_ascii_case("digest");
    found.into_iter().filter(|(scheme, _)| is_digest(scheme)).map(|(_, found)| found).collect()
}

/// A token or quoted string, and what follows it.
fn parameter(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([' ', ',']).unwrap_or(text.len());
        let (token, rest) = text.split_at(end);
        return (token.to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, quoted.get(at + 1..).unwrap_or_default()),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 7616, section 3.9.1, and RFC 2069's shape without `qop`.
    #[test]
    fn published_examples_come_out() {
        let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
        let opaque = "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS";
        for (label, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let value = format!(
                "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={label}, \
                 nonce=\"{nonce}\", opaque=\"{opaque}\""
            );
            let challenge = Challenge::best([value.as_str()].into_iter()).expect("a challenge");
            let answer = challenge.answer(&Request {
                username: "Mufasa",
                password: "Circle of Life",
                method: "GET",
                uri: "/dir/index.html",
                client_nonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
                count: 1,
            });
            assert!(answer.contains(&format!("response=\"{response}\"")), "{label}: {answer}");
        }
    }

    #[test]
    fn the_strongest_challenge_we_can_answer_is_taken() {
        for (values, expected) in [
            (
                vec!["Digest realm=a, nonce=n", "Digest realm=b, nonce=n, algorithm=SHA-256"],
                Some("b"),
            ),
            (vec!["Basic realm=\"x, y\", Digest realm=a, nonce=n, algorithm=md5"], Some("a")),
            (vec!["Negotiate abc==, Digest realm=\"a\\\"b\", nonce=n"], Some("a\"b")),
            (vec!["Digest realm=a, nonce=n, algorithm=SHA-512-256"], None),
            (vec!["Digest realm=a, nonce=n, qop=auth-int"], None),
            (vec!["Digest realm=a"], None),
            (vec!["Basic realm=a", "=,= ,", "Digest \"", ""], None),
        ] {
            let realm = Challenge::best(values.iter().copied()).map(|challenge| challenge.realm);
            assert_eq!(realm.as_deref(), expected, "{values:?}");
        }
    }
}
