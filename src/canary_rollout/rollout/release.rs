//! What a spec asks to be served.

use super::{InvalidSpec, invalid};
use crate::{
    api::canary_rollout::{CanaryRolloutSpec, Configuration, Release as RawRelease},
    facts::lambda::{CodeSource, FunctionVersion},
    names,
};

/// Longest that a function may run. Source: Lambda developer guide, quotas.
const TIMEOUT_MAX_SECS: u64 = 900;

/// What shall be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Where it comes from.
    pub source: Source,
    /// CodeSha256 that it must have.
    pub code_sha256: Option<String>,
    /// Settings that the function gets before it is published.
    pub settings: Settings,
}

/// Where a release comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A published version, by its number.
    Version(String),
    /// Whatever `$LATEST` holds.
    Latest,
    /// Code that `$LATEST` gets first.
    Code(CodeSource),
}

/// Settings of a function; what is none stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Memory in MB.
    pub memory_mb: Option<u64>,
    /// Time-out in seconds.
    pub timeout_secs: Option<u64>,
    /// Runtime in Lambda's word.
    pub runtime: Option<String>,
}

impl Settings {
    /// Whether a function has them all.
    #[must_use]
    pub fn are_those_of(&self, function: &FunctionVersion) -> bool {
        let Self { memory_mb, timeout_secs, runtime } = self;
        memory_mb.is_none_or(|memory| memory == function.memory_mb)
            && timeout_secs.is_none_or(|timeout| timeout == function.timeout_secs)
            && runtime.as_ref().is_none_or(|runtime| function.runtime.as_ref() == Some(runtime))
    }
}

impl Release {
    /// Parses `spec.release` and `spec.configuration`.
    ///
    /// # Errors
    ///
    /// [`InvalidSpec`] names the first field that cannot work.
    pub(super) fn parse(spec: &CanaryRolloutSpec) -> Result<Self, InvalidSpec> {
        let source = source(&spec.release)?;
        let settings = match &spec.configuration {
            Some(_) if matches!(source, Source::Version(_)) => {
                return Err(invalid("configuration", "absent beside release.version"));
            }
            Some(configuration)
                if configuration.runtime.is_some()
                    && matches!(source, Source::Code(CodeSource::Image { .. })) =>
            {
                let absent = "absent beside release.image, which brings its own";
                return Err(invalid("configuration.runtime", absent));
            }
            Some(configuration) => settings(configuration)?,
            None => Settings::default(),
        };
        Ok(Self { source, code_sha256: spec.release.code_sha256.clone(), settings })
    }

    /// Hash of what is released. What `$LATEST` holds is asked only where the release is that.
    #[must_use]
    pub fn revision(&self, code_sha256: &str, latest: Option<&FunctionVersion>) -> String {
        let Settings { memory_mb, timeout_secs, runtime } = &self.settings;
        let number = |number: Option<u64>| number.map_or_else(String::new, |n| n.to_string());
        let own = [
            number(memory_mb.or(latest.map(|latest| latest.memory_mb))),
            number(timeout_secs.or(latest.map(|latest| latest.timeout_secs))),
            runtime.clone().or_else(|| latest?.runtime.clone()).unwrap_or_default(),
        ];
        let configured = own.each_ref().map(String::as_str);
        let rest = latest.map_or("", |latest| latest.settings.as_str());
        match &self.source {
            Source::Version(version) => names::revision(&[code_sha256, "", version]),
            Source::Latest => content_revision(code_sha256, configured, rest),
            Source::Code(CodeSource::Image { uri }) => {
                content_revision(&format!("image {}", digest_of(uri)), configured, "")
            }
            Source::Code(CodeSource::S3 { bucket, key, object_version }) => {
                // The guard says more than a name whose content may change.
                let identity = match &self.code_sha256 {
                    Some(code_sha256) => format!("code {code_sha256}"),
                    None => {
                        let version = object_version.as_deref().unwrap_or_default();
                        names::digest(&["s3", bucket, key, version])
                    }
                };
                content_revision(&identity, configured, "")
            }
        }
    }
}

/// Hash of what a function holds: the revision of a release that is just this.
#[must_use]
pub fn held_revision(held: &FunctionVersion) -> String {
    let release =
        Release { source: Source::Latest, code_sha256: None, settings: Settings::default() };
    release.revision(&held.code_sha256, Some(held))
}

fn content_revision(code: &str, configured: [&str; 3], rest: &str) -> String {
    let [memory, timeout, runtime] = configured;
    names::revision(&[code, memory, timeout, runtime, rest])
}

/// The digest of an image, which says what it holds wherever it lies.
#[must_use]
pub fn digest_of(uri: &str) -> &str {
    uri.rsplit_once('@').map_or(uri, |(_, digest)| digest)
}

fn source(raw: &RawRelease) -> Result<Source, InvalidSpec> {
    match raw {
        RawRelease { version: Some(version), latest: None, image: None, s3: None, .. } => {
            let number = !version.starts_with('0')
                && !version.is_empty()
                && version.chars().all(|c| c.is_ascii_digit());
            number
                .then(|| Source::Version(version.clone()))
                .ok_or_else(|| invalid("release.version", "the number of a published version"))
        }
        RawRelease { version: None, latest: Some(true), image: None, s3: None, .. } => {
            Ok(Source::Latest)
        }
        RawRelease { version: None, latest: None, image: Some(image), s3: None, .. } => {
            let digest = image.uri.rsplit_once("@sha256:").map(|(_, digest)| digest);
            let whole =
                |digest: &str| digest.len() == 64 && digest.chars().all(|c| c.is_ascii_hexdigit());
            digest
                .filter(|digest| whole(digest))
                .map(|_| Source::Code(CodeSource::Image { uri: image.uri.clone() }))
                .ok_or_else(|| invalid("release.image.uri", "an image by its sha256 digest"))
        }
        RawRelease { version: None, latest: None, image: None, s3: Some(s3), code_sha256 } => {
            if s3.object_version.is_none() && code_sha256.is_none() {
                let beside = "given, or release.codeSha256 in its place";
                return Err(invalid("release.s3.objectVersion", beside));
            }
            Ok(Source::Code(CodeSource::S3 {
                bucket: s3.bucket.clone(),
                key: s3.key.clone(),
                object_version: s3.object_version.clone(),
            }))
        }
        RawRelease { .. } => Err(invalid("release", "one of version, latest: true, image and s3")),
    }
}

fn settings(raw: &Configuration) -> Result<Settings, InvalidSpec> {
    let Configuration { memory_size, timeout, runtime } = raw;
    let memory_mb = match memory_size {
        Some(mb) if (128..=10_240).contains(mb) => u64::try_from(*mb).ok(),
        Some(_) => return Err(invalid("configuration.memorySize", "128 to 10240")),
        None => None,
    };
    let timeout_secs = timeout.map(|timeout| timeout.as_secs());
    if timeout_secs.is_some_and(|secs| !(1..=TIMEOUT_MAX_SECS).contains(&secs)) {
        return Err(invalid("configuration.timeout", "1s to 15m"));
    }
    Ok(Settings { memory_mb, timeout_secs, runtime: runtime.clone() })
}
