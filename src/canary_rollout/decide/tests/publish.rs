use super::check;
use crate::{
    api::{
        canary_rollout::{CanaryRolloutSpec, HistoryEntry, Outcome},
        shared::Mode,
    },
    canary_rollout::{
        decide::{ReleaseFacts, VersionFact, wanted},
        memory::{Intent, Publishing},
        rollout::{Rollout, held_revision},
        walk::decide_and_look_ahead,
        world::{World, ended, function, unusable},
    },
    facts::lambda::{FunctionState, FunctionVersion, LastUpdate},
};

const DIGEST: &str = "1111111111111111111111111111111111111111111111111111111111111111";

pub(super) fn rollout(release: &str) -> Rollout {
    let text = format!(
        "function: {{name: flightdata-processor, alias: production}}\nsteps: [{{weight: 10, hold: 30m}}]\n{release}\n"
    );
    let spec: CanaryRolloutSpec = serde_yaml::from_str(&text).unwrap();
    Rollout::parse(&spec).unwrap()
}

pub(super) fn archive() -> Rollout {
    rollout("release: {s3: {bucket: artifacts, key: a.zip, objectVersion: v7}}")
}

pub(super) fn image() -> Rollout {
    rollout(&format!("release: {{image: {{uri: 'registry/processor@sha256:{DIGEST}'}}}}"))
}

pub(super) fn latest() -> FunctionVersion {
    function("$LATEST", "old=")
}

/// Nothing is published of the release, and `$LATEST` is so.
pub(super) fn world(rollout: &Rollout, latest: FunctionVersion) -> World {
    World::new().with(|world| {
        let facts = ReleaseFacts { latest: Some(latest.clone()), version: VersionFact::Missing };
        world.facts.wanted = wanted(Ok(rollout), &facts);
        world.facts.latest = Some(latest);
    })
}

/// The same once it was begun, with what is known since.
pub(super) fn begun(rollout: &Rollout, latest: FunctionVersion, known: Publishing) -> World {
    let revision = rollout.release.revision("", None);
    remembering(world(rollout, latest), Publishing { revision, ..known })
}

fn remembering(mut world: World, publishing: Publishing) -> World {
    let mut memory = world.memory();
    memory.publishing = Some(publishing);
    world.remember(&memory);
    world
}

fn uploaded(code_sha256: &str) -> Publishing {
    Publishing { uploaded: Some(code_sha256.into()), ..Publishing::default() }
}

fn intent(code_sha256: &str, revision_id: &str) -> Option<Intent> {
    Some(Intent { code_sha256: code_sha256.into(), revision_id: revision_id.into() })
}

#[test]
fn what_is_published_is_remembered_before_anything_is_written() {
    let plan = check(
        &world(&archive(), latest()),
        &["Publishing Publishing: publishing s3://artifacts/a.zip version v7", "now"],
    );
    let publishing = plan.memory.publishing.unwrap();
    assert_eq!(publishing.revision, archive().release.revision("", None));
    assert_eq!((publishing.uploaded, publishing.intent), (None, None));
}

#[test]
fn an_archive_becomes_the_code_once_and_is_published_as_it_was_uploaded() {
    let none = Publishing::default();
    check(
        &begun(&archive(), latest(), none),
        &[
            "Publishing Publishing: s3://artifacts/a.zip version v7 becomes the code of $LATEST of flightdata-processor",
            "UpdateFunctionCode flightdata-processor from s3://artifacts/a.zip",
            "now",
        ],
    );
    let busy = FunctionVersion { last_update: LastUpdate::InProgress, ..latest() };
    check(
        &begun(&archive(), busy, uploaded("new=")),
        &[
            "Publishing Publishing: waits for Lambda to finish the update of $LATEST of flightdata-processor",
            "01:44:05",
        ],
    );
    let there = function("$LATEST", "new=");
    let plan = check(
        &begun(&archive(), there.clone(), uploaded("new=")),
        &["Publishing Publishing: publishing s3://artifacts/a.zip version v7", "now"],
    );
    let intended = intent("new=", "rev-of-$LATEST");
    assert_eq!(plan.memory.publishing.unwrap().intent, intended);
    let known = Publishing { intent: intended, ..uploaded("new=") };
    check(
        &begun(&archive(), there, known),
        &[
            "Publishing Publishing: publishing s3://artifacts/a.zip version v7",
            "PublishVersion flightdata-processor",
            "now",
        ],
    );
}

