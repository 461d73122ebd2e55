//! The operator's flags about AWS, parsed once at start-up.

use std::{collections::BTreeSet, str::FromStr};

use super::is_region;

/// Longest external id. Source: STS API reference, AssumeRole, ExternalId (2 to 1,224 characters).
const EXTERNAL_ID_MAX: usize = 1_224;
/// Longest name of a namespace. Source: RFC 1123 label.
const NAMESPACE_MAX: usize = 63;
/// Longest cluster name: it is also the value of a tag, which takes 256.
const CLUSTER_NAME_MAX: usize = 100;

/// The operator's settings about AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    cluster_name: String,
    /// `--aws-region`.
    pub(super) default_region: Option<String>,
    /// `--default-credentials`.
    pub(super) default_credentials: DefaultCredentials,
    external_id_template: ExternalIdTemplate,
}

/// Which namespaces without a role may use the operator's own credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DefaultCredentials {
    /// All of them.
    All,
    /// These; none when it is empty.
    Namespaces(BTreeSet<String>),
}

/// How the external id of a namespace is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalIdTemplate(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Cluster,
    Namespace,
}

/// A flag that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSetting {
    /// `--cluster-name`.
    #[error(
        "--cluster-name is {0:?}: it must be 1 to {CLUSTER_NAME_MAX} of the characters a-z A-Z 0-9 \
         . _ - @ = +, because it becomes part of names and tags in AWS"
    )]
    ClusterName(String),
    /// `--aws-region`.
    #[error("--aws-region is {0:?}, which is no AWS region name like eu-central-1")]
    Region(String),
    /// `--default-credentials`.
    #[error(
        "--default-credentials holds {0:?}: it takes names of namespaces separated by commas, or *"
    )]
    DefaultCredentials(String),
    /// `--external-id-template`.
    #[error("--external-id-template is {template:?}: {problem}")]
    ExternalId {
        /// The template.
        template: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Settings {
    /// Checks the flags together.
    ///
    /// # Errors
    ///
    /// [`InvalidSetting`] names the flag.
    pub fn new(
        cluster_name: String,
        default_region: Option<String>,
        default_credentials: DefaultCredentials,
        external_id_template: ExternalIdTemplate,
    ) -> Result<Self, InvalidSetting> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@=+".contains(&byte);
        if !(1..=CLUSTER_NAME_MAX).contains(&cluster_name.len()) || !cluster_name.bytes().all(fits)
        {
            return Err(InvalidSetting::ClusterName(cluster_name));
        }
        if let Some(region) = default_region.as_ref().filter(|region| !is_region(region)) {
            return Err(InvalidSetting::Region(region.clone()));
        }
        let longest = external_id_template.render(&cluster_name, &"n".repeat(NAMESPACE_MAX));
        let shortest = external_id_template.render(&cluster_name, "n");
        if longest.len() > EXTERNAL_ID_MAX || shortest.len() < 2 {
            return Err(InvalidSetting::ExternalId {
                template: external_id_template.to_string(),
                problem: format!("it must make ids of 2 to {EXTERNAL_ID_MAX} characters"),
            });
        }
        Ok(Self { cluster_name, default_region, default_credentials, external_id_template })
    }

    /// `--cluster-name`.
    #[must_use]
    pub fn cluster_name(&self) -> &str {
        &self.cluster_name
    }

    /// The external id of a namespace.
    pub(super) fn external_id(&self, namespace: &str) -> String {
        self.external_id_template.render(&self.cluster_name, namespace)
    }
}

impl DefaultCredentials {
    /// Whether a namespace without a role may use the operator's credentials.
    pub(super) fn allow(&self, namespace: &str) -> bool {
        match self {
            Self::All => true,
            Self::Namespaces(names) => names.contains(namespace),
        }
    }
}

impl FromStr for DefaultCredentials {
    type Err = InvalidSetting;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let names = || text.split(',').map(str::trim).filter(|name| !name.is_empty());
        if names().eq(["*"]) {
            return Ok(Self::All);
        }
        let label = |name: &str| {
            let inner =
                |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            name.len() <= NAMESPACE_MAX
                && name.bytes().all(inner)
                && !name.starts_with('-')
                && !name.ends_with('-')
        };
        match names().find(|name| !label(name)) {
            Some(name) => Err(InvalidSetting::DefaultCredentials(name.to_owned())),
            None => Ok(Self::Namespaces(names().map(str::to_owned).collect())),
        }
    }
}

impl ExternalIdTemplate {
    fn render(&self, cluster: &str, namespace: &str) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Cluster => cluster.to_owned(),
            Part::Namespace => namespace.to_owned(),
        };
        self.0.iter().map(part).collect()
    }
}

impl Default for ExternalIdTemplate {
    /// `{cluster}/{namespace}`.
    fn default() -> Self {
        Self(vec![Part::Cluster, Part::Text("/".to_owned()), Part::Namespace])
    }
}

impl std::fmt::Display for ExternalIdTemplate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.render("{cluster}", "{namespace}"))
    }
}

impl FromStr for ExternalIdTemplate {
    type Err = InvalidSetting;

    /// Parses text with the placeholders `{cluster}` and `{namespace}`; anything else in braces and
    /// any character that an external id cannot have is refused.
    fn from_str(template: &str) -> Result<Self, Self::Err> {
        let invalid =
            |problem: String| InvalidSetting::ExternalId { template: template.to_owned(), problem };
        let mut parts = Vec::new();
        let mut rest = template;
        while let Some((text, after)) = rest.split_once('{') {
            if !text.is_empty() {
                parts.push(Part::Text(text.to_owned()));
            }
            let Some((name, after)) = after.split_once('}') else {
                return Err(invalid("a { is not closed".to_owned()));
            };
            parts.push(match name {
                "cluster" => Part::Cluster,
                "namespace" => Part::Namespace,
                _ => {
                    return Err(invalid(format!(
                        "there is no placeholder {{{name}}}, only {{cluster}} and {{namespace}}"
                    )));
                }
            });
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        let fits = |c: char| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c);
        let stray = parts.iter().find_map(|part| match part {
            Part::Text(text) => text.chars().find(|c| !fits(*c)),
            Part::Cluster | Part::Namespace => None,
        });
        match stray {
            Some(stray) => Err(invalid(format!("an external id cannot hold {stray:?}"))),
            None => Ok(Self(parts)),
        }
    }
}
