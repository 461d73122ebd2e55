//! Names, hashes and marks derived from intent: the same intent always gives the same text.

mod mute_rule;

use sha2::{Digest, Sha256};

pub use self::mute_rule::{Muter, mute_rule, mute_rules_of, muter};

/// Characters of a revision: 48 bits tell the releases of one alias apart.
const REVISION_LEN: usize = 12;
/// Longest description that Lambda keeps with an alias. Source: Lambda API reference, UpdateAlias.
const DESCRIPTION_MAX: usize = 256;
/// No step has a longer index.
const STEP_MAX: usize = 99;
/// What the keys of our tags begin with.
const TAG_PREFIX: &str = "groundcrew.dev/";
const MARK_OPEN: &str = "[groundcrew ";
const MARK_CLOSE: &str = "]";

/// Who an object in AWS belongs to. The uid is no part of it: a rebuilt cluster finds its own again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// The operator's `--cluster-name`.
    pub cluster: String,
    /// Namespace of the custom resource.
    pub namespace: String,
    /// Name of the custom resource.
    pub name: String,
}

/// Key and value of the tags of what is made in AWS for an object. The uid only informs.
#[must_use]
pub fn tags(owner: &Owner, kind: &str, uid: &str) -> Vec<(String, String)> {
    let Owner { cluster, namespace, name } = owner;
    let values = [
        ("cluster", &**cluster),
        ("namespace", namespace),
        ("kind", kind),
        ("name", name),
        ("uid", uid),
    ];
    values.map(|(key, value)| (format!("{TAG_PREFIX}{key}"), value.to_owned())).into()
}

/// Hash of what is released.
#[must_use]
pub fn revision(parts: &[&str]) -> String {
    digest(parts).chars().take(REVISION_LEN).collect()
}

/// SHA-256 in hex; parts are length-prefixed, so no two lists of parts run together.
#[must_use]
pub fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The mark that an alias carries in its description while a rollout of ours is in flight, so that
/// the weights have an owner even when every status is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Whose rollout it is.
    pub owner: Owner,
    /// Revision in flight.
    pub revision: String,
    /// Index of the step whose weight the alias carries.
    pub step: usize,
}

impl Mark {
    /// The description with this mark in place of an older one.
    ///
    /// The words of whoever wrote the description stay. Where both do not fit into the 256
    /// characters that Lambda keeps, the mark is left out: the status then is the only record.
    #[must_use]
    pub fn write(&self, description: &str) -> String {
        let words = unmarked(description);
        let Owner { cluster, namespace, name } = &self.owner;
        let mark = format!(
            "{MARK_OPEN}{cluster}/{namespace}/{name} {} {}{MARK_CLOSE}",
            self.revision, self.step
        );
        let marked = if words.is_empty() { mark } else { format!("{words} {mark}") };
        if marked.chars().count() <= DESCRIPTION_MAX { marked } else { words }
    }

    /// The mark in a description, if there is a well-formed one.
    #[must_use]
    pub fn read(description: &str) -> Option<Self> {
        let (_, mark) = split(description)?;
        let mut words = mark.split(' ');
        let (owner, revision, step) = (words.next()?, words.next()?, words.next()?);
        let mut parts = owner.split('/');
        let (cluster, namespace, name) = (parts.next()?, parts.next()?, parts.next()?);
        if words.next().is_some() || parts.next().is_some() {
            return None;
        }
        Some(Self {
            owner: Owner {
                cluster: cluster.into(),
                namespace: namespace.into(),
                name: name.into(),
            },
            revision: revision.into(),
            step: step.parse().ok()?,
        })
    }
}

/// The description of an alias that is made for an object: whom it was made for. Nothing where the
/// mark would have no room beside it, which tells whose weights the alias carries.
#[must_use]
pub fn made_for(owner: &Owner) -> String {
    let Owner { cluster, namespace, name } = owner;
    let words = format!("made by groundcrew for {cluster}/{namespace}/{name}");
    let longest = Mark { owner: owner.clone(), revision: "0".repeat(REVISION_LEN), step: STEP_MAX };
    if Mark::read(&longest.write(&words)).is_some() { words } else { String::new() }
}

/// The description of a version that is published for an object: it tells whose it is, and that it
/// may be deleted when it is too old.
#[must_use]
pub fn published(owner: &Owner, revision: &str) -> String {
    let Owner { cluster, namespace, name } = owner;
    let mark = format!("{MARK_OPEN}{cluster}/{namespace}/{name} {revision}{MARK_CLOSE}");
    // Nobody owns a version whose mark has no room.
    if mark.chars().count() <= DESCRIPTION_MAX { mark } else { String::new() }
}