#[test]
fn what_moved_since_the_intent_is_intended_anew_and_other_code_is_replaced_again() {
    let known = Publishing { intent: intent("new=", "older"), ..uploaded("new=") };
    let plan = begun(&archive(), function("$LATEST", "new="), known.clone()).plan();
    assert_eq!(plan.actions, [], "an intent is a pass of its own");
    assert_eq!(plan.memory.publishing.unwrap().intent, intent("new=", "rev-of-$LATEST"));
    let plan = begun(&archive(), function("$LATEST", "foreign="), known).plan();
    assert!(plan.report.message.contains("becomes the code"), "{}", plan.report.message);
}

#[test]
fn an_image_and_a_guarded_archive_that_are_there_are_not_uploaded_again() {
    let there = FunctionVersion {
        image: Some(format!("other-name@sha256:{DIGEST}")),
        ..function("$LATEST", DIGEST)
    };
    let plan = begun(&image(), there, Publishing::default()).plan();
    assert_eq!(plan.memory.publishing.unwrap().intent, intent(DIGEST, "rev-of-$LATEST"));
    let sha = format!("{}=", "a".repeat(43));
    let guarded = rollout(&format!(
        "release: {{s3: {{bucket: artifacts, key: a.zip}}, codeSha256: '{sha}'}}"
    ));
    let plan = begun(&guarded, function("$LATEST", &sha), Publishing::default()).plan();
    assert_eq!(plan.memory.publishing.unwrap().intent, intent(&sha, "rev-of-$LATEST"));
}

#[test]
fn settings_come_into_force_before_publishing() {
    let configured = rollout(
        "release: {latest: true}\nconfiguration: {memorySize: 512, timeout: 60s, runtime: python3.14}",
    );
    let first = world(&configured, latest());
    let revision = first.plan().memory.publishing.unwrap().revision;
    let of = |latest: FunctionVersion| {
        let publishing = Publishing { revision: revision.clone(), ..Publishing::default() };
        remembering(world(&configured, latest), publishing)
    };
    check(
        &of(latest()),
        &[
            "Publishing Publishing: spec.configuration becomes that of $LATEST of flightdata-processor",
            "UpdateFunctionConfiguration flightdata-processor to memory 512 MB, timeout 60 s, runtime python3.14",
            "now",
        ],
    );
    let there = FunctionVersion {
        memory_mb: 512,
        timeout_secs: 60,
        runtime: Some("python3.14".into()),
        ..latest()
    };
    let plan = of(there).plan();
    assert_eq!(plan.memory.publishing.unwrap().intent, intent("old=", "rev-of-$LATEST"));
}

#[test]
fn the_revision_of_latest_follows_code_and_every_setting() {
    let revision = |latest: &FunctionVersion| held_revision(latest);
    let base = latest();
    let changed = [
        FunctionVersion { code_sha256: "new=".into(), ..base.clone() },
        FunctionVersion { memory_mb: 256, ..base.clone() },
        FunctionVersion { timeout_secs: 31, ..base.clone() },
        FunctionVersion { runtime: None, ..base.clone() },
        FunctionVersion { settings: "other".into(), ..base.clone() },
    ];
    for other in &changed {
        assert_ne!(revision(&base), revision(other), "{other:?}");
    }
    let same = FunctionVersion {
        revision_id: "x".into(),
        description: "x".into(),
        version: "43".into(),
        ..base.clone()
    };
    assert_eq!(revision(&base), revision(&same));
}

#[test]
fn a_failed_update_is_told_and_not_published() {
    let failed = FunctionVersion {
        last_update: LastUpdate::Failed,
        last_update_reason: "ImageAccessDenied: no access".into(),
        ..latest()
    };
    let says = "Invalid UpdateFailed: the last update of $LATEST of flightdata-processor failed: ImageAccessDenied: no access; mend it and update the function again";
    check(&begun(&image(), failed.clone(), uploaded(DIGEST)), &[says, "01:45:00"]);
    check(&world(&rollout("release: {latest: true}"), failed.clone()), &[says, "01:45:00"]);
    // The next release mends what an older one left behind.
    let plan = begun(&image(), failed, Publishing::default()).plan();
    assert!(plan.report.message.contains("becomes the code"), "{}", plan.report.message);
}

