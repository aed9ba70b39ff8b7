//! API tokens: what is kept of them, and what showing one gives.

use minicbor::{Decode, Encode};
use subtle::ConstantTimeEq;
use tutti_ids::{Digest, PrincipalId, TokenId};

use crate::{
    caller::Caller,
    codec::{self, Damaged},
    grant::{Grants, Rights},
    permission::Role,
    principal::Principal,
    text::Label,
    timestamp::Timestamp,
    token_text::TokenText,
};

/// What is kept of an API token; its secret is not.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Token {
    /// Its id, which also says when it was made.
    #[cbor(n(0), with = "codec::text")]
    pub id: TokenId,
    /// What people call it.
    #[cbor(n(1), with = "codec::text")]
    pub name: Label,
    /// The SHA-256 of its id and secret.
    #[cbor(n(2), with = "codec::text")]
    pub digest: Digest,
    /// What it is for.
    #[n(3)]
    pub purpose: Purpose,
    /// From when on it is refused.
    #[n(4)]
    pub expires_at: Option<Timestamp>,
    /// When it was revoked: it is refused since, whatever a clock says.
    #[n(5)]
    pub revoked_at: Option<Timestamp>,
}

/// What a token is for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Purpose {
    /// To ask as a principal.
    #[n(0)]
    Access {
        /// The principal.
        #[cbor(n(0), with = "codec::text")]
        principal: PrincipalId,
        /// Which of the principal's rights it has.
        #[n(1)]
        rights: Rights,
    },
    /// To create the first administrator, once; nothing else.
    #[n(1)]
    Setup,
}

impl Token {
    /// The record of a token that is being issued.
    pub fn issue(
        text: &TokenText,
        name: Label,
        purpose: Purpose,
        expires_at: Option<Timestamp>,
    ) -> Self {
        let (id, digest) = (text.id(), text.digest());
        Self { id, name, digest, purpose, expires_at, revoked_at: None }
    }

    /// Says what showing this text now gives.
    ///
    /// Takes the same time wherever the text is wrong. That a token expired or was revoked is told only to who has it.
    ///
    /// # Errors
    /// If it is not this token, or the token is no longer good.
    pub fn verify(&self, presented: &TokenText, now: Timestamp) -> Result<Verified<'_>, Refused> {
        let same = self.digest.0.ct_eq(&presented.digest().0);
        if !bool::from(same) {
            return Err(Refused::Unknown);
        }
        if self.revoked_at.is_some() {
            return Err(Refused::Revoked);
        }
        if self.expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Err(Refused::Expired);
        }
        Ok(match &self.purpose {
            Purpose::Access { principal, rights } => {
                Verified::Access(Access { token: self.id, principal: *principal, rights })
            }
            Purpose::Setup => Verified::Setup(Setup { token: self.id }),
        })
    }

    /// Its one form as bytes.
    pub fn encode(&self) -> Vec<u8> {
        codec::write(self)
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// If the bytes are anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, Damaged> {
        codec::read("a token", bytes)
    }
}

/// A token that was shown and is good, by what it is for.
#[derive(Debug, PartialEq, Eq)]
pub enum Verified<'a> {
    /// It asks as a principal.
    Access(Access<'a>),
    /// It may create the first administrator.
    Setup(Setup),
}

/// A good token of a principal; made by [`Token::verify`] only.
#[derive(Debug, PartialEq, Eq)]
pub struct Access<'a> {
    token: TokenId,
    principal: PrincipalId,
    rights: &'a Rights,
}

impl Access<'_> {
    /// Whose token it is.
    pub fn principal(&self) -> PrincipalId {
        self.principal
    }

    /// The token's principal, asking with the token's rights.
    ///
    /// # Errors
    /// If this is another principal than the token's.
    pub fn caller(self, principal: Principal) -> Result<Caller, Refused> {
        if principal.id != self.principal {
            return Err(Refused::Unknown);
        }
        Ok(Caller::by_token(principal, self.token, self.rights.clone()))
    }
}

/// A good setup token; made by [`Token::verify`] only, and used up by what it is for.
#[derive(Debug, PartialEq, Eq)]
pub struct Setup {
    token: TokenId,
}

impl Setup {
    /// The token, to be revoked in the transaction that stores the administrator.
    pub fn token(&self) -> TokenId {
        self.token
    }

