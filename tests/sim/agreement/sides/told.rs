//! What the answers of one world tell. Revision ids, hashes and roles differ by nature; they become
//! the how many-th of its kind that this world told, so that equal is equal and new is new.

use std::{collections::BTreeSet, fmt::Debug, time::Duration};

use groundcrew::{
    aws::{Error, accounts::Ports},
    facts::{
        cloudwatch::{AlarmFilter, Metric, MetricPage, Series, Span},
        lambda::{
            Alias, AliasChange, Changed, CodeChange, CodeSource, ConfigurationChange,
            FunctionVersion, Invocation, Provisioned, Publication, VersionWeight,
        },
        surplus::{ListedVersion, Surplus, Terms},
    },
    names::{self, Owner},
};
use jiff::{SignedDuration, Timestamp};

use super::{
    super::{
        calls::{Answer, Call, Publish, Revision, UpdateAlias, UpdateCode, UpdateConfiguration},
        opening::{bucket, image},
    },
    alarms,
};
use crate::{
    harness::epoch,
    world::{
        ALIAS, FUNCTION,
        databases::{INSTANCE, TABLE},
    },
};

/// A revision id or hash that nobody ever told.
const UNTOLD: &str = "00000000-0000-4000-8000-000000000000";
/// Most pages of a list.
const PAGES_MAX: usize = 10;
/// How long an invocation is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long before the start of the sequence metrics are asked for.
const METRICS_BEFORE: SignedDuration = SignedDuration::from_mins(5);

/// What one world has told, in order.
pub struct Seen {
    account: String,
    revisions: Vec<String>,
    codes: Vec<String>,
    roles: Vec<String>,
    settings: Vec<String>,
}

fn function(known: bool) -> String {
    if known { FUNCTION.to_owned() } else { "missing".to_owned() }
}

fn alias(alias: bool) -> String {
    if alias { ALIAS.to_owned() } else { "missing".to_owned() }
}

fn name(known: bool, name: &str) -> &str {
    if known { name } else { "missing" }
}

/// What was found, in words.
fn seen(found: Result<impl Debug, Error>) -> Result<String, Error> {
    found.map(|found| format!("{found:?}"))
}

/// The how many-th it is.
fn index(seen: &mut Vec<String>, one: &str) -> usize {
    let found = seen.iter().position(|old| old == one);
    found.unwrap_or_else(|| {
        seen.push(one.to_owned());
        seen.len() - 1
    })
}

impl Seen {
    pub fn of(account: &str) -> Self {
        Self {
            account: account.to_owned(),
            revisions: Vec::new(),
            codes: Vec::new(),
            roles: Vec::new(),
            settings: Vec::new(),
        }
    }

    /// Makes the call, and says what the answer tells.
    pub async fn ask(&mut self, ports: &Ports, call: &Call, now: Timestamp) -> Answer {
        let mut answer = Answer::default();
        let told = self.told(ports, call, now, &mut answer).await;
        answer.text = told.unwrap_or_else(|error| failed(&error));
        (answer.revisions, answer.codes) = (self.revisions.len(), self.codes.len());
        answer
    }

    async fn told(
        &mut self,
        ports: &Ports,
        call: &Call,
        now: Timestamp,
        answer: &mut Answer,
    ) -> Result<String, Error> {
        let lambda = &ports.lambda;
        match call {
            Call::GetAlias { known, alias: named } => {
                let told = lambda.get_alias(&function(*known), &alias(*named)).await?;
                Ok(self.alias(&told, answer))
            }
            Call::CreateAlias { known, version, description } => {
                let function = function(*known);
                let told = lambda.create_alias(&function, ALIAS, version, description).await?;
                Ok(self.alias(&told, answer))
            }
            Call::UpdateAlias(update) => {
                let told = lambda.update_alias(&self.alias_change(update)).await?;
                Ok(self.alias(&told, answer))
            }
            Call::GetFunction { known, qualifier } => {
                let told = lambda.get_function(&function(*known), qualifier.as_deref()).await?;
                Ok(self.function(&told, answer))
            }
            Call::UpdateCode(update) => {
                let told = lambda.update_function_code(&self.code_change(update)).await?;
                Ok(self.changed(&told, answer))
            }
            Call::UpdateConfiguration(update) => {
                let change = self.configuration_change(update);
                let told = lambda.update_function_configuration(&change).await?;
                Ok(self.changed(&told, answer))
            }
            Call::Publish(publish) => {
                let told = lambda.publish_version(&self.publication(publish)).await?;
                answer.published = Some(told.version.clone());
                Ok(self.changed(&told, answer))
            }
            Call::GetProvisioned { known, alias: named } => {
                let (function, alias) = (function(*known), alias(*named));
                lambda.get_provisioned_concurrency(&function, &alias).await.map(provisioned)
            }
            Call::Invoke { known, version } => {
                lambda.invoke(&function(*known), version, "{}", PATIENCE).await.map(invoked)
            }
            Call::ListVersions { known } => list_versions(ports, &function(*known)).await,
            Call::ListNamed { known } => list_named(ports, &function(*known)).await,
            Call::Delete { known, version } => {
                let surplus = surplus(&function(*known), *version);
                lambda.delete_version(&surplus).await.map(|()| "deleted".to_owned())
            }
            Call::Alarms(call) => alarms::told(ports, call, now).await,
            Call::DescribeAlarms(filter) => describe_alarms(ports, filter).await,
            Call::MetricData { series, minutes } => metric_data(ports, series, *minutes).await,
            Call::Instance { known } => {
                seen(ports.rds.describe_db_instance(name(*known, INSTANCE)).await)
            }
            Call::Cluster => seen(ports.rds.describe_db_cluster(name(false, "")).await),
            Call::Table { known } => seen(ports.dynamodb.describe_table(name(*known, TABLE)).await),
            Call::Caller => {
                let account = ports.sts.get_caller_account().await?;
                Ok(format!("own account: {}", account == self.account))
            }
        }
    }

