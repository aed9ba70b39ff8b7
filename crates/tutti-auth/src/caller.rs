//! A principal in the act of asking, with the rights it has this time.

use tutti_ids::{Name, PrincipalId, TokenId};

use crate::{
    grant::{Reach, Rights},
    permission::Role,
    principal::Principal,
    text::Label,
};

/// A principal that proved who it is, with the rights it has this time: all of its own, or those of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    principal: Principal,
    token: Option<TokenId>,
    rights: Rights,
}

impl Caller {
    /// A principal that signed in, or that is trusted because of where it is, with all of its rights.
    pub fn signed_in(principal: Principal) -> Self {
        Self { principal, token: None, rights: Rights::Whole }
    }

    /// A principal that showed a token of its own.
    pub(crate) fn by_token(principal: Principal, token: TokenId, rights: Rights) -> Self {
        Self { principal, token: Some(token), rights }
    }

    /// Who asks.
    pub fn principal(&self) -> PrincipalId {
        self.principal.id
    }

    /// What people call the principal.
    pub fn name(&self) -> &Label {
        &self.principal.name
    }

    /// The token that was shown, if it was one.
    pub fn token(&self) -> Option<TokenId> {
        self.token
    }

    /// The role the caller has in a namespace this time.
    pub fn role_in(&self, namespace: &Name) -> Option<Role> {
        self.rights.narrow(self.principal.grants.role_in(namespace), namespace)
    }

    /// The role the caller has everywhere this time.
    pub fn role_everywhere(&self) -> Option<Role> {
        self.rights.narrow_everywhere(self.principal.grants.role_everywhere())
    }

    /// Whether a token with these rights has no more than the caller, who therefore may issue it for itself.
    ///
    /// Without this a narrow token could get itself a wide one.
    pub fn may_hand_on(&self, rights: &Rights) -> bool {
        match rights {
            Rights::Whole => self.rights == Rights::Whole,
            Rights::Within(grants) => grants.iter().all(|grant| {
                let held = match &grant.reach {
                    Reach::All => self.role_everywhere(),
                    Reach::Namespace(namespace) => self.role_in(namespace),
                };
                held >= Some(grant.role)
            }),
        }
    }
}
