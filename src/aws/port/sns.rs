//! The operations of SNS that groundcrew uses.

use async_trait::async_trait;

use crate::{aws::Error, facts::sns::Notification};

/// SNS in one region, as one role. Every method is one API call.
#[async_trait]
pub trait Sns: Send + Sync {
    /// Publish; returns the message id. The topic may be another account's, if its policy allows it;
    /// it has to be in this region. `NotFound` when it does not exist.
    ///
    /// Repeating it tells once more, but for a FIFO topic within 5 minutes.
    async fn publish(&self, notification: &Notification) -> Result<String, Error>;
}
