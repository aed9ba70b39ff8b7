//! What is stored reads back for ever, and nothing else does.

use proptest::prelude::*;
use tutti_auth::{
    Action, AuditRecord, Damaged, Detail, Grants, Principal, Purpose, Reason, Refusal, Rights,
    Role, Text, Token,
};

use crate::samples::{self, any_principal, any_record, any_token, grant, principal};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .chars()
        .filter_map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// The record that was encoded as `golden` once, still is, and still is read from it.
#[track_caller]
fn check<T: PartialEq + std::fmt::Debug>(
    record: &T,
    encoded: &[u8],
    decode: fn(&[u8]) -> Result<T, Damaged>,
    golden: &str,
) {
    assert_eq!(hex(encoded), hex(&bytes(golden)));
    assert_eq!(decode(&bytes(golden)).as_ref(), Ok(record));
}

// The bytes in these tests are what was stored once: they are never edited, more are added.

#[test]
fn audit_records_of_the_first_version_are_read() {
    let full = samples::record();
    check(&full, &full.encode(), AuditRecord::decode, GOLDEN_FULL);
    assert_eq!(
        full.digest().to_string(),
        "sha256:fc5146e52905adcad153584833506e114450e9840f1e4af01cbe020a7728369a"
    );
    let bare = samples::bare_record();
    check(&bare, &bare.encode(), AuditRecord::decode, GOLDEN_BARE);
    assert_eq!(
        bare.digest().to_string(),
        "sha256:b816b8d82ac98fa1b679aa2048d89c701a08f862b2c227cfa72e6eda209307ee"
    );
}

const GOLDEN_FULL: &str = "018a1b000001977420dc00820283781e7573725f3031686637796174303030303030303030303030303030303037637a \
    6f65781e746f6b5f30316866377961743030303030303030303030303030303030390f820181026762696c6c696e6778 \
    1f657865635f30316866377961743030303030303030303030303030303030377574686520696e766f69636520776173 \
    2077726f6e67a168776f726b666c6f776d696e766f6963653a312e322e306434663261820044c0000201";
const GOLDEN_BARE: &str = "01880082008006820080f660f6a0";

#[test]
fn principals_of_the_first_version_are_read() {
    let grants = Grants::everywhere(Role::Viewer).and(grant(Role::Admin, "billing")).expect("two");
    let principal = principal(grants);
    check(&principal, &principal.encode(), Principal::decode, GOLDEN_PRINCIPAL);
}

const GOLDEN_PRINCIPAL: &str = "0183781e7573725f3031686637796174303030303030303030303030303030303037637a6f6582820082008082038201 \
    816762696c6c696e67";

#[test]
fn tokens_of_the_first_version_are_read() {
    let rights = Rights::Within(Grants::new([grant(Role::Operator, "billing")]).expect("one"));
    let (text, token) = samples::token(rights);
    check(&token, &token.encode(), Token::decode, GOLDEN_TOKEN);
    let setup = Token::issue(&text, samples::label("setup"), Purpose::Setup, None);
    check(&setup, &setup.encode(), Token::decode, GOLDEN_SETUP);
}

const GOLDEN_TOKEN: &str = "0185781e746f6b5f3031686637796174303030303030303030303030303030303039666465706c6f7978477368613235 \
    363a32366330623164346635656538303662316335303632373064343830633731326337316630306232663266373562 \
    396436306164366564376138383337373162820082781e7573725f303168663779617430303030303030303030303030 \
    30303030378201818182018201816762696c6c696e671b000001a3185c5000";
const GOLDEN_SETUP: &str = "0184781e746f6b5f30316866377961743030303030303030303030303030303030396573657475707847736861323536 \
    3a3236633062316434663565653830366231633530363237306434383063373132633731663030623266326637356239 \
    6436306164366564376138383337373162820180";

/// Words are stored as numbers: these are theirs for ever.
#[test]
fn words_keep_their_numbers() {
    let numbers = |encoded: Vec<Vec<u8>>| {
        let numbers: Vec<u8> = encoded.iter().filter_map(|bytes| bytes.last().copied()).collect();
        assert!(numbers.iter().enumerate().all(|(place, number)| usize::from(*number) == place));
        numbers.len()
    };
    let encoded = |result: Result<Vec<u8>, _>| -> Vec<u8> {
        let result: Result<Vec<u8>, minicbor::encode::Error<std::convert::Infallible>> = result;
        result.expect("in memory")
    };
    assert_eq!(numbers(Role::ALL.iter().map(|role| encoded(minicbor::to_vec(role))).collect()), 4);
    let actions = Action::ALL.iter().map(|action| encoded(minicbor::to_vec(action)));
    assert_eq!(&encoded(minicbor::to_vec(Action::AuditRead)), &[0x18, 26]);
    assert_eq!(numbers(actions.collect()), Action::ALL.len());
    let refusals = Refusal::ALL.iter().map(|refusal| encoded(minicbor::to_vec(refusal)));
    assert_eq!(numbers(refusals.collect()), Refusal::ALL.len());
}

