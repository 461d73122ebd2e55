//! Addresses that are nobody's on the public internet. Pure.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Why an address is not public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// Of a private network, carrier-grade NAT included.
    Private,
    /// This machine.
    Loopback,
    /// Of the link: also where clouds serve metadata and credentials.
    LinkLocal,
    /// For many at once.
    Multicast,
    /// No address to connect to: unspecified, for documentation, or reserved.
    Reserved,
    /// An IPv4 address in the guise of IPv6.
    Disguised,
}

impl Range {
    /// Whether not even a host that is allowed by its name may have it: only one that is allowed by
    /// this very address.
    #[must_use]
    pub const fn needs_literal(self) -> bool {
        match self {
            Self::Private | Self::Loopback => false,
            Self::LinkLocal | Self::Multicast | Self::Reserved | Self::Disguised => true,
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Private => "private",
            Self::Loopback => "a loopback address",
            Self::LinkLocal => "link-local",
            Self::Multicast => "a multicast address",
            Self::Reserved => "reserved",
            Self::Disguised => "an IPv4 address in the guise of IPv6",
        })
    }
}

/// What keeps an address from being public; none for a public one.
///
/// Source: IANA IPv4 and IPv6 Special-Purpose Address Registries. Of IPv6 only `2000::/3` is given
/// out as public, so all the rest is not.
#[must_use]
pub fn range(address: IpAddr) -> Option<Range> {
    match address {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => v6(address),
    }
}

fn v4(address: Ipv4Addr) -> Option<Range> {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        (10, ..) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) => Some(Range::Private),
        (127, ..) => Some(Range::Loopback),
        (169, 254, _) => Some(Range::LinkLocal),
        (224..=239, ..) => Some(Range::Multicast),
        // This network, IETF assignments, documentation, 6to4 relays, benchmarks, future use.
        (0 | 240..=255, ..)
        | (192, 0, 0 | 2)
        | (192, 88, 99)
        | (198, 18..=19, _)
        | (198, 51, 100)
        | (203, 0, 113) => Some(Range::Reserved),
        (_, _, _) => None,
    }
}

fn v6(address: Ipv6Addr) -> Option<Range> {
    if address == Ipv6Addr::LOCALHOST {
        return Some(Range::Loopback);
    }
    match address.segments() {
        // EC2's metadata and EKS's credentials, in the private range.
        [0xfd00, 0x0ec2, ..] => Some(Range::LinkLocal),
        [0xfc00..=0xfdff, ..] => Some(Range::Private),
        [0xfe80..=0xfebf, ..] => Some(Range::LinkLocal),
        [0xff00..=0xffff, ..] => Some(Range::Multicast),
        [0, 0, 0, 0, 0, 0xffff, ..] => Some(Range::Disguised),
        // NAT64: how IPv6-only clusters reach public IPv4 hosts.
        [0x0064, 0xff9b, 0, 0, 0, 0, high, low] => v4(embedded(high, low)),
        // 6to4 and Teredo carry an IPv4 address.
        [0x2002, ..] | [0x2001, 0, ..] => Some(Range::Disguised),
        // IETF assignments, and documentation.
        [0x2001, 0x0001..=0x01ff | 0x0db8, ..] | [0x3fff, 0..=0x0fff, ..] => Some(Range::Reserved),
        [0x2000..=0x3fff, ..] => None,
        [..] => Some(Range::Reserved),
    }
}

