use super::*;
use crate::{
    api::{
        analysis::{AlreadyFiring, OnNoData},
        canary_rollout::CanaryRolloutSpec,
    },
    canary_rollout::{
        decide::{AlarmReport, Coming, Preflight, ReleaseFacts, VersionFact, wanted},
        observe::terms_of,
        world::{deployment, function},
    },
    facts::{
        codedeploy::Stage,
        kubernetes::Deletion,
        lambda::{Alias, FunctionVersion, Source, VersionWeight},
    },
    names::Owner,
};

fn now() -> Timestamp {
    "2026-12-05T10:00:00Z".parse().unwrap()
}

fn rollout(spec: &str) -> Rollout {
    let spec: CanaryRolloutSpec = serde_yaml::from_str(spec).unwrap();
    Rollout::parse(&spec).unwrap()
}

fn serving(version: &str, weights: &[(&str, f64)]) -> Option<Alias> {
    let weights = weights
        .iter()
        .map(|(version, weight)| VersionWeight { version: (*version).to_owned(), weight: *weight });
    Some(Alias {
        version: version.into(),
        weights: weights.collect(),
        revision_id: "r".into(),
        description: String::new(),
    })
}

fn version(version: &str) -> ReleaseFacts {
    let found = FunctionVersion { timeout_secs: 3, ..function(version, "sha") };
    ReleaseFacts { latest: None, version: VersionFact::Found(Box::new(found)) }
}

fn facts(rollout: &Rollout, alias: Option<Alias>, release: &ReleaseFacts) -> Facts {
    Facts {
        owner: Owner { cluster: "preview".into(), namespace: "shop".into(), name: "web".into() },
        function: rollout.function.clone(),
        alias_name: rollout.alias.clone(),
        suspended: false,
        mode: Mode::Enforce,
        on_conflict: crate::api::canary_rollout::OnConflict::Hold,
        deletion: Deletion::None,
        finalizer: false,
        request: None,
        alias,
        alias_source: Source::Read,
        taken_by: None,
        stable_gone: false,
        provisioned: Ok(None),
        latest: release.latest.clone(),
        published: None,
        surplus: Ok(None),
        wanted: wanted(Ok(rollout), release),
        terms: Some(terms_of(rollout)),
        evidence: Ok(None),
        preflight: Some(Preflight::default()),
        alarms: Some(Ok(AlarmReport::default())),
        checks: None,
        windows: None,
        edited: false,
    }
}

const STEPS: &str = "
function: {name: web, alias: live}
release: {version: '2'}
steps:
- {weight: 10, hold: 30m, minInvocations: 100, maxWait: 2h}
- {approve: {message: look at p99, timeout: 24h}}
- {weight: 50, hold: 1h}
bake: 15m
analysis:
  metrics:
  - {name: errors, builtin: ErrorRate, max: 5%}
  - {name: p95, builtin: DurationP95, vsStable: {maxRatio: '1.3'}}
  alarms: {names: [web-errors], namePrefixes: [web-slo-]}
";

/// Each line with its time, writes and terms below it.
fn shown(lines: &[Line]) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str(&format!("{:>5} {}\n", line.after.as_mins(), line.message));
        let below = line.actions.iter().map(|action| ("!", action));
        for (mark, below) in below.chain(line.terms.iter().map(|term| ("-", term))) {
            text.push_str(&format!("      {mark} {below}\n"));
        }
    }
    text
}

