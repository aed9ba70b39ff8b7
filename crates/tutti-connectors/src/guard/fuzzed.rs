//! Any text leads nowhere, or to one place that reads the same however it is looked at. The fuzz target `guard` calls
//! the same function.

use std::net::IpAddr;

use super::{
    policy::Policy,
    target::{Host, Target},
};

/// Parses a URI, and a reference after a line break, and holds both to the policy.
pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (uri, reference) = text.split_once('\n').unwrap_or((&text, "?x=1"));
    let Ok(target) = Target::parse(uri) else { return };
    check_target(&target);
    if let Ok(joined) = target.join(reference) {
        check_target(&joined);
    }
    if let Ok(longer) = target.with_query("x=1") {
        assert_eq!(longer.origin, target.origin, "{uri:?}");
    }
}

fn check_target(target: &Target) {
    let shown = target.as_str();
    // A join may make a URI longer than one that can be given.
    if let Ok(again) = Target::parse(shown) {
        assert_eq!(again.origin, target.origin, "{shown:?}");
        assert_eq!(again.path_and_query(), target.path_and_query(), "{shown:?}");
    }
    let plain = |byte: u8| byte.is_ascii_graphic();
    assert!(target.origin.authority().bytes().all(plain), "{shown:?}");
    assert!(target.path_and_query().bytes().all(plain), "{shown:?}");
    match &target.origin.host {
        Host::Address(address) => check_address(*address),
        // What a resolver would take for an address must have been taken for one.
        Host::Name(name) => assert!(name.parse::<IpAddr>().is_err(), "{shown:?}"),
    }
}

/// An address is no more allowed in disguise than as it is, and a stricter policy allows no more.
fn check_address(address: IpAddr) {
    let strict = Policy::default().check(address).is_ok();
    let open = Policy { allow_loopback: true, allow_private: true }.check(address).is_ok();
    assert!(open || !strict, "{address}");
    if let IpAddr::V6(v6) = address
        && let Some(v4) = v6.to_ipv4_mapped()
    {
        assert_eq!(strict, Policy::default().check(v4.into()).is_ok(), "{address}");
    }
    assert!(
        !strict || !(address.is_loopback() || address.is_unspecified() || address.is_multicast())
    );
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    #[test]
    fn seeds_of_uris_lead_where_they_say() {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/guard");
        let mut count = 0;
        for entry in fs::read_dir(seeds).expect("the seeds are there") {
            super::check(&fs::read(entry.expect("an entry").path()).expect("a seed"));
            count += 1;
        }
        assert!(count > 3, "{count} seeds");
    }
}
