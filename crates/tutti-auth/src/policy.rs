//! The policy: one question, one answer, nothing else that could be asked instead.

use tutti_ids::{Name, PrincipalId};

use crate::{
    caller::Caller,
    permission::{Permission, Role},
};

/// Says whether the caller may do this in a namespace.
///
/// ```
/// use tutti_auth::{Caller, Grants, Permission, Principal, Role, authorize};
/// use tutti_ids::{PrincipalId, PrincipalKind};
///
/// let id = PrincipalId::new(PrincipalKind::User, 1_700_000_000_000, 7);
/// let grants = Grants::everywhere(Role::Viewer);
/// let caller = Caller::signed_in(Principal { id, name: "zoe".parse()?, grants });
/// let namespace = "billing".parse()?;
/// assert!(authorize(&caller, Permission::ExecutionRead, &namespace).is_ok());
/// assert!(authorize(&caller, Permission::ExecutionControl, &namespace).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the caller may not: [`Denied`] says why.
pub fn authorize(
    caller: &Caller,
    permission: Permission,
    namespace: &Name,
) -> Result<Authorized<Name>, Denied> {
    let Some(there) = caller.role_in(namespace) else {
        return Err(Denied::NoGrant { permission, namespace: namespace.clone() });
    };
    let role = if permission.is_server_wide() {
        caller.role_everywhere().ok_or(Denied::NotEverywhere { permission })?
    } else {
        there
    };
    decide(caller, permission, role, namespace.clone())
}

/// Says whether the caller may do this in all namespaces, or to the server.
///
/// # Errors
/// If the caller may not: [`Denied`] says why.
pub fn authorize_everywhere(
    caller: &Caller,
    permission: Permission,
) -> Result<Authorized<Everywhere>, Denied> {
    let role = caller.role_everywhere().ok_or(Denied::NotEverywhere { permission })?;
    decide(caller, permission, role, Everywhere)
}

fn decide<T>(
    caller: &Caller,
    permission: Permission,
    role: Role,
    place: T,
) -> Result<Authorized<T>, Denied> {
    if !role.grants(permission) {
        return Err(Denied::RoleTooLow { permission, role });
    }
    Ok(Authorized { principal: caller.principal(), permission, role, place })
}

/// All namespaces and the server itself, as the place of an [`Authorized`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Everywhere;

/// Proof that a principal may do something in a place: a namespace ([`Name`]) or [`Everywhere`].
///
/// Only [`authorize`] and [`authorize_everywhere`] make one, so what takes one cannot be reached without having asked,
/// and works in the namespace that was asked about.
///
/// ```compile_fail
/// use tutti_auth::{Authorized, Everywhere, Permission, Role};
/// use tutti_ids::PrincipalId;
///
/// fn forge(principal: PrincipalId) -> Authorized<Everywhere> {
///     let (permission, role, place) = (Permission::SecretWrite, Role::Admin, Everywhere);
///     Authorized { principal, permission, role, place }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorized<T> {
    principal: PrincipalId,
    permission: Permission,
    role: Role,
    place: T,
}

impl<T> Authorized<T> {
    /// Who may.
    pub fn principal(&self) -> PrincipalId {
        self.principal
    }

    /// What it may.
    pub fn permission(&self) -> Permission {
        self.permission
    }

    /// The role that allows it.
    pub fn role(&self) -> Role {
        self.role
    }
}

impl Authorized<Name> {
    /// Where it may.
    pub fn namespace(&self) -> &Name {
        &self.place
    }
}

impl Authorized<Everywhere> {
    /// The same in one namespace: who may everywhere, may there.
    pub fn within(&self, namespace: Name) -> Authorized<Name> {
        let Self { principal, permission, role, place: Everywhere } = *self;
        Authorized { principal, permission, role, place: namespace }
    }
}

/// Why a caller may not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The caller has no role at all in the namespace.
    #[error("`{permission}` needs a grant in namespace {namespace}, and there is none")]
    NoGrant {
        /// What was asked.
        permission: Permission,
        /// Where.
        namespace: Name,
    },
    /// The caller's role there does not include it.
    #[error(
        "`{permission}` needs the role {}, and the grant is for {role}",
        permission.least_role()
    )]
    RoleTooLow {
        /// What was asked.
        permission: Permission,
        /// The highest role the caller has there.
        role: Role,
    },
    /// The caller has roles in namespaces only, at most.
    #[error("`{permission}` needs a grant on all namespaces, and there is none")]
    NotEverywhere {
        /// What was asked.
        permission: Permission,
    },
}

impl Denied {
    /// Whether the caller may know that what it asked for exists; if not, the answer is the one for what does not.
    pub fn may_know_it_exists(&self) -> bool {
        match self {
            Self::NoGrant { .. } => false,
            Self::RoleTooLow { .. } | Self::NotEverywhere { .. } => true,
        }
    }
}
