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

/// A version of a function that was published for a rollout, and that no alias names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surplus {
    function: String,
    version: u64,
}

impl Surplus {
    /// The versions that were published for `owner`, are older than `served`, and are not among the
    /// newest `keep` of these; oldest first. `named` are all versions that any alias of the function
    /// names, by weight too: one of them is never surplus.
    #[must_use]
    pub fn of(
        function: &str,
        listed: &[ListedVersion],
        (owner, served, keep): (&Owner, &str, usize),
        named: &BTreeSet<String>,
    ) -> Vec<Self> {
        let Ok(served) = served.parse::<u64>() else { return Vec::new() };
        let ours = |version: &&ListedVersion| {
            names::publisher(&version.description).as_ref() == Some(owner)
        };
        let mut older: Vec<u64> = listed
            .iter()
            .filter(ours)
            .filter_map(|version| version.version.parse().ok())
            .filter(|version| *version < served)
            .collect();
        older.sort_unstable();
        older.dedup();
        older.truncate(older.len().saturating_sub(keep));
        older.retain(|version| !named.contains(&version.to_string()));
        let surplus = |version| Self { function: function.to_owned(), version };
        older.into_iter().map(surplus).collect()
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

    fn check(all: &[ListedVersion], served: &str, keep: usize, named: &[&str], expected: &[u64]) {
        let named = named.iter().map(|&version| version.to_owned()).collect();
        let surplus = Surplus::of("f", all, (&owner("web"), served, keep), &named);
        assert_eq!(versions(&surplus), expected);
    }

    #[test]
    fn the_newest_older_ones_are_kept() {
        let all: Vec<_> = (1..=12).map(ours).collect();
        check(&all, "12", 10, &["12"], &[1]);
        check(&all, "12", 11, &["12"], &[]);
        check(&all, "12", 1, &["12"], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        // 10 serves: what is newer was never kept for a way back, and is not old.
        check(&all, "10", 8, &["10"], &[1]);
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
        check(&all, "5", 0, &["5"], &[3, 4]);
        check(&all, "5", 0, &["5", "4"], &[3]);
        check(&all, "$LATEST", 0, &[], &[]);
    }

    proptest! {
        #[test]
        fn nothing_but_our_own_old_unnamed_versions_is_ever_surplus(
            all in proptest::collection::vec((0_u64..40, 0_u8..3), 0..40),
            served in 0_u64..40,
            keep in 0_usize..12,
            named in proptest::collection::btree_set(0_u64..40, 0..6),
        ) {
            let describe = |kind: u8| match kind {
                0 => names::published(&owner("web"), "9f2c1a"),
                1 => names::published(&owner("other"), "9f2c1a"),
                _ => "by hand".to_owned(),
            };
            let list: Vec<_> =
                all.iter().map(|(v, kind)| listed(&v.to_string(), &describe(*kind))).collect();
            let names = named.iter().map(u64::to_string).collect();
            let terms = (&owner("web"), &*served.to_string(), keep);
            let surplus = versions(&Surplus::of("f", &list, terms, &names));
            let own = |version: &u64| all.contains(&(*version, 0));
            for version in &surplus {
                prop_assert!(own(version) && *version < served && !named.contains(version));
                let newer = all.iter().filter(|(v, kind)| *kind == 0 && v > version && *v < served);
                prop_assert!(newer.count() >= keep);
            }
        }
    }
}
