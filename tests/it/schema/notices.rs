//! Whom windows and rollouts tell.

use serde_json::{Value, json};

use super::window::{always, full, refused, with};

/// Channels that together have every field; those of windows may ask for stages.
pub(super) fn channels(staged: bool) -> Value {
    let secret = |name: &str| json!({"secretKeyRef": {"name": name, "key": "value"}});
    let mut channels = json!([
        {"name": "ops", "sns": {"topicArn": "arn:aws:sns:eu-central-1:123456789012:ops"}},
        {"name": "chat", "slack": {"urlFrom": secret("slack")}},
        {
            "name": "public",
            "statuspage": {"pageId": "p4ge", "componentIds": ["c1"], "tokenFrom": secret("page")},
        },
        {
            "name": "own",
            "webhook": {"url": "https://hooks.example.com/x", "hmacFrom": secret("hooks")},
        },
        {"name": "hidden", "webhook": {"urlFrom": secret("hooks")}},
    ]);
    if staged {
        channels[0]["stages"] =
            json!(["24h", "Opened", "Progress", "Extended", "Changed", "Cancelled", "Closed",]);
    } else {
        // A rollout has nothing that a status page could show.
        channels.as_array_mut().unwrap().retain(|channel| channel.get("statuspage").is_none());
    }
    channels
}

#[test]
fn notices_that_contradict_themselves_are_refused_with_the_fix() {
    let notices = |field: &str, value: Value| {
        let mut spec = full();
        spec["notices"][field] = value;
        spec
    };
    let one = |channel: Value| notices("channels", json!([channel]));
    let sns = json!({"topicArn": "arn:aws:sns:eu-central-1:123456789012:ops"});
    let sort = "a channel has exactly one of sns, slack, statuspage and webhook";
    let both = json!({"name": "ops", "sns": sns, "webhook": {"url": "https://hooks.example.com"}});
    let staged = |stage: &str| one(json!({"name": "ops", "sns": sns, "stages": [stage]}));
    let ops = json!({"name": "ops", "sns": sns});
    let stages = "stages are Opened, Progress, Extended, Changed, Cancelled, Closed";
    refused([
        (one(json!({"name": "ops"})), sort),
        (one(both), sort),
        (staged("opened"), stages),
        (staged("Missed"), stages),
        (notices("channels", json!([ops, ops])), "Duplicate value"),
        (notices("channels", json!([])), "should have at least 1 items"),
        (
            one(json!({"name": "ops", "sns": {"topicArn": "arn:aws:sqs:eu-central-1:1:ops"}})),
            "topicArn is written like",
        ),
        (one(json!({"name": "ops", "webhook": {}})), "give exactly one of url and urlFrom"),
        (notices("before", json!(["30s"])), "before has durations from 1m to 28d"),
        (notices("before", json!(["29d"])), "before has durations from 1m to 28d"),
        (notices("before", json!(["24h", "1d"])), "before names each duration once"),
        (notices("every", json!("4m")), "notices.every must be 5m to 24h"),
        (notices("title", json!("x".repeat(91))), "may not be more than 90"),
        (notices("message", json!("x".repeat(501))), "may not be more than 500"),
        (
            with(always, "notices", json!({"channels": [ops]})),
            "a window that is always open has no openings to tell of: leave notices out",
        ),
    ]);
}
