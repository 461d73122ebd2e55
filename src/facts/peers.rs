//! What is known of the other objects of a kind.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::api::shared::AwsLocation;

/// Another CanaryRollout that names the same function, in whatever account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// When it was created: the older one acts.
    pub created: Timestamp,
    /// `spec.aws`.
    pub location: Option<AwsLocation>,
    /// `status.region`, once it was looked at.
    pub region: Option<String>,
    /// `status.accountId`, once it was looked at.
    pub account: Option<String>,
    /// Versions that it serves, releases, or may still go back to.
    pub uses: BTreeSet<String>,
}
