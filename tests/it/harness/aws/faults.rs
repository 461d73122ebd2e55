//! What goes wrong in an account.

use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Account, PATIENCE};

impl Account {
    /// Plants a fault for so many calls (0: all) of this account; see the stand-in's page.
    pub async fn fault(&self, operation: &str, effect: Value, times: usize) -> u64 {
        let body = json!({
            "match": {"account": self.number, "operation": operation},
            "effect": effect,
            "times": times,
        });
        let planted = self.stand_in.control("POST", "faults", Some(body)).await;
        planted["id"].as_u64().unwrap()
    }

    /// Waits until a fault has hit a call, which may still hang in it.
    pub async fn until_hit(&self, fault: u64) {
        let hit = async {
            // A call is logged when it is over, and no event tells that it began.
            loop {
                let faults = self.stand_in.control("GET", "faults", None).await;
                let mut faults = faults.as_array().unwrap().iter();
                let found = faults.find(|found| found["id"] == fault).expect("it is planted");
                if found["hits"] != 0 {
                    return;
                }
            }
        };
        timeout(PATIENCE, hit).await.expect("a call that the fault hits");
    }

    /// Takes a fault away; calls that hang in it go on.
    pub async fn heal(&self, fault: u64) {
        self.stand_in.control("DELETE", &format!("faults?id={fault}"), None).await;
    }
}