#[test]
fn latest_waits_for_updates_and_needs_to_see_the_environment() {
    let release = rollout("release: {latest: true}");
    let busy = FunctionVersion { last_update: LastUpdate::InProgress, ..latest() };
    let says = "Publishing UpdateInProgress: waits for Lambda to finish the update of $LATEST of flightdata-processor";
    check(&world(&release, busy), &[says, "01:44:05"]);
    let hidden = FunctionVersion { environment_readable: false, ..latest() };
    let says = "Invalid EnvironmentUnreadable: Lambda does not show the environment variables of flightdata-processor to this role, so a change of theirs would be missed; allow it kms:Decrypt with the function's key";
    check(&world(&release, hidden), &[says, "01:45:00"]);
}

#[test]
fn the_guard_holds_for_every_form() {
    let sha = format!("{}=", "b".repeat(43));
    let latest_guarded = rollout(&format!("release: {{latest: true, codeSha256: '{sha}'}}"));
    let says = "Invalid CodeSha256Mismatch: $LATEST of flightdata-processor has CodeSha256 old=, not the one in spec.release.codeSha256";
    check(&world(&latest_guarded, latest()), &[says, "01:45:00"]);
    let image = rollout(&format!(
        "release: {{image: {{uri: 'registry/processor@sha256:{DIGEST}'}}, codeSha256: '{sha}'}}"
    ));
    let there = FunctionVersion {
        image: Some(format!("x@sha256:{DIGEST}")),
        ..function("$LATEST", DIGEST)
    };
    let plan = begun(&image, there, uploaded(DIGEST)).plan();
    assert_eq!(plan.report.reason, "CodeSha256Mismatch", "{}", plan.report.message);
}

#[test]
fn suspended_or_moved_elsewhere_nothing_is_published() {
    let suspended = world(&archive(), latest()).with(|world| world.facts.suspended = true);
    check(
        &suspended,
        &[
            "Suspended Suspended: suspended: s3://artifacts/a.zip version v7 would be published; set spec.suspend to false to go on",
            "01:45:00",
        ],
    );
    let mut moved = World::concluded(Outcome::Promoted, "StepsCompleted");
    moved.facts.wanted = world(&archive(), latest()).facts.wanted;
    moved.facts.latest = Some(latest());
    moved.alias_is("41", &[], "");
    assert_eq!(moved.plan().report.reason, "AliasMoved");
}

#[test]
fn what_is_in_flight_stays_while_the_next_release_is_published() {
    let mut world = World::flying(0, Some("01:44:00"));
    world.facts.wanted = self::world(&archive(), latest()).facts.wanted;
    world.facts.latest = Some(latest());
    let plan = check(
        &world,
        &[
            "Publishing Publishing: publishing s3://artifacts/a.zip version v7; version 43 stays at 10%",
            "now !",
        ],
    );
    assert_eq!(plan.memory.revision, world.memory().revision, "verbs still name the flight");
}

#[test]
fn retry_starts_publishing_anew() {
    let mut world = World::concluded(Outcome::Promoted, "StepsCompleted");
    let facts = self::world(&archive(), latest()).facts;
    (world.facts.wanted, world.facts.latest) = (facts.wanted, facts.latest);
    world.pass();
    let revision = world.memory().revision.unwrap();
    assert_eq!(Some(&revision), world.memory().publishing.map(|one| one.revision).as_ref());
    let world = world.asked(&format!("retry@{revision}"));
    let action = world.plan().memory.last_action.unwrap();
    assert!(action.message.contains("starts again"), "{action:?}");
}

