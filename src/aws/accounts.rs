//! Which role, account and region an object is worked on with.
//!
//! [`resolve`] is pure: flags, the annotations of the Namespace and the spec in, a [`Target`] out.
//! [`Accounts`] keeps one session for each target.

mod cache;
mod settings;
#[cfg(test)]
mod tests;

use sha2::{Digest as _, Sha256};

use crate::api::{REGION_ANNOTATION, ROLE_ANNOTATION, shared::AwsLocation};

pub use self::{
    cache::{Accounts, Connector, FAILURE_KEPT, Ports, SESSIONS_KEPT},
    settings::{DefaultCredentials, ExternalIdTemplate, InvalidSetting, Settings},
};

/// Longest session name. Source: STS API reference, AssumeRole, RoleSessionName.
pub const SESSION_NAME_MAX: usize = 64;
/// Longest role ARN. Source: STS API reference, AssumeRole, RoleArn.
const ROLE_ARN_MAX: usize = 2_048;
/// Longest region name that is taken; AWS's longest has 14 characters.
const REGION_MAX: usize = 32;

/// Where calls go and who makes them. One session serves all objects with the same target.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// Region.
    pub region: String,
    /// The role to assume; none means the operator's own credentials.
    pub role: Option<Role>,
}

/// A role and how it is assumed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Role {
    /// ARN of an IAM role.
    pub arn: String,
    /// External id that the role's trust policy may ask for.
    pub external_id: String,
    /// Role session name, at most [`SESSION_NAME_MAX`] characters.
    pub session_name: String,
    /// Session tags: key and value.
    pub tags: Vec<(String, String)>,
}

/// What a Namespace says about AWS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamespaceFacts {
    /// Name.
    pub name: String,
    /// Value of [`REGION_ANNOTATION`].
    pub region: Option<String>,
    /// Value of [`ROLE_ANNOTATION`].
    pub role_arn: Option<String>,
}

/// What the object's status holds of the first resolution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pinned {
    /// `status.region`.
    pub region: Option<String>,
    /// `status.accountId`.
    pub account_id: Option<String>,
}

/// Why an object cannot be worked on. Each message says what to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// No role, and the operator's own credentials are not for this namespace.
    #[error(
        "namespace {namespace} has no AWS credentials: annotate it with {ROLE_ANNOTATION}, or name \
         it in the operator's --default-credentials"
    )]
    NoCredentials {
        /// The namespace.
        namespace: String,
    },
    /// Nothing says a region.
    #[error(
        "no AWS region: set spec.aws.region, annotate namespace {namespace} with \
         {REGION_ANNOTATION}, or start the operator with --aws-region"
    )]
    NoRegion {
        /// The namespace.
        namespace: String,
    },
    /// What should be a region is none.
    #[error("{field} is {value:?}, which is no AWS region name like eu-central-1: correct it")]
    InvalidRegion {
        /// Where it stands.
        field: String,
        /// What stands there, cut to a readable length.
        value: String,
    },
    /// Another region than the one that work began in.
    #[error(
        "the region is now {resolved}, but work began in {pinned} and nothing there is moved: set \
         spec.aws.region to {pinned}, or delete the object and make it anew for {resolved}"
    )]
    RegionChanged {
        /// `status.region`.
        pinned: String,
        /// What is resolved now.
        resolved: String,
    },
    /// The annotation holds no role ARN.
    #[error(
        "annotation {ROLE_ANNOTATION} of namespace {namespace} is {value:?}, which is no role ARN \
         like arn:aws:iam::123456789012:role/groundcrew: correct it, or remove it"
    )]
    InvalidRole {
        /// The namespace.
        namespace: String,
        /// What stands there, cut to a readable length.
        value: String,
    },
    /// The credentials belong to another account than the spec or the status says.
    #[error(
        "the credentials belong to AWS account {actual}, but {field} says {expected}: correct the \
         role of the namespace, or {field}"
    )]
    AccountMismatch {
        /// `spec.aws.accountId` or `status.accountId`.
        field: &'static str,
        /// What it says.
        expected: String,
        /// The account of the credentials.
        actual: String,
    },
}

impl Unresolved {
    /// The condition's reason.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NoCredentials { .. } => "NoCredentials",
            Self::NoRegion { .. } => "NoRegion",
            Self::InvalidRegion { .. } => "InvalidRegion",
            Self::RegionChanged { .. } => "RegionChanged",
            Self::InvalidRole { .. } => "InvalidRole",
            Self::AccountMismatch { .. } => "AccountMismatch",
        }
    }
}

