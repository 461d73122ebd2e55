//! What Application Auto Scaling says about what it scales.

/// One page of what it scales of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetPage {
    /// What it scales.
    pub targets: Vec<ScalableTarget>,
    /// What asks for the next page.
    pub next: Option<String>,
}

/// Something that it scales.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScalableTarget {
    /// What it is: `function:web:live` for the provisioned concurrency of an alias.
    pub resource: String,
    /// The least that it is scaled to.
    pub least: i64,
    /// The most that it is scaled to.
    pub most: i64,
    /// Whether nothing is scaled at present, neither by metrics nor by a schedule.
    pub suspended: bool,
}
