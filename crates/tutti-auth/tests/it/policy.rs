//! Laws of the policy.

use std::fmt::Write as _;

use proptest::prelude::*;
use tutti_auth::{
    Caller, Denied, Grant, Grants, Permission, Principal, Reach, Refusal, Rights, Role, Timestamp,
    Verified, authorize, authorize_everywhere,
};

use crate::samples::{self, any_grant, any_grants, any_rights, any_role, grant, name, principal};

/// What a caller may do: (permission, place) for all there are, the last place being everywhere.
fn rights(caller: &Caller) -> Vec<bool> {
    let mut all = Vec::new();
    for permission in Permission::ALL {
        for place in ["a", "b", "c", "other"] {
            all.push(authorize(caller, *permission, &name(place)).is_ok());
        }
        all.push(authorize_everywhere(caller, *permission).is_ok());
    }
    all
}

fn signed_in(grants: Grants) -> Caller {
    Caller::signed_in(principal(grants))
}

/// The principal, asking with a token that has these rights.
fn by_token(principal: Principal, rights: Rights) -> Caller {
    let (text, token) = samples::token(rights);
    match token.verify(&text, Timestamp(0)) {
        Ok(Verified::Access(access)) => access.caller(principal).expect("its own principal"),
        other => unreachable!("a good token gives access, not {other:?}"),
    }
}

/// Whether every right of `narrow` is one of `wide`.
fn is_within(narrow: &[bool], wide: &[bool]) -> bool {
    narrow.iter().zip(wide).all(|(narrow, wide)| !narrow || *wide)
}

#[test]
fn who_may_what_in_a_namespace_and_everywhere() {
    let expected = "
                       viewer operator author admin
workflow.read          ✔✔     ✔✔       ✔✔     ✔✔
workflow.publish       ✘✘     ✘✘       ✔✔     ✔✔
workflow.delete        ✘✘     ✘✘       ✔✔     ✔✔
execution.read         ✔✔     ✔✔       ✔✔     ✔✔
execution.read-values  ✘✘     ✔✔       ✔✔     ✔✔
execution.start        ✘✘     ✔✔       ✔✔     ✔✔
execution.control      ✘✘     ✔✔       ✔✔     ✔✔
event.publish          ✘✘     ✔✔       ✔✔     ✔✔
schedule.read          ✔✔     ✔✔       ✔✔     ✔✔
schedule.control       ✘✘     ✔✔       ✔✔     ✔✔
secret.list            ✘✘     ✘✘       ✔✔     ✔✔
secret.write           ✘✘     ✘✘       ✘✘     ✔✔
token.manage           ✘✘     ✘✘       ✘✘     ✘✔
principal.manage       ✘✘     ✘✘       ✘✘     ✘✔
audit.read             ✘✘     ✘✘       ✘✘     ✔✔
server.read            ✘✔     ✘✔       ✘✔     ✘✔
";
    let mark = |allowed: bool| if allowed { '✔' } else { '✘' };
    let mut matrix = format!("\n{:22}", "");
    for role in Role::ALL {
        write!(matrix, " {role}").expect("in memory");
    }
    for permission in Permission::ALL {
        let mut line = format!("{permission:23}");
        for role in Role::ALL {
            let here = signed_in(Grants::new([grant(*role, "a")]).expect("one"));
            let everywhere = signed_in(Grants::everywhere(*role));
            let here = authorize(&here, *permission, &name("a")).is_ok();
            let everywhere = authorize_everywhere(&everywhere, *permission).is_ok();
            let width = role.as_str().len() + 1;
            write!(line, "{:width$}", format!("{}{}", mark(here), mark(everywhere)))
                .expect("in memory");
        }
        write!(matrix, "\n{}", line.trim_end()).expect("in memory");
    }
    assert_eq!(matrix + "\n", expected, "left: in one namespace, right: everywhere");
}

#[test]
fn without_a_grant_nothing_is_allowed() {
    for caller in [
        signed_in(Grants::default()),
        by_token(principal(Grants::default()), Rights::Whole),
        by_token(principal(Grants::default()), Rights::Within(Grants::everywhere(Role::Admin))),
        by_token(principal(Grants::everywhere(Role::Admin)), Rights::Within(Grants::default())),
    ] {
        assert!(!rights(&caller).contains(&true), "{caller:?}");
    }
}

#[test]
fn a_denial_says_why_and_what_may_be_known() {
    let operator = signed_in(Grants::new([grant(Role::Operator, "a")]).expect("one"));
    let check = |denied: Option<Denied>, code: Refusal, may_know: bool, text: &str| {
        let denied = denied.expect("it is denied");
        assert_eq!(denied.to_string(), text);
        assert_eq!((Refusal::from(&denied), denied.may_know_it_exists()), (code, may_know));
    };
    check(
        authorize(&operator, Permission::WorkflowRead, &name("b")).err(),
        Refusal::NoGrant,
        false,
        "`workflow.read` needs a grant in namespace b, and there is none",
    );
    check(
        authorize(&operator, Permission::TokenManage, &name("b")).err(),
        Refusal::NoGrant,
        false,
        "`token.manage` needs a grant in namespace b, and there is none",
    );
    check(
        authorize(&operator, Permission::SecretWrite, &name("a")).err(),
        Refusal::RoleTooLow,
        true,
        "`secret.write` needs the role admin, and the grant is for operator",
    );
    check(
        authorize(&operator, Permission::TokenManage, &name("a")).err(),
        Refusal::NotEverywhere,
        true,
        "`token.manage` needs a grant on all namespaces, and there is none",
    );
    check(
        authorize_everywhere(&operator, Permission::ServerRead).err(),
        Refusal::NotEverywhere,
        true,
        "`server.read` needs a grant on all namespaces, and there is none",
    );
}

