//! Many objects as a table.

use jiff::Timestamp;

use super::{Row, Shown};
use crate::cli::{table, terminal::Terminal};

/// The objects as lines: one for each, with the message wrapped below itself.
pub(super) fn render<K: Shown>(
    rows: &[Row<'_, K>],
    namespaces: bool,
    now: Timestamp,
    terminal: Terminal,
) -> String {
    let first = if namespaces { 0 } else { 1 };
    let columns = ["NAMESPACE", "NAME"].into_iter().chain(K::HEADER.iter().copied());
    let header: Vec<&str> = columns.skip(first).collect();
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| cells(row, now).into_iter().skip(first).collect()).collect();
    let phase = 2_usize.saturating_sub(first);
    table::render(&header, &rows, Some((phase, K::tone)), terminal)
}

fn cells<K: Shown>(row: &Row<'_, K>, now: Timestamp) -> Vec<String> {
    let mut cells = vec![row.namespace.clone(), row.name.clone()];
    match &row.object {
        Ok(object) => cells.extend(object.cells(now)),
        Err(error) => {
            let empty = K::HEADER.len().saturating_sub(1);
            cells.extend(std::iter::repeat_n(none(), empty));
            cells.push(error.clone());
        }
    }
    cells
}

/// What stands where there is nothing to say.
pub(super) fn none() -> String {
    "-".to_owned()
}

/// How long ago, in the one unit that matters.
pub(super) fn age(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs().max(0);
    let (unit, count) = match seconds {
        0..=119 => ("s", seconds),
        120..=7_199 => ("m", seconds.div_euclid(60)),
        7_200..=172_799 => ("h", seconds.div_euclid(3_600)),
        _ => ("d", seconds.div_euclid(86_400)),
    };
    format!("{count}{unit}")
}
