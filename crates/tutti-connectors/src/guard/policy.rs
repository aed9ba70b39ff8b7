//! Which addresses calls may reach.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Which addresses calls may reach. Public ones always; link-local, metadata, multicast and reserved ones never.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Policy {
    /// Whether this machine itself may be reached (`127.0.0.0/8`, `::1`).
    pub allow_loopback: bool,
    /// Whether private networks may be reached (`10.0.0.0/8`, `172.16.0.0/12`, `192.168.0.0/16`,
    /// `100.64.0.0/10`, `198.18.0.0/15`, `fc00::/7`, `fec0::/10`).
    pub allow_private: bool,
}

/// What an address is to a [`Policy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Range {
    Public,
    Loopback,
    Private,
    LinkLocal,
    Metadata,
    Reserved,
}

/// An address that calls may not reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{address} is {range} and may not be called")]
pub struct Denied {
    /// The address.
    pub address: IpAddr,
    range: Range,
}

impl Policy {
    /// Says whether `address` may be reached.
    ///
    /// # Errors
    /// If it may not.
    pub fn check(self, address: IpAddr) -> Result<(), Denied> {
        let range = match address {
            IpAddr::V4(address) => range_of_v4(address),
            IpAddr::V6(address) => range_of_v6(address),
        };
        let allowed = match range {
            Range::Public => true,
            Range::Loopback => self.allow_loopback,
            Range::Private => self.allow_private,
            Range::LinkLocal | Range::Metadata | Range::Reserved => false,
        };
        if allowed { Ok(()) } else { Err(Denied { address, range }) }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "a public address",
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "a metadata service",
            Self::Reserved => "a reserved address",
        })
    }
}

fn range_of_v4(address: Ipv4Addr) -> Range {
    match address.octets() {
        // Metadata services: Alibaba's, Oracle's, Azure's, everybody else's.
        [100, 100, 100, 200] | [192, 0, 0, 192] | [168, 63, 129, 16] | [169, 254, 169, 254] => {
            Range::Metadata
        }
        [127, ..] => Range::Loopback,
        [169, 254, ..] => Range::LinkLocal,
        // The last two: shared by carriers and used inside clouds, and the range for benchmarks.
        [10, ..]
        | [172, 16..=31, ..]
        | [192, 168, ..]
        | [100, 64..=127, ..]
        | [198, 18..=19, ..] => Range::Private,
        [0 | 224..=255, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Range::Reserved,
        _ => Range::Public,
    }
}

fn range_of_v6(address: Ipv6Addr) -> Range {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Range::Loopback,
        // IPv4-mapped, NAT64 and 6to4 addresses carry an IPv4 address, and reach it.
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => range_of_v4(embedded(high, low)),
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => {
            Range::Metadata
        }
        [0xfe80..=0xfebf, ..] => Range::LinkLocal,
        [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] => Range::Private,
        // Teredo and the documentation prefixes; nothing else outside 2000::/3 is handed out.
        [0x2001, 0 | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Range::Reserved,
        [0x2000..=0x3fff, ..] => Range::Public,
        _ => Range::Reserved,
    }
}

fn embedded(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(policy: Policy, table: &[(&str, bool)]) {
        for (address, allowed) in table {
            let parsed: IpAddr = address.parse().expect("an address");
            assert_eq!(policy.check(parsed).is_ok(), *allowed, "{address}");
        }
    }

    const NEVER: &[(&str, bool)] = &[
        ("169.254.169.254", false),
        ("169.254.0.1", false),
        ("100.100.100.200", false),
        ("168.63.129.16", false),
        ("192.0.0.192", false),
        ("fd00:ec2::254", false),
        ("fd20:ce::254", false),
        ("fe80::1", false),
        ("febf::1", false),
        ("::ffff:169.254.169.254", false),
        ("64:ff9b::a9fe:a9fe", false),
        ("2002:a9fe:a9fe::1", false),
        ("::169.254.169.254", false),
        ("0.0.0.0", false),
        ("0.1.2.3", false),
        ("::", false),
        ("224.0.0.1", false),
        ("ff02::1", false),
        ("255.255.255.255", false),
        ("240.0.0.1", false),
        ("192.0.2.7", false),
        ("198.51.100.7", false),
        ("203.0.113.7", false),
        ("2001:db8::1", false),
        ("2001::1", false),
        ("100::1", false),
        ("64:ff9b:1::1", false),
    ];

    #[test]
    fn some_ranges_are_never_reached() {
        check(Policy { allow_loopback: true, allow_private: true }, NEVER);
    }

    #[test]
    fn public_addresses_are_always_reached() {
        check(
            Policy::default(),
            &[
                ("1.1.1.1", true),
                ("172.15.255.255", true),
                ("172.32.0.1", true),
                ("100.63.255.255", true),
                ("100.128.0.1", true),
                ("2606:4700::1111", true),
                ("::ffff:1.1.1.1", true),
                ("64:ff9b::101:101", true),
            ],
        );
    }

    #[test]
    fn loopback_is_reached_by_policy() {
        for allow_loopback in [true, false] {
            check(
                Policy { allow_loopback, allow_private: false },
                &[
                    ("127.0.0.1", allow_loopback),
                    ("127.255.255.254", allow_loopback),
                    ("::1", allow_loopback),
                    ("::ffff:127.0.0.1", allow_loopback),
                    ("64:ff9b::7f00:1", allow_loopback),
                    ("10.0.0.1", false),
                ],
            );
        }
    }

    #[test]
    fn private_networks_are_reached_by_policy() {
        for allow_private in [true, false] {
            check(
                Policy { allow_loopback: false, allow_private },
                &[
                    ("10.1.2.3", allow_private),
                    ("172.16.0.1", allow_private),
                    ("172.31.255.255", allow_private),
                    ("192.168.1.1", allow_private),
                    ("100.64.0.1", allow_private),
                    ("198.18.0.1", allow_private),
                    ("fc00::1", allow_private),
                    ("fd12::1", allow_private),
                    ("::ffff:10.0.0.1", allow_private),
                    ("2002:0a00:0001::1", allow_private),
                    ("127.0.0.1", false),
                ],
            );
        }
    }
}
