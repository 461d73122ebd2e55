//! What is known of the other objects of a kind.

use jiff::Timestamp;

use crate::api::shared::AwsLocation;

/// Another CanaryRollout that names the same function and alias, in whatever account.
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
}
