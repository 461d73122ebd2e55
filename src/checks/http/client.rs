//! The client behind HTTP checks and the channels of notices.
//!
//! A request goes out only by https, and only to a host all of whose addresses are public, unless the
//! flag `--allow-http-host` names the host. The name is resolved once, and the connection is made to an
//! address that was looked at, so that no second answer of the name server can lead elsewhere.
//! Redirects are not followed, no proxy is asked. Of an answer leave its status, how long it asks to
//! wait, and as many bytes of its body as the caller reads; nothing of it is in an error.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use http::{
    HeaderMap, Method, Request,
    header::{ACCEPT, CONNECTION, HOST, RETRY_AFTER, USER_AGENT},
};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::{Bytes, Incoming},
    client::conn::http1,
};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::{
    Answer, BODY_MAX, Exchange, Fetch, Outgoing, Reply, Unanswered, Url,
    hosts::{Allowed, AllowedHosts},
    ranges::range,
};

#[cfg(test)]
pub(crate) mod tests;

/// Longest that a connection to one address may take, so that the next one has its turn.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Most addresses of a host that are tried.
const ADDRESSES_MAX: usize = 4;
/// Most headers of an answer.
const HEADERS_MAX: usize = 128;
/// Longest that a peer can make us wait by its word: what lasts longer is asked again meanwhile.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(3_600);
/// Most bytes of an answer's head.
const HEAD_MAX: usize = 64 * 1_024;

/// Asks hosts that may be asked.
pub struct HttpClient {
    hosts: AllowedHosts,
    resolver: Arc<dyn Resolve>,
    tls: TlsConnector,
}

/// Finds the addresses of a host.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// The addresses of a name.
    ///
    /// # Errors
    ///
    /// That of the resolver.
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The resolver of the operating system.
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, port)).await?.collect())
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up TLS for HTTP checks and channels")]
pub struct NoClient(#[source] rustls::Error);

impl HttpClient {
    /// A client with the certificates that the system trusts; `SSL_CERT_FILE` and `SSL_CERT_DIR` take
    /// their place.
    ///
    /// # Errors
    ///
    /// [`NoClient`] when the library for TLS cannot be set up.
    pub fn new(hosts: AllowedHosts) -> Result<Self, NoClient> {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "a trusted certificate for HTTP checks and channels cannot be read");
        }
        Self::with(hosts, Arc::new(SystemResolver), found.certs)
    }

    /// A client with these certificates and this resolver.
    ///
    /// # Errors
    ///
    /// [`NoClient`] when the library for TLS cannot be set up.
    pub fn with(
        hosts: AllowedHosts,
        resolver: Arc<dyn Resolve>,
        trusted: Vec<CertificateDer<'static>>,
    ) -> Result<Self, NoClient> {
        let mut roots = RootCertStore::empty();
        // Damaged ones are skipped: the system's store may hold some that nobody needs.
        roots.add_parsable_certificates(trusted);
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(NoClient)?;
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { hosts, resolver, tls: TlsConnector::from(Arc::new(config)) })
    }

    /// The addresses of a host, all of which may be asked.
    async fn addresses(&self, url: &Url) -> Result<Vec<SocketAddr>, Unanswered> {
        let Url { host, port, secure, .. } = url;
        let allowed = self.hosts.allow(host, *port);
        if !secure && allowed == Allowed::No {
            let why = "only https is used, unless --allow-http-host names the host";
            return Err(Unanswered::Forbidden(why.to_owned()));
        }
        let found = match host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, *port)],
            Err(_) => self.resolver.resolve(host, *port).await.map_err(|error| {
                Unanswered::Failed(format!("its name does not resolve: {}", error.kind()))
            })?,
        };
        for address in &found {
            if let Some(why) = refusal(address.ip(), allowed) {
                return Err(Unanswered::Forbidden(why));
            }
        }
        if found.is_empty() {
            return Err(Unanswered::Failed("its name has no address".to_owned()));
        }
        Ok(found)
    }
}

/// Why an address may not be asked.
fn refusal(address: IpAddr, allowed: Allowed) -> Option<String> {
    let range = range(address)?;
    match allowed {
        Allowed::ByAddress => None,
        Allowed::ByName if !range.needs_literal() => None,
        Allowed::ByName => Some(format!(
            "its address {address} is {range}; --allow-http-host has to name that very address"
        )),
        Allowed::No => Some(format!(
            "its address {address} is {range}; the operator's --allow-http-host can allow the host"
        )),
    }
}

