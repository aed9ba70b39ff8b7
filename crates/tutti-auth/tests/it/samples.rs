//! Principals, grants, tokens and records, made up or drawn.

use std::net::IpAddr;

use proptest::prelude::*;
use tutti_auth::{
    Action, Actor, AuditRecord, Detail, Grant, Grants, Label, Outcome, Principal, Purpose, Reach,
    Reason, Refusal, Rights, Role, Text, Timestamp, Token, TokenText,
};
use tutti_ids::{Name, PrincipalId, PrincipalKind, TokenId};

pub(crate) fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

pub(crate) fn label(text: &str) -> Label {
    text.parse().expect("a label")
}

pub(crate) fn user(chance: u128) -> PrincipalId {
    PrincipalId::new(PrincipalKind::User, 1_700_000_000_000, chance)
}

pub(crate) fn principal(grants: Grants) -> Principal {
    Principal { id: user(7), name: label("zoe"), grants }
}

pub(crate) fn grant(role: Role, namespace: &str) -> Grant {
    Grant { role, reach: Reach::Namespace(name(namespace)) }
}

/// A token's text and record, for the principal of [`principal`].
pub(crate) fn token(rights: Rights) -> (TokenText, Token) {
    let text = TokenText::new(TokenId::new(1_700_000_000_000, 9), [3; 32]);
    let purpose = Purpose::Access { principal: user(7), rights };
    let token = Token::issue(&text, label("deploy"), purpose, Some(Timestamp(1_800_000_000_000)));
    (text, token)
}

/// A record in which everything is there.
pub(crate) fn record() -> AuditRecord {
    let token = Some(TokenId::new(1_700_000_000_000, 9));
    AuditRecord {
        at: Timestamp(1_750_000_000_000),
        actor: Actor::Principal { id: user(7), name: label("zoe"), token },
        action: Action::ExecutionCancel,
        outcome: Outcome::Refused(Refusal::RoleTooLow),
        namespace: Some(name("billing")),
        subject: Text::cut("exec_01hf7yat000000000000000007"),
        reason: Some(Reason::cut("the invoice was wrong")),
        detail: Detail::default().and("workflow", "invoice:1.2.0").expect("short"),
        request: Some(Text::cut("4f2a")),
        address: Some(IpAddr::from([192, 0, 2, 1])),
    }
}

/// A record in which nothing is there that may be absent.
pub(crate) fn bare_record() -> AuditRecord {
    AuditRecord {
        at: Timestamp(0),
        actor: Actor::Anonymous,
        action: Action::TokenUseFailed,
        outcome: Outcome::Allowed,
        namespace: None,
        subject: Text::cut(""),
        reason: None,
        detail: Detail::default(),
        request: None,
        address: None,
    }
}

pub(crate) fn any_role() -> impl Strategy<Value = Role> {
    prop::sample::select(Role::ALL)
}

/// One of few places, so that grants meet.
pub(crate) fn any_reach() -> impl Strategy<Value = Reach> {
    let namespace = prop::sample::select(&["a", "b", "c"][..]);
    prop_oneof![
        1 => Just(Reach::All),
        3 => namespace.prop_map(|namespace| Reach::Namespace(name(namespace))),
    ]
}

pub(crate) fn any_grant() -> impl Strategy<Value = Grant> {
    (any_role(), any_reach()).prop_map(|(role, reach)| Grant { role, reach })
}

pub(crate) fn any_grants() -> impl Strategy<Value = Grants> {
    prop::collection::vec(any_grant(), 0..5).prop_map(|grants| Grants::new(grants).expect("a few"))
}

pub(crate) fn any_rights() -> impl Strategy<Value = Rights> {
    prop_oneof![1 => Just(Rights::Whole), 4 => any_grants().prop_map(Rights::Within)]
}

pub(crate) fn any_principal() -> impl Strategy<Value = Principal> {
    let kind = prop::sample::select(&[PrincipalKind::User, PrincipalKind::Service][..]);
    (kind, any::<u64>(), any::<u128>(), "[a-zß@. ]{0,9}", any_grants()).prop_map(
        |(kind, at, chance, text, grants)| {
            let id = PrincipalId::new(kind, at, chance);
            Principal { id, name: label(&format!("p{text}.")), grants }
        },
    )
}

pub(crate) fn any_token() -> impl Strategy<Value = Token> {
    let moment = || prop::option::of(any::<i64>().prop_map(Timestamp));
    let purpose = prop_oneof![
        1 => Just(Purpose::Setup),
        4 => (any_principal(), any_rights())
            .prop_map(|(principal, rights)| Purpose::Access { principal: principal.id, rights }),
    ];
    (any::<u64>(), any::<u128>(), any::<[u8; 32]>(), purpose, moment(), moment()).prop_map(
        |(at, chance, secret, purpose, expires_at, revoked_at)| {
            let text = TokenText::new(TokenId::new(at, chance), secret);
            let token = Token::issue(&text, label("deploy"), purpose, expires_at);
            Token { revoked_at, ..token }
        },
    )
}

fn any_actor() -> impl Strategy<Value = Actor> {
    let token = prop::option::of(any::<u128>().prop_map(|chance| TokenId::new(7, chance)));
    prop_oneof![
        Just(Actor::Anonymous),
        Just(Actor::System),
        (any_principal(), token).prop_map(|(principal, token)| Actor::Principal {
            id: principal.id,
            name: principal.name,
            token
        }),
    ]
}

fn any_detail() -> impl Strategy<Value = Detail> {
    prop::collection::vec((".{0,8}", ".{0,40}"), 0..Detail::MAX).prop_map(|texts| {
        let and = |detail: Detail, (name, text): (String, String)| detail.and(&name, &text);
        texts.into_iter().try_fold(Detail::default(), and).expect("short and few")
    })
}

prop_compose! {
    pub(crate) fn any_record()(
        at in any::<i64>(),
        actor in any_actor(),
        action in prop::sample::select(Action::ALL),
        refusal in prop::option::of(prop::sample::select(Refusal::ALL)),
        namespace in prop::option::of("[a-z0-9]{1,63}"),
        texts in (".{0,90}", prop::option::of(".{0,200}"), prop::option::of(".{0,30}")),
        detail in any_detail(),
        address in any::<Option<IpAddr>>(),
    ) -> AuditRecord {
        let (subject, reason, request) = texts;
        AuditRecord {
            at: Timestamp(at),
            actor,
            action,
            outcome: refusal.map_or(Outcome::Allowed, Outcome::Refused),
            namespace: namespace.map(|text| name(&text)),
            subject: Text::cut(&subject),
            reason: reason.map(|text| Reason::cut(&text)),
            detail,
            request: request.map(|text| Text::cut(&text)),
            address,
        }
    }
}
