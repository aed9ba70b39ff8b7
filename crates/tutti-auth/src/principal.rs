//! Who asks.

use minicbor::{Decode, Encode};
use tutti_ids::{PrincipalId, PrincipalKind};

use crate::{
    codec::{self, Damaged},
    grant::Grants,
    text::Label,
};

/// A person or a program that may ask for things.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Principal {
    /// Its id, which says its kind.
    #[cbor(n(0), with = "codec::text")]
    pub id: PrincipalId,
    /// What people call it.
    #[cbor(n(1), with = "codec::text")]
    pub name: Label,
    /// Its roles, and where it has them.
    #[n(2)]
    pub grants: Grants,
}

impl Principal {
    /// Whether it is a person or a program.
    pub fn kind(&self) -> PrincipalKind {
        self.id.kind()
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
        codec::read("a principal", bytes)
    }
}
