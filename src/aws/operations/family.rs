//! Which calls share a limit, and what we allow ourselves of it.

/// Calls that share one limit in AWS, per account and region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Every call of Application Auto Scaling, together. AWS publishes no number.
    AutoScaling,
    /// DisableAlarmActions and EnableAlarmActions: 3 calls/s each, not raisable.
    CloudWatchActions,
    /// DescribeAlarms: 9 calls/s, raisable.
    CloudWatchAlarms,
    /// Calls about mute rules, together. AWS publishes no number.
    CloudWatchMuteRules,
    /// GetMetricData: 50 calls/s, raisable.
    CloudWatchMetrics,
    /// ListMetrics: 25 calls/s, raisable.
    CloudWatchList,
    /// Every call of CodeDeploy, together. AWS publishes no number.
    CodeDeploy,
    /// Reads of DynamoDB's control plane: 2,500 calls/s.
    DynamoDbControl,
    /// Every call of ECS, together. What AWS allows differs by call; we stay far below.
    Ecs,
    /// GetFunction: 100 calls/s.
    LambdaGetFunction,
    /// Invoke: bounded by concurrency, far above what we send.
    LambdaInvoke,
    /// Every other control-plane call of Lambda, together: 15 calls/s, not raisable.
    LambdaControl,
    /// Every call of RDS, together. AWS publishes no number; accounts see throttles from about
    /// 20 calls/s.
    Rds,
    /// Publish: 300 calls/s in the smallest regions, raisable.
    Sns,
    /// Every call of Systems Manager, together. AWS publishes no number.
    Ssm,
    /// STS: far above what we send.
    Sts,
}

impl Family {
    /// Calls a second that we allow ourselves: a little below AWS's limit, which others share.
    ///
    /// Source: Lambda developer guide, "Lambda quotas", API requests; CloudWatch user guide,
    /// "CloudWatch service quotas".
    #[must_use]
    pub const fn per_second(self) -> f64 {
        match self {
            Self::CloudWatchActions => 2.5,
            Self::CloudWatchAlarms => 7.0,
            Self::CloudWatchMetrics => 40.0,
            Self::CloudWatchList => 15.0,
            Self::DynamoDbControl => 50.0,
            Self::LambdaGetFunction => 90.0,
            Self::LambdaControl => 14.0,
            Self::AutoScaling
            | Self::CloudWatchMuteRules
            | Self::CodeDeploy
            | Self::Ecs
            | Self::Ssm => 5.0,
            Self::Rds => 10.0,
            Self::LambdaInvoke | Self::Sns | Self::Sts => 50.0,
        }
    }

    /// Calls at once after a pause, and what a timer that fires late may make up for. Together with
    /// [`Self::per_second`] less than one call above AWS's limit, so that no single second exceeds it.
    #[must_use]
    pub const fn burst(self) -> f64 {
        match self {
            Self::CloudWatchMetrics
            | Self::DynamoDbControl
            | Self::LambdaGetFunction
            | Self::LambdaInvoke
            | Self::Sns
            | Self::Sts => 10.0,
            Self::AutoScaling
            | Self::CloudWatchList
            | Self::CloudWatchMuteRules
            | Self::CodeDeploy
            | Self::Ecs
            | Self::Rds
            | Self::Ssm => 5.0,
            Self::CloudWatchActions => 1.4,
            Self::CloudWatchAlarms => 2.0,
            // Never two at once, but a token that is up to 36 ms late costs no time.
            Self::LambdaControl => 1.5,
        }
    }
}