#[test]
fn what_is_allowed_says_who_where_and_by_which_role() {
    let caller = signed_in(Grants::everywhere(Role::Author));
    let here = authorize(&caller, Permission::SecretList, &name("a")).expect("an author may");
    assert_eq!((here.principal(), here.namespace()), (caller.principal(), &name("a")));
    assert_eq!((here.permission(), here.role()), (Permission::SecretList, Role::Author));
    let everywhere = authorize_everywhere(&caller, Permission::SecretList).expect("everywhere too");
    assert_eq!(everywhere.within(name("a")), here);
}

#[test]
fn a_token_hands_on_no_more_than_it_has() {
    let grants = Grants::new([grant(Role::Admin, "a"), grant(Role::Viewer, "b")]).expect("two");
    let within =
        |role: Role, place: &str| Rights::Within(Grants::new([grant(role, place)]).expect("one"));
    let check = |caller: &Caller, rights: &Rights, expected: bool| {
        assert_eq!(caller.may_hand_on(rights), expected, "{rights:?}");
    };
    let whole = signed_in(grants.clone());
    check(&whole, &Rights::Whole, true);
    check(&whole, &within(Role::Admin, "a"), true);
    check(&whole, &within(Role::Operator, "b"), false);
    check(&whole, &within(Role::Viewer, "c"), false);
    check(&whole, &Rights::Within(Grants::everywhere(Role::Viewer)), false);
    let narrow = by_token(principal(grants), within(Role::Operator, "a"));
    check(&narrow, &Rights::Whole, false);
    check(&narrow, &within(Role::Operator, "a"), true);
    check(&narrow, &within(Role::Author, "a"), false);
    check(&narrow, &within(Role::Viewer, "b"), false);
    check(&narrow, &Rights::Within(Grants::default()), true);
}

proptest! {
    #[test]
    fn a_higher_role_never_loses_a_right(grants in any_grants(), place in samples::any_reach(), roles in (any_role(), any_role())) {
        let (lower, higher) = (roles.0.min(roles.1), roles.0.max(roles.1));
        let with = |role: Role| {
            let grants = grants.clone().and(Grant { role, reach: place.clone() }).expect("a few");
            rights(&signed_in(grants))
        };
        prop_assert!(is_within(&with(lower), &with(higher)));
    }

    #[test]
    fn one_more_grant_never_loses_a_right(grants in any_grants(), more in any_grant()) {
        let before = rights(&signed_in(grants.clone()));
        let after = rights(&signed_in(grants.and(more).expect("a few")));
        prop_assert!(is_within(&before, &after));
    }

    #[test]
    fn a_grant_changes_nothing_in_another_namespace(grants in any_grants(), role in any_role()) {
        let before = rights(&signed_in(grants.clone()));
        let more = grant(role, "elsewhere");
        prop_assert_eq!(before, rights(&signed_in(grants.and(more).expect("a few"))));
    }

    #[test]
    fn who_may_everywhere_may_in_each_namespace(grants in any_grants()) {
        let caller = signed_in(grants);
        for permission in Permission::ALL {
            if let Ok(everywhere) = authorize_everywhere(&caller, *permission) {
                let here = authorize(&caller, *permission, &name("other"));
                prop_assert_eq!(here, Ok(everywhere.within(name("other"))));
            }
        }
    }

    #[test]
    fn a_token_has_what_both_it_and_its_principal_have(grants in any_grants(), narrow in any_rights()) {
        let of_principal = rights(&signed_in(grants.clone()));
        let of_rights = match &narrow {
            Rights::Whole => of_principal.clone(),
            Rights::Within(grants) => rights(&signed_in(grants.clone())),
        };
        let both = of_principal.iter().zip(&of_rights).map(|(one, other)| *one && *other);
        let of_token = rights(&by_token(principal(grants), narrow));
        prop_assert!(is_within(&of_token, &of_principal));
        prop_assert_eq!(of_token, both.collect::<Vec<bool>>());
    }

    #[test]
    fn what_a_token_hands_on_it_has(grants in any_grants(), first in any_rights(), second in any_rights()) {
        let issuer = by_token(principal(grants.clone()), first);
        if issuer.may_hand_on(&second) {
            let issued = by_token(principal(grants), second);
            prop_assert!(is_within(&rights(&issued), &rights(&issuer)));
        }
    }

    #[test]
    fn a_caller_may_know_of_what_is_in_its_namespaces_only(grants in any_grants()) {
        let caller = signed_in(grants.clone());
        for permission in Permission::ALL {
            for place in ["a", "b", "c"] {
                let place = name(place);
                let granted = grants
                    .iter()
                    .any(|grant| matches!(&grant.reach, Reach::All) || grant.reach == Reach::Namespace(place.clone()));
                let may_know = match authorize(&caller, *permission, &place) {
                    Ok(_) => true,
                    Err(denied) => denied.may_know_it_exists(),
                };
                prop_assert_eq!(may_know, granted);
            }
        }
    }
}