#[test]
fn a_version_is_known_by_its_revision_until_it_is_gone() {
    let mut world = World::concluded(Outcome::Promoted, "StepsCompleted");
    let mut memory = world.memory();
    let entry: HistoryEntry = ended("older", "41", Outcome::RolledBack, "ErrorRate");
    memory.history.push(entry);
    memory.publishing = Some(Publishing {
        revision: "next".into(),
        version: Some("44".into()),
        ..Publishing::default()
    });
    world.remember(&memory);
    let memory = world.memory();
    assert_eq!(memory.version_of("next"), Some("44"));
    assert_eq!(memory.version_of("older"), Some("41"));
    assert_eq!(memory.version_of("unheard of"), None);
}

/// The alias is at `$LATEST`; the spec asks for an archive.
fn at_latest(publishing: Option<Publishing>, published: Option<FunctionVersion>) -> World {
    let mut world = world(&archive(), latest());
    world.alias_is("$LATEST", &[], "theirs");
    world.facts.published = published;
    match publishing {
        Some(publishing) => remembering(world, publishing),
        None => world,
    }
}

#[test]
fn an_alias_at_latest_is_set_to_a_version_of_the_same_before_any_code_is_updated() {
    let plan = check(
        &at_latest(None, None),
        &["Publishing Publishing: publishing what $LATEST holds", "now"],
    );
    let publishing = plan.memory.publishing.unwrap();
    assert_eq!(publishing.revision, held_revision(&latest()));
    let made = Publishing { version: Some("46".into()), ..publishing };
    let pending = FunctionVersion { state: FunctionState::Pending, ..function("46", "old=") };
    check(
        &at_latest(Some(made.clone()), Some(pending)),
        &[
            "Publishing VersionPending: version 46 of flightdata-processor is still Pending in Lambda",
            "01:44:05",
        ],
    );
    check(
        &at_latest(Some(made), Some(function("46", "old="))),
        &[
            "Publishing Initializing: setting the alias from $LATEST to version 46, the same code",
            "UpdateAlias flightdata-processor:production to version 46 alone",
            "now",
        ],
    );
}

#[test]
fn an_alias_at_latest_is_left_alone_while_suspended_or_without_a_usable_release() {
    let world = at_latest(None, None).with(|world| world.facts.suspended = true);
    check(
        &world,
        &[
            "Suspended Suspended: suspended: what the alias serves at $LATEST would be published; set spec.suspend to false to go on",
            "01:45:00",
        ],
    );
    let world = at_latest(None, None)
        .with(|world| world.facts.wanted = Err(unusable(false, "InvalidSpec", "wrong")));
    assert_eq!(world.plan().report.reason, "InvalidSpec");
    let mut moved = at_latest(None, None);
    let mut memory = World::concluded(Outcome::Promoted, "x").memory();
    memory.publishing = None;
    moved.remember(&memory);
    assert_eq!(moved.plan().report.reason, "AliasMoved");
}

#[test]
fn in_audit_nothing_is_published_and_what_would_be_is_told() {
    let would = |what: &str| {
        format!(
            "Pending Audit: audit: would {what}; see status.plan; set spec.mode to Enforce to start"
        )
    };
    let audited = |mut world: World| {
        world.facts.mode = Mode::Audit;
        world
    };
    let ahead = |world: &World, rollout: &Rollout| {
        decide_and_look_ahead(&world.facts, Some(rollout), &world.memory(), world.now).ahead
    };
    let rollout = archive();
    let mut unpublished = audited(world(&rollout, latest()));
    let publish = would("publish s3://artifacts/a.zip version v7 and release it");
    check(&unpublished, &[&publish, "01:45:00"]);
    let plan = [
        "UpdateFunctionCode flightdata-processor from s3://artifacts/a.zip",
        "PublishVersion flightdata-processor",
        "UpdateAlias flightdata-processor:production to version 42 with <new> at 10%",
        "10%: holds for 30m",
        "UpdateAlias flightdata-processor:production to version <new> alone",
    ];
    assert_eq!(ahead(&unpublished, &rollout), plan);
    unpublished.alias_is("$LATEST", &[], "");
    let leave = would("publish what the alias serves at $LATEST, and point it at that version");
    check(&unpublished, &[&leave, "01:45:00"]);
    assert_eq!(
        ahead(&unpublished, &rollout).first().map(String::as_str),
        Some("PublishVersion flightdata-processor")
    );
}
