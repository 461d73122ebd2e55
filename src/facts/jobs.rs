//! What Kubernetes says of the Jobs that we make.

/// How far a Job is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It has not ended.
    Runs,
    /// It has done its work.
    Succeeded,
    /// It has not, by these words of Kubernetes.
    Failed(String),
}

/// The Job of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskJob {
    /// Its name.
    pub name: String,
    /// Its uid: another one of the same name is another Job.
    pub uid: String,
    /// How far it is.
    pub state: State,
    /// The end of a sentence about it: what its pod waits for, or the last lines of its log.
    pub told: String,
}

impl TaskJob {
    /// What tells it from every other Job of its namespace.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}", self.name, self.uid)
    }
}
