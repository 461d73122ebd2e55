//! Hosts that may be asked although they are not public, or not by https. Pure.

use std::{fmt, net::IpAddr, str::FromStr};

/// Most patterns.
const PATTERNS_MAX: usize = 256;

/// Patterns of hosts, as the flag `--allow-http-host` gives them: `*.internal.example.com`,
/// `127.0.0.1:8080`, `[fd00::1]`, `*`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<Pattern>);

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    host: Host,
    /// None: every port.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Any,
    Address(IpAddr),
    Name(String),
    /// Everything below a domain; the domain begins with a dot.
    Below(String),
}

/// How far a host is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// As every host: by https, at public addresses.
    No,
    /// By its name: also by http, and at private addresses.
    ByName,
    /// By its address.
    ByAddress,
}

/// A text that is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a host is written like api.internal, *.internal, 127.0.0.1:8080 or [::1]:8080")]
pub struct InvalidPattern;

impl AllowedHosts {
    /// Takes patterns, at most 256; empty ones are left out.
    ///
    /// # Errors
    ///
    /// [`InvalidPattern`] for the first text that is none.
    pub fn parse<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Self, InvalidPattern> {
        let texts = texts.into_iter().map(str::trim).filter(|text| !text.is_empty());
        let patterns: Vec<Pattern> = texts.map(str::parse).collect::<Result<_, _>>()?;
        if patterns.len() > PATTERNS_MAX {
            return Err(InvalidPattern);
        }
        Ok(Self(patterns))
    }

    /// How far this host, in lower case and without brackets, is allowed at this port.
    #[must_use]
    pub fn allow(&self, host: &str, port: u16) -> Allowed {
        let at_port = self.0.iter().filter(|pattern| pattern.port.is_none_or(|p| p == port));
        let mut allowed = Allowed::No;
        for pattern in at_port {
            let matches = match &pattern.host {
                Host::Any => true,
                Host::Address(address) if host.parse() == Ok(*address) => {
                    return Allowed::ByAddress;
                }
                Host::Address(_) => false,
                Host::Name(name) => name == host,
                Host::Below(domain) => host.len() > domain.len() && host.ends_with(domain.as_str()),
            };
            if matches {
                allowed = Allowed::ByName;
            }
        }
        allowed
    }
}

impl FromStr for Pattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let bracketed = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (host, rest) = match bracketed {
            Some((host, rest)) => (host, rest),
            None => text.find(':').map_or((text, ""), |at| text.split_at(at)),
        };
        let port = match rest.strip_prefix(':') {
            Some(port) => Some(port.parse().ok().filter(|port| *port > 0).ok_or(InvalidPattern)?),
            None if rest.is_empty() => None,
            None => return Err(InvalidPattern),
        };
        let is_name = |name: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            name.split('.').all(|label| !label.is_empty() && label.chars().all(fits))
        };
        let lower = host.to_ascii_lowercase();
        let host = match (host.parse::<IpAddr>(), lower.strip_prefix("*.")) {
            (Ok(address), _) if address.is_ipv6() == bracketed.is_some() => Host::Address(address),
            (Ok(_), _) => return Err(InvalidPattern),
            (Err(_), _) if bracketed.is_some() => return Err(InvalidPattern),
            (Err(_), Some(domain)) if is_name(domain) => Host::Below(format!(".{domain}")),
            (Err(_), None) if lower == "*" => Host::Any,
            (Err(_), None) if is_name(&lower) => Host::Name(lower),
            (Err(_), _) => return Err(InvalidPattern),
        };
        Ok(Self { host, port })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Any => f.write_str("*")?,
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]")?,
            Host::Address(IpAddr::V4(address)) => address.fmt(f)?,
            Host::Name(name) => f.write_str(name)?,
            Host::Below(domain) => write!(f, "*{domain}")?,
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use Allowed::{ByAddress, ByName, No};

    #[track_caller]
    fn check(pattern: &str, host: &str, port: u16, allowed: Allowed) {
        let hosts = AllowedHosts::parse([pattern]).unwrap();
        assert_eq!(hosts.allow(host, port), allowed, "{pattern} {host}:{port}");
    }

    #[test]
    fn a_pattern_allows_what_it_names_and_no_more() {
        check("api.internal", "api.internal", 443, ByName);
        check("api.internal", "api.internal.example.com", 443, No);
        check("api.internal", "xapi.internal", 443, No);
        check("API.Internal:8443", "api.internal", 8_443, ByName);
        check("api.internal:8443", "api.internal", 443, No);
        check("*.example.com", "a.example.com", 443, ByName);
        check("*.example.com", "a.b.example.com", 80, ByName);
        check("*.example.com", "example.com", 443, No);
        check("*.example.com", "badexample.com", 443, No);
        check("*.example.com", "example.com.evil.org", 443, No);
        check("*", "whatever", 1, ByName);
        check("*:8080", "whatever", 8_080, ByName);
        check("*:8080", "whatever", 80, No);
        check("127.0.0.1:8080", "127.0.0.1", 8_080, ByAddress);
        check("127.0.0.1:8080", "127.0.0.1", 8_081, No);
        check("127.0.0.1", "localhost", 80, No);
        check("[::1]:8080", "::1", 8_080, ByAddress);
        check("[::1]", "0:0:0:0:0:0:0:1", 80, ByAddress);
        // A star is a name: it does not open an address of the link.
        check("*", "169.254.169.254", 80, ByName);
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in [
            "*a.example.com",
            "a.*.com",
            "https://a.com",
            "a.com/",
            "a.com:",
            "a.com:0",
            "a.com:65536",
            "a.com:80:90",
            "::1",
            "[127.0.0.1]",
            "[::1",
            "[a.com]",
            "a..com",
            "*.",
            "*.*",
            "a b",
            "[::1]8080",
        ] {
            assert_eq!(AllowedHosts::parse([text]), Err(InvalidPattern), "{text}");
        }
        assert_eq!(AllowedHosts::parse(["", " "]), Ok(AllowedHosts::default()));
        let many = vec!["a.com"; PATTERNS_MAX + 1];
        assert_eq!(AllowedHosts::parse(many), Err(InvalidPattern));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_read_back(text in "[\\PC]{0,24}|[a-c*.:0-9\\[\\]]{0,16}") {
            if let Ok(pattern) = text.parse::<Pattern>() {
                prop_assert_eq!(pattern.to_string().parse::<Pattern>(), Ok(pattern));
            }
        }
    }
}
