//! A token as its bearer has it.

use std::{fmt, str::FromStr};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use tutti_ids::{Digest, TokenId};
use zeroize::Zeroizing;

const PREFIX: &str = "tutti_";
const ID_PREFIX: &str = "tok_";
/// 32 bytes in base64url.
const SECRET_LENGTH: usize = 43;

/// A token as its bearer has it: `tutti_`, the ULID of its id, `_` and 43 characters of secret.
///
/// It is overwritten when it is dropped, cannot be compared, and shows its id only:
///
/// ```
/// use tutti_auth::TokenText;
/// use tutti_ids::TokenId;
///
/// let token = TokenText::new(TokenId::new(1_700_000_000_000, 7), [0; 32]);
/// assert_eq!(format!("{token:?}"), "TokenText(tok_01hf7yat000000000000000007)");
/// assert!(token.expose().starts_with("tutti_01hf7yat000000000000000007_AAAA"));
/// ```
pub struct TokenText {
    id: TokenId,
    secret: Zeroizing<[u8; 32]>,
}

impl TokenText {
    /// Makes a token from its id and 32 bytes of chance.
    pub fn new(id: TokenId, chance: [u8; 32]) -> Self {
        Self { id, secret: Zeroizing::new(chance) }
    }

    /// Takes a token from the value of an `Authorization` header: the scheme `Bearer`, one space, the token.
    ///
    /// # Errors
    /// If it is anything else.
    pub fn from_header(value: &str) -> Result<Self, InvalidToken> {
        let (scheme, token) = value.split_once(' ').ok_or(InvalidToken)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(InvalidToken);
        }
        token.parse()
    }

    /// Which token it says it is.
    pub fn id(&self) -> TokenId {
        self.id
    }

    /// The whole text, for the one answer that gives it to its bearer.
    pub fn expose(&self) -> Zeroizing<String> {
        let id = self.id.to_string();
        let ulid = id.strip_prefix(ID_PREFIX).unwrap_or_default();
        let mut text = Zeroizing::new(String::with_capacity(128));
        text.push_str(PREFIX);
        text.push_str(ulid);
        text.push('_');
        BASE64_URL_SAFE_NO_PAD.encode_string(self.secret.as_slice(), &mut text);
        text
    }

    /// What a record of the token keeps of it: id and secret hashed together, so that no record fits another's token.
    ///
    /// The secret is 32 bytes of chance, so one round is enough: nobody can guess it.
    pub(crate) fn digest(&self) -> Digest {
        let hash = Sha256::new()
            .chain_update(b"tutti token 1\0")
            .chain_update(self.id.to_string())
            .chain_update(self.secret.as_slice());
        Digest(hash.finalize().into())
    }
}

impl FromStr for TokenText {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let rest = text.strip_prefix(PREFIX).ok_or(InvalidToken)?;
        let (ulid, secret) = rest.split_once('_').ok_or(InvalidToken)?;
        let id = format!("{ID_PREFIX}{ulid}").parse().map_err(|_no_id| InvalidToken)?;
        // Before anything is decoded: a header may be long.
        if secret.len() != SECRET_LENGTH {
            return Err(InvalidToken);
        }
        let decoded = BASE64_URL_SAFE_NO_PAD.decode(secret).map_err(|_no_base64| InvalidToken)?;
        let decoded = Zeroizing::new(decoded);
        let chance = decoded.as_slice().try_into().map_err(|_wrong_length| InvalidToken)?;
        Ok(Self::new(id, chance))
    }
}

impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenText({})", self.id)
    }
}

/// A text that is not a token. It does not say which text, because that may be nearly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a token: `tutti_`, 26 characters, `_` and 43 characters")]
pub struct InvalidToken;

#[cfg(test)]
mod tests {
    use super::*;

    const ULID: &str = "01hf7yat000000000000000007";

    fn token() -> TokenText {
        let chance = std::array::from_fn(|place| u8::try_from(place * 8 + 7).unwrap_or(0));
        TokenText::new(TokenId::new(1_700_000_000_000, 7), chance)
    }

    #[test]
    fn the_text_reads_back() {
        let text = token().expose();
        let secret = "Bw8XHycvNz9HT1dfZ293f4ePl5-nr7e_x8_X3-fv9_8";
        assert_eq!(text.as_str(), format!("tutti_{ULID}_{secret}"));
        for header in [format!("Bearer {}", *text), format!("bearer {}", *text)] {
            let read = TokenText::from_header(&header).expect("a token");
            assert_eq!((read.id(), read.digest()), (token().id(), token().digest()));
        }
    }

    #[test]
    fn nothing_else_is_read() {
        let text = token().expose();
        let secret = &text[text.len() - SECRET_LENGTH..];
        let check = |text: &str| assert!(text.parse::<TokenText>().is_err(), "{text}");
        check("");
        check("tutti_");
        check(&text[..text.len() - 1]);
        check(&format!("{}A", *text));
        check(&format!(" {}", *text));
        check(&format!("{}\n", *text));
        check(&format!("{}=", *text));
        check(&text.replace('-', "+"));
        check(&text.replace("tutti", "TUTTI"));
        check(&text.replace("hf7", "HF7"));
        check(&text.replace("tutti_", "tutti_tok_"));
        check(&format!("tutti_{ULID}__{secret}"));
        check(&format!("tutti_8zzzzzzzzzzzzzzzzzzzzzzzzz_{secret}"));
        // The last character carries two bits that no byte uses: they must be zero, else one token had four texts.
        check(&format!("{}9", &text[..text.len() - 1]));
        for header in ["", "Bearer", "Bearer ", "Basic dTpw", &text] {
            assert!(TokenText::from_header(header).is_err(), "{header}");
        }
        for header in ["Bearer  ", "Bearer\t", "Token ", "Bearer Bearer ", "Bearer,"] {
            assert!(TokenText::from_header(&format!("{header}{}", *text)).is_err(), "{header}");
        }
    }

    #[test]
    fn what_can_be_printed_of_it_has_nothing_of_the_secret() {
        let text = token().expose();
        let secret = &text[text.len() - SECRET_LENGTH..];
        let shown = format!("{:?} {:#?} {InvalidToken} {InvalidToken:?}", token(), token());
        for length in [4, 8] {
            let found = (0..=SECRET_LENGTH - length)
                .find(|start| shown.contains(&secret[*start..start + length]));
            assert_eq!(found, None, "{shown}");
        }
    }
}
