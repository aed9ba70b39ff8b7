//! Which roles one has, and where.

use std::collections::BTreeMap;

use minicbor::{
    Decode, Decoder, Encode, Encoder,
    decode::Error as DecodeError,
    encode::{Error as EncodeError, Write},
};
use tutti_ids::Name;

use crate::{codec, permission::Role, text::Exceeded};

/// How far a grant reaches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum Reach {
    /// All namespaces, those still to come too, and what concerns the whole server.
    #[n(0)]
    All,
    /// One namespace.
    #[n(1)]
    Namespace(#[cbor(n(0), with = "codec::text")] Name),
}

/// A role and how far it reaches.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Grant {
    /// The role.
    #[n(0)]
    pub role: Role,
    /// Where.
    #[n(1)]
    pub reach: Reach,
}

/// Grants, of which the highest counts in each place; with none of them, nothing is allowed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grants(BTreeMap<Reach, Role>);

impl Grants {
    /// The most places there may be grants for.
    pub const MAX: usize = 256;

    /// Takes grants in any order, several for one place too.
    ///
    /// # Errors
    /// If they are for more than [`Self::MAX`] places.
    pub fn new(grants: impl IntoIterator<Item = Grant>) -> Result<Self, Exceeded> {
        let mut all = Self::default();
        for grant in grants {
            all.add(grant)?;
        }
        Ok(all)
    }

    /// The same grants and one more.
    ///
    /// # Errors
    /// If it is for one place too many.
    pub fn and(mut self, grant: Grant) -> Result<Self, Exceeded> {
        self.add(grant)?;
        Ok(self)
    }

    /// A role everywhere.
    pub fn everywhere(role: Role) -> Self {
        Self(BTreeMap::from([(Reach::All, role)]))
    }

    /// The grants, one for each place, in a stable order.
    pub fn iter(&self) -> impl Iterator<Item = Grant> {
        self.0.iter().map(|(reach, role)| Grant { role: *role, reach: reach.clone() })
    }

    /// The highest role in a namespace.
    pub fn role_in(&self, namespace: &Name) -> Option<Role> {
        let there = self.0.get(&Reach::Namespace(namespace.clone())).copied();
        there.max(self.role_everywhere())
    }

    /// The role in all namespaces and over what concerns the whole server.
    pub fn role_everywhere(&self) -> Option<Role> {
        self.0.get(&Reach::All).copied()
    }

    fn add(&mut self, grant: Grant) -> Result<(), Exceeded> {
        if self.0.len() == Self::MAX && !self.0.contains_key(&grant.reach) {
            return Err(Exceeded { limit: Self::MAX, what: "grants" });
        }
        let role = self.0.entry(grant.reach).or_insert(grant.role);
        *role = grant.role.max(*role);
        Ok(())
    }
}

impl<C> Encode<C> for Grants {
    fn encode<W: Write>(
        &self,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        encoder.array(self.0.len() as u64)?;
        self.iter().try_for_each(|grant| grant.encode(encoder, context))
    }
}

impl<'b, C> Decode<'b, C> for Grants {
    fn decode(decoder: &mut Decoder<'b>, context: &mut C) -> Result<Self, DecodeError> {
        let mut grants = Self::default();
        for grant in decoder.array_iter_with(context)? {
            grants.add(grant?).map_err(DecodeError::message)?;
        }
        Ok(grants)
    }
}

/// Which of its principal's rights a token has. It has the lower of both in every place, so it never has more.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Rights {
    /// All that the principal has, whatever that becomes.
    #[n(0)]
    Whole,
    /// What the principal has, as far as these reach too.
    #[n(1)]
    Within(#[n(0)] Grants),
}

impl Rights {
    /// What is left of the principal's role in a namespace.
    pub(crate) fn narrow(&self, held: Option<Role>, namespace: &Name) -> Option<Role> {
        match self {
            Self::Whole => held,
            Self::Within(grants) => held.min(grants.role_in(namespace)),
        }
    }

    /// What is left of the principal's role everywhere.
    pub(crate) fn narrow_everywhere(&self, held: Option<Role>) -> Option<Role> {
        match self {
            Self::Whole => held,
            Self::Within(grants) => held.min(grants.role_everywhere()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(role: Role, namespace: &str) -> Grant {
        Grant { role, reach: Reach::Namespace(namespace.parse().expect("a name")) }
    }

    #[test]
    fn the_highest_grant_counts_in_each_place() {
        let all = Grant { role: Role::Operator, reach: Reach::All };
        let given =
            [grant(Role::Author, "a"), all, grant(Role::Viewer, "a"), grant(Role::Viewer, "b")];
        let grants = Grants::new(given).expect("a few");
        let role_in = |name: &str| grants.role_in(&name.parse().expect("a name"));
        assert_eq!(role_in("a"), Some(Role::Author));
        assert_eq!(role_in("b"), Some(Role::Operator));
        assert_eq!(role_in("c"), Some(Role::Operator));
        assert_eq!(grants.role_everywhere(), Some(Role::Operator));
        assert_eq!(grants.iter().count(), 3);
    }

    #[test]
    fn grants_end_at_their_limit() {
        let many = |count: usize| (0..count).map(|place| grant(Role::Viewer, &format!("n{place}")));
        let full = Grants::new(many(Grants::MAX)).expect("as many as may be");
        let exceeded = Exceeded { limit: 256, what: "grants" };
        assert_eq!(Grants::new(many(Grants::MAX + 1)), Err(exceeded));
        assert_eq!(full.clone().and(grant(Role::Viewer, "other")), Err(exceeded));
        let raised = full.and(grant(Role::Admin, "n7")).expect("a place it has already");
        assert_eq!(raised.role_in(&"n7".parse().expect("a name")), Some(Role::Admin));
    }
}
