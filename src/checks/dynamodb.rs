//! A table that must be ACTIVE.

use std::fmt;

use super::{Judged, Surroundings, parse::Wrong};
use crate::{
    api::check::DynamoDbCheck,
    aws::{limits::Priority, port::DynamoDb as _},
    context::terms,
    facts::dynamodb as facts,
};

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    name: String,
}

impl Table {
    pub(super) fn parse(raw: &DynamoDbCheck) -> Result<Self, Wrong> {
        let DynamoDbCheck { table } = raw;
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if table.len() < 3 || !table.chars().all(fits) {
            return Err(("table", "the name of a table"));
        }
        Ok(Self { name: table.clone() })
    }

    pub(super) async fn look(&self, at: &Surroundings<'_>) -> Judged {
        let dynamodb = at.session.dynamodb(terms(Priority::Work, at.namespace));
        match dynamodb.describe_table(&self.name).await {
            Ok(found) => judge(&self.name, &found),
            Err(error) => Judged::of_error(&error),
        }
    }
}

fn judge(name: &str, found: &facts::Table) -> Judged {
    let facts::Table { status, items, bytes } = found;
    let message =
        format!("table {name} is {status}, with about {items} items and {}", size(*bytes));
    match status.as_str() {
        "ACTIVE" => Judged::passed(message),
        _ => Judged::failed(message),
    }
}

/// Bytes for people.
fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 4] =
        [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let fitting = UNITS.into_iter().find(|(_, size)| bytes >= *size);
    match fitting {
        Some((unit, size)) => {
            let tenths = u128::from(bytes).saturating_mul(10).checked_div(size.into()).unwrap_or(0);
            let whole = tenths.checked_div(10).unwrap_or(0);
            format!("{whole}.{} {unit}", tenths.checked_rem(10).unwrap_or(0))
        }
        None => format!("{bytes} bytes"),
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "table {} is ACTIVE", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::check::CheckVerdict::{Failed, Passed};

    #[test]
    fn only_an_active_table_passes_and_its_size_is_told() {
        for (status, verdict) in [
            ("ACTIVE", Passed),
            ("UPDATING", Failed),
            ("CREATING", Failed),
            ("ARCHIVED", Failed),
            ("", Failed),
            ("active", Failed),
        ] {
            let found = facts::Table { status: status.into(), items: 12, bytes: 1_600 };
            let judged = judge("topology", &found);
            assert_eq!(judged.verdict, verdict, "{status}");
            let says = format!("table topology is {status}, with about 12 items and 1.5 KiB");
            assert_eq!(judged.message, says);
        }
    }

    #[test]
    fn sizes_are_told_in_the_unit_that_fits() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1_023, "1023 bytes"),
            (1_024, "1.0 KiB"),
            (5_242_880, "5.0 MiB"),
            (3 << 30, "3.0 GiB"),
            (u64::MAX, "16777215.9 TiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
