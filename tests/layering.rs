//! The layers of the architecture, read off the source text.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Longest file.
const FILE_LINES_MAX: usize = 400;
/// Longest function, from its signature to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;
/// What decisions and statuses may use of this crate. `status` is its conditions alone, `notify` its
/// pure parts.
const PURE: [&str; 12] = [
    "api",
    "error",
    "facts",
    "invocations",
    "names",
    "notify",
    "plan",
    "stats",
    "status",
    "time",
    "verbs",
    "window_gate",
];
/// Modules of notices that decide what is due and write its words: as pure as decisions.
const PURE_NOTICES: [&str; 4] = ["due", "message", "render", "stage"];
/// Modules of one kind that read or write, and are no business of its decisions.
const IMPURE_PARTS: [&str; 3] = ["act", "observe", "error"];
/// The kinds; none knows another.
const KINDS: [&str; 4] =
    ["backup_policy", "canary_rollout", "maintenance_window", "retention_policy"];
/// Lints that no attribute outside of tests may silence.
const KEPT_LINTS: [&str; 6] =
    ["unwrap_used", "expect_used", "panic", "indexing_slicing", "todo", "too_many_lines"];

/// One source file: its path below `src`, with `/`, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// Names of the folders and the file, without `.rs`.
    fn modules(&self) -> Vec<&str> {
        self.path.trim_end_matches(".rs").split('/').collect()
    }

    fn kind(&self) -> Option<&str> {
        let first = *self.modules().first()?;
        KINDS.contains(&first).then_some(first)
    }

    /// Whether it is only compiled for tests: `tests.rs`, `tests/*`, or declared under `cfg(test)`.
    fn is_test(&self, test_modules: &[String]) -> bool {
        let modules = self.modules();
        modules.contains(&"tests") || test_modules.contains(&modules.join("/"))
    }

    /// Whether it holds decisions, walks over them, or statuses of a kind, or works out schedules or
    /// what is due of notices.
    fn is_pure(&self) -> bool {
        match *self.modules().as_slice() {
            ["time", ..] => true,
            ["notify", part, ..] => PURE_NOTICES.contains(&part),
            [_, "decide" | "status" | "walk", ..] => self.kind().is_some(),
            _ => false,
        }
    }

    /// The text without comments, string contents, and without what stands under `#[cfg(test)]`.
    fn code(&self) -> String {
        let bare = bare(&self.text);
        bare.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned()
    }
}

/// Rust text with comments and the contents of strings blanked; lines stay lines.
fn bare(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '/' if rest.peek() == Some(&'/') => while rest.next_if(|c| *c != '\n').is_some() {},
            '"' => {
                out.push('"');
                while let Some(c) = rest.next() {
                    match c {
                        '\\' => drop(rest.next()),
                        '"' => break,
                        '\n' => out.push('\n'),
                        _ => {}
                    }
                }
                out.push('"');
            }
            // Braces as characters are no braces; a lifetime has no closing quote.
            '\'' => {
                let ahead: Vec<char> = rest.clone().take(3).collect();
                let skipped = match ahead.as_slice() {
                    ['\\', _, '\''] => 3,
                    [_, '\'', ..] => 2,
                    _ => 0,
                };
                for _ in 0..skipped {
                    rest.next();
                }
            }
            _ => out.push(c),
        }
    }
    out
}

/// The first names of all paths that start with `prefix`, groups in braces opened one level.
fn imported<'t>(code: &'t str, prefix: &str) -> Vec<&'t str> {
    let name = |text: &'t str| {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        text.get(..end).unwrap_or_default()
    };
    let mut names = Vec::new();
    for (at, _) in code.match_indices(prefix) {
        let after = code.get(at.saturating_add(prefix.len())..).unwrap_or_default();
        let Some(group) = after.strip_prefix('{') else {
            names.push(name(after));
            continue;
        };
        let mut depth = 0_usize;
        let mut expects = true;
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth = depth.saturating_add(1),
                '}' if depth == 0 => break,
                '}' => depth = depth.saturating_sub(1),
                ',' if depth == 0 => expects = true,
                _ if expects && !c.is_whitespace() => {
                    names.push(name(group.get(at..).unwrap_or_default()));
                    expects = false;
                }
                _ => {}
            }
        }
    }
    names
}

/// Every function that is longer than it may be: its line and length.
fn long_functions(code: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = code.lines().collect();
    let mut long = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let indent = line.len().saturating_sub(line.trim_start().len());
        let words: Vec<&str> = line.split_whitespace().collect();
        if !words.iter().take(5).any(|word| *word == "fn") || line.ends_with(';') {
            continue;
        }
        // rustfmt closes a function at the indentation at which it began.
        let closes = format!("{}}}", " ".repeat(indent));
        let body = lines.iter().skip(start).position(|line| *line == closes);
        let length = body.map_or(1, |end| end.saturating_add(1));
        if length > FUNCTION_LINES_MAX {
            long.push((start.saturating_add(1), length));
        }
    }
    long
}

