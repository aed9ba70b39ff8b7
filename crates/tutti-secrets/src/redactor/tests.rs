//! Canaries in every form, cut at every position.

use super::*;

/// Has a character for every rule of escaping.
const CANARY: &str = "c4n\"ary/\\ +é~\n%Ω&🐤'x";

fn redactor(secrets: &[&str]) -> Redactor {
    Redactor::new(secrets.iter().copied()).expect("these are few")
}

/// Redacts `pieces`, one after another.
fn in_pieces<'a>(redactor: &Redactor, pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut stream = redactor.stream();
    let mut out: Vec<u8> = pieces.into_iter().flat_map(|piece| stream.push(piece)).collect();
    out.extend(stream.finish());
    String::from_utf8_lossy(&out).into_owned()
}

/// Checks that `text` is redacted to `expected` whole, cut in two at every position, and byte by byte.
fn check(redactor: &Redactor, text: &str, expected: &str) {
    assert_eq!(redactor.redact(text), expected);
    let bytes = text.as_bytes();
    for cut in 0..=bytes.len() {
        assert_eq!(in_pieces(redactor, [&bytes[..cut], &bytes[cut..]]), expected, "cut at {cut}");
    }
    assert_eq!(in_pieces(redactor, bytes.chunks(1)), expected, "byte by byte");
}

#[test]
fn every_form_is_redacted_however_it_is_cut() {
    let redactor = redactor(&[CANARY]);
    for form in forms::of(CANARY) {
        let form = String::from_utf8(form).expect("forms are text");
        check(&redactor, &format!("before {form} after"), "before «secret» after");
    }
}

#[test]
fn the_forms_of_others_are_known() {
    let forms = forms::of("p@ss/wörd ü");
    let expected = [
        "p@ss/wörd ü",
        "cEBzcy93w7ZyZCDDvA==",
        "cEBzcy93w7ZyZCDDvA",
        "704073732f77c3b6726420c3bc",
        "704073732F77C3B6726420C3BC",
        "p%40ss%2Fw%C3%B6rd%20%C3%BC",
        "p%40ss%2fw%c3%b6rd%20%c3%bc",
        "p%40ss%2Fw%C3%B6rd+%C3%BC",
        "p@ss/w%C3%B6rd%20%C3%BC",
        "p@ss\\/w\\u00f6rd \\u00fc",
        "p@ss/w\\u00F6rd \\u00FC",
    ];
    for form in expected {
        assert!(forms.contains(form.as_bytes()), "{form}");
    }
    assert!(forms::of("a\"b\\c").contains(&b"a\\\\\\\"b\\\\\\\\c"[..]), "JSON in JSON");
}

#[test]
fn base64_is_found_within_a_longer_text() {
    let redactor = redactor(&["hunter2hunter2"]);
    for before in ["", "a", "ab", "abc", "user:"] {
        for after in ["", "z", "yz", "xyz"] {
            let plain = format!("{before}hunter2hunter2{after}");
            let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, plain);
            let redacted = redactor.redact(&encoded);
            assert!(redacted.contains(REDACTED), "{encoded}");
            let left: String = redacted.split(REDACTED).collect();
            assert!(left.len() <= encoded.len() - 16, "{encoded} became {redacted}");
        }
    }
}

#[test]
fn overlapping_secrets_leave_nothing_of_each_other() {
    let redactor = redactor(&["abcdef", "defghi", "ghijkl"]);
    check(&redactor, "<abcdefghijkl>", "<«secret»>");
    check(&redactor, "<abcdefabcdef>", "<«secret»>");
    check(&redactor, "<abcdef-defghi>", "<«secret»-«secret»>");
    check(&redactor, "<abcdeabcdefgh>", "<abcde«secret»gh>");
}

#[test]
fn repeating_secrets_are_held_back_within_bounds() {
    let redactor = redactor(&["aaaa", "aaaaaaab"]);
    check(&redactor, "xaaaaaaaaaay", "x«secret»y");
    let mut stream = redactor.stream();
    for _ in 0..1000 {
        stream.push(b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        assert!(stream.pending.len() < 64);
    }
}

#[test]
fn text_without_secrets_goes_out_at_once() {
    let redactor = redactor(&["hunter2"]);
    let mut stream = redactor.stream();
    assert_eq!(stream.push(b"a line\n"), b"a line\n");
    assert_eq!(stream.push(b"a line with hun"), b"a line with ");
    assert_eq!(stream.push(b"dreds\n"), b"hundreds\n");
    assert_eq!(stream.finish(), b"");
}

#[test]
fn lines_of_a_secret_are_secrets() {
    let redactor = redactor(&["-----BEGIN KEY-----\nMIIEvQIBADANBg\nshort\n-----END KEY-----\n"]);
    check(&redactor, "1: MIIEvQIBADANBg\n2: short\n", "1: «secret»\n2: short\n");
}

#[test]
fn short_and_no_secrets_change_nothing() {
    for secrets in [&["abc", "", " \n"][..], &[]] {
        check(&redactor(secrets), "abc abc \n", "abc abc \n");
    }
    check(&redactor(&["abcd"]), "abcd", "«secret»");
}

#[test]
fn a_secret_is_found_in_every_form() {
    let redactor = redactor(&["hunter2"]);
    for (text, found) in [
        ("pw=hunter2", true),
        ("aHVudGVyMg==", true),
        ("68756E74657232", true),
        ("hunter", false),
        ("", false),
    ] {
        assert_eq!(redactor.finds(text.as_bytes()), found, "{text}");
    }
}

#[test]
fn more_than_a_mebibyte_is_refused() {
    let large = "x".repeat(MOST + 1);
    assert_eq!(Redactor::new([&*large]).map(|_| ()), Err(TooMuchToRedact));
}

#[test]
fn secrets_are_not_printed() {
    let redactor = redactor(&["hunter2"]);
    assert!(!format!("{redactor:?} {:?}", redactor.stream()).contains("hunter2"));
}
