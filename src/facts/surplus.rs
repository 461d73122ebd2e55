//! Versions that may be deleted. The only values that a deletion takes, and only the check here makes
//! them.

use std::{collections::BTreeSet, fmt};

use crate::names::{self, Owner};

/// A published version, as ListVersionsByFunction tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedVersion {
    /// Version number, or `$LATEST`.
    pub version: String,
    /// What was said of it when it was published; versions of ours carry a mark.
    pub description: String,
}

/// A version of a function that was published for a rollout, that no alias names, and that nothing goes
/// back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surplus {
    function: String,
    version: u64,
}

/// What may go, and what must stay.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Whose versions may go.
    pub owner: &'a Owner,
    /// Version that the alias serves: only older ones may go.
    pub served: &'a str,
    /// How many of those that were served stay.
    pub keep: usize,
    /// Versions that are known to have failed: they don't count as kept.
    pub failed: &'a BTreeSet<String>,
    /// Versions that any alias of the function names, by weight too, and those that a rollout may
    /// still go to: none of them is ever surplus.
    pub pinned: &'a BTreeSet<String>,
}

impl Surplus {
    /// The versions that may go, oldest first: published for the owner, older than what is served, not
    /// pinned, not among the newest `keep` of these, and not among the newest `keep` of those that
    /// did not fail.
    #[must_use]
    pub fn of(function: &str, listed: &[ListedVersion], terms: &Terms<'_>) -> Vec<Self> {
        let Terms { owner, served, keep, failed, pinned } = terms;
        let Ok(served) = served.parse::<u64>() else { return Vec::new() };
        let ours = |version: &&ListedVersion| {
            names::publisher(&version.description).as_ref() == Some(owner)
        };
        let older: BTreeSet<u64> = listed
            .iter()
            .filter(ours)
            .filter_map(|version| version.version.parse().ok())
            .filter(|version| *version < served)
            .collect();
        let is_in =
            |versions: &BTreeSet<String>, version: u64| versions.contains(&version.to_string());
        let newest = older.iter().rev().take(*keep);
        let counted = older.iter().rev().filter(|version| !is_in(failed, **version)).take(*keep);
        let kept: BTreeSet<u64> = newest.chain(counted).copied().collect();
        let surplus = |version| Self { function: function.to_owned(), version };
        let goes = |version: &&u64| !kept.contains(version) && !is_in(pinned, **version);
        older.iter().filter(goes).copied().map(surplus).collect()
    }

    /// The function.
    #[must_use]
    pub fn function(&self) -> &str {
        &self.function
    }

    /// The number of the version: deleting without one would delete the function.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }
}

impl fmt::Display for Surplus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} version {}", self.function, self.version)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn owner(name: &str) -> Owner {
        Owner { cluster: "prod".into(), namespace: "shop".into(), name: name.into() }
    }

    fn listed(version: &str, description: &str) -> ListedVersion {
        ListedVersion { version: version.into(), description: description.into() }
    }

    fn ours(version: u64) -> ListedVersion {
        listed(&version.to_string(), &names::published(&owner("web"), "9f2c1a"))
    }

    fn versions(surplus: &[Surplus]) -> Vec<u64> {
        surplus.iter().map(Surplus::version).collect()
    }

    fn texts(versions: impl IntoIterator<Item = u64>) -> BTreeSet<String> {
        versions.into_iter().map(|version| version.to_string()).collect()
    }

    #[track_caller]
    fn check(all: &[ListedVersion], served: &str, keep: usize, pinned: &[u64], expected: &[u64]) {
        check_failed(all, (served, keep), (&[], pinned), expected);
    }

    #[track_caller]
    fn check_failed(
        all: &[ListedVersion],
        (served, keep): (&str, usize),
        (failed, pinned): (&[u64], &[u64]),
        expected: &[u64],
    ) {
        let (failed, pinned) = (texts(failed.to_vec()), texts(pinned.to_vec()));
        let terms = Terms { owner: &owner("web"), served, keep, failed: &failed, pinned: &pinned };
        assert_eq!(versions(&Surplus::of("f", all, &terms)), expected);
    }

    #[test]
    fn the_newest_older_ones_are_kept() {
        let all: Vec<_> = (1..=12).map(ours).collect();
        check(&all, "12", 10, &[12], &[1]);
        check(&all, "12", 11, &[12], &[]);
        check(&all, "12", 1, &[12], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        // 10 serves: what is newer was never kept for a way back, and is not old.
        check(&all, "10", 8, &[10], &[1]);
    }

    #[test]
    fn versions_that_failed_do_not_count_as_kept() {
        let all: Vec<_> = (41..=44).map(ours).collect();
        check_failed(&all, ("44", 1), (&[43], &[44]), &[41]);
        check_failed(&all, ("44", 2), (&[43], &[44]), &[]);
        // They are kept themselves only while they are among the newest of all.
        check_failed(&all, ("44", 1), (&[42, 43], &[44]), &[42]);
        check_failed(&all, ("44", 1), (&[41, 42, 43], &[44]), &[41, 42]);
    }

    #[test]
    fn what_an_alias_names_and_what_is_not_ours_stays() {
        let foreign = names::published(&owner("other"), "9f2c1a");
        let all = [
            listed("$LATEST", ""),
            listed("1", "by hand"),
            listed("2", &foreign),
            ours(3),
            ours(4),
            ours(5),
        ];
        check(&all, "5", 0, &[5], &[3, 4]);
        check(&all, "5", 0, &[5, 4], &[3]);
        check(&all, "$LATEST", 0, &[], &[]);
    }

    proptest! {
        #[test]
        fn nothing_but_our_own_old_unpinned_versions_is_ever_surplus(
            all in proptest::collection::vec((0_u64..40, 0_u8..3), 0..40),
            served in 0_u64..40,
            keep in 0_usize..12,
            failed in proptest::collection::btree_set(0_u64..40, 0..20),
            pinned in proptest::collection::btree_set(0_u64..40, 0..6),
        ) {
            let describe = |kind: u8| match kind {
                0 => names::published(&owner("web"), "9f2c1a"),
                1 => names::published(&owner("other"), "9f2c1a"),
                _ => "by hand".to_owned(),
            };
            let list: Vec<_> =
                all.iter().map(|(v, kind)| listed(&v.to_string(), &describe(*kind))).collect();
            let terms = Terms {
                owner: &owner("web"),
                served: &served.to_string(),
                keep,
                failed: &texts(failed.clone()),
                pinned: &texts(pinned.clone()),
            };
            let surplus = versions(&Surplus::of("f", &list, &terms));
            let own: BTreeSet<u64> =
                all.iter().filter(|(_, kind)| *kind == 0).map(|(version, _)| *version).collect();
            for version in &surplus {
                prop_assert!(own.contains(version) && *version < served);
                prop_assert!(!pinned.contains(version));
                let newer = own.iter().filter(|v| *v > version && **v < served);
                prop_assert!(newer.count() >= keep);
            }
            let good = own.iter().filter(|v| **v < served && !failed.contains(*v));
            let stay = good.clone().filter(|v| !surplus.contains(*v));
            prop_assert!(stay.count() >= keep.min(good.count()));
        }
    }
}