    fn revision(&self, revision: Revision) -> String {
        revision.map_or(UNTOLD.to_owned(), |index| self.revisions[index].clone())
    }

    fn alias_change(&self, update: &UpdateAlias) -> AliasChange {
        let UpdateAlias { known, alias: named, version, weight, description, revision } = update;
        let weight = weight.clone();
        AliasChange {
            function: function(*known),
            alias: alias(*named),
            version: version.clone(),
            weight: weight.map(|(version, weight)| VersionWeight { version, weight }),
            description: description.clone(),
            revision_id: self.revision(*revision),
        }
    }

    fn code_change(&self, update: &UpdateCode) -> CodeChange {
        let UpdateCode { known, code, image: by_image, revision } = update;
        let source = if *by_image {
            CodeSource::Image { uri: image(&code.repeat(64)) }
        } else {
            let bucket = bucket(&self.account);
            CodeSource::S3 { bucket, key: (*code).into(), object_version: None }
        };
        let revision_id = self.revision(*revision);
        CodeChange { function: function(*known), source, revision_id }
    }

    fn configuration_change(&self, update: &UpdateConfiguration) -> ConfigurationChange {
        let UpdateConfiguration { known, memory_mb, timeout_secs, runtime, revision } = update;
        ConfigurationChange {
            function: function(*known),
            memory_mb: *memory_mb,
            timeout_secs: *timeout_secs,
            runtime: runtime.clone(),
            revision_id: self.revision(*revision),
        }
    }

    fn publication(&self, publish: &Publish) -> Publication {
        let Publish { known, code, revision, description } = publish;
        let code = code.map(|index| self.codes[index].clone());
        Publication {
            function: function(*known),
            code_sha256: code.unwrap_or(UNTOLD.to_owned()),
            revision_id: self.revision(*revision),
            description: description.clone(),
        }
    }

    fn alias(&mut self, told: &Alias, answer: &mut Answer) -> String {
        let Alias { version, weights, revision_id, description } = told;
        let revision = index(&mut self.revisions, revision_id);
        answer.alias = Some(revision);
        answer.serves = Some(version.clone());
        let weights: Vec<_> = weights.iter().map(|one| (&one.version, one.weight)).collect();
        format!("revision #{revision}: version {version}, weights {weights:?}, {description:?}")
    }

    fn changed(&mut self, told: &Changed, answer: &mut Answer) -> String {
        let Changed { version, code_sha256, revision_id } = told;
        let revision = index(&mut self.revisions, revision_id);
        let code = index(&mut self.codes, code_sha256);
        if version == "$LATEST" {
            (answer.latest, answer.code) = (Some(revision), Some(code));
        }
        format!("revision #{revision}: version {version}, code #{code}")
    }

