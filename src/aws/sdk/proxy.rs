//! The proxy that calls to AWS go through.

use aws_smithy_http_client::proxy::ProxyConfig;
use http::Uri;

/// A proxy for calls over TLS. Its address may hold a password: nothing here shows it.
#[derive(Clone, Default)]
pub struct ProxySource {
    /// Address of the proxy; none: calls go straight to AWS.
    pub address: Option<String>,
    /// Hosts that are called without it, as in `NO_PROXY`.
    pub except: Option<String>,
}

/// An address that is none of a proxy.
#[derive(Debug, thiserror::Error)]
#[error("HTTPS_PROXY is not the address of a proxy: write one like http://proxy.example.com:3128")]
pub struct InvalidProxy;

impl ProxySource {
    /// What `HTTPS_PROXY` and `NO_PROXY` say, or the same in small letters; an empty variable says
    /// nothing. What is called without TLS stands on the node or is a stand-in, and needs no proxy.
    #[must_use]
    pub fn from_environment() -> Self {
        let of = |names: [&str; 2]| {
            let mut values = names.into_iter().filter_map(|name| std::env::var(name).ok());
            values.find(|value| !value.is_empty())
        };
        Self { address: of(["HTTPS_PROXY", "https_proxy"]), except: of(["NO_PROXY", "no_proxy"]) }
    }

    pub(super) fn config(&self) -> Result<ProxyConfig, InvalidProxy> {
        let Some(address) = &self.address else { return Ok(ProxyConfig::disabled()) };
        // As everywhere, an address without a scheme is one of a proxy that is spoken to without TLS.
        let address = match address.contains("://") {
            true => address.clone(),
            false => format!("http://{address}"),
        };
        let address: Uri = address.parse().map_err(|_| InvalidProxy)?;
        // One with a path is a mistake: in a password that was not encoded a slash ends the host.
        if address.path_and_query().is_some_and(|path| path != "/") {
            return Err(InvalidProxy);
        }
        let config = ProxyConfig::https(address).map_err(|_| InvalidProxy)?;
        Ok(match &self.except {
            Some(hosts) => config.no_proxy(hosts),
            None => config,
        })
    }
}
