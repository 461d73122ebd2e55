//! Real connections to servers of this process, and names that lead where they should not.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::{ServerConfig, pki_types::PrivatePkcs8KeyDer};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use super::*;

/// A resolver that knows these names, and counts.
#[derive(Default)]
pub(crate) struct Names {
    known: HashMap<&'static str, Vec<IpAddr>>,
    asked: AtomicUsize,
}

#[async_trait]
impl Resolve for Names {
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let before = self.asked.fetch_add(1, Ordering::Relaxed);
        if host == "rebind.test" && before > 0 {
            return Ok(vec![SocketAddr::new("10.0.0.1".parse().unwrap(), port)]);
        }
        let known = self.known.get(host).ok_or(io::ErrorKind::NotFound)?;
        Ok(known.iter().map(|address| SocketAddr::new(*address, port)).collect())
    }
}

pub(crate) fn names(known: &[(&'static str, &[&str])]) -> Arc<Names> {
    let addresses = |all: &[&str]| all.iter().map(|text| text.parse().unwrap()).collect();
    let known = known.iter().map(|(name, all)| (*name, addresses(all))).collect();
    Arc::new(Names { known, ..Names::default() })
}

fn client(allowed: &[&str], names: &Arc<Names>) -> HttpClient {
    let hosts = AllowedHosts::parse(allowed.iter().copied()).unwrap();
    HttpClient::with(hosts, Arc::clone(names) as Arc<dyn Resolve>, vec![]).unwrap()
}

async fn get(client: &HttpClient, url: &str) -> Result<Answer, Unanswered> {
    client.get(&Url::parse(url).unwrap(), true).await
}

/// A server on loopback that gives every connection this answer.
pub(crate) struct Server {
    pub(crate) port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

pub(crate) async fn server(answer: &'static [u8], tls: Option<ServerConfig>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    let acceptor = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            match &acceptor {
                None => serve(stream, answer, &seen).await,
                Some(acceptor) => match acceptor.accept(stream).await {
                    Ok(stream) => serve(stream, answer, &seen).await,
                    Err(_) => continue,
                },
            }
        }
    });
    Server { port, requests }
}

async fn serve<S>(mut stream: S, answer: &[u8], seen: &Mutex<Vec<String>>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut head = Vec::new();
    let mut buffer = [0; 1_024];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let read = stream.read(&mut buffer).await.unwrap();
        assert!(read > 0, "the request ends early");
        head.extend_from_slice(&buffer[..read]);
    }
    seen.lock().unwrap().push(String::from_utf8(head).unwrap());
    // Who only wants the head may be gone.
    let _ = stream.write_all(answer).await;
    let _ = stream.shutdown().await;
}

