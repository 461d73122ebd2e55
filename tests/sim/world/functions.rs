//! The function behind the alias: what `$LATEST` holds, its versions, and how long things take.

use std::{collections::BTreeMap, time::Duration};

use groundcrew::{
    aws::Class,
    facts::{
        lambda::{
            Changed, CodeChange, CodeSource, ConfigurationChange, FunctionState, FunctionVersion,
            Invocation, LastUpdate, Provisioned, ProvisionedStatus, Publication, Snapshot,
        },
        surplus::ListedVersion,
    },
};
use tokio::time::Instant;

/// How long an update of `$LATEST` takes, and a version until it can be invoked.
const SLOW: Duration = Duration::from_secs(8);
/// How long provisioned concurrency takes to move.
const MOVE: Duration = Duration::from_secs(90);

/// Why a call is refused: its class, and AWS's code.
pub type Refusal = (Class, &'static str);

const BUSY: Refusal = (Class::Conflict, "ResourceConflictException");
const STALE: Refusal = (Class::Stale, "PreconditionFailedException");
const INVALID: Refusal = (Class::Invalid, "InvalidParameterValueException");
const MISSING: Refusal = (Class::NotFound, "ResourceNotFoundException");

/// What a version is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Content {
    code_sha256: String,
    image: Option<String>,
    memory_mb: u64,
    timeout_secs: u64,
    runtime: String,
}

/// A published version.
#[derive(Clone, Debug)]
struct Version {
    content: Content,
    description: String,
    active_at: Instant,
}

/// How long Lambda may take until it begins to move provisioned concurrency, and how long such a move
/// takes: longer than any single fault hides it.
const LATE: Duration = Duration::from_secs(20);
const LATE_MOVE: Duration = Duration::from_secs(270);

/// Provisioned concurrency of the alias.
#[derive(Clone, Debug)]
struct Move {
    fails: bool,
    /// The version that has it, until the move has begun.
    from: Option<String>,
    begins_at: Instant,
    ends_at: Instant,
}

/// The function.
#[derive(Debug)]
pub struct Functions {
    latest: Content,
    /// What comes into force then.
    updating: Option<(Instant, Content)>,
    /// Whether updates of its code fail, and whether the last one did.
    pub update_fails: bool,
    update_failed: bool,
    revision: u64,
    versions: BTreeMap<u64, Version>,
    /// The version that has another execution role, if one does.
    pub odd_role: Option<&'static str>,
    /// How the next invocations go.
    pub invocation: Invocation,
    /// Whether the alias has provisioned concurrency, and whether moving it fails.
    pub provisioned: Option<bool>,
    /// Whether moving it begins only some time after the alias was set.
    pub moves_late: bool,
    moving: Option<Move>,
}

