//! The function behind the alias: what `$LATEST` holds, its versions, and how long things take.

use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

use groundcrew::{
    aws::Class,
    facts::{
        lambda::{
            Changed, CodeChange, CodeSource, ConfigurationChange, FunctionState, FunctionVersion,
            Invocation, LastUpdate, Publication, Snapshot,
        },
        surplus::ListedVersion,
    },
    names::{self, Owner},
};
use tokio::time::Instant;

use super::{CLUSTER, FUNCTION};

/// What is changed, and published.
pub const LATEST: &str = "$LATEST";
/// Longest description that Lambda keeps. Source: Lambda API reference, UpdateAlias, PublishVersion.
const DESCRIPTION_MAX: usize = 256;
/// Least and most memory in MB, and time-out in seconds. Source: Lambda quotas.
const MEMORY: RangeInclusive<u64> = 128..=10_240;
const TIMEOUT: RangeInclusive<u64> = 1..=900;

/// How long an update of `$LATEST` takes, and a version until it can be invoked.
const SLOW: Duration = Duration::from_secs(8);

/// Why a call is refused: its class, and AWS's code.
pub type Refusal = (Class, &'static str);

pub const BUSY: Refusal = (Class::Conflict, "ResourceConflictException");
pub const STALE: Refusal = (Class::Stale, "PreconditionFailedException");
pub const INVALID: Refusal = (Class::Invalid, "InvalidParameterValueException");
pub const MISSING: Refusal = (Class::NotFound, "ResourceNotFoundException");
/// What breaks a bound of the API: told before anything is looked at.
pub const MALFORMED: Refusal = (Class::Invalid, "ValidationException");

/// There is one function.
pub fn known(function: &str) -> Result<(), Refusal> {
    if function == FUNCTION { Ok(()) } else { Err(MISSING) }
}

/// A description has its bounds.
pub fn described(description: &str) -> Result<(), Refusal> {
    if description.chars().count() <= DESCRIPTION_MAX { Ok(()) } else { Err(MALFORMED) }
}

/// What a version is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Content {
    code_sha256: String,
    image: Option<String>,
    memory_mb: u64,
    timeout_secs: u64,
    /// None for images.
    runtime: Option<String>,
}

/// A published version.
#[derive(Clone, Debug)]
struct Version {
    content: Content,
    description: String,
    active_at: Instant,
}

/// The function.
#[derive(Debug)]
pub struct Functions {
    latest: Content,
    /// When what `$LATEST` says comes into force, and what stays if it fails.
    updating: Option<(Instant, Content)>,
    /// Whether updates of its code fail, and whether the last one did.
    pub update_fails: bool,
    update_failed: bool,
    revision: u64,
    versions: BTreeMap<u64, Version>,
    /// The version that was published last, and what it was made of; numbers never come again.
    published: (u64, Content),
    /// The version that has another execution role, if one does.
    pub odd_role: Option<&'static str>,
    /// How the next invocations go.
    pub invocation: Invocation,
}

impl Functions {
    /// Versions 42 to 45; `$LATEST` holds what 45 holds.
    pub fn new() -> Self {
        Self::numbered(42..=45)
    }

    /// These versions; `$LATEST` holds what the last one holds.
    pub fn numbered(versions: RangeInclusive<u64>) -> Self {
        let made_of = |version: u64| content(&format!("sha-of-{version}"));
        let published = |version: u64| Version {
            content: made_of(version),
            description: String::new(),
            active_at: Instant::now(),
        };
        let last = *versions.end();
        Self {
            latest: made_of(last),
            updating: None,
            update_fails: false,
            update_failed: false,
            revision: 0,
            versions: versions.map(|version| (version, published(version))).collect(),
            published: (last, made_of(last)),
            odd_role: None,
            invocation: answered(200),
        }
    }

    /// The function and all its versions are of images.
    pub fn become_image(&mut self) {
        let versions = self.versions.values_mut().map(|version| &mut version.content);
        for content in versions.chain([&mut self.latest, &mut self.published.1]) {
            let uri = format!("registry/processor@sha256:{}", content.code_sha256);
            content.image = Some(uri);
            content.runtime = None;
        }
    }

    /// All versions were published for this object, given as `namespace/name`.
    pub fn published_for(&mut self, key: &str) {
        let (namespace, name) = key.split_once('/').expect("a namespace and a name");
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        let owner = Owner { cluster: CLUSTER.to_owned(), namespace, name };
        for version in self.versions.values_mut() {
            version.description = names::published(&owner, "000000000000");
        }
    }

