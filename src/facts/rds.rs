//! What RDS says about instances and clusters.

/// A DB instance or a DB cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// Its status in RDS's word: `available` when it can be used.
    ///
    /// Source: RDS user guide, "Viewing Amazon RDS DB instance status".
    pub status: String,
}

/// A DB instance, with what waits for a reboot or for maintenance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instance {
    /// Its ARN.
    pub arn: String,
    /// Its status in RDS's word.
    pub status: String,
    /// The cluster that it is a member of.
    pub cluster: Option<String>,
    /// Names of its parameter groups that wait for a reboot (`pending-reboot`).
    pub pending_reboot: Vec<String>,
}

/// A member of a DB cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Name of the instance.
    pub instance: String,
    /// Whether the cluster's parameter group waits for a reboot of it.
    pub pending_reboot: bool,
}

/// A maintenance action that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingMaintenance {
    /// What, in RDS's word: `system-update`.
    pub action: String,
    /// Whether it was told to be applied at once.
    pub immediate: bool,
}
