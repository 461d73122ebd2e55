//! What Lambda says about the release.

use crate::{
    aws::{self, Class, hub::AliasKey, port::Lambda},
    canary_rollout::{
        decide::{ReleaseFacts, VersionFact},
        error::Error,
        memory::Memory,
        rollout::{InvalidSpec, Release, Rollout, Source, held_revision},
    },
    facts::lambda::{Alias, FunctionVersion},
};

/// What was read of the release and of `$LATEST`.
#[derive(Default)]
pub struct Read {
    /// What a judgement of the release needs.
    pub facts: ReleaseFacts,
    /// The version that is known to hold what `$LATEST` holds, where the alias is there.
    pub published: Option<FunctionVersion>,
}

/// Reads what a decision about the release needs, and no more.
///
/// # Errors
///
/// [`Error::ReadVersion`]; what does not exist is a fact.
pub async fn read(
    lambda: &dyn Lambda,
    rollout: &Result<Rollout, InvalidSpec>,
    memory: &Memory,
    key: &AliasKey,
    alias: Option<&Alias>,
) -> Result<Read, Error> {
    // Without a valid spec nothing can be asked; the judgement says what is wrong with it.
    let Ok(rollout) = rollout else { return Ok(Read::default()) };
    let reader = Reader { lambda, function: &key.function, memory, alias };
    let release = &rollout.release;
    let mut facts = match &release.source {
        Source::Version(version) => {
            let version = reader.version(version).await?;
            ReleaseFacts { latest: None, version }
        }
        Source::Latest => reader.latest(release).await?,
        Source::Code(_) => reader.code(release).await?,
    };
    let mut published = None;
    if alias.is_some_and(|alias| alias.version == LATEST) && memory.flight.is_none() {
        if facts.latest.is_none() {
            facts.latest = reader.function(None).await?;
        }
        published = reader.of_content(facts.latest.as_ref()).await?;
    }
    Ok(Read { facts, published })
}

const LATEST: &str = "$LATEST";

struct Reader<'a> {
    lambda: &'a dyn Lambda,
    function: &'a str,
    memory: &'a Memory,
    alias: Option<&'a Alias>,
}

impl Reader<'_> {
    /// The function, or one of its versions; none when it does not exist.
    async fn function(&self, version: Option<&str>) -> Result<Option<FunctionVersion>, Error> {
        match self.lambda.get_function(self.function, version).await {
            Ok(found) => Ok(Some(found)),
            Err(aws::Error { class: Class::NotFound, .. }) => Ok(None),
            Err(source) => {
                let version = version.unwrap_or(LATEST).to_owned();
                Err(Error::ReadVersion { version, source })
            }
        }
    }

    async fn version(&self, version: &str) -> Result<VersionFact, Error> {
        if let Some(code_sha256) = self.in_flight(version) {
            return Ok(VersionFact::InFlight { version: version.to_owned(), code_sha256 });
        }
        let found = self.function(Some(version)).await?;
        Ok(found.map_or(VersionFact::Missing, |found| VersionFact::Found(Box::new(found))))
    }

    fn in_flight(&self, version: &str) -> Option<String> {
        self.memory.flight.as_ref()?;
        let canary = self.memory.canary.as_ref().filter(|canary| canary.version == version)?;
        canary.code_sha256.clone()
    }

    /// `$LATEST`, and the version that holds the same.
    async fn latest(&self, release: &Release) -> Result<ReleaseFacts, Error> {
        let Some(latest) = self.function(None).await? else { return Ok(ReleaseFacts::default()) };
        let revision = release.revision(&latest.code_sha256, Some(&latest));
        let version = match self.memory.version_of(&revision) {
            Some(version) => {
                let known = self.version(version).await?;
                match &known {
                    VersionFact::Found(found) if found.code_sha256 != latest.code_sha256 => {
                        VersionFact::Missing
                    }
                    VersionFact::Found(_) | VersionFact::Missing | VersionFact::InFlight { .. } => {
                        known
                    }
                }
            }
            None => self.served(release, &revision).await?,
        };
        Ok(ReleaseFacts { latest: Some(latest), version })
    }

    /// The version among those that the alias names that holds this revision: it needs no publishing,
    /// and is found again when the status was lost.
    async fn served(&self, release: &Release, revision: &str) -> Result<VersionFact, Error> {
        let Some(alias) = self.alias else { return Ok(VersionFact::Missing) };
        let weighted = alias.weights.iter().map(|extra| &extra.version);
        for version in weighted.chain([&alias.version]).filter(|version| *version != LATEST) {
            let Some(found) = self.function(Some(version)).await? else { continue };
            if release.revision(&found.code_sha256, Some(&found)) == revision
                && release.settings.are_those_of(&found)
            {
                return Ok(VersionFact::Found(Box::new(found)));
            }
        }
        Ok(VersionFact::Missing)
    }

    /// The version that was made of an image or an archive; `$LATEST` only where there is none yet.
    async fn code(&self, release: &Release) -> Result<ReleaseFacts, Error> {
        let revision = release.revision("", None);
        if let Some(version) = self.memory.version_of(&revision) {
            let version = self.version(version).await?;
            if version != VersionFact::Missing {
                return Ok(ReleaseFacts { latest: None, version });
            }
        }
        Ok(ReleaseFacts { latest: self.function(None).await?, version: VersionFact::Missing })
    }

    /// The version that was published of what `$LATEST` holds, as far as is remembered.
    async fn of_content(
        &self,
        latest: Option<&FunctionVersion>,
    ) -> Result<Option<FunctionVersion>, Error> {
        let Some(latest) = latest else { return Ok(None) };
        match self.memory.version_of(&held_revision(latest)) {
            Some(version) => self.function(Some(version)).await,
            None => Ok(None),
        }
    }
}
