//! Who did what, why, and with which outcome.

use std::{collections::BTreeMap, net::IpAddr};

use minicbor::{
    Decode, Decoder, Encode, Encoder,
    decode::Error as DecodeError,
    encode::{Error as EncodeError, Write},
};
use sha2::{Digest as _, Sha256};
use tutti_ids::{Digest, Name, PrincipalId, TokenId};

use crate::{
    action::Action,
    caller::Caller,
    codec::{self, Damaged},
    refusal::Refusal,
    text::{Exceeded, Label, Text},
    timestamp::Timestamp,
};

/// Why something was done, in the words of whoever asked.
pub type Reason = Text<1_000>;

/// Who did what, when, why, and with which outcome. Every part is bounded, and none is a secret.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AuditRecord {
    /// When.
    #[n(0)]
    pub at: Timestamp,
    /// Who.
    #[n(1)]
    pub actor: Actor,
    /// What.
    #[n(2)]
    pub action: Action,
    /// Whether it was done.
    #[n(3)]
    pub outcome: Outcome,
    /// The namespace it concerns, if it is one.
    #[cbor(n(4), with = "codec::optional_text", has_nil)]
    pub namespace: Option<Name>,
    /// What it was done to: the id of an execution, a workflow's name and version, a secret's name.
    #[n(5)]
    pub subject: Text<512>,
    /// Why, in the words of whoever asked.
    #[n(6)]
    pub reason: Option<Reason>,
    /// What else there is to say.
    #[n(7)]
    pub detail: Detail,
    /// The id of the request.
    #[n(8)]
    pub request: Option<Text<128>>,
    /// Where the request came from.
    #[n(9)]
    pub address: Option<IpAddr>,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Actor {
    /// Somebody who did not say who it is, or could not prove it.
    #[n(0)]
    Anonymous,
    /// Tutti itself.
    #[n(1)]
    System,
    /// A principal.
    #[n(2)]
    Principal {
        /// Its id.
        #[cbor(n(0), with = "codec::text")]
        id: PrincipalId,
        /// What it was called then.
        #[cbor(n(1), with = "codec::text")]
        name: Label,
        /// The token it showed, if it was one.
        #[cbor(n(2), with = "codec::optional_text", has_nil)]
        token: Option<TokenId>,
    },
}

impl From<&Caller> for Actor {
    fn from(caller: &Caller) -> Self {
        let (id, name) = (caller.principal(), caller.name().clone());
        Self::Principal { id, name, token: caller.token() }
    }
}

/// Whether something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Outcome {
    /// It was allowed and done.
    #[n(0)]
    Allowed,
    /// It was refused and not done.
    #[n(1)]
    Refused(#[n(0)] Refusal),
}

/// What else there is to say: a few short texts by name, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Detail(BTreeMap<Text<64>, Text<512>>);

impl Detail {
    /// The most texts there may be.
    pub const MAX: usize = 16;

    /// The same with one more text, in place of one of the same name.
    ///
    /// # Errors
    /// If a text is too long, or one too many.
    pub fn and(mut self, name: &str, text: &str) -> Result<Self, Exceeded> {
        self.add(Text::new(name)?, Text::new(text)?)?;
        Ok(self)
    }

    /// The texts with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    fn add(&mut self, name: Text<64>, text: Text<512>) -> Result<(), Exceeded> {
        if self.0.len() == Self::MAX && !self.0.contains_key(&name) {
            return Err(Exceeded { limit: Self::MAX, what: "details" });
        }
        self.0.insert(name, text);
        Ok(())
    }
}

impl<C> Encode<C> for Detail {
    fn encode<W: Write>(
        &self,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        encoder.map(self.0.len() as u64)?;
        self.0.iter().try_for_each(|(name, text)| {
            name.encode(encoder, context)?;
            text.encode(encoder, context)
        })
    }
}

impl<'b, C> Decode<'b, C> for Detail {
    fn decode(decoder: &mut Decoder<'b>, context: &mut C) -> Result<Self, DecodeError> {
        let mut detail = Self::default();
        for pair in decoder.map_iter_with(context)? {
            let (name, text) = pair?;
            detail.add(name, text).map_err(DecodeError::message)?;
        }
        Ok(detail)
    }
}

impl AuditRecord {
    /// No record takes more, because each of its parts is bounded.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// Its one form as bytes.
    pub fn encode(&self) -> Vec<u8> {
        codec::write(self)
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// If the bytes are anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, Damaged> {
        codec::read("an audit record", bytes)
    }

    /// What a chain of records is made of: the digest of its one form.
    pub fn digest(&self) -> Digest {
        let hash = Sha256::new().chain_update(b"tutti audit 1\0").chain_update(self.encode());
        Digest(hash.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_end_at_their_limits() {
        let many = |count: usize| {
            (0..count)
                .try_fold(Detail::default(), |detail, place| detail.and(&format!("{place}"), ""))
        };
        let full = many(Detail::MAX).expect("as many as may be");
        assert_eq!(many(Detail::MAX + 1), Err(Exceeded { limit: 16, what: "details" }));
        let replaced = full.and("7", "x").expect("a name it has already");
        assert_eq!(replaced.iter().find(|(name, _)| *name == "7"), Some(("7", "x")));
        let exceeded = |limit: usize| Err(Exceeded { limit, what: "bytes" });
        assert_eq!(Detail::default().and(&"x".repeat(65), ""), exceeded(64));
        assert_eq!(Detail::default().and("", &"x".repeat(513)), exceeded(512));
        assert_eq!(Reason::new(&"x".repeat(1_001)), Err(Exceeded { limit: 1_000, what: "bytes" }));
    }
}
