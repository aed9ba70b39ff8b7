//! Who we are, for one call.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{
    HeaderMap, HeaderValue,
    header::{AUTHORIZATION, WWW_AUTHENTICATE},
};

use super::{config::Credentials, digest};
use crate::guard::Origin;

/// The credentials of a call, bound to the origin they were given for.
pub(super) struct Authenticator<'a> {
    credentials: Option<&'a Credentials>,
    origin: Origin,
    challenge: Option<digest::Challenge>,
    /// How often that challenge was answered.
    answers: u32,
    /// How many challenges there were.
    challenges: u32,
    chance: String,
}

impl<'a> Authenticator<'a> {
    /// `chance` makes the answers to two challenges differ; nobody may foresee it.
    pub(super) fn new(
        credentials: Option<&'a Credentials>,
        origin: Origin,
        chance: String,
    ) -> Self {
        Self { credentials, origin, challenge: None, answers: 0, challenges: 0, chance }
    }

    /// The `Authorization` header for a request to `origin`, if there is one.
    pub(super) fn header(
        &mut self,
        origin: &Origin,
        method: &str,
        uri: &str,
    ) -> Option<HeaderValue> {
        if *origin != self.origin {
            return None;
        }
        let text = match self.credentials? {
            Credentials::Basic { username, password } => {
                format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))
            }
            Credentials::Bearer { token } => format!("Bearer {token}"),
            Credentials::Digest { username, password } => {
                let challenge = self.challenge.as_ref()?;
                self.answers += 1;
                challenge.answer(&digest::Request {
                    username,
                    password,
                    method,
                    uri,
                    client_nonce: &self.chance,
                    count: self.answers,
                })
            }
        };
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Takes note of the challenge in a 401; whether the request should be sent again with an answer to it.
    pub(super) fn is_challenged(&mut self, origin: &Origin, headers: &HeaderMap) -> bool {
        if *origin != self.origin || !matches!(self.credentials, Some(Credentials::Digest { .. })) {
            return false;
        }
        let offered =
            headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let Some(challenge) = digest::Challenge::best(offered) else { return false };
        // A second challenge means the answer was wrong, unless the server only says that its nonce is old.
        let again = self.challenge.is_none() || (challenge.is_stale() && self.challenges < 3);
        self.challenge = Some(challenge);
        self.challenges += 1;
        self.answers = 0;
        again
    }

    /// The name of the header it goes in.
    pub(super) const HEADER: http::HeaderName = AUTHORIZATION;
}
