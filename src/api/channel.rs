//! Where people are told: what a channel is, and what a status keeps of what was told.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::fit::SENTENCE_MAX;

/// Most channels of one object.
pub const CHANNELS_MAX: usize = 16;
/// Longest name of a channel.
pub const CHANNEL_NAME_MAX: usize = 63;
/// Longest id of an occurrence, or of what else is told about.
pub const OCCURRENCE_MAX: usize = 128;
/// Longest name of a stage.
pub const STAGE_MAX: usize = 32;

/// Where people are told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = Rule::new("[has(self.sns), has(self.slack), has(self.statuspage), has(self.webhook)].filter(x, x).size() == 1").message("a channel has exactly one of sns, slack, statuspage and webhook")
)]
pub struct Channel {
    /// Name in the status and in messages.
    #[schemars(length(min = 1, max = CHANNEL_NAME_MAX), regex(pattern = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"))]
    pub name: String,
    /// A topic of SNS; its subscriptions take it to e-mail, telephones, queues and functions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sns: Option<SnsChannel>,
    /// A channel of Slack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack: Option<SlackChannel>,
    /// A public page of Statuspage, as scheduled maintenance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statuspage: Option<StatuspageChannel>,
    /// An address of your own that takes JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<WebhookChannel>,
}

impl Channel {
    /// What sort of channel it is.
    #[must_use]
    pub const fn sort(&self) -> &'static str {
        match self {
            Self { sns: Some(_), .. } => "sns",
            Self { slack: Some(_), .. } => "slack",
            Self { statuspage: Some(_), .. } => "statuspage",
            Self { .. } => "webhook",
        }
    }
}

/// A topic of SNS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SnsChannel {
    /// ARN of the topic. It may be in another region, and in another account whose topic policy
    /// allows it; the role of the namespace publishes.
    #[schemars(length(min = 20, max = 512))]
    #[x_kube(validation = Rule::new("self.matches('^arn:aws(-[a-z]+)*:sns:[a-z]{2}(-[a-z]+)+-[0-9]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}([.]fifo)?$')").message("topicArn is written like arn:aws:sns:eu-central-1:123456789012:ops"))]
    pub topic_arn: String,
}

/// An incoming webhook of Slack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SlackChannel {
    /// Where the address of the webhook is kept: whoever knows it may post.
    pub url_from: SecretValue,
}

/// A page of Statuspage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatuspageChannel {
    /// Id of the page.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9]+$"))]
    pub page_id: String,
    /// Ids of the components that are under maintenance meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 50),
        inner(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9]+$"))
    )]
    pub component_ids: Option<Vec<String>>,
    /// Where the API key is kept.
    pub token_from: SecretValue,
}

/// An address that takes JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.url) != has(self.urlFrom)").message("give exactly one of url and urlFrom"))]
pub struct WebhookChannel {
    /// Address: https, and a host with public addresses only, unless the operator's
    /// --allow-http-host names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 9, max = 2048),
        regex(pattern = r"^https?://[^\s@/?#]+([/?][^\s#]*)?$")
    )]
    #[x_kube(validation = Rule::new("isURL(self) && url(self).getHostname() != ''").message("url is written like https://hooks.example.com/groundcrew"))]
    pub url: Option<String>,
    /// Where the address is kept, if it is a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_from: Option<SecretValue>,
    /// Where the key is kept that requests are signed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hmac_from: Option<SecretValue>,
}

/// Where a secret is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretValue {
    /// A key of a Secret.
    pub secret_key_ref: SecretKeyRef,
}

/// A key of a Secret of the same namespace. The operator may read the Secrets that the values of its
/// chart name, and no others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretKeyRef {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"))]
    pub name: String,
    /// Key in its data.
    #[schemars(length(min = 1, max = 253), regex(pattern = r"^[A-Za-z0-9._-]+$"))]
    pub key: String,
}

/// A channel of a window, which may be told a part of its stages only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct StagedChannel {
    /// The channel.
    #[serde(flatten)]
    pub channel: Channel,
    /// What is told here: Opened, Progress, Extended, Changed, Cancelled, Closed, and durations of
    /// `before` like 24h. Default: everything. A window that stays shut is told as Cancelled, a check
    /// that fails ahead as Opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 16), inner(length(min = 2, max = STAGE_MAX)))]
    #[x_kube(validation = Rule::new("self.all(stage, stage.matches('^(Opened|Progress|Extended|Changed|Cancelled|Closed|([0-9]{1,4}w)?([0-9]{1,4}d)?([0-9]{1,5}h)?([0-9]{1,6}m)?([0-9]{1,7}s)?)$'))").message("stages are Opened, Progress, Extended, Changed, Cancelled, Closed, and durations like 24h"))]
    pub stages: Option<Vec<String>>,
}

