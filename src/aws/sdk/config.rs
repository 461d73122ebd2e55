//! How the SDK is set up: trust, credentials, time-outs, no retries.

use std::{
    collections::HashMap,
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use aws_config::{
    AppName, BehaviorVersion, ConfigLoader, Region, SdkConfig, identity::IdentityCache,
    retry::RetryConfig, sts::AssumeRoleProvider, timeout::TimeoutConfig,
};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_lambda::config::retry::RetryPartition;
use aws_smithy_http_client::{
    Builder, Connector as HttpConnector,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tokio::sync::Mutex;

use super::{
    alarms::SdkAlarms,
    auto_scaling::SdkAutoScaling,
    cloudwatch::SdkCloudWatch,
    codedeploy::SdkCodeDeploy,
    dynamodb::SdkDynamoDb,
    ecs::SdkEcs,
    error::Identity,
    lambda::SdkLambda,
    proxy::{InvalidProxy, ProxySource},
    rds::SdkRds,
    sns::SdkSns,
    ssm::SdkSsm,
    sts::SdkSts,
};
use crate::aws::{
    Error,
    accounts::{Connector, Ports, Role, Target},
    gate::CALL_TIMEOUT,
};

/// Longest that a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Longest that credentials may take. Less than [`CALL_TIMEOUT`], of which it is a part, so that the
/// error can say what was slow.
pub const CREDENTIALS_TIMEOUT: Duration = Duration::from_millis(3_500);

/// Most regions whose base configuration is kept: more than AWS has in one partition.
const BASES_KEPT: usize = 64;

/// Where the trusted certificates come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustSource {
    /// `AWS_CA_BUNDLE`: these certificates and no others, as in AWS's other tools.
    Bundle(PathBuf),
    /// `SSL_CERT_FILE`: these, and those of `SSL_CERT_DIR` if that is set.
    CertFile(PathBuf),
    /// The operating system's.
    System,
}

/// A file of certificates that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{variable} names {}, {problem}", path.display())]
pub struct InvalidTrust {
    variable: &'static str,
    path: PathBuf,
    problem: Problem,
    #[source]
    source: Option<io::Error>,
}

/// An environment that calls to AWS cannot be made in.
#[derive(Debug, thiserror::Error)]
pub enum InvalidEnvironment {
    /// The trusted certificates.
    #[error(transparent)]
    Trust(#[from] InvalidTrust),
    /// The proxy.
    #[error(transparent)]
    Proxy(#[from] InvalidProxy),
}

#[derive(Clone, Copy, Debug)]
enum Problem {
    Unreadable,
    Empty,
    Damaged,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "which cannot be read",
            Self::Empty => "which holds no certificate in PEM format",
            Self::Damaged => "which holds a certificate that cannot be parsed: remove that one",
        })
    }
}

/// Connects to AWS through its SDK. All clients share one pool of connections.
pub struct SdkConnector {
    http: SharedHttpClient,
    /// By region: what roles are assumed from.
    bases: Mutex<HashMap<String, SdkConfig>>,
}

impl SdkConnector {
    /// Reads the trusted certificates and the proxy; everything else is read when it is first needed,
    /// from the usual environment of AWS's tools: credentials, profiles, `AWS_ENDPOINT_URL` and its like.
    ///
    /// # Errors
    ///
    /// [`InvalidEnvironment`] when the file of certificates or the proxy cannot be used.
    pub fn from_environment() -> Result<Self, InvalidEnvironment> {
        Self::new(&TrustSource::from_environment(), &ProxySource::from_environment())
    }

    /// The same with what was read before.
    ///
    /// # Errors
    ///
    /// As for [`Self::from_environment`].
    pub fn new(trust: &TrustSource, proxy: &ProxySource) -> Result<Self, InvalidEnvironment> {
        Ok(Self { http: client(trust, proxy)?, bases: Mutex::default() })
    }

    /// What roles of this region are assumed from.
    pub(super) async fn base(&self, region: &str) -> SdkConfig {
        let mut bases = self.bases.lock().await;
        if let Some(base) = bases.get(region) {
            return base.clone();
        }
        if bases.len() >= BASES_KEPT {
            bases.clear();
        }
        let base = loader(region, self.http.clone()).load().await;
        bases.insert(region.to_owned(), base.clone());
        base
    }
}

