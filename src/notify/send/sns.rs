//! SNS: to e-mail, telephones, queues and functions.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Delivery, NotSent, Sent, Topics};
use crate::{
    api::{channel::SnsChannel, shared::AwsLocation},
    aws::{
        self,
        accounts::{Accounts, Pinned, Settings, resolve},
        limits::Priority,
        port,
    },
    context::{Context, Namespaces, terms},
    facts::sns::{Fifo, Notification},
    notify::{message::About, render},
};

/// Longest id of a group. Source: SNS API reference, Publish.
const GROUP_MAX: usize = 128;

impl Delivery<'_> {
    /// A FIFO topic takes a repetition within 5 minutes for the same message.
    pub(super) async fn sns(&self, topics: &dyn Topics, to: &SnsChannel) -> Result<Sent, NotSent> {
        let region = region(&to.topic_arn)?;
        let sns = topics.of_region(self.namespace, region).await?;
        let sent = sns.publish(&self.notification(&to.topic_arn)).await;
        sent.map(|id| Sent { id }).map_err(|error| not_sent(&error))
    }

    fn notification(&self, topic: &str) -> Notification {
        let message = self.message;
        let About { cluster, kind, namespace, name } = &message.about;
        let stage = message.stage.to_string();
        let attributes = [
            ("cluster", cluster.as_str()),
            ("kind", kind),
            ("namespace", namespace),
            ("name", name),
            ("stage", &stage),
        ];
        let fifo = topic.ends_with(".fifo").then(|| Fifo {
            group: group(&message.about),
            deduplication: message.key(self.channel),
        });
        Notification {
            topic: topic.to_owned(),
            subject: render::subject(message),
            message: render::plain(message),
            attributes: attributes
                .map(|(name, value)| (format!("groundcrew.{name}"), value.to_owned()))
                .to_vec(),
            fifo,
        }
    }
}

/// What of AWS did not work; the error tells operation, topic and AWS's words.
fn not_sent(error: &aws::Error) -> NotSent {
    NotSent { wait: error.retry_after, message: error.to_string() }
}

/// The topics that the roles of namespaces reach.
pub struct Regions<'a> {
    /// Sessions.
    pub accounts: &'a Accounts,
    /// The operator's flags about AWS.
    pub settings: &'a Settings,
    /// What Namespaces say about AWS.
    pub namespaces: &'a dyn Namespaces,
}

#[async_trait]
impl Topics for Regions<'_> {
    async fn of_region(
        &self,
        namespace: &str,
        region: &str,
    ) -> Result<Arc<dyn port::Sns>, NotSent> {
        let facts = self.namespaces.facts(namespace);
        let location = AwsLocation { region: Some(region.to_owned()), account_id: None };
        let target = resolve(self.settings, &facts, Some(&location), &Pinned::default());
        let target = target.map_err(|error| NotSent::new(error.to_string()))?;
        let session = self.accounts.session(&target).await.map_err(|error| not_sent(&error))?;
        Ok(Arc::new(session.sns(terms(Priority::Work, namespace))))
    }
}

#[async_trait]
impl Topics for Context {
    async fn of_region(
        &self,
        namespace: &str,
        region: &str,
    ) -> Result<Arc<dyn port::Sns>, NotSent> {
        let Self { accounts, settings, namespaces, .. } = self;
        let regions = Regions { accounts, settings, namespaces: &**namespaces };
        regions.of_region(namespace, region).await
    }
}

/// The region of a topic.
fn region(arn: &str) -> Result<&str, NotSent> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", partition, "sns", region, account, name]
            if partition.starts_with("aws") && !account.is_empty() && !name.is_empty() =>
        {
            Ok(region)
        }
        _ => Err(NotSent::new(
            "topicArn must be the ARN of a topic like arn:aws:sns:eu-central-1:123456789012:ops",
        )),
    }
}

/// What keeps its order in a FIFO topic: notices of one object.
fn group(about: &About) -> String {
    let About { kind, namespace, name, .. } = about;
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._/".contains(c);
    let group: String = format!("{kind}/{namespace}/{name}").chars().filter(|c| fits(*c)).collect();
    group.chars().take(GROUP_MAX).collect()
}
