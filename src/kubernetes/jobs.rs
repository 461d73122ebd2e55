//! Jobs in a real cluster. The operator may only make them in the namespaces that the chart's value
//! `jobs.namespaces` names.

use async_trait::async_trait;
use k8s_openapi::api::{
    batch::v1::{CronJob, Job},
    core::v1::Pod,
};
use kube::{
    Api,
    api::{DeleteParams, ListParams, LogParams, PostParams, Preconditions},
};

use super::{
    client::{Kubernetes, class},
    port::Class,
};
use crate::{
    error::chain,
    jobs::{Error, Jobs, LINES, uid},
};

/// Longest log that is read, in bytes.
const LOG_MAX: i64 = 8 * 1_024;
/// Most pods of one Job that are looked at.
const PODS_MAX: u32 = 50;

fn failed(action: &str, namespace: &str, source: &kube::Error) -> Error {
    let class = class(source);
    let message = match class {
        Class::Denied => format!(
            "the operator may not {action} in namespace {namespace}: name the namespace in the value \
             jobs.namespaces of the chart ({})",
            // A quota is refused in the same way.
            chain(source)
        ),
        Class::Gone | Class::Conflict | Class::Invalid | Class::Unavailable => {
            format!("cannot {action}: {}", chain(source))
        }
    };
    Error { class, message }
}

#[async_trait]
impl Jobs for Kubernetes {
    async fn cron_job(&self, namespace: &str, name: &str) -> Result<Option<CronJob>, Error> {
        let api: Api<CronJob> = Api::namespaced(self.client().clone(), namespace);
        let fail = |source| failed("read CronJobs", namespace, &source);
        api.get_opt(name).await.map_err(fail)
    }

    async fn create(&self, namespace: &str, job: &Job) -> Result<Option<Job>, Error> {
        let api: Api<Job> = Api::namespaced(self.client().clone(), namespace);
        match api.create(&PostParams::default(), job).await {
            Ok(made) => Ok(Some(made)),
            Err(kube::Error::Api(status)) if status.reason == "AlreadyExists" => Ok(None),
            Err(source) => Err(failed("make Jobs", namespace, &source)),
        }
    }

    async fn job(&self, namespace: &str, name: &str) -> Result<Option<Job>, Error> {
        let api: Api<Job> = Api::namespaced(self.client().clone(), namespace);
        api.get_opt(name).await.map_err(|source| failed("read Jobs", namespace, &source))
    }

    async fn delete(&self, namespace: &str, name: &str, uid: &str) -> Result<(), Error> {
        let api: Api<Job> = Api::namespaced(self.client().clone(), namespace);
        let same = Preconditions { uid: Some(uid.to_owned()), resource_version: None };
        let params = DeleteParams::background().preconditions(same);
        match api.delete(name, &params).await {
            Ok(_) => Ok(()),
            Err(source) if matches!(class(&source), Class::Gone | Class::Conflict) => Ok(()),
            Err(source) => Err(failed("delete Jobs", namespace, &source)),
        }
    }

    async fn pod(&self, namespace: &str, job: &Job) -> Result<Option<Pod>, Error> {
        let api: Api<Pod> = Api::namespaced(self.client().clone(), namespace);
        let label = format!("batch.kubernetes.io/controller-uid={}", uid(job));
        let params = ListParams::default().labels(&label).limit(PODS_MAX);
        let pods = api.list(&params).await;
        let pods = pods.map_err(|source| failed("list Pods", namespace, &source))?;
        let made = |pod: &Pod| pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
        Ok(pods.items.into_iter().max_by_key(made))
    }

    async fn log(&self, namespace: &str, pod: &str, container: &str) -> Result<String, Error> {
        let api: Api<Pod> = Api::namespaced(self.client().clone(), namespace);
        let params = LogParams {
            container: Some(container.to_owned()),
            tail_lines: i64::try_from(LINES).ok(),
            limit_bytes: Some(LOG_MAX),
            ..LogParams::default()
        };
        let log = api.logs(pod, &params).await;
        log.map_err(|source| failed("read logs of Pods", namespace, &source))
    }
}