fn embedded(high: u16, low: u16) -> Ipv4Addr {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Ipv4Addr::new(a, b, c, d)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use Range::{Disguised, LinkLocal, Loopback, Multicast, Private, Reserved};

    #[track_caller]
    fn check(range: Option<Range>, addresses: &[&str]) {
        for address in addresses {
            assert_eq!(super::range(address.parse().unwrap()), range, "{address}");
        }
    }

    #[test]
    fn each_range_is_known_to_its_first_and_last_address_and_not_beyond() {
        check(Some(Private), &["10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255"]);
        check(Some(Private), &["192.168.0.0", "192.168.255.255"]);
        check(Some(Private), &["100.64.0.0", "100.127.255.255"]);
        check(Some(Loopback), &["127.0.0.0", "127.0.0.1", "127.255.255.255", "::1"]);
        check(Some(LinkLocal), &["169.254.0.0", "169.254.169.254", "169.254.170.2"]);
        check(Some(LinkLocal), &["169.254.170.23", "169.254.255.255"]);
        check(Some(Multicast), &["224.0.0.0", "239.255.255.255"]);
        check(Some(Reserved), &["0.0.0.0", "0.255.255.255", "240.0.0.0", "255.255.255.255"]);
        check(Some(Reserved), &["192.0.0.0", "192.0.0.255", "192.0.2.0", "192.0.2.255"]);
        check(Some(Reserved), &["192.88.99.0", "198.18.0.0", "198.19.255.255"]);
        check(Some(Reserved), &["198.51.100.0", "198.51.100.255", "203.0.113.0", "203.0.113.255"]);
        check(None, &["1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0"]);
        check(None, &["126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0"]);
        check(None, &["172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0", "192.88.98.255"]);
        check(None, &["192.88.100.0", "192.167.255.255", "192.169.0.0", "198.17.255.255"]);
        check(None, &["198.20.0.0", "198.51.99.255", "198.51.101.0", "203.0.112.255"]);
        check(None, &["203.0.114.0", "223.255.255.255", "8.8.8.8", "52.95.110.1"]);
    }

    #[test]
    fn of_ipv6_only_what_is_given_out_is_public() {
        check(
            Some(Private),
            &["fc00::", "fdff:ffff::1", "fd12:3456::1", "fd00:ec1::", "fd00:ec3::"],
        );
        check(
            Some(LinkLocal),
            &["fe80::", "fe80::1", "febf:ffff::", "fd00:ec2::254", "fd00:ec2::23"],
        );
        check(Some(Multicast), &["ff00::", "ff02::1", "ffff::"]);
        check(Some(Reserved), &["::", "::2", "::7f00:1", "::a00:1", "100::1", "64:ff9b:1::1"]);
        check(
            Some(Reserved),
            &["1fff:ffff::", "4000::", "5f00::1", "fec0::1", "fbff::1", "fe7f::1"],
        );
        check(Some(Reserved), &["2001:db8::1", "2001:2::1", "2001:10::1", "2001:20::1", "3fff::1"]);
        check(Some(Disguised), &["::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:169.254.169.254"]);
        check(Some(Disguised), &["2002:7f00:1::", "2001:0:7f00:1::", "2001::1"]);
        check(None, &["2000::", "2001:200::1", "2001:4860:4860::8888", "2606:4700::1111"]);
        check(None, &["2600:1f14::1", "2a05:d018::1", "3ffe::1", "2003::1"]);
    }

    #[test]
    fn nat64_is_what_it_leads_to() {
        check(None, &["64:ff9b::8.8.8.8"]);
        check(Some(Loopback), &["64:ff9b::127.0.0.1"]);
        check(Some(LinkLocal), &["64:ff9b::169.254.169.254"]);
        check(Some(Private), &["64:ff9b::10.0.0.1"]);
        check(Some(Reserved), &["64:ff9b::0.0.0.0"]);
    }

    proptest! {
        /// The standard library knows most of the ranges, too.
        #[test]
        fn what_the_standard_library_knows_is_known(bits: u32) {
            let address = Ipv4Addr::from(bits);
            let special = address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_multicast()
                || address.is_broadcast()
                || address.is_unspecified()
                || address.is_documentation();
            prop_assert!(!special || v4(address).is_some(), "{address}");
            prop_assert_eq!(v6(address.to_ipv6_mapped()), Some(Disguised));
        }

        #[test]
        fn what_the_standard_library_knows_of_ipv6_is_known(bits: u128, first in any::<u8>()) {
            let address = Ipv6Addr::from(bits >> 8 | u128::from(first) << 120);
            let special = address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast()
                || address.is_unique_local()
                || address.is_unicast_link_local();
            prop_assert!(!special || v6(address).is_some(), "{address}");
        }
    }
}
