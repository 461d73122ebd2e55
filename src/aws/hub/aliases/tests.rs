use async_trait::async_trait;

use super::*;
use std::time::Duration;

use crate::facts::{
    lambda::{
        AliasChange, Changed, CodeChange, ConfigurationChange, FunctionVersion, Invocation,
        NamedPage, Provisioned, Publication, VersionPage,
    },
    surplus::Surplus,
};

/// Answers reads with what was true at this revision.
struct At(&'static str);

/// Before the last write.
const BEHIND: At = At("old");

#[async_trait]
impl port::Lambda for At {
    async fn get_alias(&self, _: &str, _: &str) -> Result<Alias, Error> {
        Ok(alias(self.0))
    }
    async fn create_alias(&self, _: &str, _: &str, _: &str, _: &str) -> Result<Alias, Error> {
        panic!("nothing is written")
    }
    async fn update_alias(&self, _: &AliasChange) -> Result<Alias, Error> {
        panic!("nothing is written")
    }
    async fn get_function(&self, _: &str, _: Option<&str>) -> Result<FunctionVersion, Error> {
        panic!("only the alias is read")
    }
    async fn update_function_code(&self, _: &CodeChange) -> Result<Changed, Error> {
        panic!("only the alias is read")
    }
    async fn update_function_configuration(
        &self,
        _: &ConfigurationChange,
    ) -> Result<Changed, Error> {
        panic!("only the alias is read")
    }
    async fn publish_version(&self, _: &Publication) -> Result<Changed, Error> {
        panic!("only the alias is read")
    }
    async fn get_provisioned_concurrency(&self, _: &str, _: &str) -> Result<Provisioned, Error> {
        panic!("only the alias is read")
    }
    async fn invoke(&self, _: &str, _: &str, _: &str, _: Duration) -> Result<Invocation, Error> {
        panic!("only the alias is read")
    }
    async fn list_versions(&self, _: &str, _: Option<&str>) -> Result<VersionPage, Error> {
        panic!("only the alias is read")
    }
    async fn list_named(&self, _: &str, _: Option<&str>) -> Result<NamedPage, Error> {
        panic!("only the alias is read")
    }
    async fn delete_version(&self, _: &Surplus) -> Result<(), Error> {
        panic!("only the alias is read")
    }
}

fn alias(revision: &str) -> Alias {
    Alias {
        version: "42".into(),
        weights: Vec::new(),
        revision_id: revision.into(),
        description: String::new(),
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

async fn seen(hub: &Hub, want: Want, second: i64) -> (String, Source) {
    let text = String::new;
    let key = AliasKey { account: text(), region: text(), function: text(), alias: text() };
    let seen = hub.alias(&BEHIND, &key, want, at(second)).await.unwrap().unwrap();
    (seen.alias.revision_id, seen.source)
}

fn wrote(hub: &Hub, second: i64) {
    let text = String::new;
    let key = AliasKey { account: text(), region: text(), function: text(), alias: text() };
    hub.wrote(&key, alias("new"), at(second));
}

#[tokio::test]
async fn right_after_a_write_its_answer_is_believed_whoever_asks() {
    let hub = Hub::default();
    wrote(&hub, 0);
    for want in [Want::Work, Want::Drift] {
        assert_eq!(seen(&hub, want, 54).await, ("new".into(), Source::Write));
    }
    assert_eq!(seen(&hub, Want::Drift, 55).await, ("old".into(), Source::Read));
}

#[tokio::test]
async fn a_read_that_shows_the_last_write_counts_as_its_answer() {
    let hub = Hub::default();
    let text = String::new;
    let key = &AliasKey { account: text(), region: text(), function: text(), alias: text() };
    let read = async |answer: At, second: i64| {
        hub.alias(&answer, key, Want::Work, at(second)).await.unwrap().unwrap().source
    };
    wrote(&hub, 0);
    assert_eq!(read(At("new"), 55).await, Source::Write);
    assert_eq!(read(At("new"), 110).await, Source::Write);
    // Somebody else wrote, or it shows what was before.
    assert_eq!(read(At("other"), 165).await, Source::Read);
    assert_eq!(read(At("new"), 220).await, Source::Read);
    // A write of ours was not answered.
    wrote(&hub, 300);
    hub.forget(key);
    assert_eq!(read(At("new"), 355).await, Source::Read);
}

#[tokio::test]
async fn a_read_is_the_next_passes_earlier_read() {
    let hub = Hub::default();
    assert_eq!(seen(&hub, Want::Work, 0).await, ("old".into(), Source::Read));
    assert_eq!(seen(&hub, Want::Work, 54).await, ("old".into(), Source::EarlierRead));
    assert_eq!(seen(&hub, Want::Work, 55).await, ("old".into(), Source::Read));
}

#[tokio::test]
async fn what_is_at_rest_and_followed_is_read_again_when_drift_would_be() {
    let hub = Hub::default();
    assert_eq!(seen(&hub, Want::Follow, 0).await, ("old".into(), Source::Read));
    assert_eq!(seen(&hub, Want::Follow, 839).await, ("old".into(), Source::EarlierRead));
    assert_eq!(seen(&hub, Want::Work, 839).await, ("old".into(), Source::Read));
    let hub = Hub::default();
    assert_eq!(seen(&hub, Want::Follow, 0).await, ("old".into(), Source::Read));
    assert_eq!(seen(&hub, Want::Follow, 840).await, ("old".into(), Source::Read));
}

#[tokio::test]
async fn what_was_only_read_can_be_forgotten_and_what_was_written_not() {
    let hub = Hub::default();
    let text = String::new;
    let key = &AliasKey { account: text(), region: text(), function: text(), alias: text() };
    assert_eq!(seen(&hub, Want::Work, 0).await, ("old".into(), Source::Read));
    hub.forget_read(key);
    assert_eq!(seen(&hub, Want::Work, 1).await, ("old".into(), Source::Read));
    wrote(&hub, 2);
    hub.forget_read(key);
    assert_eq!(seen(&hub, Want::Work, 3).await, ("new".into(), Source::Write));
}

#[tokio::test]
async fn what_is_at_rest_takes_no_place_unless_it_was_moved_lately() {
    let hub = Hub::default();
    let text = String::new;
    let key = &AliasKey { account: text(), region: text(), function: text(), alias: text() };
    let places = || hub.aliases.lock().by_key.len();
    seen(&hub, Want::Work, 0).await;
    hub.rests(key);
    assert_eq!(places(), 0);
    wrote(&hub, 1);
    hub.rests(key);
    assert_eq!(seen(&hub, Want::Work, 2).await, ("new".into(), Source::Write));
}

#[tokio::test]
async fn what_another_alias_of_the_function_named_lately_is_known_after_it_moved() {
    let hub = Hub::default();
    let key = |function: &str, alias: &str| AliasKey {
        account: String::new(),
        region: String::new(),
        function: function.into(),
        alias: alias.into(),
    };
    let serves = |version: &str| Alias { version: version.into(), ..alias("any") };
    let (own, staging) = (key("f", "production"), key("f", "staging"));
    hub.wrote(&own, serves("43"), at(0));
    hub.wrote(&key("g", "staging"), serves("40"), at(0));
    hub.wrote(&staging, serves("41"), at(0));
    let named = |second| hub.named_by_others(&own, at(second)).into_iter().collect::<Vec<_>>();
    hub.wrote(&staging, serves("44"), at(60));
    assert_eq!(named(60), ["41", "44"]);
    // Nobody knows whether the last write was carried out.
    hub.forget(&staging);
    assert_eq!(named(60), ["41", "44"]);
    hub.wrote(&staging, serves("45"), at(120));
    assert_eq!(named(1_799), ["41", "44", "45"]);
    assert_eq!(named(1_800), ["44", "45"]);
    assert_eq!(named(1_860), ["45"]);
}

#[tokio::test]
async fn what_is_of_use_to_nobody_any_more_is_forgotten() {
    let hub = Hub::default();
    let key = |number: i64| AliasKey {
        account: String::new(),
        region: String::new(),
        function: String::new(),
        alias: number.to_string(),
    };
    for second in 0..10_000 {
        hub.wrote(&key(second), alias("new"), at(second));
        let kept = hub.aliases.lock().by_key.len();
        assert!(kept <= 901, "{kept} are kept of what is of use to nobody");
    }
    assert!(hub.fresh(&key(9_999), Want::Work, at(9_999)).is_some());
    // Once all are at rest nothing is written or kept.
    hub.alias(&BEHIND, &key(1), Want::Drift, at(20_000)).await.unwrap();
    assert_eq!(hub.aliases.lock().by_key.len(), 0);
}