    /// Gives all versions this timeout.
    pub fn set_timeout(&mut self, seconds: u64) {
        self.latest.timeout_secs = seconds;
        self.versions.values_mut().for_each(|version| version.content.timeout_secs = seconds);
    }

    /// Whether there is such a version.
    pub fn exists(&self, version: &str) -> bool {
        version.parse().is_ok_and(|version: u64| self.versions.contains_key(&version))
    }

    /// ListVersionsByFunction.
    pub fn listed(&self) -> Vec<ListedVersion> {
        let latest = ListedVersion { version: LATEST.into(), description: String::new() };
        let listed = |(number, version): (&u64, &Version)| ListedVersion {
            version: number.to_string(),
            description: version.description.clone(),
        };
        [latest].into_iter().chain(self.versions.iter().map(listed)).collect()
    }

    /// DeleteFunction of a version; the description that it had.
    pub fn delete(&mut self, version: u64) -> Option<String> {
        self.versions.remove(&version).map(|version| version.description)
    }

    /// The execution role of a version.
    pub fn role(&self, version: &str) -> &'static str {
        match self.odd_role {
            Some(odd) if odd == version => "arn:aws:iam::123456789012:role/other",
            Some(_) | None => "arn:aws:iam::123456789012:role/processor",
        }
    }

    /// How many versions there are.
    pub fn count(&self) -> usize {
        self.versions.len()
    }

    /// The code of a version.
    pub fn code_of(&self, version: &str) -> Option<&str> {
        let version = self.versions.get(&version.parse().ok()?)?;
        Some(version.content.code_sha256.as_str())
    }

    /// Somebody else updates the archive of `$LATEST`, and it is in force at once.
    pub fn somebody_updates(&mut self, code_sha256: &str) {
        self.settle();
        self.latest.code_sha256 = code_sha256.to_owned();
        self.touch();
    }

    fn touch(&mut self) {
        self.revision += 1;
    }

    /// What was on its way and is due comes into force.
    fn settle(&mut self) {
        let due = self.updating.as_ref().is_some_and(|(at, _)| *at <= Instant::now());
        if due && let Some((_, before)) = self.updating.take() {
            self.update_failed = self.update_fails;
            if self.update_failed {
                self.latest = before;
            }
            self.touch();
        }
    }

    /// `$LATEST` becomes this; it takes a while to be in force.
    fn change(&mut self, content: Content) -> Changed {
        let before = std::mem::replace(&mut self.latest, content);
        self.updating = Some((Instant::now() + SLOW, before));
        self.touch();
        Changed {
            version: LATEST.into(),
            code_sha256: self.latest.code_sha256.clone(),
            revision_id: self.revision_id(),
        }
    }

    fn revision_id(&self) -> String {
        format!("latest-{}", self.revision)
    }

    /// Whether `$LATEST` may be changed at this revision.
    fn check(&mut self, revision_id: &str) -> Result<(), Refusal> {
        self.settle();
        if self.updating.is_some() {
            return Err(BUSY);
        }
        if revision_id != self.revision_id() {
            return Err(STALE);
        }
        Ok(())
    }

    /// GetFunction.
    pub fn get(&mut self, qualifier: Option<&str>) -> Result<FunctionVersion, Refusal> {
        self.settle();
        let version = qualifier.unwrap_or(LATEST);
        if version == LATEST {
            return Ok(self.describe_latest());
        }
        let number: u64 = version.parse().map_err(|_| MISSING)?;
        let found = self.versions.get(&number).ok_or(MISSING)?;
        let state = match found.active_at <= Instant::now() {
            true => FunctionState::Active,
            false => FunctionState::Pending,
        };
        let mut described = describe(version, &found.content, format!("version-{version}"));
        described.role = self.role(version).to_owned();
        described.settings = format!("settings with {}", described.role);
        Ok(FunctionVersion { state, description: found.description.clone(), ..described })
    }

    fn describe_latest(&self) -> FunctionVersion {
        let described = describe(LATEST, &self.latest, self.revision_id());
        let last_update = match (&self.updating, self.update_failed) {
            (Some(_), _) => LastUpdate::InProgress,
            (None, true) => LastUpdate::Failed,
            (None, false) => LastUpdate::Successful,
        };
        FunctionVersion { last_update, ..described }
    }

    /// UpdateFunctionCode. An image stays an image, an archive an archive.
    pub fn update_code(&mut self, change: &CodeChange) -> Result<Changed, Refusal> {
        known(&change.function)?;
        self.check(&change.revision_id)?;
        let (code_sha256, image) = match &change.source {
            CodeSource::Image { uri } => {
                let digest = uri.rsplit_once("sha256:").ok_or(INVALID)?.1;
                (digest.to_owned(), Some(uri.clone()))
            }
            CodeSource::S3 { key, .. } => (format!("sha-of-{key}"), None),
        };
        if image.is_some() != self.latest.image.is_some() {
            return Err(INVALID);
        }
        Ok(self.change(Content { code_sha256, image, ..self.latest.clone() }))
    }

    /// UpdateFunctionConfiguration.
    pub fn update_settings(&mut self, change: &ConfigurationChange) -> Result<Changed, Refusal> {
        let ConfigurationChange { memory_mb, timeout_secs, runtime, .. } = change;
        if memory_mb.is_some_and(|memory| !MEMORY.contains(&memory))
            || timeout_secs.is_some_and(|timeout| !TIMEOUT.contains(&timeout))
        {
            return Err(MALFORMED);
        }
        known(&change.function)?;
        self.check(&change.revision_id)?;
        if runtime.is_some() && self.latest.image.is_some() {
            return Err(INVALID);
        }
        let latest = self.latest.clone();
        Ok(self.change(Content {
            memory_mb: memory_mb.unwrap_or(latest.memory_mb),
            timeout_secs: timeout_secs.unwrap_or(latest.timeout_secs),
            runtime: runtime.clone().or(latest.runtime.clone()),
            ..latest
        }))
    }

    /// PublishVersion.
    pub fn publish(&mut self, publication: &Publication) -> Result<Changed, Refusal> {
        described(&publication.description)?;
        known(&publication.function)?;
        self.check(&publication.revision_id)?;
        if publication.code_sha256 != self.latest.code_sha256 {
            return Err(INVALID);
        }
        let (last, made_of) = &self.published;
        let mut number = *last;
        if *made_of != self.latest || !self.versions.contains_key(last) {
            number += 1;
            let version = Version {
                content: self.latest.clone(),
                description: publication.description.clone(),
                active_at: Instant::now() + SLOW,
            };
            self.published = (number, self.latest.clone());
            self.versions.insert(number, version);
            self.touch();
        }
        Ok(Changed {
            version: number.to_string(),
            code_sha256: self.latest.code_sha256.clone(),
            revision_id: format!("version-{number}"),
        })
    }

    /// Invoke.
    pub fn invoke(&mut self, version: &str) -> Result<Invocation, Refusal> {
        if version != LATEST {
            let number: u64 = version.parse().map_err(|_| MISSING)?;
            let found = self.versions.get(&number).ok_or(MISSING)?;
            if found.active_at > Instant::now() {
                return Err(BUSY);
            }
        }
        Ok(self.invocation.clone())
    }
}

