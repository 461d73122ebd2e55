//! Limits as manifests write them: a number with the unit of its metric. Pure.

use crate::api::analysis::MetricUnit;

/// Whether a metric that has a unit takes a number without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bare {
    /// It is in the metric's unit.
    Taken,
    /// The unit has to be written.
    Refused,
}

/// Reads a limit for a metric in `unit`; in that unit is the result.
///
/// # Errors
///
/// What it has to be, for a sentence that begins "must be".
pub fn parse(text: &str, unit: Option<MetricUnit>, bare: Bare) -> Result<f64, &'static str> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let suffix = text.get(digits.len()..).unwrap_or_default();
    let fits = digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    let number: f64 = digits
        .parse()
        .ok()
        .filter(|number: &f64| fits && number.is_finite() && *number >= 0.0)
        .ok_or("a number with its unit, like 5%, 800ms, 2s or 10")?;
    match (unit, suffix) {
        (Some(MetricUnit::Percent), "%") if number > 100.0 => Err("at most 100%"),
        (Some(MetricUnit::Percent), "%")
        | (Some(MetricUnit::Milliseconds), "ms")
        | (Some(MetricUnit::Seconds), "s") => Ok(number),
        (Some(MetricUnit::Milliseconds), "s") => Ok(number * 1_000.0),
        (Some(MetricUnit::Seconds), "ms") => Ok(number / 1_000.0),
        (None, "") => Ok(number),
        (Some(_), "") if bare == Bare::Taken => Ok(number),
        (Some(MetricUnit::Percent), _) => Err("a percentage, like 5%"),
        (Some(MetricUnit::Milliseconds | MetricUnit::Seconds), _) => {
            Err("a time, like 800ms or 2s")
        }
        (None, _) => Err("a bare number: this metric has no known unit; metric.unit can say one"),
    }
}

/// Units of metrics that AWS publishes, where limits with a unit are of use.
///
/// Source: the CloudWatch metrics pages of Lambda, API Gateway, Elastic Load Balancing, RDS and SQS.
#[must_use]
pub fn known_unit(namespace: &str, name: &str) -> Option<MetricUnit> {
    Some(match (namespace, name) {
        ("AWS/Lambda", "Duration" | "PostRuntimeExtensionsDuration" | "IteratorAge")
        | ("AWS/ApiGateway", "Latency" | "IntegrationLatency") => MetricUnit::Milliseconds,
        ("AWS/ApplicationELB", "TargetResponseTime")
        | ("AWS/SQS", "ApproximateAgeOfOldestMessage") => MetricUnit::Seconds,
        ("AWS/RDS" | "AWS/EC2" | "AWS/ECS", "CPUUtilization") => MetricUnit::Percent,
        _ => return None,
    })
}