#[async_trait]
impl Connector for SdkConnector {
    async fn connect(&self, target: &Target) -> Result<Ports, Error> {
        Ok(match &target.role {
            Some(role) => {
                let base = self.base(&target.region).await;
                ports(&assume(&base, role).await, target)
            }
            // Loaded anew, so that no credentials are left of a former session.
            None => ports(&loader(&target.region, self.http.clone()).load().await, target),
        })
    }
}

/// The HTTP client of all clients.
pub(super) fn client(
    trust: &TrustSource,
    proxy: &ProxySource,
) -> Result<SharedHttpClient, InvalidEnvironment> {
    let context = TlsContext::builder().with_trust_store(trust.store()?).build();
    // The context's builder has nothing left that can fail: the store is checked.
    let context = context.unwrap_or_default();
    let proxy = proxy.config()?;
    Ok(Builder::new().build_with_connector_fn(move |settings, _| {
        let mut connector = HttpConnector::builder().proxy_config(proxy.clone());
        connector.set_connector_settings(settings.cloned());
        connector
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .tls_context(context.clone())
            .build()
    }))
}

/// The settings of every client, and the usual chain of credentials.
pub(super) fn loader(region: &str, http: SharedHttpClient) -> ConfigLoader {
    let loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        // Always given, so that nothing asks the instance metadata service for one.
        .region(Region::new(region.to_owned()))
        .http_client(http)
        // Retries live above the ports. Off for what credentials providers send, too: the SDK's
        // retry quota is one for all accounts of a region.
        .retry_config(RetryConfig::disabled())
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .operation_attempt_timeout(CALL_TIMEOUT)
                .build(),
        )
        .identity_cache(identity_cache());
    match AppName::new(concat!("groundcrew-", env!("CARGO_PKG_VERSION"))) {
        Ok(name) => loader.app_name(name),
        Err(_) => loader,
    }
}

fn identity_cache() -> aws_sdk_lambda::config::SharedIdentityCache {
    IdentityCache::lazy().load_timeout(CREDENTIALS_TIMEOUT).build()
}

/// The base configuration with the credentials of a role, in a cache of their own.
pub(super) async fn assume(base: &SdkConfig, role: &Role) -> SdkConfig {
    let Role { arn, external_id, session_name, tags } = role;
    let provider = AssumeRoleProvider::builder(arn)
        .configure(base)
        .external_id(external_id)
        .session_name(session_name)
        .tags(tags.iter().cloned())
        .build()
        .await;
    base.to_builder()
        .credentials_provider(SharedCredentialsProvider::new(provider))
        .identity_cache(identity_cache())
        .build()
}