/// An invocation that returned a status.
pub fn answered(status: u16) -> Invocation {
    Invocation::Answered {
        function_error: None,
        payload: format!("{{\"statusCode\":{status}}}").into_bytes(),
        took: Duration::from_millis(80),
    }
}

fn content(code_sha256: &str) -> Content {
    Content {
        code_sha256: code_sha256.to_owned(),
        image: None,
        memory_mb: 128,
        timeout_secs: 30,
        runtime: Some("python3.13".into()),
    }
}

fn describe(version: &str, content: &Content, revision_id: String) -> FunctionVersion {
    let role = "arn:aws:iam::123456789012:role/processor";
    let Content { code_sha256, image, memory_mb, timeout_secs, runtime } = content.clone();
    FunctionVersion {
        version: version.to_owned(),
        code_sha256,
        revision_id,
        state: FunctionState::Active,
        state_reason: String::new(),
        last_update: LastUpdate::Successful,
        last_update_reason: String::new(),
        snapshot: Snapshot::NotWanted,
        timeout_secs,
        memory_mb,
        runtime,
        architectures: vec!["arm64".into()],
        settings: format!("settings with {role}"),
        environment_readable: true,
        image,
        description: String::new(),
        role: role.into(),
        dead_letter_target: None,
        stack: None,
    }
}
