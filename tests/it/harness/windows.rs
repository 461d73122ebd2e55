//! The MaintenanceWindows of a scene.

use groundcrew::api::{
    ACTION_ANNOTATION, ACTION_BY_ANNOTATION,
    maintenance_window::{MaintenanceWindow, MaintenanceWindowStatus, Phase},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

use super::{
    SCALE, scaled_now,
    scene::{Scene, until},
};

/// One opening that begins so many minutes of the scaled clocks from now, and how long it lasts.
///
/// A minute there is a second, so it begins at a whole minute that is not here yet.
pub fn once(minutes: i64, duration: &str) -> (Value, Timestamp) {
    let start = scaled_now() + SignedDuration::from_mins(minutes + 1);
    let start = start.to_zoned(TimeZone::UTC);
    let whole = start.with().second(0).subsec_nanosecond(0).build().unwrap();
    let local = whole.strftime("%Y-%m-%dT%H:%M").to_string();
    let schedule = json!({"name": "once", "once": local, "duration": duration});
    (json!({"timeZone": "Etc/UTC", "schedules": [schedule]}), whole.timestamp())
}

impl Scene<'_> {
    fn windows(&self) -> Api<MaintenanceWindow> {
        Api::namespaced(self.cluster.client.clone(), &self.namespace)
    }

    /// Applies a window.
    pub async fn window(&self, name: &str, spec: Value) {
        let object = serde_json::from_value(json!({
            "apiVersion": "groundcrew.dev/v1alpha1",
            "kind": "MaintenanceWindow",
            "metadata": {"name": name, "labels": {"env": "prod"}},
            "spec": spec,
        }));
        self.windows().create(&PostParams::default(), &object.unwrap()).await.unwrap();
    }

    /// Changes a window by a merge patch.
    pub async fn patch_window(&self, name: &str, patch: Value) -> MaintenanceWindow {
        let patch = Patch::Merge(patch);
        self.windows().patch(name, &PatchParams::default(), &patch).await.unwrap()
    }

    /// Waits until a window is as wanted.
    pub async fn until_window(
        &self,
        name: &str,
        what: &str,
        holds: impl Fn(&MaintenanceWindowStatus) -> bool,
    ) -> MaintenanceWindow {
        let windows = self.windows();
        let found = until(&windows, name, what, |window| {
            window.is_some_and(|it| it.status.as_ref().is_some_and(&holds))
        });
        found.await.unwrap()
    }

    /// The same by all of the object.
    pub async fn until_window_object(
        &self,
        name: &str,
        what: &str,
        holds: impl Fn(&MaintenanceWindow) -> bool,
    ) -> MaintenanceWindow {
        let windows = self.windows();
        until(&windows, name, what, |window| window.is_some_and(&holds)).await.unwrap()
    }

    /// Deletes a window, and waits until it is gone.
    pub async fn delete_window(&self, name: &str) {
        self.begin_to_delete_window(name).await;
        self.until_window_is_gone(name).await;
    }

    /// Deletes a window, which is there as long as its finalizer.
    pub async fn begin_to_delete_window(&self, name: &str) {
        self.windows().delete(name, &DeleteParams::default()).await.unwrap();
    }

    pub async fn until_window_is_gone(&self, name: &str) {
        until(&self.windows(), name, "its end", |window| window.is_none()).await;
    }

    pub async fn until_window_phase(&self, name: &str, phase: Phase) -> MaintenanceWindow {
        let what = format!("phase {phase:?}");
        self.until_window(name, &what, |status| status.phase == Some(phase)).await
    }

    /// Waits until the scaled clocks show this.
    pub async fn until_time(&self, then: Timestamp) {
        let left = then.duration_since(scaled_now()).max(SignedDuration::ZERO);
        tokio::time::sleep(left.unsigned_abs() / SCALE).await;
    }

    /// Gives a window a verb, and waits for its acknowledgement.
    pub async fn answer_of_window(&self, name: &str, value: &str) -> MaintenanceWindow {
        let annotations = json!({ACTION_ANNOTATION: value, ACTION_BY_ANNOTATION: "it"});
        self.patch_window(name, json!({"metadata": {"annotations": annotations}})).await;
        self.until_window(name, &format!("an answer to {value}"), |status| {
            status.last_action.as_ref().is_some_and(|last| last.value == value)
        })
        .await
    }
}