    /// Creates the first administrator, if none of the principals that exist is one.
    ///
    /// # Errors
    /// If one is.
    pub fn first_admin<'p>(
        self,
        existing: impl IntoIterator<Item = &'p Principal>,
        id: PrincipalId,
        name: Label,
    ) -> Result<Principal, Refused> {
        let is_admin =
            |principal: &Principal| principal.grants.role_everywhere() == Some(Role::Admin);
        if existing.into_iter().any(is_admin) {
            return Err(Refused::SetupDone);
        }
        Ok(Principal { id, name, grants: Grants::everywhere(Role::Admin) })
    }
}

/// Why a token gives nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no token of ours, or its principal is gone.
    #[error("the token is unknown")]
    Unknown,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Somebody took it back.
    #[error("the token was revoked")]
    Revoked,
    /// It is for creating the first administrator, and there is one.
    #[error("there is an administrator already")]
    SetupDone,
}

#[cfg(test)]
mod tests {
    use tutti_ids::PrincipalKind;

    use super::*;

    fn text(chance: u8) -> TokenText {
        TokenText::new(TokenId::new(1_700_000_000_000, 7), [chance; 32])
    }

    fn id(chance: u128) -> PrincipalId {
        PrincipalId::new(PrincipalKind::Service, 1_700_000_000_000, chance)
    }

    fn label(text: &str) -> Label {
        text.parse().expect("a label")
    }

    fn token(purpose: Purpose) -> Token {
        Token::issue(&text(1), label("deploy"), purpose, Some(Timestamp(1_000)))
    }

    fn access() -> Purpose {
        Purpose::Access { principal: id(1), rights: Rights::Whole }
    }

    #[test]
    fn a_token_is_good_until_it_expires_or_is_revoked() {
        let good = token(access());
        let check = |token: &Token, presented: &TokenText, now: i64, expected: Option<Refused>| {
            let refused = token.verify(presented, Timestamp(now)).err();
            assert_eq!(refused, expected, "at {now}");
        };
        check(&good, &text(1), 999, None);
        check(&good, &text(1), 1_000, Some(Refused::Expired));
        check(&good, &text(1), 1_001, Some(Refused::Expired));
        let unlimited = Token { expires_at: None, ..good.clone() };
        check(&unlimited, &text(1), i64::MAX, None);
        let revoked = Token { revoked_at: Some(Timestamp(2_000)), ..good.clone() };
        check(&revoked, &text(1), 0, Some(Refused::Revoked));
        for now in [0, 5_000] {
            check(&good, &text(2), now, Some(Refused::Unknown));
            check(&revoked, &text(2), now, Some(Refused::Unknown));
        }
    }

    #[test]
    fn every_other_secret_and_id_is_refused() {
        let good = token(access());
        for place in 0..32 {
            for bit in 0..8 {
                let mut chance = [1; 32];
                chance[place] ^= 1 << bit;
                let other = TokenText::new(good.id, chance);
                assert_eq!(good.verify(&other, Timestamp(0)), Err(Refused::Unknown));
            }
        }
        let other = TokenText::new(TokenId::new(1_700_000_000_000, 8), [1; 32]);
        assert_eq!(good.verify(&other, Timestamp(0)), Err(Refused::Unknown));
    }

    #[test]
    fn a_token_asks_as_its_own_principal_only() {
        let good = token(access());
        let access = |principal: u128| {
            let Ok(Verified::Access(access)) = good.verify(&text(1), Timestamp(0)) else {
                return Err(Refused::Unknown);
            };
            assert_eq!(access.principal(), id(1));
            let grants = Grants::everywhere(Role::Admin);
            access.caller(Principal { id: id(principal), name: label("ci"), grants })
        };
        let caller = access(1).expect("its own");
        assert_eq!((caller.principal(), caller.token()), (id(1), Some(good.id)));
        assert_eq!(access(2), Err(Refused::Unknown));
    }

    #[test]
    fn a_setup_token_creates_the_first_admin_and_no_other() {
        let setup = token(Purpose::Setup);
        let first_admin = |existing: &[Principal]| {
            let Ok(Verified::Setup(setup)) = setup.verify(&text(1), Timestamp(0)) else {
                return Err(Refused::Unknown);
            };
            setup.first_admin(existing, id(9), label("zoe"))
        };
        let with = |grants: Grants| Principal { id: id(2), name: label("other"), grants };
        let created = first_admin(&[]).expect("the first");
        assert_eq!(created.grants, Grants::everywhere(Role::Admin));
        assert!(first_admin(&[with(Grants::everywhere(Role::Author))]).is_ok());
        assert_eq!(first_admin(&[with(Grants::default()), created]), Err(Refused::SetupDone));
    }
}
