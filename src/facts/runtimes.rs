//! When AWS deprecates Lambda's managed runtimes.

use jiff::civil::Date;

/// The table, with its source and the day on which it was read.
const TABLE: &str = include_str!("runtimes.csv");

/// The day on which AWS deprecates a runtime, as far as it was known when this was built; none where
/// that is not known. AWS moves these days, and functions run on after them: good for a warning only.
#[must_use]
pub fn deprecated_on(runtime: &str) -> Option<Date> {
    rows().find(|(name, _)| *name == runtime).and_then(|(_, day)| day.parse().ok())
}

fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(','))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_runtime_of_the_table_has_one_day() {
        let names: BTreeSet<&str> = rows().map(|(name, _)| name).collect();
        assert!(names.len() > 30);
        assert_eq!(names.len(), rows().count());
        assert!(names.iter().all(|name| deprecated_on(name).is_some()));
        assert_eq!(deprecated_on("python3.9"), Some(jiff::civil::date(2025, 12, 15)));
        assert_eq!(deprecated_on("python4.0"), None);
    }

    #[test]
    fn the_table_says_where_and_when_it_was_read() {
        assert!(TABLE.contains("# Source: ") && TABLE.contains("# As of: "));
    }
}
