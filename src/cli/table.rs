//! Tables as all subcommands print them.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets::NOTHING};

use super::terminal::Terminal;

/// Spaces between columns.
pub(super) const GAP: u16 = 2;
/// The last column is never squeezed into less than this; a line may then be longer than the terminal.
const LAST_MIN: u16 = 20;

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
            ColumnConstraint::LowerBoundary(Width::Fixed(LAST_MIN))
        } else {
            ColumnConstraint::ContentWidth
        });
    }
    table
}
