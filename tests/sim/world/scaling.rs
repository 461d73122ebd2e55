//! Application Auto Scaling in the world: whether it scales the alias.

use async_trait::async_trait;
use groundcrew::{
    aws::{self, operations::Operation, port, resource},
    facts::scaling::{ScalableTarget, TargetPage},
};

use super::{
    ALIAS, FUNCTION,
    lambda::{Aws, refusal},
};
use crate::faults::Sort;

/// The most that the alias is scaled to, if it is scaled.
#[derive(Default)]
pub struct AutoScaling {
    pub most: Option<i64>,
}

#[async_trait]
impl port::AutoScaling for Aws {
    async fn describe_scalable_targets(
        &self,
        next: Option<&str>,
    ) -> Result<TargetPage, aws::Error> {
        let operation = Operation::AutoScalingDescribeScalableTargets;
        assert_eq!(next, None, "there is one page");
        self.call(
            Sort::AwsRead,
            "DescribeScalableTargets".into(),
            |state| {
                let resource = format!("function:{FUNCTION}:{ALIAS}");
                let target = |most| ScalableTarget { resource, least: 1, most, suspended: false };
                let targets = state.auto_scaling.most.map(target).into_iter().collect();
                Ok(TargetPage { targets, next: None })
            },
            move |fault| refusal(operation, &resource::scalable_targets(), fault),
        )
        .await
    }
}