/// Finds the target of an object: the region of the spec, else of the Namespace, else of the flag;
/// the role of the Namespace, else the operator's own credentials where they are allowed.
///
/// # Errors
///
/// [`Unresolved`]: nothing may be called, until a person changes what the message names.
pub fn resolve(
    settings: &Settings,
    namespace: &NamespaceFacts,
    location: Option<&AwsLocation>,
    pinned: &Pinned,
) -> Result<Target, Unresolved> {
    let region = resolve_region(settings, namespace, location)?;
    if let Some(pinned) = pinned.region.as_ref().filter(|pinned| **pinned != region) {
        return Err(Unresolved::RegionChanged { pinned: pinned.clone(), resolved: region });
    }
    let role = match &namespace.role_arn {
        Some(arn) => Some(resolve_role(settings, namespace, arn)?),
        None if settings.default_credentials.allow(&namespace.name) => None,
        None => return Err(Unresolved::NoCredentials { namespace: namespace.name.clone() }),
    };
    Ok(Target { region, role })
}

/// Compares the account of the credentials with what the spec asks for and what work began in.
///
/// # Errors
///
/// [`Unresolved::AccountMismatch`].
pub fn check_account(
    location: Option<&AwsLocation>,
    pinned: &Pinned,
    actual: &str,
) -> Result<(), Unresolved> {
    let asked = location.and_then(|location| location.account_id.as_deref());
    let expected =
        [("spec.aws.accountId", asked), ("status.accountId", pinned.account_id.as_deref())];
    for (field, expected) in expected {
        if let Some(expected) = expected.filter(|expected| *expected != actual) {
            let (expected, actual) = (readable(expected), actual.to_owned());
            return Err(Unresolved::AccountMismatch { field, expected, actual });
        }
    }
    Ok(())
}

fn resolve_region(
    settings: &Settings,
    namespace: &NamespaceFacts,
    location: Option<&AwsLocation>,
) -> Result<String, Unresolved> {
    let (field, region) = if let Some(region) = location.and_then(|at| at.region.as_ref()) {
        ("spec.aws.region".to_owned(), region)
    } else if let Some(region) = &namespace.region {
        (format!("annotation {REGION_ANNOTATION} of namespace {}", namespace.name), region)
    } else if let Some(region) = &settings.default_region {
        ("the operator's --aws-region".to_owned(), region)
    } else {
        return Err(Unresolved::NoRegion { namespace: namespace.name.clone() });
    };
    if is_region(region) {
        Ok(region.clone())
    } else {
        Err(Unresolved::InvalidRegion { field, value: readable(region) })
    }
}

fn resolve_role(
    settings: &Settings,
    namespace: &NamespaceFacts,
    arn: &str,
) -> Result<Role, Unresolved> {
    if !is_role_arn(arn) {
        return Err(Unresolved::InvalidRole {
            namespace: namespace.name.clone(),
            value: readable(arn),
        });
    }
    Ok(Role {
        arn: arn.to_owned(),
        external_id: settings.external_id(&namespace.name),
        session_name: session_name(&namespace.name),
        // The keys of the ownership tags, so that a policy can compare the two.
        tags: vec![
            ("groundcrew.dev/cluster".to_owned(), settings.cluster_name().to_owned()),
            ("groundcrew.dev/namespace".to_owned(), namespace.name.clone()),
        ],
    })
}

/// `groundcrew-<namespace>`; what is longer than STS takes is cut and told apart by a hash.
fn session_name(namespace: &str) -> String {
    let whole = format!("groundcrew-{namespace}");
    if whole.chars().count() <= SESSION_NAME_MAX {
        return whole;
    }
    let digest = Sha256::digest(namespace);
    let hash: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let kept = SESSION_NAME_MAX.saturating_sub(hash.len()).saturating_sub(1);
    let head: String = whole.chars().take(kept).collect();
    format!("{head}-{hash}")
}

/// Whether it is shaped like a region: it becomes part of a host name.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lower =
        |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let digits = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match parts.as_slice() {
        [first, middle @ .., last] if text.len() <= REGION_MAX => {
            first.len() == 2
                && lower(first)
                && !middle.is_empty()
                && middle.iter().all(lower)
                && digits(last)
        }
        _ => false,
    }
}

/// Whether it is the ARN of an IAM role. Source: IAM user guide, "IAM identifiers".
fn is_role_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, region, account, resource] = parts.as_slice() else {
        return false;
    };
    let in_partition = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    let in_path = |byte: u8| byte.is_ascii_graphic();
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
    let Some((path, name)) = resource
        .strip_prefix("role/")
        .map(|rest| rest.rsplit_once('/').map_or(("", rest), |(path, name)| (path, name)))
    else {
        return false;
    };
    text.len() <= ROLE_ARN_MAX
        && *arn == "arn"
        && partition.starts_with("aws")
        && partition.bytes().all(in_partition)
        && *service == "iam"
        && region.is_empty()
        && is_account_id(account)
        && path.bytes().all(in_path)
        && (1..=64).contains(&name.len())
        && name.bytes().all(in_name)
}

/// Whether it is the 12 digits of an account.
pub(super) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Cuts what a person wrote to what a message can show.
fn readable(text: &str) -> String {
    const SHOWN: usize = 100;
    if text.chars().nth(SHOWN).is_none() {
        return text.to_owned();
    }
    text.chars().take(SHOWN).chain(['…']).collect()
}
