//! Jobs of a namespace in memory, for tests.

use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use serde_json::json;

use super::{CronJob, Error, Job, Jobs, Pod, Run};
use crate::kubernetes::port::{Class, KindNames, ObjectId};

/// CronJobs and Jobs, and what was done.
#[derive(Default)]
pub struct Bench {
    state: Mutex<State>,
}

#[derive(Default)]
pub struct State {
    pub cron_job: Option<CronJob>,
    pub job: Option<Job>,
    pub pod: Option<Pod>,
    pub log: String,
    /// How a Job that is made ends at once: type and reason of its condition.
    pub ends: Option<(&'static str, &'static str)>,
    /// What was done: create and delete, with the uid.
    pub done: Vec<String>,
    /// Calls that fail.
    pub refused: Option<Class>,
}

impl Bench {
    /// With a CronJob that opts in.
    pub fn new() -> Self {
        let bench = Self::default();
        bench.lock().cron_job = Some(cron_job(Some("true")));
        bench
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The Job ends.
    pub fn end(&self, kind: &str, reason: &str) {
        if let Some(job) = &mut self.lock().job {
            job.status = Some(status(kind, reason));
        }
    }

    pub fn done(&self) -> Vec<String> {
        self.lock().done.clone()
    }

    fn call(&self) -> Result<MutexGuard<'_, State>, Error> {
        let state = self.lock();
        match state.refused {
            Some(class) => Err(Error { class, message: "refused".into() }),
            None => Ok(state),
        }
    }
}

pub fn cron_job(runnable: Option<&str>) -> CronJob {
    let annotations = runnable.map(|value| json!({ super::RUNNABLE: value }));
    let mut cron_job = json!({
        "apiVersion": "batch/v1", "kind": "CronJob",
        "metadata": {"name": "smoke-tests"},
        "spec": {"schedule": "0 0 1 1 *", "suspend": true, "jobTemplate": {
            "metadata": {"labels": {"team": "flights"}},
            "spec": {"backoffLimit": 0, "template": {"spec": {"containers": [{"name": "main"}]}}},
        }},
    });
    if let Some(annotations) = annotations {
        cron_job["metadata"]["annotations"] = annotations;
    }
    serde_json::from_value(cron_job).unwrap()
}

fn status(kind: &str, reason: &str) -> k8s_openapi::api::batch::v1::JobStatus {
    let message = "it has reached the specified backoff limit";
    let conditions = json!({"conditions": [
        {"type": "FailureTarget", "status": "True", "reason": "early"},
        {"type": kind, "status": "True", "reason": reason, "message": message},
    ]});
    serde_json::from_value(conditions).unwrap()
}

pub fn run() -> Run {
    Run {
        owner: ObjectId {
            kind: KindNames {
                api_version: "groundcrew.dev/v1alpha1",
                kind: "MaintenanceWindow",
                plural: "maintenancewindows",
            },
            namespace: "flights".into(),
            name: "weekly".into(),
            uid: "u-1".into(),
        },
        cron_job: "smoke-tests".into(),
        part: "preChecks smoke".into(),
        about: "weekly-20261206T0100Z".into(),
        once: false,
        timeout: std::time::Duration::from_secs(600),
    }
}

pub fn pod(value: serde_json::Value) -> Pod {
    serde_json::from_value(value).unwrap()
}

#[async_trait]
impl Jobs for Bench {
    async fn cron_job(&self, _: &str, name: &str) -> Result<Option<CronJob>, Error> {
        let state = self.call()?;
        Ok(state.cron_job.clone().filter(|one| one.metadata.name.as_deref() == Some(name)))
    }

    async fn create(&self, _: &str, job: &Job) -> Result<Option<Job>, Error> {
        let mut state = self.call()?;
        if state.job.is_some() {
            return Ok(None);
        }
        let mut job = job.clone();
        let made = state.done.iter().filter(|done| done.starts_with("create")).count();
        let uid = format!("j-{}", made + 1);
        state.done.push(format!("create {uid}"));
        job.metadata.uid = Some(uid);
        job.status = state.ends.map(|(kind, reason)| status(kind, reason));
        state.job = Some(job.clone());
        Ok(Some(job))
    }

    async fn job(&self, _: &str, name: &str) -> Result<Option<Job>, Error> {
        let state = self.call()?;
        Ok(state.job.clone().filter(|job| job.metadata.name.as_deref() == Some(name)))
    }

    async fn delete(&self, _: &str, _: &str, uid: &str) -> Result<(), Error> {
        let mut state = self.call()?;
        state.done.push(format!("delete {uid}"));
        state.job = state.job.take().filter(|job| super::uid(job) != uid);
        Ok(())
    }

    async fn pod(&self, _: &str, _: &Job) -> Result<Option<Pod>, Error> {
        Ok(self.call()?.pod.clone())
    }

    async fn log(&self, _: &str, _: &str, container: &str) -> Result<String, Error> {
        let state = self.call()?;
        assert_eq!(container, "main");
        Ok(state.log.clone())
    }
}