#[async_trait]
impl Fetch for HttpClient {
    async fn get(&self, url: &Url, wants_body: bool) -> Result<Answer, Unanswered> {
        let body_max = if wants_body { BODY_MAX } else { 0 };
        let (method, headers) = (Method::GET, HeaderMap::new());
        let request = Outgoing { method, url, headers, body: Vec::new(), body_max };
        let Reply { status, body, .. } = self.exchange(request).await?;
        Ok(Answer { status, body })
    }
}

#[async_trait]
impl Exchange for HttpClient {
    async fn exchange(&self, request: Outgoing<'_>) -> Result<Reply, Unanswered> {
        let url = request.url;
        let addresses = self.addresses(url).await?;
        let stream = connect(&addresses).await?;
        if !url.secure {
            return exchange(stream, request).await;
        }
        let name = ServerName::try_from(url.host.clone());
        let name = name.map_err(|_| Unanswered::Failed("its name is no name of DNS".into()))?;
        let stream = self.tls.connect(name, stream).await;
        let stream = stream.map_err(|error| Unanswered::Failed(tls_words(&error)))?;
        exchange(stream, request).await
    }
}

async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, Unanswered> {
    let mut why = String::new();
    for address in addresses.iter().take(ADDRESSES_MAX) {
        match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => why = format!("no connection: {}", error.kind()),
            Err(_) => {
                why = format!("no connection within {} s", CONNECT_TIMEOUT.as_secs());
            }
        }
    }
    Err(Unanswered::Failed(why))
}

/// What went wrong with TLS, in our words: certificates hold text of the peer's.
fn tls_words(error: &io::Error) -> String {
    use rustls::{CertificateError as Bad, Error};
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<Error>());
    let Some(Error::InvalidCertificate(bad)) = cause else { return "TLS fails".to_owned() };
    let words = if matches!(bad, Bad::UnknownIssuer) {
        "its certificate is of an unknown issuer"
    } else if matches!(bad, Bad::Expired | Bad::ExpiredContext { .. }) {
        "its certificate has expired"
    } else if matches!(bad, Bad::NotValidForName | Bad::NotValidForNameContext { .. }) {
        "its certificate is for another name"
    } else {
        "its certificate is not valid"
    };
    words.to_owned()
}

/// Sends the request and reads the answer.
async fn exchange<S>(stream: S, request: Outgoing<'_>) -> Result<Reply, Unanswered>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    // What a peer sent is in some of hyper's errors.
    let failed = |_: hyper::Error| Unanswered::Failed("its answer is no HTTP".to_owned());
    let Outgoing { method, url, headers, body, body_max } = request;
    let request = Request::builder()
        .method(method)
        .uri(&url.target)
        .header(HOST, &url.authority)
        .header(USER_AGENT, "groundcrew")
        .header(ACCEPT, "*/*")
        .header(CONNECTION, "close")
        .body(Full::new(Bytes::from(body)));
    let cannot = |_| Unanswered::Failed("it cannot be asked for".to_owned());
    let mut request = request.map_err(cannot)?;
    request.headers_mut().extend(headers);
    let mut builder = http1::Builder::new();
    builder.max_headers(HEADERS_MAX).max_buf_size(HEAD_MAX);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let answered = async move {
        let response = sender.send_request(request).await?;
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers());
        let body = match body_max {
            0 => Vec::new(),
            most => beginning(response.into_body(), most).await?,
        };
        Ok(Reply { status, retry_after, body })
    };
    tokio::pin!(answered);
    tokio::select! {
        biased;
        answer = &mut answered => answer.map_err(failed),
        // It is over when the peer closes; what it had sent is still to be read.
        _ = connection => answered.await.map_err(failed),
    }
}

/// How long the peer asks to wait, in its form of seconds. Nobody has to trust it: it is bounded.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX))
}

/// The first bytes.
async fn beginning(mut body: Incoming, most: usize) -> Result<Vec<u8>, hyper::Error> {
    let mut read = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        let room = most.saturating_sub(read.len());
        read.extend(data.iter().take(room));
        if read.len() >= most {
            break;
        }
    }
    Ok(read)
}