#[test]
fn a_rollout_is_told_from_the_first_weight_to_the_end_of_the_bake() {
    let rollout = rollout(STEPS);
    let facts = facts(&rollout, serving("1", &[]), &version("2"));
    let preview = preview(facts, Ok(&rollout), now());
    assert_eq!(preview.found, "alias live serves version 1");
    assert_eq!(preview.problems, Vec::<String>::new());
    insta::assert_snapshot!(shown(&preview.lines), @r"
      0 releasing version 2 in place of 1
      0 setting version 2 to 10%
        ! UpdateAlias web:live to version 1 with 2 at 10%
      0 10%: holds until 10:30:00Z
        - errors (ErrorRate): limit 5%, over 5m
        - p95 (DurationP95): limit 1.3 times stable, over 5m
        - no alarm of web-errors, web-slo-* fires
        - at least 100 invocations
        - waits for data at most 2h
        - a failure goes back to version 1
     30 10%: waits for approval (look at p99): verb promote@0aa374c41699/1; aborts at 2026-12-06T10:30:00Z
     30 setting version 2 to 50%
        ! UpdateAlias web:live to version 1 with 2 at 50%
     30 50%: holds until 11:30:00Z
        - errors (ErrorRate): limit 5%, over 5m
        - p95 (DurationP95): limit 1.3 times stable, over 5m
        - no alarm of web-errors, web-slo-* fires
        - a failure goes back to version 1
     90 setting the alias to version 2 alone
        ! UpdateAlias web:live to version 2 alone
     90 100%: watching version 2
     90 100%: watched until 11:45:00Z
        - errors (ErrorRate): limit 5%, over 5m
        - no alarm of web-errors, web-slo-* fires
        - a failure goes back to version 1
    105 the bake is over
    105 alias live serves version 2
    ");
}

#[test]
fn all_problems_are_told_at_once_and_what_follows_when_they_are_mended() {
    let rollout = rollout(STEPS);
    let mut facts = facts(&rollout, serving("1", &[("9", 0.2)]), &ReleaseFacts::default());
    facts.suspended = true;
    let named = |name: &str| vec![name.to_owned()];
    facts.alarms = Some(Ok(AlarmReport {
        firing: named("web-slo-a"),
        insufficient: Vec::new(),
        missing: vec!["web-errors".into(), "web-slo-*".into()],
    }));
    let preview = preview(facts, Ok(&rollout), now());
    insta::assert_snapshot!(preview.problems.join("\n"), @r"
    function web has no version 2; publish it or correct spec.release.version
    there is no alarm web-errors: create it, or correct spec.analysis.alarms; a missing alarm would never fire
    there is no alarm web-slo-*: create it, or correct spec.analysis.alarms; a missing alarm would never fire
    alarm web-slo-a is already in ALARM; a release that mends it needs alarms.alreadyFiring: Ignore
    alias live serves version 1 with 9 at 20%, and this rollout did not set these weights; remove them, or finish what set them
    suspended: release of version 2 would start; set spec.suspend to false to go on
    ");
    let weights: Vec<&String> = preview.lines.iter().flat_map(|line| &line.actions).collect();
    assert_eq!(weights.len(), 3, "{weights:?}");
}

/// What `$LATEST` holds, and no version of it.
fn unpublished() -> ReleaseFacts {
    ReleaseFacts { latest: Some(function("$LATEST", "old")), version: VersionFact::Missing }
}

#[test]
fn what_speaks_against_two_versions_is_told_as_problems_and_warnings() {
    let rollout = rollout(STEPS);
    let mut facts = facts(&rollout, serving("1", &[]), &version("2"));
    let new = FunctionVersion {
        role: "arn:aws:iam::123456789012:role/other".into(),
        architectures: vec!["x86_64".into()],
        ..function("2", "sha")
    };
    let stable = Some(function("1", "old"));
    facts.preflight =
        Some(Preflight { new: Some(Coming::from(&new)), stable, ..Preflight::default() });
    let preview = preview(facts, Ok(&rollout), now());
    assert_eq!(preview.problems.len(), 1, "{:?}", preview.problems);
    assert!(preview.problems[0].contains("different execution roles"), "{:?}", preview.problems);
    assert_eq!(
        preview.warnings,
        ["version 1 and the release run on arm64 and x86_64: their durations do not compare"]
    );
    assert!(!preview.lines.is_empty(), "what would follow is told");
}

#[test]
fn a_deployment_that_moves_the_alias_is_a_problem_and_what_was_not_looked_at_a_warning() {
    let rollout = rollout(STEPS);
    let mut facts = facts(&rollout, serving("1", &[]), &version("2"));
    let looked = facts.clone();
    facts.preflight =
        Some(Preflight { deployments: vec![deployment(Stage::UnderWay)], ..Preflight::default() });
    let moved = preview(facts.clone(), Ok(&rollout), now());
    assert_eq!(moved.problems.len(), 1, "{:?}", moved.problems);
    assert!(moved.problems[0].contains("moves alias live now"), "{:?}", moved.problems);
    assert!(!moved.lines.is_empty(), "what would follow is told");

    let unread = Some("codedeploy:ListDeployments failed with AccessDeniedException".to_owned());
    facts.preflight = Some(Preflight { deployments_unread: unread, ..Preflight::default() });
    let blind = preview(facts.clone(), Ok(&rollout), now());
    assert_eq!(
        blind.warnings,
        [
            "whether CodeDeploy moves the alias was not looked at: codedeploy:ListDeployments failed with AccessDeniedException"
        ]
    );
    let unread = Some("application-autoscaling: denied".to_owned());
    facts.preflight = Some(Preflight { scaling_unread: unread, ..Preflight::default() });
    assert_eq!(
        preview(facts, Ok(&rollout), now()).warnings,
        [
            "whether Application Auto Scaling scales the alias was not looked at: application-autoscaling: denied"
        ]
    );
    assert_eq!((blind.problems, blind.lines), {
        let seen = preview(looked, Ok(&rollout), now());
        (seen.problems, seen.lines)
    });
}

#[test]
fn publishing_is_told_with_its_writes_and_hides_no_problem() {
    let text = STEPS.replace(
        "release: {version: '2'}",
        "release: {s3: {bucket: artifacts, key: a.zip, objectVersion: v1}}\nconfiguration: {memorySize: 512}",
    );
    assert_ne!(text, STEPS, "the release was replaced");
    let rollout = rollout(&text);
    let mut facts = facts(&rollout, serving("$LATEST", &[]), &unpublished());
    let told = preview(facts.clone(), Ok(&rollout), now());
    assert_eq!(told.problems, [] as [String; 0]);
    let writes: Vec<&str> =
        told.lines.iter().flat_map(|l| &l.actions).map(String::as_str).collect();
    let expected = [
        "PublishVersion web",
        "UpdateAlias web:live to version <as it is> alone",
        "UpdateFunctionCode web from s3://artifacts/a.zip",
        "UpdateFunctionConfiguration web to memory 512 MB",
        "PublishVersion web",
    ];
    assert_eq!(writes.get(..expected.len()), Some(&expected[..]), "{writes:?}");
    facts.alarms = Some(Ok(AlarmReport { missing: vec!["gone".into()], ..AlarmReport::default() }));
    let told = preview(facts, Ok(&rollout), now());
    assert_eq!(told.problems.len(), 1, "{:?}", told.problems);
    assert!(told.problems[0].contains("gone"), "{:?}", told.problems);
}

#[test]
fn what_speaks_against_a_release_before_it_is_published_is_told_once_and_what_would_follow() {
    let latest = STEPS.replace("version: '2'", "latest: true");
    let rollout = rollout(&latest);
    let mut facts = facts(&rollout, serving("1", &[]), &unpublished());
    let role = "arn:aws:iam::123456789012:role/other".into();
    let held = FunctionVersion { role, stack: Some("shop".into()), ..function("$LATEST", "old") };
    let stable = Some(function("1", "older"));
    facts.preflight =
        Some(Preflight { new: Some(Coming::from(&held)), stable, ..Preflight::default() });
    let blocked = preview(facts.clone(), Ok(&rollout), now());
    assert_eq!(blocked.problems.len(), 1, "{:?}", blocked.problems);
    assert!(blocked.problems[0].contains("different execution roles"), "{:?}", blocked.problems);
    assert_eq!(blocked.warnings.len(), 1, "{:?}", blocked.warnings);
    if let Some(new) = facts.preflight.as_mut().and_then(|preflight| preflight.new.as_mut()) {
        new.role = function("1", "older").role;
    }
    let told = preview(facts, Ok(&rollout), now());
    assert_eq!((told.problems.len(), &told.warnings), (0, &blocked.warnings));
    assert_eq!(told.lines, blocked.lines);
    assert_eq!(told.lines[0].message, "publishing what $LATEST holds");
}

#[test]
fn a_release_that_is_served_already_and_a_first_one_need_no_steps() {
    let rollout = rollout(STEPS);
    let served = facts(&rollout, serving("2", &[]), &version("2"));
    let served = preview(served, Ok(&rollout), now());
    assert_eq!(shown(&served.lines), "    0 alias live serves version 2\n");
    let first = preview(facts(&rollout, None, &version("2")), Ok(&rollout), now());
    assert_eq!(first.found, "alias live does not exist");
    assert_eq!(
        shown(&first.lines),
        "    0 making alias live at version 2\n      ! CreateAlias web:live at version 2\n    0 alias live serves version 2\n"
    );
}

#[test]
fn a_spec_that_cannot_work_is_the_only_thing_told() {
    let mut spec: CanaryRolloutSpec = serde_yaml::from_str(STEPS).unwrap();
    spec.steps = None;
    let invalid = Rollout::parse(&spec).unwrap_err();
    let rollout = rollout(STEPS);
    let mut facts = facts(&rollout, serving("1", &[]), &ReleaseFacts::default());
    facts.wanted = wanted(Err(&invalid), &ReleaseFacts::default());
    let preview = preview(facts, Err(&invalid), now());
    assert_eq!(preview.problems, [invalid.to_string()]);
    assert_eq!(preview.lines, []);
}

#[test]
fn a_rollout_in_flight_under_the_same_name_is_gone_on_with() {
    let rollout = rollout(STEPS);
    let mut facts = facts(&rollout, serving("1", &[("2", 0.5)]), &version("2"));
    let revision = facts.wanted.as_ref().unwrap().revision.clone();
    let owner = Owner { cluster: "prod".into(), ..facts.owner.clone() };
    if let Some(alias) = &mut facts.alias {
        alias.description = Mark { owner, revision, step: 2 }.write("");
    }
    let preview = preview(facts, Ok(&rollout), now());
    assert_eq!(preview.problems, Vec::<String>::new());
    let writes: Vec<&String> = preview.lines.iter().flat_map(|line| &line.actions).collect();
    assert_eq!(writes, ["UpdateAlias web:live to version 2 alone"]);
}

#[test]
fn a_firing_alarm_that_is_ignored_is_no_problem() {
    let mut rollout = rollout(STEPS);
    if let Some(alarms) = &mut rollout.criteria.alarms {
        alarms.already_firing = AlreadyFiring::Ignore;
        alarms.on_insufficient_data = OnNoData::Wait;
    }
    let mut facts = facts(&rollout, serving("1", &[]), &version("2"));
    facts.alarms = Some(Ok(AlarmReport { firing: vec!["a".into()], ..AlarmReport::default() }));
    assert_eq!(preview(facts, Ok(&rollout), now()).problems, Vec::<String>::new());
}

#[test]
fn checks_are_told_where_they_would_run() {
    let text = "
function: {name: web, alias: live}
release: {version: '2'}
preset: AllAtOnce
checks:
- {name: alarms-ok, alarms: {namePrefixes: [web-], excludePrefixes: [web-slow-]}}
- {name: database, rds: {instance: prod-db}}
postChecks:
- {name: api, http: {url: 'https://api.example.com/health?token=x', bodyContains: ok}}
- {name: rate, metric: {expression: 100*e/i, queries: [{id: e, namespace: AWS/Lambda, metricName: Errors, statistic: Sum}], period: 10m, periods: 2, max: 5%}}
";
    let rollout = rollout(text);
    let facts = facts(&rollout, serving("1", &[]), &version("2"));
    let preview = preview(facts, Ok(&rollout), now());
    assert_eq!(preview.problems, Vec::<String>::new());
    insta::assert_snapshot!(shown(&preview.lines), @r"
      0 releasing version 2 in place of 1
        - check alarms-ok: at most 0 alarms of web-* in ALARM, without web-slow-*
        - check database: instance prod-db is available
      0 setting the alias to version 2 alone
        ! UpdateAlias web:live to version 2 alone
      0 100%: watching version 2
        - check api: https://api.example.com/health answers 200 with the expected text
        - check rate: 100*e/i at most 5% in the last 2 periods of 10m
      0 its checks hold
      0 alias live serves version 2
    ");
}
