//! Many rollouts as a table.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets::NOTHING};
use jiff::Timestamp;

use super::Row;
use crate::{
    api::canary_rollout::{CanaryRollout, Phase},
    cli::terminal::{Terminal, Tone, tone},
};

/// Spaces between columns.
const GAP: u16 = 2;
/// A message is never squeezed into less than this; a line may then be longer than the terminal.
const MESSAGE_MIN: u16 = 20;
const HEADER: [&str; 8] =
    ["NAME", "PHASE", "STEP", "WEIGHT", "STABLE", "CANARY", "SINCE", "MESSAGE"];

/// The rollouts as lines: one for each, with the message wrapped below itself.
pub(super) fn render(
    rows: &[Row<'_>],
    namespaces: bool,
    now: Timestamp,
    terminal: Terminal,
) -> String {
    let first = if namespaces { 0 } else { 1 };
    let header: Vec<&str> = ["NAMESPACE"].into_iter().chain(HEADER).skip(first).collect();
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
            _ => painted(line, phase_from.into(), terminal),
        }
    });
    lines.map(|line| line + "\n").collect()
}

/// A table without lines, whose last column takes what the terminal leaves.
pub(super) fn plain(header: &[&str], terminal: Terminal) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(header.to_vec());
    match terminal.width {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    let last = header.len().saturating_sub(1);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if index == last { 0 } else { GAP }));
        column.set_constraint(if index == last {
            ColumnConstraint::LowerBoundary(Width::Fixed(MESSAGE_MIN))
        } else {
            ColumnConstraint::ContentWidth
        });
    }
    table
}

/// The line with its phase in colour, if it starts in that column.
fn painted(line: &str, phase_from: usize, terminal: Terminal) -> String {
    let split = line.char_indices().nth(phase_from).map(|(at, _)| line.split_at(at));
    let Some((before, rest)) = split else { return line.to_owned() };
    let word = rest.split(' ').next().unwrap_or_default();
    match phase(word) {
        Some(phase) => {
            let after = rest.strip_prefix(word).unwrap_or_default();
            format!("{before}{}{after}", terminal.paint(word, tone(phase)))
        }
        None => line.to_owned(),
    }
}

fn phase(word: &str) -> Option<Phase> {
    serde_json::from_value(word.into()).ok()
}

fn cells(row: &Row<'_>, now: Timestamp) -> [String; 9] {
    let none = || "-".to_owned();
    let object = match &row.object {
        Ok(object) => *object,
        Err(error) => {
            let (namespace, name) = (row.namespace.clone(), row.name.clone());
            return [
                namespace,
                name,
                none(),
                none(),
                none(),
                none(),
                none(),
                none(),
                error.clone(),
            ];
        }
    };
    let status = object.status.as_ref();
    let canary = status.and_then(|status| status.canary.as_ref());
    let message = status.and_then(|status| status.message.clone());
    [
        row.namespace.clone(),
        row.name.clone(),
        status.and_then(|status| status.phase).unwrap_or_default().as_str().to_owned(),
        status.and_then(|s| s.step.as_ref()).map_or_else(none, |step| step.display.clone()),
        canary.map_or_else(none, |canary| format!("{}%", canary.weight)),
        status.and_then(|s| s.stable.as_ref()).map_or_else(none, |s| s.version.clone()),
        canary.map_or_else(none, |canary| canary.version.clone()),
        since(object).map_or_else(none, |since| age(since, now)),
        message.unwrap_or_else(|| "not looked at yet".to_owned()),
    ]
}

/// Since when it is where it is: the step that it is in, the end of the last release, or its
/// creation.
fn since(object: &CanaryRollout) -> Option<Timestamp> {
    let status = object.status.as_ref();
    let flight = status.and_then(|status| status.step.as_ref());
    let entered = flight.and_then(|step| step.entered_at.as_ref());
    let started = status.and_then(|s| s.canary.as_ref()).filter(|_| flight.is_some());
    let ended = status.and_then(|status| status.history.first()).map(|entry| &entry.ended_at);
    let time = entered
        .or(started.map(|canary| &canary.started_at))
        .or(ended)
        .or(object.metadata.creation_timestamp.as_ref());
    time.map(|time| time.0)
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