/// Whom a version was published for, by its description.
#[must_use]
pub fn publisher(description: &str) -> Option<Owner> {
    let (_, mark) = split(description)?;
    let (owner, revision) = mark.split_once(' ')?;
    let mut parts = owner.split('/').map(str::to_owned);
    let owner = Owner { cluster: parts.next()?, namespace: parts.next()?, name: parts.next()? };
    let whole = parts.next().is_none() && !revision.is_empty() && !revision.contains(' ');
    whole.then_some(owner)
}

/// The description without our mark.
#[must_use]
pub fn unmarked(description: &str) -> String {
    split(description).map_or(description, |(words, _)| words).trim_end().to_owned()
}

/// Words before the mark, and what stands inside it. The mark is always last.
fn split(description: &str) -> Option<(&str, &str)> {
    let inner = description.strip_suffix(MARK_CLOSE)?;
    inner.rsplit_once(MARK_OPEN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mark(step: usize) -> Mark {
        let owner = Owner {
            cluster: "prod".into(),
            namespace: "flightdata".into(),
            name: "processor".into(),
        };
        Mark { owner, revision: "9f2c1a".into(), step }
    }

    #[test]
    fn an_alias_tells_whom_it_was_made_for_where_the_mark_fits_beside_it() {
        let owner = mark(0).owner;
        let words = made_for(&owner);
        assert_eq!(words, "made by groundcrew for prod/flightdata/processor");
        assert_eq!(Mark::read(&words), None);
        assert_eq!(Mark::read(&mark(7).write(&words)), Some(mark(7)));
        assert_eq!(unmarked(&mark(7).write(&words)), words);
        let long = Owner { cluster: "c".repeat(100), ..owner };
        assert_eq!(made_for(&long), "");
    }

    #[test]
    fn a_mark_is_written_after_the_words_and_read_back() {
        let description = mark(2).write("live traffic");
        assert_eq!(description, "live traffic [groundcrew prod/flightdata/processor 9f2c1a 2]");
        assert_eq!(Mark::read(&description), Some(mark(2)));
        assert_eq!(unmarked(&description), "live traffic");
    }

    #[test]
    fn a_newer_mark_takes_the_place_of_an_older_one() {
        let description = mark(3).write(&mark(2).write(""));
        assert_eq!(Mark::read(&description), Some(mark(3)));
        assert_eq!(unmarked(&description), "");
    }

    #[test]
    fn words_too_long_for_a_mark_stay_whole() {
        let words = "x".repeat(250);
        assert_eq!(mark(1).write(&words), words);
    }

    #[test]
    fn a_published_version_says_whose_it_is() {
        let description = published(&mark(0).owner, "9f2c1a");
        assert_eq!(description, "[groundcrew prod/flightdata/processor 9f2c1a]");
        assert_eq!(publisher(&description), Some(mark(0).owner));
        for foreign in ["", "hotfix", "[groundcrew prod/flightdata 9f2c1a]", "[groundcrew a/b/c]"] {
            assert_eq!(publisher(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn tags_tell_whose_it_is() {
        let tags = tags(&mark(0).owner, "MaintenanceWindow", "u-1");
        let told: Vec<String> = tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let wanted = [
            "groundcrew.dev/cluster=prod",
            "groundcrew.dev/namespace=flightdata",
            "groundcrew.dev/kind=MaintenanceWindow",
            "groundcrew.dev/name=processor",
            "groundcrew.dev/uid=u-1",
        ];
        assert_eq!(told, wanted);
    }

    #[test]
    fn parts_of_a_revision_do_not_run_together() {
        assert_ne!(revision(&["ab", "c"]), revision(&["a", "bc"]));
        assert_eq!(revision(&["a"]).len(), REVISION_LEN);
    }

    proptest! {
        #[test]
        fn any_description_is_read_without_a_panic(text in ".{0,300}") {
            let _ = Mark::read(&text);
            let marked = mark(7).write(&text);
            prop_assert!(marked.chars().count() <= DESCRIPTION_MAX || Mark::read(&marked).is_none());
        }

        #[test]
        fn words_survive_marking(words in "[a-zA-Z0-9 .:-]{0,300}") {
            prop_assert_eq!(unmarked(&mark(1).write(&words)), words.trim_end());
        }
    }
}