/// What is too long in one file, in sentences.
fn lengths(source: &Source) -> Vec<String> {
    let lines = source.text.lines().count();
    let file = (lines > FILE_LINES_MAX).then(|| format!("{lines} lines, at most {FILE_LINES_MAX}"));
    let functions = long_functions(&bare(&source.text)).into_iter().map(|(line, length)| {
        format!("the function in line {line} has {length} lines, at most {FUNCTION_LINES_MAX}")
    });
    file.into_iter().chain(functions).map(|text| format!("{}: {text}", source.path)).collect()
}

/// What is wrong with one file, in sentences.
fn faults(source: &Source, test_modules: &[String]) -> Vec<String> {
    let mut faults = lengths(source);
    let mut fault = |text: String| faults.push(format!("{}: {text}", source.path));
    let code = source.code();
    if code.contains("aws_sdk_") && !source.path.starts_with("aws/sdk") {
        fault("names aws_sdk_*, which only src/aws/sdk may".into());
    }
    let imports = imported(&code, "crate::");
    for kind in KINDS.iter().filter(|kind| source.kind().is_some_and(|own| own != **kind)) {
        if imports.contains(kind) {
            fault(format!("imports the kind {kind}"));
        }
    }
    if source.is_test(test_modules) {
        return faults;
    }
    for lint in KEPT_LINTS {
        if ["allow(", "expect("].iter().any(|word| code.contains(&format!("{word}clippy::{lint}")))
        {
            fault(format!("silences clippy::{lint} outside of tests"));
        }
    }
    if source.is_pure() {
        faults.extend(impurities(source, &code).map(|text| format!("{}: {text}", source.path)));
    }
    faults
}

/// What decisions and statuses may not know.
fn impurities<'s>(source: &'s Source, code: &'s str) -> impl Iterator<Item = String> + 's {
    let own = source.kind().unwrap_or_default();
    let strangers = imported(code, "crate::")
        .into_iter()
        .filter(move |name| !PURE.contains(name) && *name != own)
        .map(|name| format!("imports crate::{name}, which is not pure"));
    let parts = [format!("crate::{own}::"), "super::super::".into()]
        .into_iter()
        .flat_map(move |prefix| imported(code, &prefix))
        .chain(
            (source.modules().len() == 2).then(|| imported(code, "super::")).into_iter().flatten(),
        )
        .filter(|name| IMPURE_PARTS.contains(name))
        .map(|name| format!("imports {name} of its kind, which is not pure"));
    let conditions = imported(code, "crate::status::")
        .into_iter()
        .filter(|name| *name != "conditions")
        .map(|name| format!("imports crate::status::{name}"));
    let notices = imported(code, "crate::notify::")
        .into_iter()
        .filter(|name| !PURE_NOTICES.contains(name))
        .map(|name| format!("imports crate::notify::{name}, which is not pure"));
    let words = ["kube::", "tokio::", "async ", "std::fs", "std::env", "tracing::"]
        .into_iter()
        .filter(move |word| code.contains(word))
        .map(|word| format!("uses {}, which decisions and statuses do without", word.trim_end()));
    strangers.chain(parts).chain(conditions).chain(notices).chain(words)
}

/// All Rust files below `folder`, in a fixed order.
fn sources(folder: &Path, root: &Path, found: &mut Vec<Source>) -> io::Result<()> {
    let entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut entries = entries.collect::<io::Result<Vec<PathBuf>>>()?;
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            sources(&entry, root, found)?;
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            let below = entry.strip_prefix(root).map_err(io::Error::other)?;
            let path = below.to_string_lossy().replace('\\', "/");
            found.push(Source { path, text: fs::read_to_string(&entry)? });
        }
    }
    Ok(())
}

/// Modules that are declared under `#[cfg(test)]`, by path without `.rs`.
fn test_modules(sources: &[Source]) -> Vec<String> {
    let declared = |source: &Source| {
        let path = source.path.trim_end_matches(".rs").trim_end_matches("/mod").to_owned();
        let after: Vec<_> =
            source.text.split("#[cfg(test)]\nmod ").skip(1).map(str::to_owned).collect();
        after.into_iter().filter_map(move |text| {
            let (name, _) = text.split_once(';')?;
            Some(format!("{path}/{name}"))
        })
    };
    sources.iter().flat_map(declared).collect()
}

/// All files below this folder of the repository.
fn all_below(folder: &str) -> io::Result<Vec<Source>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut all = Vec::new();
    sources(&root, &root, &mut all)?;
    Ok(all)
}

