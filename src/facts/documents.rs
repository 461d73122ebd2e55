//! Documents of Systems Manager that the operator allows.

/// Most patterns of documents.
const PATTERNS_MAX: usize = 256;

/// Names of documents of Systems Manager, as the flag `--allow-ssm-documents` gives them; one that
/// ends in `*` means all that begin so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedDocuments(Vec<String>);

/// A text that names no document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a document is written like AWS-RunPatchBaseline, an ARN, or Team-* for all that begin so")]
pub struct InvalidDocument;

impl AllowedDocuments {
    /// Takes names and patterns, at most 256; empty ones are left out.
    ///
    /// # Errors
    ///
    /// [`InvalidDocument`] for the first text that is none.
    pub fn parse<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Self, InvalidDocument> {
        let texts = texts.into_iter().map(str::trim).filter(|text| !text.is_empty());
        let patterns: Vec<String> = texts.map(str::to_owned).collect();
        let plain = |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:/-".contains(&byte))
        };
        let good = |text: &String| plain(text.strip_suffix('*').unwrap_or(text));
        if patterns.len() > PATTERNS_MAX || !patterns.iter().all(good) {
            return Err(InvalidDocument);
        }
        Ok(Self(patterns))
    }

    /// Whether a document may be run.
    #[must_use]
    pub fn allow(&self, document: &str) -> bool {
        self.0.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => document.starts_with(start),
            None => document == pattern,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_allowed_by_name_or_by_their_start() {
        let allowed = AllowedDocuments::parse(["AWS-RunPatchBaseline", " Team-* ", ""]).unwrap();
        for (document, expected) in [
            ("AWS-RunPatchBaseline", true),
            ("AWS-RunPatchBaselineWithHooks", false),
            ("Team-Rotate", true),
            ("team-rotate", false),
            ("", false),
        ] {
            assert_eq!(allowed.allow(document), expected, "{document}");
        }
        assert!(!AllowedDocuments::default().allow("AWS-RunShellScript"));
        assert!(AllowedDocuments::parse(["*"]).unwrap().allow("anything"));
        for wrong in ["a b", "*-x", "a*b", "ü"] {
            assert_eq!(AllowedDocuments::parse([wrong]), Err(InvalidDocument), "{wrong}");
        }
        let many = vec!["x"; PATTERNS_MAX + 1];
        assert_eq!(AllowedDocuments::parse(many), Err(InvalidDocument));
    }
}
