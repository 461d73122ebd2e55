//! A preview in words.

use std::fmt::Write as _;

use kube::ResourceExt as _;

use crate::{
    api::{canary_rollout::CanaryRollout, duration::Duration},
    canary_rollout::preview::{Line, Preview},
    cli::terminal::{Terminal, Tone},
    error::one_line,
};

/// The object in words.
pub(super) fn name(object: &CanaryRollout) -> String {
    format!("CanaryRollout {}/{}", object.namespace().unwrap_or_default(), object.name_any())
}

/// The preview of one object.
pub(super) fn render(object: &CanaryRollout, preview: &Preview, terminal: Terminal) -> String {
    let Preview { found, problems, warnings, lines } = preview;
    let function = &object.spec.function;
    let name = terminal.paint(&one_line(&name(object)), Tone::Strong);
    let place = one_line(&format!("{}:{}", function.name, function.alias));
    let mut text = format!("{name}: {place}\n");
    let _ = writeln!(text, "  now     {}", one_line(found));
    for problem in problems {
        let _ = writeln!(text, "  {} {}", terminal.paint("problem", Tone::Bad), one_line(problem));
    }
    for warning in warnings {
        let _ = writeln!(text, "  {} {}", terminal.paint("warning", Tone::Asks), one_line(warning));
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
        let _ = writeln!(text, "  {:<7} {}", format!("+{after}"), one_line(message));
        for action in actions {
            let _ = writeln!(text, "          {}", terminal.paint(&one_line(action), Tone::Busy));
        }
        for term in terms {
            let _ = writeln!(text, "          - {}", one_line(term));
        }
    }
    if lines.iter().any(|line| line.message.contains("waits for approval")) {
        text.push_str(
            "  Times are the earliest: approvals and data are taken to be there at once.\n",
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use serde_json::json;

    use super::*;
    use crate::cli::hostile::{HOSTILE, assert_harmless};

    #[test]
    fn no_text_of_people_forges_a_line_of_a_plan() {
        let object: CanaryRollout = serde_json::from_value(json!({
            "apiVersion": "groundcrew.dev/v1alpha1", "kind": "CanaryRollout",
            "metadata": {"name": HOSTILE},
            "spec": {"function": {"name": HOSTILE, "alias": HOSTILE}, "release": {"version": "2"}},
        }))
        .unwrap();
        let texts = || vec![HOSTILE.to_owned()];
        let line = Line {
            after: SignedDuration::ZERO,
            message: HOSTILE.into(),
            actions: texts(),
            terms: texts(),
        };
        let preview = Preview {
            found: HOSTILE.into(),
            problems: texts(),
            warnings: texts(),
            lines: vec![line],
        };
        let text = render(&object, &preview, Terminal { colour: false, width: None });
        assert_harmless(&text);
        assert_eq!(text.lines().count(), 8, "{text}");
        assert_eq!(text.matches("forged").count(), 9, "{text}");
    }
}
