//! Tables as all subcommands print them. Their texts come from people and peers: each is one line, and
//! steers no terminal.

use std::fmt::Write as _;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets::NOTHING};

use super::terminal::{Terminal, Tone};
use crate::error::one_line;

/// Spaces between columns.
const GAP: u16 = 2;
/// The last column is never squeezed into less than this; a line may then be longer than the terminal.
const LAST_MIN: u16 = 20;
/// Spaces before each line of what stands below a heading.
const INDENT: u16 = 2;

/// A column whose words have colours: its number, and the colour of a word.
pub(super) type Toned = (usize, fn(&str) -> Option<Tone>);

/// Rows below a header that stands out.
pub(super) fn render(
    header: &[&str],
    rows: &[Vec<String>],
    toned: Option<Toned>,
    terminal: Terminal,
) -> String {
    let mut lines = lines(header, rows, toned, terminal);
    if let Some(header) = lines.first_mut() {
        *header = terminal.paint(header, Tone::Strong);
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Adds a heading, and below it an indented table; nothing where there are no rows.
pub(super) fn section(
    text: &mut String,
    name: &str,
    header: &[&str],
    rows: &[Vec<String>],
    toned: Option<Toned>,
    terminal: Terminal,
) {
    if rows.is_empty() {
        return;
    }
    heading(text, name, terminal);
    let width = terminal.width.map(|width| width.saturating_sub(INDENT));
    for line in lines(header, rows, toned, Terminal { width, ..terminal }) {
        let _ = writeln!(text, "{:indent$}{line}", "", indent = usize::from(INDENT));
    }
}

/// Adds an empty line and a heading.
pub(super) fn heading(text: &mut String, heading: &str, terminal: Terminal) {
    let _ = writeln!(text, "\n{}", terminal.paint(heading, Tone::Strong));
}

/// The header and the rows; a row may be several lines.
fn lines(
    header: &[&str],
    rows: &[Vec<String>],
    toned: Option<Toned>,
    terminal: Terminal,
) -> Vec<String> {
    let mut table = plain(header, terminal);
    for row in rows {
        table.add_row(row.iter().map(|text| one_line(text)));
    }
    let widths = table.column_max_content_widths();
    let toned = toned.map(|(column, tone)| {
        let before = widths.iter().take(column);
        let from =
            before.fold(0_u16, |from, width| from.saturating_add(*width).saturating_add(GAP));
        (usize::from(from), tone)
    });
    let lines = table.lines().enumerate().map(|(number, line)| {
        let line = line.trim_end();
        match toned.filter(|_| number > 0) {
            Some((from, tone)) => painted(line, from, tone, terminal),
            None => line.to_owned(),
        }
    });
    lines.collect()
}

/// The line with the word that starts at a column in its colour. Only now: in a table its escapes would
/// count as letters.
fn painted(line: &str, from: usize, tone: fn(&str) -> Option<Tone>, terminal: Terminal) -> String {
    let split = line.char_indices().nth(from).map(|(at, _)| line.split_at(at));
    let Some((before, rest)) = split else { return line.to_owned() };
    let word = rest.split(' ').next().unwrap_or_default();
    match tone(word) {
        Some(tone) => {
            let after = rest.strip_prefix(word).unwrap_or_default();
            format!("{before}{}{after}", terminal.paint(word, tone))
        }
        None => line.to_owned(),
    }
}

/// A table without lines, whose last column takes what the terminal leaves.
fn plain(header: &[&str], terminal: Terminal) -> Table {
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
            ColumnConstraint::LowerBoundary(Width::Fixed(LAST_MIN))
        } else {
            ColumnConstraint::ContentWidth
        });
    }
    table
}