#[test]
fn every_change_of_a_bit_changes_the_record_or_makes_it_unreadable() {
    let record = samples::record();
    let encoded = record.encode();
    for bit in 0..encoded.len() * 8 {
        let mut changed = encoded.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        if let Ok(other) = AuditRecord::decode(&changed) {
            assert_ne!(other, record, "bit {bit}");
            assert_ne!(other.digest(), record.digest(), "bit {bit}");
        }
    }
}

#[test]
fn what_is_not_in_its_one_form_is_refused() {
    let encoded = samples::bare_record().encode();
    let check = |what: &str, changed: &[u8]| {
        assert!(AuditRecord::decode(changed).is_err(), "{what}");
    };
    check("nothing", &[]);
    check("another version", &[&[2], &encoded[1..]].concat());
    check("more bytes after it", &[&encoded[..], &[0]].concat());
    for length in 0..encoded.len() {
        check("only its beginning", &encoded[..length]);
    }
    // `at`, the number 0, in two bytes instead of one.
    assert_eq!(encoded[2], 0);
    check("a longer number", &[&encoded[..2], &[0x18, 0], &encoded[3..]].concat());
    let reason = AuditRecord::decode(&[]).expect_err("nothing").to_string();
    assert_eq!(reason, "cannot read an audit record: expected version 1 of its encoding");
}

#[test]
fn a_text_beyond_its_limit_is_not_read() {
    let reason = "r".repeat(1_000);
    let record = AuditRecord { reason: Reason::new(&reason).ok(), ..samples::record() };
    let encoded = record.encode();
    assert_eq!(AuditRecord::decode(&encoded), Ok(record));
    // A text of 1,000 bytes starts with its length in two bytes.
    let start = encoded.windows(1_000).position(|window| window == reason.as_bytes());
    let start = start.expect("it is in there");
    let mut longer = encoded[..start - 2].to_vec();
    longer.extend(1_001_u16.to_be_bytes());
    longer.push(b'r');
    longer.extend(&encoded[start..]);
    let damaged = AuditRecord::decode(&longer).expect_err("it is too long");
    assert!(damaged.reason.contains("more than 1000 bytes"), "{damaged}");
}

#[test]
fn the_largest_audit_record_has_its_limit() {
    let mut detail = Detail::default();
    for place in 0..Detail::MAX {
        let name = format!("{place:064}");
        detail = detail.and(&name, &"t".repeat(512)).expect("as long and many as may be");
    }
    let record = AuditRecord {
        namespace: Some(samples::name(&"n".repeat(63))),
        subject: Text::cut(&"s".repeat(9_999)),
        reason: Some(Reason::cut(&"r".repeat(9_999))),
        request: Some(Text::cut(&"i".repeat(9_999))),
        detail,
        ..samples::record()
    };
    let encoded = record.encode();
    let limit = AuditRecord::MAX_BYTES;
    assert!((10_000..=limit).contains(&encoded.len()), "{} bytes", encoded.len());
    assert_eq!(AuditRecord::decode(&encoded), Ok(record));
}

/// Whatever the bytes: an error or a record whose one form they are.
fn handle(bytes: &[u8]) -> bool {
    let record = AuditRecord::decode(bytes).ok().map(|record| record.encode());
    let token = Token::decode(bytes).ok().map(|token| token.encode());
    let principal = Principal::decode(bytes).ok().map(|principal| principal.encode());
    [record, token, principal].into_iter().flatten().all(|encoded| encoded == bytes)
}

proptest! {
    #[test]
    fn audit_records_read_back(record in any_record()) {
        prop_assert_eq!(AuditRecord::decode(&record.encode()), Ok(record));
    }

    #[test]
    fn principals_read_back(principal in any_principal()) {
        prop_assert_eq!(Principal::decode(&principal.encode()), Ok(principal));
    }

    #[test]
    fn tokens_read_back(token in any_token()) {
        prop_assert_eq!(Token::decode(&token.encode()), Ok(token));
    }

    #[test]
    fn different_records_have_different_digests(one in any_record(), other in any_record()) {
        prop_assert_eq!(one == other, one.digest() == other.digest());
    }

    #[test]
    fn any_bytes_are_handled(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(handle(&bytes));
        bytes.insert(0, 1);
        prop_assert!(handle(&bytes));
    }

    #[test]
    fn any_change_of_real_bytes_is_handled(
        record in any_record(),
        token in any_token(),
        principal in any_principal(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        for mut bytes in [record.encode(), token.encode(), principal.encode()] {
            let place = place.index(bytes.len());
            bytes[place] = byte;
            prop_assert!(handle(&bytes));
        }
    }
}
