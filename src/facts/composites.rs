//! Which composite alarms would still act for alarms that are silenced.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter::Peekable,
    str::Chars,
};

/// Parts of an alarm's ARN: `arn:aws:cloudwatch:<region>:<account>:alarm:<name>`.
const ARN_PARTS: usize = 7;

/// Names of the composite alarms, given by name and AlarmRule, that look at one of the silenced alarms,
/// directly or through other composites. Those that are silenced themselves are not among them.
///
/// Whether a rule could become true is not asked: one that looks at a silenced alarm, with `NOT` as
/// well, may change its state because of it.
#[must_use]
pub fn firing_through<'a>(
    silenced: &BTreeSet<String>,
    composites: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> BTreeSet<String> {
    let mut parents = BTreeMap::<String, Vec<&str>>::new();
    for (name, rule) in composites {
        for child in children(rule) {
            parents.entry(child).or_default().push(name);
        }
    }
    let mut found = BTreeSet::new();
    let mut looked_at: Vec<String> = silenced.iter().cloned().collect();
    while let Some(child) = looked_at.pop() {
        for parent in parents.remove(&child).unwrap_or_default() {
            if !silenced.contains(parent) && found.insert(parent.to_owned()) {
                looked_at.push(parent.to_owned());
            }
        }
    }
    found
}

/// Names of the alarms that an AlarmRule looks at. An alarm's ARN counts as its name.
///
/// Everything in quotes is one, so that a function that AWS adds one day hides none. Source of the
/// syntax: CloudWatch user guide, "Composite alarms", rule expressions.
#[must_use]
pub fn children(rule: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut text = rule.chars().peekable();
    while let Some(next) = text.peek().copied() {
        if next == '"' {
            found.insert(name_of(&quoted(&mut text)));
        } else if is_word(next) {
            let word = word(&mut text);
            skip_space(&mut text);
            if text.peek() != Some(&'(') {
                continue;
            }
            match word.to_ascii_uppercase().as_str() {
                "ALARM" | "OK" | "INSUFFICIENT_DATA" => {
                    text.next();
                    argument(&mut text, &mut found);
                }
                "AT_LEAST" => at_least(&mut text, &mut found),
                // AND, OR and NOT before a group: what is in it is read next.
                _ => {}
            }
        } else {
            text.next();
        }
    }
    found.remove("");
    found
}

/// The list of `AT_LEAST(2, ALARM, (a, b))`.
fn at_least(text: &mut Peekable<Chars<'_>>, found: &mut BTreeSet<String>) {
    text.next();
    // What stands before the list has no brackets.
    while text.peek().is_some_and(|next| !matches!(next, '(' | ')' | '"')) {
        text.next();
    }
    if text.peek() == Some(&'(') {
        text.next();
        argument(text, found);
    }
}

/// One name or a list of them, up to the bracket that closes it.
fn argument(text: &mut Peekable<Chars<'_>>, found: &mut BTreeSet<String>) {
    loop {
        skip_space(text);
        let name = if text.peek() == Some(&'"') { quoted(text) } else { bare(text) };
        found.insert(name_of(&name));
        skip_space(text);
        match text.next() {
            Some(',') => {}
            Some(_) | None => return,
        }
    }
}

/// What stands between quotes.
fn quoted(text: &mut Peekable<Chars<'_>>) -> String {
    let mut name = String::new();
    text.next();
    while let Some(next) = text.next() {
        match next {
            '"' => break,
            '\\' => name.extend(text.next()),
            other => name.push(other),
        }
    }
    name
}

/// A name without quotes: up to a comma or the bracket that closes the list; it may hold brackets.
fn bare(text: &mut Peekable<Chars<'_>>) -> String {
    let (mut name, mut open) = (String::new(), 0_u32);
    while let Some(next) = text.peek().copied() {
        match next {
            '(' => open = open.saturating_add(1),
            ')' if open == 0 => break,
            ')' => open = open.saturating_sub(1),
            ',' => break,
            _ => {}
        }
        name.push(next);
        text.next();
    }
    name.trim_end().to_owned()
}

/// The name in an ARN, or what is a name already.
fn name_of(reference: &str) -> String {
    let name = match reference.starts_with("arn:") {
        true => reference.splitn(ARN_PARTS, ':').nth(ARN_PARTS.saturating_sub(1)),
        false => None,
    };
    name.unwrap_or(reference).to_owned()
}

