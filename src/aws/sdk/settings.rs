//! The configuration of a function as one hash, so that a change of any setting is noticed.

use aws_sdk_lambda::types::FunctionConfiguration;

use crate::names;

/// Hash of every setting that a version keeps, but memory, time-out and runtime.
///
/// The settings are written out by name and not as the SDK prints them, so that the hash stays the
/// same over versions of the SDK: another hash of the same settings would be another release. What
/// Lambda changes by itself (states, the runtime's patch version, time stamps) is not in it, nor is
/// the description, which changes nothing and differs between versions of the same.
pub(super) fn settings(answered: &FunctionConfiguration) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut one = |name: &str, value: Option<&str>| {
        parts.extend(value.filter(|v| !v.is_empty()).map(|value| format!("{name}={value}")));
    };
    one("handler", answered.handler());
    one("role", answered.role());
    one("kmsKey", answered.kms_key_arn());
    one("package", answered.package_type().map(|package| package.as_str()));
    one("deadLetter", answered.dead_letter_config().and_then(|config| config.target_arn()));
    one("tracing", answered.tracing_config().and_then(|t| t.mode()).map(|mode| mode.as_str()));
    let storage = answered.ephemeral_storage().map(|storage| storage.size().to_string());
    one("storage", storage.as_deref());
    one("snapStart", answered.snap_start().and_then(|s| s.apply_on()).map(|on| on.as_str()));
    if let Some(logging) = answered.logging_config() {
        one("logFormat", logging.log_format().map(|format| format.as_str()));
        one("logLevel", logging.application_log_level().map(|level| level.as_str()));
        one("systemLogLevel", logging.system_log_level().map(|level| level.as_str()));
        one("logGroup", logging.log_group());
    }
    if let Some(image) = answered.image_config_response().and_then(|i| i.image_config()) {
        one("workingDirectory", image.working_directory());
    }

    // Order carries meaning here.
    let image = answered.image_config_response().and_then(|image| image.image_config());
    let lists = [
        ("layer", answered.layers().iter().filter_map(|l| l.arn()).map(str::to_owned).collect()),
        ("entryPoint", image.map(|image| image.entry_point().to_vec()).unwrap_or_default()),
        ("command", image.map(|image| image.command().to_vec()).unwrap_or_default()),
    ];
    for (name, values) in lists {
        let numbered = Vec::into_iter(values).enumerate();
        parts.extend(numbered.map(|(at, value): (usize, String)| format!("{name}[{at}]={value}")));
    }

    // Not here: Lambda answers these in any order.
    let mut unordered: Vec<String> = Vec::new();
    let architectures = answered.architectures().iter();
    unordered.extend(architectures.map(|one| format!("architecture={}", one.as_str())));
    if let Some(vpc) = answered.vpc_config() {
        unordered.extend(vpc.subnet_ids().iter().map(|id| format!("subnet={id}")));
        unordered.extend(vpc.security_group_ids().iter().map(|id| format!("securityGroup={id}")));
        let dual_stack = vpc.ipv6_allowed_for_dual_stack().unwrap_or(false);
        unordered.extend(dual_stack.then(|| "dualStack".to_owned()));
    }
    let mounts = answered.file_system_configs().iter();
    unordered.extend(mounts.map(|one| format!("mount={}:{}", one.arn(), one.local_mount_path())));
    let variables = answered.environment().and_then(|environment| environment.variables());
    unordered.extend(
        variables.into_iter().flatten().map(|(name, value)| format!("variable={name}={value}")),
    );
    unordered.sort();
    parts.extend(unordered);

    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    names::digest(&parts)
}
