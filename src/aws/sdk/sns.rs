//! SNS through the SDK.

use async_trait::async_trait;
use aws_sdk_sns::{Client, operation::RequestId as _, types::MessageAttributeValue};

use super::error::{Call, Identity};
use crate::{
    aws::{Error, operations::Operation, port, resource},
    facts::sns::{Fifo, Notification},
};

/// SNS with one identity in one region.
pub(super) struct SdkSns {
    client: Client,
    identity: Identity,
}

impl SdkSns {
    pub(super) fn new(client: Client, identity: Identity) -> Self {
        Self { client, identity }
    }
}

#[async_trait]
impl port::Sns for SdkSns {
    async fn publish(&self, notification: &Notification) -> Result<String, Error> {
        let Notification { topic, subject, message, attributes, fifo } = notification;
        let call = Call {
            operation: Operation::SnsPublish,
            resource: resource::topic(topic),
            identity: &self.identity,
        };
        let mut request = self.client.publish().topic_arn(topic).subject(subject).message(message);
        for (name, value) in attributes {
            let value = MessageAttributeValue::builder().data_type("String").string_value(value);
            let value = value.build().map_err(|error| call.invalid(error.to_string()))?;
            request = request.message_attributes(name, value);
        }
        if let Some(Fifo { group, deduplication }) = fifo {
            request = request.message_group_id(group).message_deduplication_id(deduplication);
        }
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        let id = answer.message_id().filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| call.unreadable("MessageId is missing", answer.request_id()))?;
        Ok(id.to_owned())
    }
}
