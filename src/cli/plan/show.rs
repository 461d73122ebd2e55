//! A preview in words.

use std::fmt::Write as _;

use kube::ResourceExt as _;

use crate::{
    api::{canary_rollout::CanaryRollout, duration::Duration},
    canary_rollout::preview::{Line, Preview},
    cli::terminal::{Terminal, Tone},
};

/// The object in words.
pub(super) fn name(object: &CanaryRollout) -> String {
    format!("CanaryRollout {}/{}", object.namespace().unwrap_or_default(), object.name_any())
}

/// The preview of one object.
pub(super) fn render(object: &CanaryRollout, preview: &Preview, terminal: Terminal) -> String {
    let Preview { found, problems, warnings, lines } = preview;
    let function = &object.spec.function;
    let name = terminal.paint(&name(object), Tone::Strong);
    let mut text = format!("{name}: {}:{}\n", function.name, function.alias);
    let _ = writeln!(text, "  now     {found}");
    for problem in problems {
        let _ = writeln!(text, "  {} {problem}", terminal.paint("problem", Tone::Bad));
    }
    for warning in warnings {
        let _ = writeln!(text, "  {} {warning}", terminal.paint("warning", Tone::Asks));
    }
    match (problems.is_empty(), lines.is_empty()) {
        (true, _) => {}
        (false, true) => text.push_str("  Nothing would be done before this is mended.\n"),
        (false, false) => {
            text.push_str("  Nothing would be done before this is mended. Then:\n");
        }
    }
    for Line { after, message, actions, terms } in lines {
        let after = Duration::from_secs(u64::try_from(after.as_secs()).unwrap_or(0));
        let _ = writeln!(text, "  {:<7} {message}", format!("+{after}"));
        for action in actions {
            let _ = writeln!(text, "          {}", terminal.paint(action, Tone::Busy));
        }
        for term in terms {
            let _ = writeln!(text, "          - {term}");
        }
    }
    if lines.iter().any(|line| line.message.contains("waits for approval")) {
        text.push_str(
            "  Times are the earliest: approvals and data are taken to be there at once.\n",
        );
    }
    text
}
