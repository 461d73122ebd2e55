//! An address that must answer.
//!
//! Whoever writes manifests may not use the operator to reach what only the operator can reach. See
//! [`client`] for what stands in the way.

pub mod client;
pub mod hosts;
pub mod ranges;

use std::{fmt, net::Ipv6Addr, time::Duration};

use async_trait::async_trait;
use http::{HeaderMap, Method, Uri};

use super::{Judged, parse::Wrong};
use crate::api::check::HttpCheck;

/// Longest address.
const URL_MAX: usize = 2_048;
/// Most of an answer's body that is looked at.
pub const BODY_MAX: usize = 64 * 1_024;

/// A request with what it must be answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    url: Url,
    status: u16,
    contains: Option<String>,
}

/// An address of a scheme and form that may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Whether it is https.
    pub secure: bool,
    /// Host in lower case, an IPv6 address without brackets.
    pub host: String,
    /// Port, also where it is the scheme's own.
    pub port: u16,
    /// Path and query, at least `/`.
    pub target: String,
    /// Host and port as the address has them, for the header `Host`.
    pub authority: String,
}

/// Sends requests. Nothing of ours goes with them: no credentials, no cookies.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// GET, without following redirects. Reads at most [`BODY_MAX`] bytes, and those only if
    /// `wants_body`.
    ///
    /// # Errors
    ///
    /// [`Unanswered`]; its words hold nothing of what a peer sent.
    async fn get(&self, url: &Url, wants_body: bool) -> Result<Answer, Unanswered>;
}

/// Sends requests that carry something. The same hosts are asked as by [`Fetch`].
#[async_trait]
pub trait Exchange: Send + Sync {
    /// Sends it once, without following redirects.
    ///
    /// # Errors
    ///
    /// [`Unanswered`]; its words hold nothing of what a peer sent, and nothing of the request. The
    /// request may have arrived all the same.
    async fn exchange(&self, request: Outgoing<'_>) -> Result<Reply, Unanswered>;
}

/// A request. No `Debug`: its address, headers and body may hold secrets.
pub struct Outgoing<'a> {
    /// Method.
    pub method: Method,
    /// Where to.
    pub url: &'a Url,
    /// Headers beside `Host`, `User-Agent`, `Accept` and `Connection`.
    pub headers: HeaderMap,
    /// Body; empty for none.
    pub body: Vec<u8>,
    /// Most bytes that are read of the answer's body.
    pub body_max: usize,
}

/// What was answered to a request that carries something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Status code.
    pub status: u16,
    /// How long the peer asks to wait; an hour at most.
    pub retry_after: Option<Duration>,
    /// The beginning of the body.
    pub body: Vec<u8>,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// The beginning of the body.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// We did not ask: the host is none that may be asked.
    Forbidden(String),
    /// We asked, in vain.
    Failed(String),
}

impl Http {
    pub(super) fn parse(raw: &HttpCheck) -> Result<Self, Wrong> {
        let HttpCheck { url, expect_status, body_contains } = raw;
        let status = u16::try_from(expect_status.unwrap_or(200)).ok();
        let status = status.filter(|status| (100..600).contains(status));
        if body_contains.as_ref().is_some_and(String::is_empty) {
            return Err(("bodyContains", "text, or left out"));
        }
        Ok(Self {
            url: Url::parse(url).map_err(|expected| ("url", expected))?,
            status: status.ok_or(("expectStatus", "100 to 599"))?,
            contains: body_contains.clone(),
        })
    }

    pub(super) async fn look(&self, fetch: &dyn Fetch) -> Judged {
        self.judge(&fetch.get(&self.url, self.contains.is_some()).await)
    }

    fn judge(&self, answer: &Result<Answer, Unanswered>) -> Judged {
        let Self { url, status, contains } = self;
        let answer = match answer {
            Ok(answer) => answer,
            Err(Unanswered::Forbidden(why)) => {
                return Judged::unreadable(format!("{url} is not asked: {why}"));
            }
            Err(Unanswered::Failed(why)) => {
                return Judged::failed(format!("{url} does not answer: {why}"));
            }
        };
        if answer.status != *status {
            let redirected = if (300..400).contains(&answer.status) {
                "; redirects are not followed"
            } else {
                ""
            };
            let message = format!("{url} answers {}, not {status}{redirected}", answer.status);
            return Judged::failed(message);
        }
        let holds = |text: &String| {
            let mut windows = answer.body.windows(text.len().max(1));
            windows.any(|window| window == text.as_bytes())
        };
        match contains {
            Some(text) if !holds(text) => Judged::failed(format!(
                "{url} answers {status} without the expected text in its first {} KiB",
                BODY_MAX.checked_div(1_024).unwrap_or(0)
            )),
            Some(_) => Judged::passed(format!("{url} answers {status} with the expected text")),
            None => Judged::passed(format!("{url} answers {status}")),
        }
    }
}

impl Url {
    /// Parses an address.
    ///
    /// # Errors
    ///
    /// What it has to be.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const EXPECTED: &str = "an address like https://api.example.com/health";
        if text.len() > URL_MAX || text.contains('#') {
            return Err(EXPECTED);
        }
        let uri: Uri = text.parse().map_err(|_| EXPECTED)?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) | None => return Err(EXPECTED),
        };
        let authority = uri.authority().ok_or(EXPECTED)?;
        if authority.as_str().contains('@') {
            return Err("an address without user and password");
        }
        let host = authority.host();
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        if bracketed.is_some_and(|host| host.parse::<Ipv6Addr>().is_err()) {
            return Err(EXPECTED);
        }
        let bare = bracketed.unwrap_or(host);
        let host = bare.trim_end_matches('.').to_ascii_lowercase();
        // A port that is none would be overlooked by the library.
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") if secure => 443,
            Some("") => 80,
            Some(rest) => rest.strip_prefix(':').and_then(|port| port.parse().ok()).unwrap_or(0),
            None => 0,
        };
        if host.is_empty() || port == 0 {
            return Err(EXPECTED);
        }
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let target = if target.starts_with('/') { target.into() } else { format!("/{target}") };
        Ok(Self { secure, host, port, target, authority: authority.as_str().to_owned() })
    }
}

impl fmt::Display for Url {
    /// Without the query, which may hold what is nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        let path = self.target.split('?').next().unwrap_or_default();
        write!(f, "{scheme}://{}{path}", self.authority)
    }
}

impl fmt::Display for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answers {}", self.url, self.status)?;
        if self.contains.is_some() {
            f.write_str(" with the expected text")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
