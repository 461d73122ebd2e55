//! The services of a session: each call passes what every call passes.

mod alarms;
mod tasks;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;

use super::{CallContext, Session};
use crate::{
    aws::{Error, operations::Operation, port, resource},
    facts::{
        cloudwatch::{
            AlarmFilter, AlarmPage, Datapoint, Math, Metric, MetricPage, MetricsPage, Series, Span,
        },
        codedeploy::{Deployment, DeploymentPage, KeptRevision, Stage},
        dynamodb::Table,
        lambda::{
            Alias, AliasChange, Changed, CodeChange, ConfigurationChange, FunctionVersion,
            Invocation, NamedPage, Provisioned, Publication, VersionPage,
        },
        scaling::TargetPage,
        sns::Notification,
        surplus::Surplus,
    },
};

pub use self::{
    alarms::GuardedAlarms,
    tasks::{GuardedEcs, GuardedRds, GuardedSsm},
};

/// CloudWatch behind token, time-out, metrics and retries.
#[derive(Clone)]
pub struct GuardedCloudWatch {
    pub(super) session: Arc<Session>,
    pub(super) context: CallContext,
}

#[async_trait]
impl port::CloudWatch for GuardedCloudWatch {
    async fn get_metric_data(
        &self,
        series: &[Series],
        span: Span,
        next: Option<&str>,
    ) -> Result<MetricPage, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::metrics(series.len());
        caller
            .call(Operation::CloudWatchGetMetricData, &about, &self.context, || {
                ports.cloudwatch.get_metric_data(series, span, next)
            })
            .await
    }

    async fn get_metric_math(&self, math: &Math, span: Span) -> Result<Vec<Datapoint>, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::metrics(math.inputs.len());
        caller
            .call(Operation::CloudWatchGetMetricData, &about, &self.context, || {
                ports.cloudwatch.get_metric_math(math, span)
            })
            .await
    }

    async fn list_metrics(
        &self,
        metric: &Metric,
        next: Option<&str>,
    ) -> Result<MetricsPage, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::metric(metric);
        caller
            .call(Operation::CloudWatchListMetrics, &about, &self.context, || {
                ports.cloudwatch.list_metrics(metric, next)
            })
            .await
    }

    async fn describe_alarms(
        &self,
        filter: &AlarmFilter,
        next: Option<&str>,
    ) -> Result<AlarmPage, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::alarms(filter);
        caller
            .call(Operation::CloudWatchDescribeAlarms, &about, &self.context, || {
                ports.cloudwatch.describe_alarms(filter, next)
            })
            .await
    }
}

/// Lambda behind token, gate, time-out, metrics and retries.
#[derive(Clone)]
pub struct GuardedLambda {
    pub(super) session: Arc<Session>,
    pub(super) context: CallContext,
}

#[async_trait]
impl port::Lambda for GuardedLambda {
    async fn get_alias(&self, function: &str, alias: &str) -> Result<Alias, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::alias(function, alias);
        caller
            .call(Operation::LambdaGetAlias, &about, &self.context, || {
                ports.lambda.get_alias(function, alias)
            })
            .await
    }

    async fn create_alias(
        &self,
        function: &str,
        alias: &str,
        version: &str,
        description: &str,
    ) -> Result<Alias, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::alias(function, alias);
        caller
            .call(Operation::LambdaCreateAlias, &about, &self.context, || {
                ports.lambda.create_alias(function, alias, version, description)
            })
            .await
    }

    async fn update_alias(&self, change: &AliasChange) -> Result<Alias, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::alias(&change.function, &change.alias);
        caller
            .call(Operation::LambdaUpdateAlias, &about, &self.context, || {
                ports.lambda.update_alias(change)
            })
            .await
    }

    async fn get_function(
        &self,
        function: &str,
        qualifier: Option<&str>,
    ) -> Result<FunctionVersion, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::function(function, qualifier);
        caller
            .call(Operation::LambdaGetFunction, &about, &self.context, || {
                ports.lambda.get_function(function, qualifier)
            })
            .await
    }

    async fn update_function_code(&self, change: &CodeChange) -> Result<Changed, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::function(&change.function, None);
        caller
            .call(Operation::LambdaUpdateFunctionCode, &about, &self.context, || {
                ports.lambda.update_function_code(change)
            })
            .await
    }

    async fn update_function_configuration(
        &self,
        change: &ConfigurationChange,
    ) -> Result<Changed, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::function(&change.function, None);
        caller
            .call(Operation::LambdaUpdateFunctionConfiguration, &about, &self.context, || {
                ports.lambda.update_function_configuration(change)
            })
            .await
    }

    async fn publish_version(&self, publication: &Publication) -> Result<Changed, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::function(&publication.function, None);
        caller
            .call(Operation::LambdaPublishVersion, &about, &self.context, || {
                ports.lambda.publish_version(publication)
            })
            .await
    }

    async fn get_provisioned_concurrency(
        &self,
        function: &str,
        alias: &str,
    ) -> Result<Provisioned, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::alias(function, alias);
        caller
            .call(Operation::LambdaGetProvisionedConcurrencyConfig, &about, &self.context, || {
                ports.lambda.get_provisioned_concurrency(function, alias)
            })
            .await
    }

    async fn invoke(
        &self,
        function: &str,
        version: &str,
        payload: &str,
        patience: Duration,
    ) -> Result<Invocation, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::function(function, Some(version));
        caller
            .call(Operation::LambdaInvoke, &about, &self.context, || {
                ports.lambda.invoke(function, version, payload, patience)
            })
            .await
    }

    async fn list_versions(
        &self,
        function: &str,
        next: Option<&str>,
    ) -> Result<VersionPage, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::function(function, None);
        caller
            .call(Operation::LambdaListVersionsByFunction, &about, &self.context, || {
                ports.lambda.list_versions(function, next)
            })
            .await
    }

    async fn list_named(&self, function: &str, next: Option<&str>) -> Result<NamedPage, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::function(function, None);
        caller
            .call(Operation::LambdaListAliases, &about, &self.context, || {
                ports.lambda.list_named(function, next)
            })
            .await
    }

    async fn delete_version(&self, surplus: &Surplus) -> Result<(), Error> {
        let Session { caller, ports, .. } = &*self.session;
        let version = surplus.version().to_string();
        let about = resource::function(surplus.function(), Some(&version));
        caller
            .call(Operation::LambdaDeleteFunction, &about, &self.context, || {
                ports.lambda.delete_version(surplus)
            })
            .await
    }
}