    /// Reasons are words of each world's own; whether there is a failure is told by the state.
    fn function(&mut self, told: &FunctionVersion, answer: &mut Answer) -> String {
        let FunctionVersion {
            version,
            code_sha256,
            revision_id,
            state,
            state_reason: _,
            last_update,
            last_update_reason: _,
            snapshot,
            timeout_secs,
            memory_mb,
            runtime,
            architectures,
            settings,
            environment_readable,
            image,
            description,
            role,
            dead_letter_target,
            stack,
        } = told;
        let changed = Changed {
            version: version.clone(),
            code_sha256: code_sha256.clone(),
            revision_id: revision_id.clone(),
        };
        let changed = self.changed(&changed, answer);
        let role = index(&mut self.roles, role);
        let settings = index(&mut self.settings, settings);
        let code = image.as_ref().map(|image| {
            assert!(image.ends_with(code_sha256.as_str()), "{image} is not {code_sha256}");
            "an image"
        });
        format!(
            "{changed}, {state:?}, {last_update:?}, {snapshot:?}, {timeout_secs} s, {memory_mb} MB, \
             {runtime:?}, {architectures:?}, settings #{settings}, {environment_readable}, {code:?}, \
             {description:?}, role #{role}, {dead_letter_target:?}, {stack:?}"
        )
    }
}

fn failed(error: &Error) -> String {
    let Error { operation, resource, class, code, message: _, request_id: _, retry_after } = error;
    format!("{operation} of {resource} fails: {class:?} {code} {retry_after:?}")
}

fn provisioned(told: Provisioned) -> String {
    let Provisioned { status, reason, requested, allocated } = told;
    // How many are up meanwhile is a matter of chance.
    format!("{status:?} {reason:?} {requested}, all: {}", allocated == requested)
}

fn invoked(told: Invocation) -> String {
    match told {
        Invocation::Answered { function_error, payload, took: _ } => {
            format!("{function_error:?} {}", String::from_utf8_lossy(&payload))
        }
        Invocation::Unanswered => "unanswered".to_owned(),
    }
}

/// All versions, as far as the pages go.
async fn list_versions(ports: &Ports, function: &str) -> Result<String, Error> {
    let (mut next, mut lines) = (None::<String>, Vec::new());
    for _ in 0..PAGES_MAX {
        let page = ports.lambda.list_versions(function, next.as_deref()).await?;
        lines.extend(page.versions.into_iter().map(|one| format!("{one:?}")));
        next = page.next;
        if next.is_none() {
            return Ok(lines.join(", "));
        }
    }
    panic!("more than {PAGES_MAX} pages of versions")
}

async fn list_named(ports: &Ports, function: &str) -> Result<String, Error> {
    let mut page = ports.lambda.list_named(function, None).await?;
    // An alias names its versions in any order.
    page.versions.sort();
    Ok(format!("{page:?}"))
}

/// What lets a version be deleted; the versions of this function may all have been ours.
fn surplus(function: &str, version: u64) -> Surplus {
    let owner = Owner { cluster: "sim".into(), namespace: "flights".into(), name: "other".into() };
    let description = names::published(&owner, "9f2c1a");
    let listed = ListedVersion { version: version.to_string(), description };
    let none = &BTreeSet::new();
    let terms = Terms { owner: &owner, served: "1000000", keep: 0, failed: none, pinned: none };
    let found = Surplus::of(function, &[listed], &terms);
    found.into_iter().next().expect("a version that nobody needs")
}

async fn describe_alarms(ports: &Ports, filter: &AlarmFilter) -> Result<String, Error> {
    let page = ports.cloudwatch.describe_alarms(filter, None).await?;
    let told = page.alarms.iter().map(|alarm| format!("{} {:?}", alarm.name, alarm.state));
    let mut alarms: Vec<_> = told.collect();
    alarms.sort();
    Ok(format!("{alarms:?}, more: {}", page.next.is_some()))
}

async fn metric_data(
    ports: &Ports,
    series: &[(&str, &str)],
    minutes: i64,
) -> Result<String, Error> {
    let until = epoch() - METRICS_BEFORE;
    let span = Span { from: until - SignedDuration::from_mins(minutes), until };
    let series: Vec<_> = series.iter().map(|(name, version)| one(name, version)).collect();
    let page = ports.cloudwatch.get_metric_data(&series, span, None).await?;
    let MetricPage { mut datapoints, mut failed, next } = page;
    datapoints.sort_by_key(|(index, _)| *index);
    failed.sort_unstable();
    Ok(format!("{datapoints:?}, failed {failed:?}, more: {}", next.is_some()))
}

fn one(name: &str, version: &str) -> Series {
    let dimensions = [
        ("ExecutedVersion", version.to_owned()),
        ("FunctionName", FUNCTION.to_owned()),
        ("Resource", format!("{FUNCTION}:{ALIAS}")),
    ];
    let dimensions = dimensions.map(|(name, value)| (name.to_owned(), value));
    let metric = Metric {
        namespace: "AWS/Lambda".into(),
        name: name.to_owned(),
        dimensions: dimensions.into(),
    };
    Series { metric, statistic: "Sum".into(), period: 60 }
}
