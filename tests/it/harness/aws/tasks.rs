//! What tasks of windows work on.

use serde_json::{Value, json};

use super::Account;
use crate::harness::REGION;

impl Account {
    /// Says how something that tasks work on is: `ecs/service`, `ssm/document`, `rds/upkeep`; see the
    /// stand-in's page.
    pub async fn task_control(&self, what: &str, mut body: Value) {
        body["account"] = json!(self.number);
        body["region"] = json!(REGION);
        self.stand_in.control("POST", what, Some(body)).await;
    }
}
