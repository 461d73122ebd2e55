//! The operation of Application Auto Scaling that groundcrew uses.

use async_trait::async_trait;

use crate::{aws::Error, facts::scaling::TargetPage};

/// Application Auto Scaling in one account and region. Every method is one API call.
#[async_trait]
pub trait AutoScaling: Send + Sync {
    /// DescribeScalableTargets of Lambda: a page; `next` is what the page before told.
    async fn describe_scalable_targets(&self, next: Option<&str>) -> Result<TargetPage, Error>;
}