impl Server {
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn a_name_with_an_address_that_is_not_public_is_refused_and_never_asked() {
    let server = server(b"HTTP/1.1 200 OK\r\n\r\n", None).await;
    let names = names(&[
        ("loopback.test", &["127.0.0.1"]),
        ("private.test", &["10.1.2.3"]),
        ("metadata.test", &["169.254.169.254"]),
        ("pods.test", &["100.64.0.1"]),
        ("six.test", &["::1"]),
        ("ula.test", &["fd00:ec2::254"]),
        ("mapped.test", &["::ffff:127.0.0.1"]),
        ("zero.test", &["0.0.0.0"]),
        ("mixed.test", &["93.184.215.14", "127.0.0.1"]),
        // How the C library reads such a host.
        ("2130706433", &["127.0.0.1"]),
        ("0x7f.1", &["127.0.0.1"]),
    ]);
    let client = client(&[], &names);
    let literals = ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1", "0.0.0.0", "[::]"];
    for host in names.known.keys().copied().chain(literals) {
        let answer = get(&client, &format!("https://{host}:{}/", server.port)).await;
        let Err(Unanswered::Forbidden(why)) = answer else { panic!("{host}: {answer:?}") };
        assert!(why.contains("its address ") && why.contains("--allow-http-host"), "{why}");
    }
    assert_eq!(server.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn plain_http_is_for_hosts_that_are_named() {
    let server = server(b"HTTP/1.1 200 OK\r\n\r\n", None).await;
    let names = names(&[("public.test", &["93.184.215.14"]), ("inside.test", &["127.0.0.1"])]);
    let none = client(&[], &names);
    for host in ["public.test", "inside.test", "127.0.0.1"] {
        let answer = get(&none, &format!("http://{host}:{}/", server.port)).await;
        let Err(Unanswered::Forbidden(why)) = answer else { panic!("{host}: {answer:?}") };
        assert!(why.contains("only https"), "{why}");
    }
    let pattern = format!("127.0.0.1:{}", server.port);
    for (allowed, host) in
        [("inside.test", "inside.test"), ("*.test", "inside.test"), (&*pattern, "127.0.0.1")]
    {
        let client = client(&[allowed], &names);
        let answer = get(&client, &format!("http://{host}:{}/", server.port)).await;
        assert_eq!(answer, Ok(Answer { status: 200, body: vec![] }), "{allowed}");
    }
}

#[tokio::test]
async fn a_host_that_is_allowed_by_name_still_has_no_address_of_the_link() {
    let names = names(&[
        ("metadata.test", &["169.254.169.254"]),
        ("eks.test", &["fd00:ec2::23"]),
        ("zero.test", &["0.0.0.0"]),
        ("mapped.test", &["::ffff:10.0.0.1"]),
    ]);
    let client = client(&["*"], &names);
    for host in ["metadata.test", "eks.test", "zero.test", "mapped.test", "169.254.169.254"] {
        let answer = get(&client, &format!("http://{host}:1/")).await;
        let Err(Unanswered::Forbidden(why)) = answer else { panic!("{host}: {answer:?}") };
        assert!(why.contains("that very address"), "{why}");
    }
}

#[tokio::test]
async fn a_name_is_resolved_once_and_that_address_is_asked() {
    let server = server(b"HTTP/1.1 204 No Content\r\n\r\n", None).await;
    let names = names(&[("rebind.test", &["127.0.0.1"])]);
    let client = client(&["rebind.test"], &names);
    let answer = get(&client, &format!("http://rebind.test:{}/", server.port)).await;
    assert_eq!(answer, Ok(Answer { status: 204, body: vec![] }));
    assert_eq!(names.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let answer = b"HTTP/1.1 302 Found\r\nLocation: /secret\r\nContent-Length: 0\r\n\r\n";
    let server = server(answer, None).await;
    let client = client(&["127.0.0.1"], &names(&[]));
    let answer = get(&client, &format!("http://127.0.0.1:{}/", server.port)).await.unwrap();
    assert_eq!(answer.status, 302);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_request_carries_nothing_of_ours() {
    let server = server(b"HTTP/1.1 200 OK\r\n\r\nfine", None).await;
    let names = names(&[("inside.test", &["127.0.0.1"])]);
    let client = client(&["inside.test"], &names);
    let answer = get(&client, &format!("http://inside.test:{}/a?b=c", server.port)).await.unwrap();
    assert_eq!(answer.body, b"fine");
    let expected = format!(
        "GET /a?b=c HTTP/1.1\r\nhost: inside.test:{}\r\nuser-agent: groundcrew\r\naccept: */*\r\n\
         connection: close\r\n\r\n",
        server.port
    );
    assert_eq!(server.requests(), [expected]);
}

#[tokio::test]
async fn a_request_that_carries_something_goes_to_the_same_hosts_only() {
    let server =
        server(b"HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 6\r\n\r\nslowly", None)
            .await;
    let names = names(&[("inside.test", &["127.0.0.1"])]);
    let url = Url::parse(&format!("http://inside.test:{}/hook", server.port)).unwrap();
    let request = |body_max| {
        let mut headers = HeaderMap::new();
        headers.insert("x-one", "1".parse().unwrap());
        Outgoing { method: Method::POST, url: &url, headers, body: b"{}".to_vec(), body_max }
    };
    let stranger = client(&[], &names).exchange(request(9)).await;
    assert!(matches!(stranger, Err(Unanswered::Forbidden(_))), "{stranger:?}");
    assert_eq!(server.requests(), Vec::<String>::new());
    let client = client(&["inside.test"], &names);
    let reply = client.exchange(request(4)).await.unwrap();
    let retry_after = Some(Duration::from_secs(7));
    assert_eq!(reply, Reply { status: 429, retry_after, body: b"slow".to_vec() });
    assert_eq!(client.exchange(request(0)).await.unwrap().body, b"");
    let sent = &server.requests()[0];
    assert!(sent.starts_with("POST /hook HTTP/1.1\r\n"), "{sent}");
    assert!(sent.contains("\r\nx-one: 1\r\n") && sent.contains("\r\ncontent-length: 2\r\n"));
}

#[test]
fn what_a_peer_asks_to_wait_is_bounded() {
    let told = |text: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, text.parse().unwrap());
        retry_after(&headers).map(|wait| wait.as_secs())
    };
    assert_eq!(told("30"), Some(30));
    assert_eq!(told("99999999"), Some(3_600));
    for odd in ["-1", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT", ""] {
        assert_eq!(told(odd), None, "{odd}");
    }
}

#[tokio::test]
async fn no_more_of_a_body_is_read_than_is_looked_at() {
    static LONG: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
        let mut answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n".to_vec();
        answer.resize(answer.len() + 8 * BODY_MAX, b'a');
        answer
    });
    let server = server(&LONG, None).await;
    let client = client(&["127.0.0.1"], &names(&[]));
    let url = format!("http://127.0.0.1:{}/", server.port);
    assert_eq!(get(&client, &url).await.unwrap().body.len(), BODY_MAX);
    let answer = client.get(&Url::parse(&url).unwrap(), false).await;
    assert_eq!(answer, Ok(Answer { status: 200, body: vec![] }));
}

#[tokio::test]
async fn what_a_peer_sends_is_not_told() {
    for garbage in
        [&b"SECRET garbage\r\n\r\n"[..], b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"]
    {
        let server = server(garbage, None).await;
        let client = client(&["127.0.0.1"], &names(&[]));
        let answer = get(&client, &format!("http://127.0.0.1:{}/", server.port)).await;
        assert_eq!(answer, Err(Unanswered::Failed("its answer is no HTTP".into())));
    }
}

#[tokio::test]
async fn a_host_that_is_not_there_does_not_answer() {
    let names = names(&[("nothing.test", &[])]);
    let client = client(&["127.0.0.1"], &names);
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    for (url, why) in [
        (format!("http://127.0.0.1:{closed}/"), "no connection: connection refused"),
        ("https://unknown.test/".to_owned(), "its name does not resolve: entity not found"),
        ("https://nothing.test/".to_owned(), "its name has no address"),
    ] {
        assert_eq!(get(&client, &url).await, Err(Unanswered::Failed(why.into())), "{url}");
    }
}

/// An authority, and a server's certificate of it for these names.
pub(crate) fn certificates(
    issuer: &str,
    names: &[&str],
    expired: bool,
) -> (CertificateDer<'static>, ServerConfig) {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(vec![]).unwrap();
    authority.distinguished_name.push(DnType::CommonName, issuer);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    if expired {
        params.not_before = rcgen::date_time_ymd(2001, 1, 1);
        params.not_after = rcgen::date_time_ymd(2002, 1, 1);
    }
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        );
    (root.der().clone(), config.unwrap())
}

#[tokio::test]
async fn a_certificate_must_be_of_a_trusted_issuer_for_the_name_and_in_time() {
    let names = names(&[("api.test", &["127.0.0.1"]), ("other.test", &["127.0.0.1"])]);
    let hosts = AllowedHosts::parse(["*.test", "127.0.0.1"]).unwrap();
    let (root, good) = certificates("good", &["api.test", "127.0.0.1"], false);
    let (_, stranger) = certificates("stranger", &["api.test"], false);
    let (old_root, old) = certificates("old", &["api.test"], true);
    let resolver = || Arc::clone(&names) as Arc<dyn Resolve>;
    let client = HttpClient::with(hosts, resolver(), vec![root, old_root]).unwrap();
    let good = server(b"HTTP/1.1 200 OK\r\n\r\nfine", Some(good)).await;
    let stranger = server(b"HTTP/1.1 200 OK\r\n\r\n", Some(stranger)).await;
    let old = server(b"HTTP/1.1 200 OK\r\n\r\n", Some(old)).await;
    for host in ["api.test", "127.0.0.1"] {
        let answer = get(&client, &format!("https://{host}:{}/", good.port)).await;
        assert_eq!(answer, Ok(Answer { status: 200, body: b"fine".into() }), "{host}");
    }
    for (host, server, why) in [
        ("other.test", &good, "its certificate is for another name"),
        ("api.test", &stranger, "its certificate is of an unknown issuer"),
        ("api.test", &old, "its certificate has expired"),
    ] {
        let answer = get(&client, &format!("https://{host}:{}/", server.port)).await;
        assert_eq!(answer, Err(Unanswered::Failed(why.into())));
    }
}