pub(super) fn ports(config: &SdkConfig, target: &Target) -> Ports {
    let (identity, name) = match &target.role {
        Some(role) => (Identity::Role(Arc::from(role.arn.as_str())), role.arn.as_str()),
        None => (Identity::Own, "own"),
    };
    // The default quota is shared by all accounts of a region. With retries off nothing draws on
    // it; if they are ever turned on, one throttled account must not starve the others.
    let partition = |service: &str| {
        RetryPartition::custom(format!("{service}/{}/{name}", target.region)).build()
    };
    let auto_scaling = aws_sdk_applicationautoscaling::config::Builder::from(config)
        .retry_partition(partition("application-autoscaling"));
    let cloudwatch =
        aws_sdk_cloudwatch::config::Builder::from(config).retry_partition(partition("cloudwatch"));
    let codedeploy =
        aws_sdk_codedeploy::config::Builder::from(config).retry_partition(partition("codedeploy"));
    let dynamodb =
        aws_sdk_dynamodb::config::Builder::from(config).retry_partition(partition("dynamodb"));
    let ecs = aws_sdk_ecs::config::Builder::from(config).retry_partition(partition("ecs"));
    let lambda = aws_sdk_lambda::config::Builder::from(config).retry_partition(partition("lambda"));
    let rds = aws_sdk_rds::config::Builder::from(config).retry_partition(partition("rds"));
    let sns = aws_sdk_sns::config::Builder::from(config).retry_partition(partition("sns"));
    let ssm = aws_sdk_ssm::config::Builder::from(config).retry_partition(partition("ssm"));
    let sts = aws_sdk_sts::config::Builder::from(config).retry_partition(partition("sts"));
    let cloudwatch = aws_sdk_cloudwatch::Client::from_conf(cloudwatch.build());
    Ports {
        alarms: Arc::new(SdkAlarms::new(cloudwatch.clone(), identity.clone())),
        auto_scaling: Arc::new(SdkAutoScaling::new(
            aws_sdk_applicationautoscaling::Client::from_conf(auto_scaling.build()),
            identity.clone(),
        )),
        cloudwatch: Arc::new(SdkCloudWatch::new(cloudwatch, identity.clone())),
        codedeploy: Arc::new(SdkCodeDeploy::new(
            aws_sdk_codedeploy::Client::from_conf(codedeploy.build()),
            identity.clone(),
        )),
        dynamodb: Arc::new(SdkDynamoDb::new(
            aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
            identity.clone(),
        )),
        ecs: Arc::new(SdkEcs::new(aws_sdk_ecs::Client::from_conf(ecs.build()), identity.clone())),
        lambda: Arc::new(SdkLambda::new(
            aws_sdk_lambda::Client::from_conf(lambda.build()),
            identity.clone(),
        )),
        rds: Arc::new(SdkRds::new(aws_sdk_rds::Client::from_conf(rds.build()), identity.clone())),
        sns: Arc::new(SdkSns::new(aws_sdk_sns::Client::from_conf(sns.build()), identity.clone())),
        ssm: Arc::new(SdkSsm::new(aws_sdk_ssm::Client::from_conf(ssm.build()), identity.clone())),
        sts: Arc::new(SdkSts::new(aws_sdk_sts::Client::from_conf(sts.build()), identity)),
    }
}

impl TrustSource {
    /// What the environment says; an empty variable says nothing.
    #[must_use]
    pub fn from_environment() -> Self {
        let path = |variable: &str| {
            std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
        };
        path("AWS_CA_BUNDLE")
            .map(Self::Bundle)
            .or_else(|| path("SSL_CERT_FILE").map(Self::CertFile))
            .unwrap_or(Self::System)
    }

    /// Checks the files here: the HTTP client panics on a bad one, at the first call.
    fn store(&self) -> Result<TrustStore, InvalidTrust> {
        match self {
            Self::Bundle(path) => {
                let (pem, certificates) = read("AWS_CA_BUNDLE", path)?;
                if certificates.damaged > 0 {
                    return Err(invalid("AWS_CA_BUNDLE", path, Problem::Damaged, None));
                }
                Ok(TrustStore::empty().with_pem_certificate(pem))
            }
            // The system's store reads these variables itself, and skips what is damaged.
            Self::CertFile(path) => read("SSL_CERT_FILE", path).map(|_| TrustStore::default()),
            Self::System => Ok(TrustStore::default()),
        }
    }
}

#[derive(Default)]
struct Certificates {
    good: usize,
    damaged: usize,
}

/// Reads a PEM file that must hold at least one good certificate.
fn read(variable: &'static str, path: &Path) -> Result<(Vec<u8>, Certificates), InvalidTrust> {
    let pem = std::fs::read(path)
        .map_err(|error| invalid(variable, path, Problem::Unreadable, Some(error)))?;
    let mut roots = RootCertStore::empty();
    let mut found = Certificates::default();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let count = match certificate.ok().map(|certificate| roots.add(certificate)) {
            Some(Ok(())) => &mut found.good,
            Some(Err(_)) | None => &mut found.damaged,
        };
        *count = count.saturating_add(1);
    }
    match found {
        Certificates { good: 0, damaged: 0 } => Err(invalid(variable, path, Problem::Empty, None)),
        Certificates { good: 0, .. } => Err(invalid(variable, path, Problem::Damaged, None)),
        found => Ok((pem, found)),
    }
}

fn invalid(
    variable: &'static str,
    path: &Path,
    problem: Problem,
    source: Option<io::Error>,
) -> InvalidTrust {
    InvalidTrust { variable, path: path.to_owned(), problem, source }
}
