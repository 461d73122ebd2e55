//! SNS in the world: every topic exists and takes what it is given.

use async_trait::async_trait;
use groundcrew::{
    aws::{self, operations::Operation, port, resource},
    facts::sns::Notification,
};

use super::lambda::{Aws, refusal};
use crate::faults::Sort;

#[async_trait]
impl port::Sns for Aws {
    async fn publish(&self, notification: &Notification) -> Result<String, aws::Error> {
        let (operation, about) = (Operation::SnsPublish, resource::topic(&notification.topic));
        self.call(
            Sort::AwsWrite,
            format!("Publish {}", notification.topic),
            |_| Ok("00000000-0000-0000-0000-000000000000".to_owned()),
            move |fault| refusal(operation, &about, fault),
        )
        .await
    }
}
