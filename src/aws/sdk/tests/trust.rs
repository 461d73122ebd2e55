//! Which files of certificates are taken.

use std::path::PathBuf;

use super::super::{InvalidEnvironment, ProxySource, SdkConnector, TrustSource};

/// A self-signed root, made for this test; its key is not kept.
const ROOT: &str = "\
-----BEGIN CERTIFICATE-----
MIIBljCCATugAwIBAgIUKqruDdguISb4/qWloVSHBAi7g5UwCgYIKoZIzj0EAwIw
HzEdMBsGA1UEAwwUZ3JvdW5kY3JldyB0ZXN0IHJvb3QwIBcNMjYxMTIwMjIyMTM0
WhgPMjEyNjEwMjcyMjIxMzRaMB8xHTAbBgNVBAMMFGdyb3VuZGNyZXcgdGVzdCBy
b290MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEBaI4UolGfouhqgOJfGcCJupX
vqyW/n7dL9cqvvr8utfeaw5baUABY+fS7eqXXZwjC1Eudx5C5xvgCXcQalx5IaNT
MFEwHQYDVR0OBBYEFLZzlb3Ktvjgrll+nCtTeFM+lSAQMB8GA1UdIwQYMBaAFLZz
lb3Ktvjgrll+nCtTeFM+lSAQMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwID
SQAwRgIhANwzKRXqeRUaAptn6uQL+2MxDnkcKtu2sacCcLJfVusEAiEA0N6Cu+N9
ZDQR3oqes3obOPxC9aQByrlGcmxxKEGQcCI=
-----END CERTIFICATE-----
";

/// A file that is gone at the end of the test.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let name = format!("groundcrew-trust-{}-{name}.pem", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn trusting(trust: TrustSource) -> Result<SdkConnector, InvalidEnvironment> {
    SdkConnector::new(&trust, &ProxySource::default())
}

#[test]
fn a_bundle_holds_good_certificates_only() {
    let damaged = ROOT.replacen("MII", "AAA", 1);
    for (name, text, problem) in [
        ("good", ROOT.to_owned(), None),
        ("two", format!("# a comment\n{ROOT}{ROOT}"), None),
        ("empty", String::new(), Some("no certificate")),
        ("key", ROOT.replace("CERTIFICATE", "PRIVATE KEY"), Some("no certificate")),
        ("mixed", format!("{ROOT}{damaged}"), Some("cannot be parsed")),
        ("damaged", damaged.clone(), Some("cannot be parsed")),
    ] {
        let file = File::new(name, &text);
        let made = trusting(TrustSource::Bundle(file.0.clone()));
        match (made.err().map(|error| error.to_string()), problem) {
            (None, None) => {}
            (Some(error), Some(problem)) => {
                assert!(error.contains("AWS_CA_BUNDLE") && error.contains(problem), "{error}");
            }
            (error, _) => panic!("{name}: {error:?}"),
        }
    }
}

#[test]
fn a_damaged_certificate_among_the_systems_is_skipped() {
    let file = File::new("system", &format!("{ROOT}{}", ROOT.replacen("MII", "AAA", 1)));
    assert!(trusting(TrustSource::CertFile(file.0.clone())).is_ok());
    let gone = std::env::temp_dir().join("groundcrew-trust-is-not-there.pem");
    let error = trusting(TrustSource::CertFile(gone)).err().unwrap();
    assert!(error.to_string().contains("SSL_CERT_FILE"), "{error}");
    assert!(crate::error::chain(&error).contains("cannot be read"), "{error}");
}
