//! What RDS says about instances and clusters.

/// A DB instance or a DB cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// Its status in RDS's word: `available` when it can be used.
    ///
    /// Source: RDS user guide, "Viewing Amazon RDS DB instance status".
    pub status: String,
}
