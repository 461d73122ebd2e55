//! Alarms of an account, and whether anybody would hear them.

use serde_json::Value;

use super::{Account, REGION};

impl Account {
    /// What an action of an alarm would come to now: `fired`, `muted` or `disabled`.
    pub async fn heard(&self, alarm: &str) -> String {
        let told = self.alarms_told().await;
        told["alarms"][alarm]["action"].as_str().expect("an alarm").to_owned()
    }

    /// What became of each change of an alarm's state, oldest first.
    pub async fn actions(&self, alarm: &str) -> Vec<String> {
        let told = self.alarms_told().await;
        let of_alarm = |action: &&Value| action["alarm"] == alarm && action["state"] == "ALARM";
        let actions = told["actions"].as_array().unwrap().iter().filter(of_alarm);
        actions.map(|action| action["outcome"].as_str().unwrap().to_owned()).collect()
    }

    /// How many mute rules there are, whoever put them.
    pub async fn mute_rules(&self) -> usize {
        let listed = self.cloudwatch.list_alarm_mute_rules().send().await.unwrap();
        listed.alarm_mute_rule_summaries().len()
    }

    /// A person switches the actions of an alarm.
    pub async fn switch_alarm(&self, name: &str, on: bool) {
        let (switch_on, switch_off) =
            (self.cloudwatch.enable_alarm_actions(), self.cloudwatch.disable_alarm_actions());
        match on {
            true => drop(switch_on.alarm_names(name).send().await.unwrap()),
            false => drop(switch_off.alarm_names(name).send().await.unwrap()),
        }
    }

    async fn alarms_told(&self) -> Value {
        let query = format!("alarms?account={}&region={REGION}", self.number);
        self.stand_in.control("GET", &query, None).await
    }
}