/// A notice that went out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct NoticeSent {
    /// Id of the occurrence, or of the revision.
    #[schemars(length(max = OCCURRENCE_MAX))]
    pub occurrence: String,
    /// What was told: 24h, Opened, Promoted.
    #[schemars(length(max = STAGE_MAX))]
    pub stage: String,
    /// Name of the channel.
    #[schemars(length(max = CHANNEL_NAME_MAX))]
    pub channel: String,
    /// When it went out.
    pub sent_at: Time,
    /// When it was due.
    pub due_at: Time,
    /// The opening that was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at: Option<Time>,
    /// The close that was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_at: Option<Time>,
    /// Since when it holds no more: what was told to be over is to come after all, and told anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Time>,
}

/// A notice that does not go out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct NoticeFailure {
    /// Id of the occurrence, or of the revision.
    #[schemars(length(max = OCCURRENCE_MAX))]
    pub occurrence: String,
    /// Name of the channel.
    #[schemars(length(max = CHANNEL_NAME_MAX))]
    pub channel: String,
    /// What was to be told.
    #[schemars(length(max = STAGE_MAX))]
    pub stage: String,
    /// How often it was tried in vain.
    #[schemars(range(min = 1))]
    pub attempts: i32,
    /// When it is tried again.
    pub not_before: Time,
    /// Why it did not go out, and who has to do what.
    #[schemars(length(max = SENTENCE_MAX))]
    pub message: String,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The schema as it goes into a CRD, without what every type has.
    fn schema<T: schemars::JsonSchema>() -> Value {
        let settings = schemars::generate::SchemaSettings::openapi3().with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        });
        let structural = kube::core::schema::StructuralSchemaRewriter;
        let generator = settings.with_transform(structural).into_generator();
        serde_json::to_value(generator.into_root_schema_for::<T>()).unwrap()
    }

    #[test]
    fn only_a_channel_of_a_window_has_stages_and_all_else_is_the_same() {
        let plain = schema::<Channel>();
        let mut staged = schema::<StagedChannel>();
        let stages = staged["properties"].as_object_mut().unwrap().remove("stages").unwrap();
        assert_eq!(stages["maxItems"], 16);
        assert_eq!(staged["properties"], plain["properties"]);
        assert_eq!(staged["required"], plain["required"]);
        let rules = &plain["x-kubernetes-validations"];
        assert!(rules[0]["rule"].as_str().unwrap().contains("size() == 1"), "{rules}");
        assert_eq!(&staged["x-kubernetes-validations"], rules);
    }

    #[test]
    fn a_channel_of_a_window_is_written_flat() {
        let written = json!({
            "name": "ops",
            "slack": {"urlFrom": {"secretKeyRef": {"name": "slack", "key": "url"}}},
            "stages": ["24h", "Opened"],
        });
        let read: StagedChannel = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(read.channel.name, "ops");
        assert_eq!(serde_json::to_value(read).unwrap(), written);
    }

    #[test]
    fn every_text_and_list_has_a_maximum() {
        fn unbounded(schema: &Value, path: &str, found: &mut Vec<String>) {
            let object = schema.as_object().unwrap();
            let max = match object.get("type").and_then(Value::as_str) {
                Some("string") => "maxLength",
                Some("array") => "maxItems",
                _ => "type",
            };
            if !object.contains_key(max) && !object.contains_key("format") {
                found.push(path.to_owned());
            }
            let below = object.get("properties").and_then(Value::as_object);
            for (name, schema) in below.into_iter().flatten() {
                unbounded(schema, &format!("{path}.{name}"), found);
            }
            if let Some(items) = object.get("items") {
                unbounded(items, &format!("{path}[]"), found);
            }
        }
        let mut found = Vec::new();
        for schema in [schema::<StagedChannel>(), schema::<NoticeSent>(), schema::<NoticeFailure>()]
        {
            unbounded(&schema, "", &mut found);
        }
        assert_eq!(found, Vec::<String>::new());
    }
}
