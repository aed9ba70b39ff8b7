//! Why something was refused, in the words that audit records and answers use.

use minicbor::{Decode, Encode};

use crate::{policy::Denied, token::Refused, words::words};

words! {
    /// Why something was refused; a stable word for whoever filters the audit.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
    #[cbor(index_only)]
    pub enum Refusal: "reason of a refusal" {
        /// Nobody said who asks.
        #[n(0)]
        Anonymous = "anonymous",
        /// The caller has no role in the namespace.
        #[n(1)]
        NoGrant = "no-grant",
        /// The caller's role does not include it.
        #[n(2)]
        RoleTooLow = "role-too-low",
        /// It needs a grant on all namespaces.
        #[n(3)]
        NotEverywhere = "not-everywhere",
        /// The token is none of ours.
        #[n(4)]
        TokenUnknown = "token-unknown",
        /// The token has expired.
        #[n(5)]
        TokenExpired = "token-expired",
        /// The token was revoked.
        #[n(6)]
        TokenRevoked = "token-revoked",
        /// There is an administrator already.
        #[n(7)]
        SetupDone = "setup-done",
        /// The token has fewer rights than the one that it should issue.
        #[n(8)]
        RightsTooWide = "rights-too-wide",
        /// Too many requests.
        #[n(9)]
        RateLimited = "rate-limited",
        /// It does not go with how things stand.
        #[n(10)]
        Conflict = "conflict",
    }
}

impl From<&Denied> for Refusal {
    fn from(denied: &Denied) -> Self {
        match denied {
            Denied::NoGrant { .. } => Self::NoGrant,
            Denied::RoleTooLow { .. } => Self::RoleTooLow,
            Denied::NotEverywhere { .. } => Self::NotEverywhere,
        }
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Unknown => Self::TokenUnknown,
            Refused::Expired => Self::TokenExpired,
            Refused::Revoked => Self::TokenRevoked,
            Refused::SetupDone => Self::SetupDone,
        }
    }
}
