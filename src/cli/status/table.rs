//! Many objects as a table.

use jiff::Timestamp;

use super::{Row, Shown};
use crate::cli::{
    table::{GAP, plain},
    terminal::{Terminal, Tone},
};

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
    let mut table = plain(&header, terminal);
    for row in rows {
        let cells = cells(row, now);
        table.add_row(cells.into_iter().skip(first).collect::<Vec<_>>());
    }
    let phase_from: u16 = table
        .column_max_content_widths()
        .iter()
        .take(2_usize.saturating_sub(first))
        .fold(0_u16, |from, width| from.saturating_add(*width).saturating_add(GAP));
    let lines = table.lines().enumerate().map(|(number, line)| {
        let line = line.trim_end();
        match number {
            0 => terminal.paint(line, Tone::Strong),
            _ => painted::<K>(line, phase_from.into(), terminal),
        }
    });
    lines.map(|line| line + "\n").collect()
}

/// The line with its phase in colour, if it starts in that column.
fn painted<K: Shown>(line: &str, phase_from: usize, terminal: Terminal) -> String {
    let split = line.char_indices().nth(phase_from).map(|(at, _)| line.split_at(at));
    let Some((before, rest)) = split else { return line.to_owned() };
    let word = rest.split(' ').next().unwrap_or_default();
    match K::tone(word) {
        Some(tone) => {
            let after = rest.strip_prefix(word).unwrap_or_default();
            format!("{before}{}{after}", terminal.paint(word, tone))
        }
        None => line.to_owned(),
    }
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
