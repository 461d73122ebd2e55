//! Every rule that the documentation promises names a test that exists.

use std::{fs, path::Path};

/// A row of the page.
#[derive(Debug, PartialEq, Eq)]
struct Rule {
    line: usize,
    words: String,
    tests: Vec<Test>,
}

/// A test by its file, from the root of the repository, and its function.
#[derive(Debug, PartialEq, Eq)]
struct Test {
    file: String,
    name: String,
}

/// The rules of a page: the rows of its tables, headings of tables left out.
///
/// # Errors
///
/// A sentence for each row that cannot be read.
fn parse(page: &str) -> Result<Vec<Rule>, Vec<String>> {
    let (mut rules, mut errors) = (Vec::new(), Vec::new());
    for (line, text) in (1..).zip(page.lines()).filter(|(_, text)| text.starts_with('|')) {
        let cells: Vec<&str> = text
            .trim()
            .trim_matches('|')
            .split(" | ")
            .map(|cell| cell.trim().trim_matches('|').trim())
            .collect();
        match cells.as_slice() {
            ["rule", "test"] | ["---|---"] => {}
            [words, tests] if !words.is_empty() => match parse_tests(tests) {
                Ok(tests) => rules.push(Rule { line, words: (*words).into(), tests }),
                Err(error) => errors.push(format!("line {line}: {error}")),
            },
            _ => errors.push(format!("line {line}: a row is | rule | test |")),
        }
    }
    if errors.is_empty() { Ok(rules) } else { Err(errors) }
}

fn parse_tests(cell: &str) -> Result<Vec<Test>, String> {
    let parse = |text: &str| {
        let bare = text.trim().strip_prefix('`').and_then(|text| text.strip_suffix('`'));
        bare.and_then(|bare| bare.split_once("::"))
            .filter(|(file, name)| !name.is_empty() && !name.contains(':') && is_source(file))
            .map(|(file, name)| Test { file: file.into(), name: name.into() })
            .ok_or_else(|| format!("a test is `path/of/file.rs::name`, not {text:?}"))
    };
    cell.split(", ").map(parse).collect()
}

fn is_source(file: &str) -> bool {
    let rust = Path::new(file).extension().is_some_and(|extension| extension == "rs");
    rust && (file.starts_with("src/") || file.starts_with("tests/")) && !file.contains("..")
}

/// Whether a source text has a test of this name: a function with a test attribute above it.
fn has_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let declares = |line: &str| {
        let line = line.strip_prefix("async ").unwrap_or(line);
        line.strip_prefix("fn ")
            .and_then(|rest| rest.strip_prefix(name))
            .is_some_and(|rest| rest.starts_with('('))
    };
    let is_test =
        |attribute: &&str| *attribute == "#[test]" || attribute.starts_with("#[tokio::test");
    lines.iter().enumerate().filter(|(_, line)| declares(line)).any(|(at, _)| {
        let above = lines.iter().take(at).rev();
        let attributes: Vec<&str> = above
            .take_while(|line| line.starts_with("#[") || line.starts_with("//"))
            .copied()
            .collect();
        attributes.iter().any(is_test)
            && !attributes.iter().any(|text| text.starts_with("#[ignore"))
    })
}

#[test]
fn every_rule_names_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rules = parse(&fs::read_to_string(root.join("docs/RULES.md")).unwrap()).unwrap();
    assert!(!rules.is_empty(), "no rule was found");
    let missing: Vec<String> = rules
        .iter()
        .flat_map(|rule| rule.tests.iter().map(move |test| (rule, test)))
        .filter(|(_, Test { file, name })| {
            !fs::read_to_string(root.join(file)).is_ok_and(|source| has_test(&source, name))
        })
        .map(|(Rule { line, words, .. }, Test { file, name })| {
            format!("line {line}: {words}: there is no test {name} in {file}")
        })
        .collect();
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}

#[test]
fn no_rule_is_listed_twice() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/RULES.md");
    let mut words: Vec<String> = parse(&fs::read_to_string(page).unwrap())
        .unwrap()
        .into_iter()
        .map(|rule| rule.words)
        .collect();
    words.sort();
    let twice: Vec<_> = words.windows(2).filter(|pair| pair.first() == pair.last()).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

#[test]
fn rows_are_read_with_all_their_tests() {
    let page = "# Rules\n\nWords.\n\n| rule | test |\n|---|---|\n| A `b` holds | `src/a.rs::one`, `tests/it/b.rs::two` |\n";
    let test = |file: &str, name: &str| Test { file: file.into(), name: name.into() };
    let tests = vec![test("src/a.rs", "one"), test("tests/it/b.rs", "two")];
    assert_eq!(parse(page), Ok(vec![Rule { line: 7, words: "A `b` holds".into(), tests }]));
}

#[test]
fn rows_that_cannot_be_read_are_errors() {
    for row in [
        "| A rule |",
        "| A rule | |",
        "| A rule | src/a.rs::one |",
        "| A rule | `src/a.rs` |",
        "| A rule | `src/a.md::one` |",
        "| A rule | `/etc/a.rs::one` |",
        "| A rule | `src/../../a.rs::one` |",
        "| A rule | `src/a.rs::one` | more |",
        "|  | `src/a.rs::one` |",
    ] {
        let errors = parse(row).expect_err(row);
        assert!(errors.iter().all(|error| error.starts_with("line 1: ")), "{errors:?}");
    }
}

#[test]
fn a_test_is_a_function_with_a_test_attribute_that_is_run() {
    assert!(has_test("#[test]\nfn one() {}", "one"));
    assert!(has_test("    #[tokio::test(start_paused = true)]\n    async fn one() {}", "one"));
    assert!(has_test("#[test]\n#[should_panic]\n// Why.\nfn one() {}", "one"));
    assert!(!has_test("fn one() {}", "one"));
    assert!(!has_test("#[test]\nfn one_more() {}", "one"));
    assert!(!has_test("#[test]\nfn other() {}\n\nfn one() {}", "one"));
    assert!(!has_test("#[test]\n#[ignore]\nfn one() {}", "one"));
    assert!(!has_test("// fn one()", "one"));
}