/// Application Auto Scaling behind token, time-out, metrics and retries.
#[derive(Clone)]
pub struct GuardedAutoScaling {
    pub(super) session: Arc<Session>,
    pub(super) context: CallContext,
}

#[async_trait]
impl port::AutoScaling for GuardedAutoScaling {
    async fn describe_scalable_targets(&self, next: Option<&str>) -> Result<TargetPage, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::scalable_targets();
        caller
            .call(Operation::AutoScalingDescribeScalableTargets, &about, &self.context, || {
                ports.auto_scaling.describe_scalable_targets(next)
            })
            .await
    }
}

/// CodeDeploy behind token, time-out, metrics and retries.
#[derive(Clone)]
pub struct GuardedCodeDeploy {
    pub(super) session: Arc<Session>,
    pub(super) context: CallContext,
}

#[async_trait]
impl port::CodeDeploy for GuardedCodeDeploy {
    async fn list_deployments(
        &self,
        stage: Stage,
        since: Timestamp,
    ) -> Result<DeploymentPage, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::deployments(None);
        caller
            .call(Operation::CodeDeployListDeployments, &about, &self.context, || {
                ports.codedeploy.list_deployments(stage, since)
            })
            .await
    }

    async fn batch_get_deployments(&self, ids: &[String]) -> Result<Vec<Deployment>, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::deployments(Some(ids.len()));
        caller
            .call(Operation::CodeDeployBatchGetDeployments, &about, &self.context, || {
                ports.codedeploy.batch_get_deployments(ids)
            })
            .await
    }

    async fn get_application_revision(
        &self,
        application: &str,
        revision: &KeptRevision,
    ) -> Result<Option<String>, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::revision(application);
        caller
            .call(Operation::CodeDeployGetApplicationRevision, &about, &self.context, || {
                ports.codedeploy.get_application_revision(application, revision)
            })
            .await
    }
}

/// DynamoDB behind token, time-out, metrics and retries.
#[derive(Clone)]
pub struct GuardedDynamoDb {
    pub(super) session: Arc<Session>,
    pub(super) context: CallContext,
}

#[async_trait]
impl port::DynamoDb for GuardedDynamoDb {
    async fn describe_table(&self, table: &str) -> Result<Table, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::table(table);
        caller
            .call(Operation::DynamoDbDescribeTable, &about, &self.context, || {
                ports.dynamodb.describe_table(table)
            })
            .await
    }
}

/// SNS behind token, gate, time-out and metrics.
#[derive(Clone)]
pub struct GuardedSns {
    pub(super) session: Arc<Session>,
    pub(super) context: CallContext,
}

#[async_trait]
impl port::Sns for GuardedSns {
    async fn publish(&self, notification: &Notification) -> Result<String, Error> {
        let Session { caller, ports, .. } = &*self.session;
        let about = resource::topic(&notification.topic);
        caller
            .call(Operation::SnsPublish, &about, &self.context, || ports.sns.publish(notification))
            .await
    }
}
