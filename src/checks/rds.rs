//! A database that must be available.

use std::fmt;

use super::{Judged, Surroundings, parse::Wrong};
use crate::{
    api::check::RdsCheck,
    aws::{limits::Priority, port::Rds as _},
    context::terms,
    facts::rds as facts,
};

/// An instance or a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// An instance, by its identifier.
    Instance(String),
    /// A cluster, by its identifier.
    Cluster(String),
}

impl Database {
    pub(super) fn parse(raw: &RdsCheck) -> Result<Self, Wrong> {
        let RdsCheck { instance, cluster } = raw;
        let (field, id, database): (_, _, fn(String) -> Self) = match (instance, cluster) {
            (Some(id), None) => ("instance", id, Self::Instance),
            (None, Some(id)) => ("cluster", id, Self::Cluster),
            (Some(_), Some(_)) | (None, None) => {
                return Err(("", "a check of exactly one of instance and cluster"));
            }
        };
        let fits = id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if !fits || !id.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err((field, "an identifier: letters, digits and hyphens"));
        }
        Ok(database(id.clone()))
    }

    pub(super) async fn look(&self, at: &Surroundings<'_>) -> Judged {
        let rds = at.session.rds(terms(Priority::Work, at.namespace));
        let found = match self {
            Self::Instance(id) => rds.describe_db_instance(id).await,
            Self::Cluster(id) => rds.describe_db_cluster(id).await,
        };
        match found {
            Ok(found) => self.judge(&found),
            Err(error) => Judged::of_error(&error),
        }
    }

    fn judge(&self, found: &facts::Database) -> Judged {
        let status = found.status.as_str();
        match status {
            "available" => Judged::passed(format!("{} is available", self.named())),
            _ => Judged::failed(format!("{} is {status}, not available", self.named())),
        }
    }

    fn named(&self) -> String {
        match self {
            Self::Instance(id) => format!("instance {id}"),
            Self::Cluster(id) => format!("cluster {id}"),
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is available", self.named())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::check::CheckVerdict::{Failed, Passed};

    #[test]
    fn only_an_available_database_passes() {
        for (status, verdict, says) in [
            ("available", Passed, "cluster ledger is available"),
            ("backing-up", Failed, "cluster ledger is backing-up, not available"),
            ("stopped", Failed, "cluster ledger is stopped, not available"),
            ("Available", Failed, "cluster ledger is Available, not available"),
        ] {
            let found = facts::Database { status: status.into() };
            let judged = Database::Cluster("ledger".into()).judge(&found);
            assert_eq!((judged.verdict, judged.message.as_str()), (verdict, says));
        }
    }

    #[test]
    fn exactly_one_identifier_is_given() {
        let raw = |instance: Option<&str>, cluster: Option<&str>| RdsCheck {
            instance: instance.map(str::to_owned),
            cluster: cluster.map(str::to_owned),
        };
        let parsed = Database::parse(&raw(Some("prod-db"), None));
        assert_eq!(parsed, Ok(Database::Instance("prod-db".into())));
        for wrong in [
            raw(None, None),
            raw(Some("a"), Some("b")),
            raw(Some("1a"), None),
            raw(None, Some("a b")),
        ] {
            assert!(Database::parse(&wrong).is_err(), "{wrong:?}");
        }
    }
}
