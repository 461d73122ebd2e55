//! Names of mute rules. GetAlarmMuteRule tells no tags, so the name carries the identity.
//!
//! `groundcrew_<cluster>_<namespace>_<window>_<occurrence>_<batch>`, in characters that every name in
//! AWS may have. Only a cluster's name may hold `_`, so a name is read from its end.

use super::{Owner, digest};

const START: &str = "groundcrew";
/// Longest window and occurrence in a name. With the longest cluster (100), namespace (63) and batch
/// a name has 254 characters. Source: CloudWatch API reference, PutAlarmMuteRule, Name (1 to 255).
const WINDOW_MAX: usize = 40;
const OCCURRENCE_MAX: usize = 32;
/// Characters of the hash that ends what is too long: 48 bits.
const HASH_LEN: usize = 12;
/// Parts after [`START`].
const PARTS: usize = 5;

/// What the name of a mute rule tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Muter {
    /// The operator's `--cluster-name`.
    pub cluster: String,
    /// Namespace of the window.
    pub namespace: String,
    /// The window's name; cut, and with a hash, where that is longer than 40 characters.
    pub window: String,
    /// Id of the occurrence; cut in the same way where it is longer than 32.
    pub occurrence: String,
    /// The how many-th batch of the occurrence.
    pub batch: u16,
}

/// The name of the mute rule of one batch of a window's occurrence.
#[must_use]
pub fn mute_rule(owner: &Owner, occurrence: &str, batch: u16) -> String {
    format!("{}{}_{batch}", mute_rules_of(owner), short(occurrence, OCCURRENCE_MAX))
}

/// What the names of all mute rules of a window start with, and no other.
#[must_use]
pub fn mute_rules_of(owner: &Owner) -> String {
    let Owner { cluster, namespace, name } = owner;
    format!("{START}_{cluster}_{namespace}_{}_", short(name, WINDOW_MAX))
}

/// Whose mute rule it is, by its name; none where no groundcrew named it.
#[must_use]
pub fn muter(name: &str) -> Option<Muter> {
    let rest = name.strip_prefix(START)?.strip_prefix('_')?;
    let mut parts = rest.rsplitn(PARTS, '_');
    let batch = parts.next()?;
    let (occurrence, window) = (parts.next()?, parts.next()?);
    let (namespace, cluster) = (parts.next()?, parts.next()?);
    let number: u16 = batch.parse().ok()?;
    let whole = [occurrence, window, namespace, cluster].iter().all(|part| !part.is_empty());
    (whole && number.to_string() == batch).then(|| Muter {
        cluster: cluster.to_owned(),
        namespace: namespace.to_owned(),
        window: window.to_owned(),
        occurrence: occurrence.to_owned(),
        batch: number,
    })
}

/// The part itself, or its start and a hash of it where it is too long or has other characters.
fn short(part: &str, most: usize) -> String {
    let fits = |next: &char| next.is_ascii_alphanumeric() || matches!(next, '-' | '.');
    if (1..=most).contains(&part.len()) && part.chars().all(|next| fits(&next)) {
        return part.to_owned();
    }
    let room = most.saturating_sub(HASH_LEN).saturating_sub(1);
    let start: String = part.chars().filter(fits).take(room).collect();
    let hash: String = digest(&[part]).chars().take(HASH_LEN).collect();
    format!("{start}-{hash}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn owner(cluster: &str, namespace: &str, name: &str) -> Owner {
        Owner { cluster: cluster.into(), namespace: namespace.into(), name: name.into() }
    }

    #[test]
    fn a_name_tells_whose_rule_it_is() {
        let owner = owner("prod_eu", "flightdata", "weekly");
        let name = mute_rule(&owner, "weekly-20261206T0100Z", 2);
        assert_eq!(name, "groundcrew_prod_eu_flightdata_weekly_weekly-20261206T0100Z_2");
        let muter = muter(&name).unwrap();
        assert_eq!(
            muter,
            Muter {
                cluster: "prod_eu".into(),
                namespace: "flightdata".into(),
                window: "weekly".into(),
                occurrence: "weekly-20261206T0100Z".into(),
                batch: 2,
            }
        );
    }

    #[test]
    fn what_nobody_of_ours_named_is_nobodys() {
        for name in [
            "",
            "nightly",
            "groundcrew",
            "groundcrew_prod_flightdata_weekly_1",
            "groundcrew_prod_flightdata_weekly_o_one",
            "groundcrew_prod_flightdata_weekly_o_+1",
            "groundcrew_prod_flightdata_weekly_o_01",
            "groundcrew_prod_flightdata__o_1",
            "groundcrews_prod_flightdata_weekly_o_1",
        ] {
            assert_eq!(muter(name), None, "{name}");
        }
    }

    #[test]
    fn long_and_odd_parts_are_cut_and_stay_apart() {
        let (one, two) = (format!("{}1", "w".repeat(252)), format!("{}2", "w".repeat(252)));
        let cluster = "c".repeat(100);
        let namespace = "n".repeat(63);
        let name = |window: &str, occurrence: &str| {
            mute_rule(&owner(&cluster, &namespace, window), occurrence, 9_999)
        };
        let long = name(&one, &"o".repeat(300));
        assert!(long.len() <= 255, "{}", long.len());
        assert_ne!(long, name(&two, &"o".repeat(300)));
        assert_ne!(long, name(&one, &"o".repeat(301)));
        assert!(long.starts_with(&mute_rules_of(&owner(&cluster, &namespace, &one))));
        assert_ne!(name("w", "a_b"), name("w", "ab"));
        assert_eq!(muter(&name("w", "a_b")).unwrap().window, "w");
    }

    proptest! {
        #[test]
        fn every_name_fits_and_is_read_back(
            cluster in "[a-zA-Z0-9._@=+-]{1,100}",
            namespace in "[a-z0-9-]{1,63}",
            window in "[a-z0-9.-]{1,253}",
            occurrence in ".{0,80}",
            batch in 0_u16..9_999,
        ) {
            let owner = owner(&cluster, &namespace, &window);
            let name = mute_rule(&owner, &occurrence, batch);
            prop_assert!(name.len() <= 255);
            let muter = muter(&name).unwrap();
            prop_assert_eq!((muter.cluster, muter.namespace), (cluster, namespace));
            prop_assert_eq!(muter.batch, batch);
            prop_assert!(name.starts_with(&mute_rules_of(&owner)));
        }

        #[test]
        fn any_name_is_read_without_a_panic(name in ".{0,300}") {
            let _ = muter(&name);
        }
    }
}