impl Functions {
    /// Versions 42 to 45; `$LATEST` holds what 45 holds.
    pub fn new() -> Self {
        let published = |version: u64| Version {
            content: content(&format!("sha-of-{version}")),
            description: String::new(),
            active_at: Instant::now(),
        };
        Self {
            latest: content("sha-of-45"),
            updating: None,
            update_fails: false,
            update_failed: false,
            revision: 0,
            versions: (42..=45).map(|version| (version, published(version))).collect(),
            odd_role: None,
            invocation: answered(200),
            provisioned: None,
            moves_late: false,
            moving: None,
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
        let listed = |(number, version): (&u64, &Version)| ListedVersion {
            version: number.to_string(),
            description: version.description.clone(),
        };
        self.versions.iter().map(listed).collect()
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

    /// Somebody else updates the code of `$LATEST`.
    pub fn somebody_updates(&mut self, code_sha256: &str) {
        self.settle();
        self.latest.code_sha256 = code_sha256.to_owned();
        self.latest.image = None;
        self.touch();
    }

    fn touch(&mut self) {
        self.revision += 1;
    }

    /// What was on its way and is due comes into force.
    fn settle(&mut self) {
        let due = self.updating.as_ref().is_some_and(|(at, _)| *at <= Instant::now());
        if due && let Some((_, content)) = self.updating.take() {
            if self.update_fails {
                self.update_failed = true;
            } else {
                self.update_failed = false;
                self.latest = content;
            }
            self.touch();
        }
    }

    fn changed(&self, code_sha256: &str) -> Changed {
        Changed {
            version: "$LATEST".into(),
            code_sha256: code_sha256.to_owned(),
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
        let Some(version) = qualifier else { return Ok(self.describe_latest()) };
        let number: u64 = version.parse().map_err(|_| MISSING)?;
        let found = self.versions.get(&number).ok_or(MISSING)?;
        let state = match found.active_at <= Instant::now() {
            true => FunctionState::Active,
            false => FunctionState::Pending,
        };
        let mut described = describe(version, &found.content, format!("version-{version}"));
        described.role = self.role(version).to_owned();
        Ok(FunctionVersion { state, description: found.description.clone(), ..described })
    }

    fn describe_latest(&self) -> FunctionVersion {
        let described = describe("$LATEST", &self.latest, self.revision_id());
        let last_update = match (&self.updating, self.update_failed) {
            (Some(_), _) => LastUpdate::InProgress,
            (None, true) => LastUpdate::Failed,
            (None, false) => LastUpdate::Successful,
        };
        FunctionVersion { last_update, ..described }
    }

    /// UpdateFunctionCode.
    pub fn update_code(&mut self, change: &CodeChange) -> Result<Changed, Refusal> {
        self.check(&change.revision_id)?;
        let (code_sha256, image) = match &change.source {
            CodeSource::Image { uri } => {
                let digest = uri.rsplit_once("sha256:").ok_or(INVALID)?.1;
                (digest.to_owned(), Some(uri.clone()))
            }
            CodeSource::S3 { key, .. } => (format!("sha-of-{key}"), None),
        };
        let content = Content { code_sha256: code_sha256.clone(), image, ..self.latest.clone() };
        self.updating = Some((Instant::now() + SLOW, content));
        self.touch();
        Ok(self.changed(&code_sha256))
    }

    /// UpdateFunctionConfiguration.
    pub fn update_settings(&mut self, change: &ConfigurationChange) -> Result<Changed, Refusal> {
        self.check(&change.revision_id)?;
        let latest = self.latest.clone();
        let content = Content {
            memory_mb: change.memory_mb.unwrap_or(latest.memory_mb),
            timeout_secs: change.timeout_secs.unwrap_or(latest.timeout_secs),
            runtime: change.runtime.clone().unwrap_or(latest.runtime),
            ..self.latest.clone()
        };
        let code_sha256 = content.code_sha256.clone();
        self.updating = Some((Instant::now() + SLOW, content));
        self.touch();
        Ok(self.changed(&code_sha256))
    }

    /// PublishVersion.
    pub fn publish(&mut self, publication: &Publication) -> Result<Changed, Refusal> {
        self.check(&publication.revision_id)?;
        if publication.code_sha256 != self.latest.code_sha256 {
            return Err(INVALID);
        }
        let (newest, last) = self.versions.iter().next_back().ok_or(MISSING)?;
        let number = if last.content == self.latest {
            *newest
        } else {
            let number = newest + 1;
            let version = Version {
                content: self.latest.clone(),
                description: publication.description.clone(),
                active_at: Instant::now() + SLOW,
            };
            self.versions.insert(number, version);
            self.touch();
            number
        };
        Ok(Changed {
            version: number.to_string(),
            code_sha256: self.latest.code_sha256.clone(),
            revision_id: format!("version-{number}"),
        })
    }

    /// Invoke.
    pub fn invoke(&mut self, version: &str) -> Result<Invocation, Refusal> {
        let number: u64 = version.parse().map_err(|_| MISSING)?;
        let found = self.versions.get(&number).ok_or(MISSING)?;
        if found.active_at > Instant::now() {
            return Err(BUSY);
        }
        Ok(self.invocation.clone())
    }

    /// The alias is set to another version: with provisioned concurrency Lambda keeps everybody at the
    /// old one until the new one has its own.
    pub fn alias_moves(&mut self, from: &str) -> bool {
        let Some(fails) = self.provisioned else { return false };
        // Back to the version that has it still: over at once.
        if self.moving.take().is_some() {
            return false;
        }
        let (delay, takes) =
            if self.moves_late { (LATE, LATE_MOVE) } else { (Duration::ZERO, MOVE) };
        let begins_at = Instant::now() + delay;
        let from = self.moves_late.then(|| from.to_owned());
        self.moving = Some(Move { fails, from, begins_at, ends_at: begins_at + takes });
        !self.moves_late
    }

    /// The version that everybody goes to again, because a move has just begun late.
    pub fn move_begins(&mut self) -> Option<String> {
        let moving = self.moving.as_mut().filter(|moving| moving.begins_at <= Instant::now())?;
        moving.from.take()
    }

    /// Whether a move has just ended well.
    pub fn move_ends(&mut self) -> bool {
        let over = |moving: &Move| !moving.fails && moving.ends_at <= Instant::now();
        let ended = self.moving.as_ref().is_some_and(over);
        if ended {
            self.moving = None;
        }
        ended
    }

    /// GetProvisionedConcurrencyConfig.
    pub fn provisioned(&self) -> Result<Provisioned, Refusal> {
        let status = match (self.provisioned, &self.moving) {
            (None, _) => {
                return Err((Class::NotFound, "ProvisionedConcurrencyConfigNotFoundException"));
            }
            (Some(_), None) => ProvisionedStatus::Ready,
            (Some(_), Some(moving)) if moving.begins_at > Instant::now() => {
                ProvisionedStatus::Ready
            }
            (Some(_), Some(moving)) if moving.ends_at > Instant::now() => {
                ProvisionedStatus::InProgress
            }
            (Some(_), Some(Move { fails: true, .. })) => ProvisionedStatus::Failed,
            (Some(_), Some(Move { fails: false, .. })) => ProvisionedStatus::Ready,
        };
        let reason = match status {
            ProvisionedStatus::Failed => "FUNCTION_ERROR_INIT_FAILURE".to_owned(),
            ProvisionedStatus::InProgress | ProvisionedStatus::Ready => String::new(),
        };
        let allocated = if status == ProvisionedStatus::Ready { 10 } else { 0 };
        Ok(Provisioned { status, reason, requested: 10, allocated })
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
        runtime: "python3.13".into(),
    }
}

fn describe(version: &str, content: &Content, revision_id: String) -> FunctionVersion {
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
        runtime: Some(runtime),
        architectures: vec!["arm64".into()],
        settings: "settings".into(),
        environment_readable: true,
        image,
        description: String::new(),
        role: "arn:aws:iam::123456789012:role/processor".into(),
        dead_letter_target: None,
        stack: None,
    }
}
