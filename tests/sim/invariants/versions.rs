//! Versions that are published and deleted.

use groundcrew::{api::canary_rollout::CanaryRollout, facts::lambda::Publication};

use super::{Found, lease};

/// What is published was written down before: its code, and the revision of `$LATEST` that has it.
pub fn published(publication: &Publication, object: Option<&CanaryRollout>, leads: bool) -> Found {
    let mut found = lease(leads);
    let status = object.and_then(|object| object.status.as_ref());
    let intended = status.and_then(|status| status.publishing.as_ref());
    let same = intended.is_some_and(|intended| {
        intended.code_sha256.as_ref() == Some(&publication.code_sha256)
            && intended.revision_id.as_ref() == Some(&publication.revision_id)
    });
    if !same {
        found.push(("Intent", format!("{publication:?} was published, {intended:?} was intended")));
    }
    found
}

/// G4 and C10: a version that was deleted was published for the object, and nobody goes to it.
pub fn deleted((by, version): (&str, u64), description: Option<&str>, users: &[String]) -> Found {
    let mut found = Found::new();
    let ours = format!("[groundcrew sim/{by} ");
    if description.is_some_and(|text| !text.contains(&ours)) {
        found.push(("G4", format!("version {version} was deleted: {description:?}")));
    }
    if description.is_some() && !users.is_empty() {
        found.push(("C10", format!("version {version} was deleted, {users:?} may go to it")));
    }
    found
}