fn is_word(next: char) -> bool {
    next.is_ascii_alphanumeric() || next == '_'
}

fn word(text: &mut Peekable<Chars<'_>>) -> String {
    let mut word = String::new();
    while let Some(next) = text.next_if(|next| is_word(*next)) {
        word.push(next);
    }
    word
}

fn skip_space(text: &mut Peekable<Chars<'_>>) {
    while text.next_if(|next| next.is_whitespace()).is_some() {}
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_rule_names_its_children() {
        let arn = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:";
        for (rule, names) in [
            ("TRUE", &[][..]),
            ("NOT (FALSE OR TRUE)", &[]),
            ("", &[]),
            (r#"ALARM("a")"#, &["a"]),
            ("ALARM(a) AND ALARM(b)", &["a", "b"]),
            ("ALARM(a) AND NOT ALARM(b)", &["a", "b"]),
            ("(ALARM(a) OR ALARM(b)) AND OK(c)", &["a", "b", "c"]),
            (r#"NOT(INSUFFICIENT_DATA("a") AND (TRUE))"#, &["a"]),
            (r#"ALARM ( "a b" )  OR  OK(  c d )"#, &["a b", "c d"]),
            (r#"ALARM("x (prod), y")"#, &["x (prod), y"]),
            ("ALARM(x (prod) y) OR OK(b)", &["x (prod) y", "b"]),
            (r#"ALARM("say \"hi\"") OR ALARM("b\\c")"#, &[r#"say "hi""#, r"b\c"]),
            (&format!(r#"ALARM("{arn}a") OR OK({arn}b:c)"#), &["a", "b:c"]),
            (r#"AT_LEAST(2, ALARM, (a, "b, c", d))"#, &["a", "b, c", "d"]),
            (&format!("AT_LEAST(60%, NOT OK, ({arn}a,b)) AND ALARM(c)"), &["a", "b", "c"]),
            (r#"at_least(1, alarm, ("a")) or alarm("b")"#, &["a", "b"]),
            // A name that looks like a rule is one name.
            (r#"ALARM("OK(x)") OR ALARM("a AND b")"#, &["OK(x)", "a AND b"]),
            // What AWS may add one day.
            (r#"MOST_OF("a", 2)"#, &["a"]),
            // What ends too early.
            (r#"ALARM("a"#, &["a"]),
            ("ALARM(a", &["a"]),
            ("AT_LEAST(1", &[]),
        ] {
            assert_eq!(children(rule), set(names), "{rule}");
        }
    }

    #[test]
    fn composites_are_found_through_composites_and_rings_end() {
        let composites = [
            ("direct", r#"ALARM("a") OR ALARM("z")"#),
            ("above", "OK(direct)"),
            ("top", r#"NOT ALARM("above")"#),
            ("apart", "ALARM(z)"),
            ("ring-1", "ALARM(ring-2) OR ALARM(a)"),
            ("ring-2", "ALARM(ring-1)"),
            ("never", "FALSE"),
        ];
        let found = firing_through(&set(&["a"]), composites);
        assert_eq!(found, set(&["above", "direct", "ring-1", "ring-2", "top"]));
        // What is silenced itself is looked through, and not told again.
        let found = firing_through(&set(&["a", "direct", "ring-1"]), composites);
        assert_eq!(found, set(&["above", "ring-2", "top"]));
        assert_eq!(firing_through(&set(&["b"]), composites), set(&[]));
        assert_eq!(firing_through(&set(&[]), composites), set(&[]));
    }

    proptest! {
        #[test]
        fn any_rule_is_read_without_a_panic(rule in r#"[A-Z_()", \\a-c]{0,60}"#) {
            let _ = children(&rule);
        }

        #[test]
        fn every_quoted_child_is_found(names in proptest::collection::btree_set("[^\"\\\\]{1,20}", 1..8)) {
            let rule: Vec<String> = names.iter().map(|name| format!("ALARM(\"{name}\")")).collect();
            let wanted: BTreeSet<String> = names.iter().map(|name| name_of(name)).collect();
            let mut wanted = wanted;
            wanted.remove("");
            prop_assert_eq!(children(&rule.join(" AND NOT ")), wanted);
        }
    }
}
