//! Which calls go through a proxy.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    time::timeout,
};

use super::{
    super::{ProxySource, SdkConnector, TrustSource, config::client},
    *,
};

const PASSWORD: &str = "opensesame";

/// How the first connection to a listener begins; it is closed then.
async fn begins(listener: &TcpListener) -> Vec<u8> {
    let (mut socket, _) = listener.accept().await.unwrap();
    let mut begun = vec![0; 512];
    let length = socket.read(&mut begun).await.unwrap();
    let _ = socket.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await;
    begun.truncate(length);
    begun
}

async fn listens() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// What the proxy, or who is called, gets of a call to `scheme`.
async fn first_bytes(scheme: &str, except: Option<&str>) -> (&'static str, String) {
    let ((proxy, at), (called, to)) = (listens().await, listens().await);
    let address = format!("http://me:{PASSWORD}@{at}");
    let source = ProxySource { address: Some(address), except: except.map(str::to_owned) };
    let http = client(&TrustSource::System, &source).unwrap();
    let credentials = Credentials::new("AKIDEXAMPLE", SECRET, None, None, "test");
    let config = loader("eu-central-1", http)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(format!("{scheme}://{to}"))
        .load()
        .await;
    let target = Target { region: "eu-central-1".into(), role: None };
    let sts = ports(&config, &target).sts;
    let call = sts.get_caller_account();
    let seen = async {
        let (who, begun) = tokio::select! {
            begun = begins(&proxy) => ("proxy", begun),
            begun = begins(&called) => ("called", begun),
        };
        (who, String::from_utf8_lossy(&begun).replace(&to, "AWS"))
    };
    let (answer, seen) = tokio::join!(call, timeout(Duration::from_secs(10), seen));
    let error = answer.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(PASSWORD), "{error:?}");
    seen.unwrap_or_else(|_| panic!("nobody was called: {error:?}"))
}

#[tokio::test]
async fn calls_over_tls_go_through_the_proxy_but_for_the_hosts_that_are_excepted() {
    let (who, begun) = first_bytes("https", None).await;
    assert_eq!(who, "proxy");
    assert!(begun.starts_with("CONNECT AWS HTTP/1.1\r\n"), "{begun}");
    assert!(begun.to_lowercase().contains("proxy-authorization: basic "), "{begun}");

    let (who, begun) = first_bytes("https", Some("example.com,127.0.0.1")).await;
    assert_eq!(who, "called");
    assert!(begun.starts_with('\u{16}'), "a TLS handshake begins: {begun:?}");

    let (who, begun) = first_bytes("http", None).await;
    assert_eq!(who, "called", "{begun}");
    assert!(begun.starts_with("POST / HTTP/1.1"), "{begun}");
}

#[test]
fn an_address_that_is_none_is_refused_without_being_told() {
    let made = |address: &str| {
        let source = ProxySource { address: Some(address.to_owned()), except: None };
        SdkConnector::new(&TrustSource::System, &source)
    };
    for address in ["http://proxy:3128", "https://me:word@proxy", "proxy.example.com:3128"] {
        assert!(made(address).is_ok(), "{address}");
    }
    for address in [
        "socks5://proxy:1080",
        "http://",
        "http://a b",
        "me:secret word@proxy",
        "http://me:secret/word@proxy",
    ] {
        let error = made(address).err().unwrap();
        let told = format!("{} {error:?}", crate::error::chain(&error));
        assert!(told.contains("HTTPS_PROXY is not the address of a proxy"), "{told}");
        assert!(!told.contains("secret"), "{told}");
    }
}
