//! What the sequences must come upon: without it they would prove little.

use std::collections::BTreeSet;

use super::calls::Call;

/// The name of a call, and a part of an answer to it.
const SIGHTS: [(&str, &str); 73] = [
    ("GetAlias", "NotFound"),
    ("GetAlias", "weights [(\"2\", 0."),
    // Lambda's own, while provisioned concurrency moves.
    ("GetAlias", "weights [(\"1\", 1.0)]"),
    ("CreateAlias", "revision"),
    ("CreateAlias", "Conflict"),
    ("CreateAlias", "NotFound"),
    ("CreateAlias", "ValidationException"),
    ("UpdateAlias", "weights []"),
    ("UpdateAlias", "weights [(\"3\", 0."),
    ("UpdateAlias", "weights [(\"1\", 1.0)]"),
    ("UpdateAlias", "version $LATEST"),
    ("UpdateAlias", "Stale PreconditionFailedException"),
    ("UpdateAlias", "NotFound"),
    ("UpdateAlias", "ValidationException"),
    ("UpdateAlias", "InvalidParameterValueException"),
    ("GetFunction", "Active, Successful"),
    ("GetFunction", "Active, InProgress"),
    ("GetFunction", "Active, Failed"),
    ("GetFunction", "Pending"),
    ("GetFunction", "an image"),
    ("GetFunction", "role #1"),
    ("GetFunction", "NotFound"),
    ("UpdateCode", "revision"),
    ("UpdateCode", "Conflict"),
    ("UpdateCode", "Stale"),
    ("UpdateCode", "Invalid"),
    ("UpdateCode", "NotFound"),
    ("UpdateConfiguration", "revision"),
    ("UpdateConfiguration", "Conflict"),
    ("UpdateConfiguration", "Stale"),
    ("UpdateConfiguration", "ValidationException"),
    ("UpdateConfiguration", "InvalidParameterValueException"),
    ("Publish", "version 4,"),
    ("Publish", "version 6,"),
    ("Publish", "Conflict"),
    ("Publish", "Stale"),
    ("Publish", "InvalidParameterValueException"),
    ("Publish", "ValidationException"),
    ("GetProvisioned", "Ready"),
    ("GetProvisioned", "InProgress"),
    ("GetProvisioned", "Failed"),
    ("GetProvisioned", "NotFound ProvisionedConcurrencyConfigNotFoundException"),
    ("GetProvisioned", "NotFound ResourceNotFoundException"),
    ("Invoke", "{\"statusCode\":500}"),
    ("Invoke", "Unhandled"),
    ("Invoke", "Conflict"),
    ("Invoke", "NotFound"),
    ("ListVersions", "version: \"60\""),
    ("Delete", "deleted"),
    ("Delete", "Conflict"),
    ("DescribeAlarms", " Alarm\""),
    ("DescribeInFull", "top Composite Ok acts"),
    ("DescribeInFull", " Metric Ok quiet"),
    ("DescribeInFull", "fails: Invalid"),
    ("Disable", "done"),
    ("Disable", "fails: Invalid"),
    ("Enable", "done"),
    ("PutMute", "done"),
    ("PutMute", "fails: Invalid ValidationError"),
    ("PutMute", "fails: Invalid LimitExceeded"),
    ("GetMute", "Scheduled"),
    ("GetMute", "Active"),
    ("GetMute", "Expired"),
    ("GetMute", "NotFound ResourceNotFoundException"),
    ("ListMutes", "Active"),
    ("DeleteMute", "done"),
    ("actions", "ALARM muted state"),
    ("actions", "ALARM disabled state"),
    ("actions", "ALARM fired unmuted"),
    ("MetricData", "value: 100.0"),
    ("MetricData", "failed [0"),
    ("Instance", "stopped"),
    ("Table", "ACTIVE"),
];

/// What was come upon.
#[derive(Default)]
pub struct Sights(BTreeSet<usize>);

impl Sights {
    pub fn look(&mut self, call: &Call, answer: &str) {
        let call = format!("{call:?}");
        let call = call.strip_prefix("Alarms(").unwrap_or(&call);
        let name = call.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        self.came_upon(name, answer);
    }

    /// What the actions of alarms came to.
    pub fn look_at_actions(&mut self, told: &str) {
        self.came_upon("actions", told);
    }

    fn came_upon(&mut self, name: &str, answer: &str) {
        let seen = |(wanted, part): &(&str, &str)| name == *wanted && answer.contains(part);
        let found = SIGHTS.iter().enumerate().filter(|(_, sight)| seen(sight));
        self.0.extend(found.map(|(index, _)| index));
    }

    /// What was not come upon.
    pub fn missed(&self) -> Vec<(&'static str, &'static str)> {
        let all = SIGHTS.iter().enumerate();
        all.filter(|(index, _)| !self.0.contains(index)).map(|(_, sight)| *sight).collect()
    }
}
