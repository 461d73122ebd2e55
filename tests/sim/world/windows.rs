//! MaintenanceWindows in the API server: what people do to them, and what the operator tells.

use groundcrew::{
    api::{
        ABANDON_ANNOTATION, ACTION_ANNOTATION,
        maintenance_window::{MaintenanceWindow, MaintenanceWindowSpec, MaintenanceWindowStatus},
        shared::Mode,
    },
    kubernetes::port::{Error, ObjectId},
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt as _;
use serde_json::Value;

use super::{
    NAMESPACE, State,
    kubernetes::{Finalizers, is_ours, to_value},
    shelf::{Watched, key},
};
use crate::history::Event;

/// Something that a person does to a window.
#[derive(Clone, Debug, PartialEq)]
pub enum WindowEdit {
    /// Makes it, or asks for something else.
    Apply(Box<MaintenanceWindowSpec>),
    Suspend(bool),
    Mode(Mode),
    Delete,
    /// Another tool keeps it from going away, or does so no more.
    Kept(bool),
    /// Closes what is open, with a nonce.
    Close(u32),
    /// Pushes the close of what is open by so much, with a nonce.
    Extend(&'static str, u32),
    /// Skips the opening that comes next, with a nonce.
    Skip(u32),
    /// Empties its status.
    WipeStatus,
    /// Deletes it without undoing anything.
    Abandon,
}

/// Finalizer of another tool.
const OTHERS: &str = "example.com/keep";

impl State {
    /// The window of this name.
    pub fn window(&self, name: &str) -> Option<&MaintenanceWindow> {
        self.kubernetes.windows.objects.get(&format!("{NAMESPACE}/{name}"))
    }

    /// All windows.
    pub fn windows(&self) -> impl Iterator<Item = &MaintenanceWindow> {
        self.kubernetes.windows.objects.values()
    }

    /// A person does something to the window of this name; where that makes no sense any more, nothing
    /// happens.
    pub fn edit_window(&mut self, name: &str, edit: &WindowEdit) {
        let Some(before) = self.window(name).cloned() else {
            if let WindowEdit::Apply(spec) = edit {
                self.create_window(name, (**spec).clone());
            }
            return;
        };
        let mut after = before.clone();
        let now = self.now();
        match edit {
            WindowEdit::Apply(spec) => after.spec = (**spec).clone(),
            WindowEdit::Suspend(suspend) => after.spec.suspend = Some(*suspend),
            WindowEdit::Mode(mode) => after.spec.mode = Some(*mode),
            WindowEdit::Delete => delete(&mut after, now),
            WindowEdit::Abandon => {
                after.annotations_mut().insert(ABANDON_ANNOTATION.into(), "true".into());
                delete(&mut after, now);
            }
            WindowEdit::WipeStatus => {
                after.status = None;
                self.invariants.window_status_emptied(now, &key(&before));
                self.notices.forget(&key(&before));
            }
            WindowEdit::Kept(true) => after.finalizers_mut().push(OTHERS.into()),
            WindowEdit::Kept(false) => after.finalizers_mut().retain(|one| one != OTHERS),
            WindowEdit::Close(nonce) => give(&mut after, "close", current(&before), *nonce),
            WindowEdit::Extend(by, nonce) => {
                give(&mut after, &format!("extend={by}"), current(&before), *nonce);
            }
            WindowEdit::Skip(nonce) => give(&mut after, "skip", next(&before), *nonce),
        }
        if after.spec != before.spec {
            after.metadata.generation = after.metadata.generation.map(|number| number + 1);
        }
        if after != before {
            self.store_window(after);
        }
    }

    /// Somebody applies a new window.
    pub fn create_window(&mut self, name: &str, spec: MaintenanceWindowSpec) {
        if self.kubernetes.ending.contains(NAMESPACE) {
            return;
        }
        self.kubernetes.uids += 1;
        let mut object = MaintenanceWindow::new(name, spec);
        object.metadata.namespace = Some(NAMESPACE.into());
        object.metadata.uid = Some(format!("uid-{}", self.kubernetes.uids));
        object.metadata.generation = Some(1);
        object.metadata.creation_timestamp = Some(Time(self.now()));
        object.labels_mut().insert("window".into(), name.into());
        self.notices.begins(&key(&object));
        object.status = Some(MaintenanceWindowStatus {
            observed_generation: Some(-1),
            ..MaintenanceWindowStatus::default()
        });
        self.store_window(object);
    }

    fn store_window(&mut self, object: MaintenanceWindow) {
        let object = self.kubernetes.store(object);
        self.happened(&Event::WindowEdited(Box::new(object)));
    }

    /// The watch, or the list after a start, tells the process of a window.
    pub fn process_knows_window(&mut self, watched: &Watched<MaintenanceWindow>) {
        let now = self.now();
        match watched {
            Watched::Applied(object) => self.invariants.windows.told(now, &key(&**object), object),
            Watched::Deleted(key) => self.invariants.windows.forgotten(now, key),
        }
    }

    pub(super) fn set_window_finalizers(
        &mut self,
        id: &ObjectId,
        put: &Finalizers,
    ) -> Result<Value, Error> {
        let before: MaintenanceWindow = self.kubernetes.find(id, Finalizers::ACTION)?;
        let Some(after) = put.onto(id, &before)? else { return Ok(to_value(&before)) };
        let after = self.kubernetes.store(after);
        self.note(format!("      finalizers {:?}", put.all));
        if is_ours(&before) && !is_ours(&after) {
            self.happened(&Event::WindowLetGo(Box::new(before)));
        } else {
            self.happened(&Event::FinalizerAdded);
        }
        Ok(to_value(&after))
    }

    pub(super) fn apply_window_status(
        &mut self,
        id: &ObjectId,
        status: &Value,
    ) -> Result<Value, Error> {
        let before: MaintenanceWindow = self.kubernetes.find(id, "apply the status")?;
        let mut after = before.clone();
        after.status = serde_json::from_value(status.clone()).expect("a status of the CRD");
        let answer = if after.status == before.status {
            before.clone()
        } else {
            self.kubernetes.window_status_writes += 1;
            self.kubernetes.store(after.clone())
        };
        let told = after.status.as_ref();
        let phase = told.and_then(|status| status.phase);
        let message = told.and_then(|status| status.message.clone());
        self.note(format!("      {phase:?}: {}", message.unwrap_or_default()));
        self.look_at_window(&after);
        self.happened(&Event::WindowTold { before: Box::new(before), after: Box::new(after) });
        Ok(to_value(&answer))
    }
}

fn delete(window: &mut MaintenanceWindow, now: Timestamp) {
    if window.metadata.deletion_timestamp.is_none() {
        window.metadata.deletion_timestamp = Some(Time(now));
        window.metadata.generation = window.metadata.generation.map(|number| number + 1);
    }
}

fn current(window: &MaintenanceWindow) -> Option<&str> {
    let current = window.status.as_ref()?.current.as_ref()?;
    Some(&current.id)
}

fn next(window: &MaintenanceWindow) -> Option<&str> {
    let next = window.status.as_ref()?.next.as_ref()?;
    Some(&next.id)
}

/// Sets the annotation of a verb, if there is something that it could be for.
fn give(window: &mut MaintenanceWindow, verb: &str, target: Option<&str>, nonce: u32) {
    let Some(target) = target else { return };
    let value = format!("{verb}@{target}#{nonce}");
    window.annotations_mut().insert(ACTION_ANNOTATION.into(), value);
}