#[test]
fn every_file_of_the_tests_keeps_to_its_length() {
    let all = all_below("tests").unwrap();
    assert!(all.iter().any(|source| source.path == "layering.rs"), "this file was not found");
    let faults: Vec<String> = all.iter().flat_map(lengths).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_file_keeps_to_its_layer() {
    let all = all_below("src").unwrap();
    assert!(all.iter().any(Source::is_pure), "no decision was found");
    let tests = test_modules(&all);
    let faults: Vec<String> = all.iter().flat_map(|source| faults(source, &tests)).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Checks one made-up file.
#[track_caller]
fn check(path: &str, text: &str, expected: &[&str]) {
    let source = Source { path: path.into(), text: text.into() };
    let told: Vec<String> = expected.iter().map(|text| format!("{path}: {text}")).collect();
    assert_eq!(faults(&source, &["canary_rollout/world".into()]), told);
}

#[test]
fn a_decision_that_knows_clients_other_kinds_or_the_world_is_found() {
    let decide = "canary_rollout/decide/idle.rs";
    check(decide, "use crate::{api::duration::Duration, facts::{lambda::Alias}, names};", &[]);
    check(
        decide,
        "use crate::{api, context::Context, aws::{hub::Hub}};",
        &["imports crate::context, which is not pure", "imports crate::aws, which is not pure"],
    );
    check(
        decide,
        "fn f(client: &kube::Client) { crate::metrics::count() }",
        &[
            "imports crate::metrics, which is not pure",
            "uses kube::, which decisions and statuses do without",
        ],
    );
    check(
        decide,
        "use crate::canary_rollout::{memory::Memory, observe::observe};",
        &["imports observe of its kind, which is not pure"],
    );
    check(
        "canary_rollout/status.rs",
        "use super::{act, memory::Memory};\nuse crate::status::{conditions, other};",
        &["imports act of its kind, which is not pure", "imports crate::status::other"],
    );
    check(
        "canary_rollout/decide/idle.rs",
        "use crate::notify::{due::Dues, send::Notifier};",
        &["imports crate::notify::send, which is not pure"],
    );
    check("notify/send/sns.rs", "use crate::context::Context;", &[]);
    check(
        "notify/due.rs",
        "use crate::context::Context;",
        &["imports crate::context, which is not pure"],
    );
    check(
        "canary_rollout/status.rs",
        "async fn f() {}",
        &["uses async, which decisions and statuses do without"],
    );
    check(
        "time/zone.rs",
        "use crate::{context::Clock, names};",
        &["imports crate::context, which is not pure"],
    );
}

#[test]
fn a_kind_that_imports_another_is_found_anywhere() {
    let text = "use crate::{\n    api,\n    backup_policy::Policy,\n};";
    check("canary_rollout/act.rs", text, &["imports the kind backup_policy"]);
    check("canary_rollout/act.rs", "use crate::canary_rollout::memory;", &[]);
    check("operator.rs", text, &[]);
}

#[test]
fn the_sdk_outside_of_its_folder_is_found_and_words_about_it_are_not() {
    let text = "use aws_sdk_lambda::Client;";
    check("aws/hub.rs", text, &["names aws_sdk_*, which only src/aws/sdk may"]);
    check("aws/sdk/lambda.rs", text, &[]);
    check(
        "aws/hub.rs",
        "// aws_sdk_lambda\nconst A: &str = \"aws_sdk_rds \\\" aws_sdk_sts\";",
        &[],
    );
}

#[test]
fn long_files_and_functions_are_found() {
    let line = "    call();\n";
    let function =
        |lines: usize| format!("fn f() {{\n{}}}\n", line.repeat(lines.saturating_sub(2)));
    check("a.rs", &function(70), &[]);
    check("a.rs", &function(71), &["the function in line 1 has 71 lines, at most 70"]);
    check("a.rs", &"// x\n".repeat(401), &["401 lines, at most 400"]);
    let inner = format!("impl A {{\n    pub async fn f() {{\n{}    }}\n}}\n", line.repeat(70));
    check("a.rs", &inner, &["the function in line 2 has 72 lines, at most 70"]);
}

#[test]
fn a_silenced_lint_is_found_outside_of_tests() {
    let text = "#[allow(clippy::unwrap_used)]\nfn f() {}";
    check("a.rs", text, &["silences clippy::unwrap_used outside of tests"]);
    let text = "#[expect(clippy::panic, reason = \"why\")]\nfn f() {}";
    check("a.rs", text, &["silences clippy::panic outside of tests"]);
    check("a/tests.rs", text, &[]);
    check("canary_rollout/world.rs", text, &[]);
    check("a.rs", "fn f() {}\n\n#[cfg(test)]\nmod tests {\n#[allow(clippy::panic)]\n}", &[]);
}
