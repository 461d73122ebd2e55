use super::*;
use crate::aws::hub::tests::OneAlias;

/// Before the last write.
const BEHIND: OneAlias = OneAlias(Some("old"));

fn alias(revision: &str) -> Alias {
    OneAlias::at(revision)
}

fn key(function: &str, alias: &str) -> AliasKey {
    AliasKey {
        account: String::new(),
        region: String::new(),
        function: function.into(),
        alias: alias.into(),
    }
}

/// The alias of most tests.
fn production() -> AliasKey {
    key("f", "production")
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

async fn seen(hub: &Hub, want: Want, second: i64) -> (String, Source) {
    let seen = hub.alias(&BEHIND, &production(), want, at(second)).await.unwrap().unwrap();
    (seen.alias.revision_id, seen.source)
}

fn wrote(hub: &Hub, second: i64) {
    hub.wrote(&production(), alias("new"), at(second));
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
    let key = &production();
    let read = async |revision: &'static str, second: i64| {
        hub.alias(&OneAlias(Some(revision)), key, Want::Work, at(second))
            .await
            .unwrap()
            .unwrap()
            .source
    };
    wrote(&hub, 0);
    assert_eq!(read("new", 55).await, Source::Write);
    assert_eq!(read("new", 110).await, Source::Write);
    // Somebody else wrote, or it shows what was before.
    assert_eq!(read("other", 165).await, Source::Read);
    assert_eq!(read("new", 220).await, Source::Read);
    // A write of ours was not answered.
    wrote(&hub, 300);
    hub.forget(key);
    assert_eq!(read("new", 355).await, Source::Read);
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
    let key = &production();
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
    let key = &production();
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
    let serves = |version: &str| Alias { version: version.into(), ..alias("any") };
    let (own, staging) = (production(), key("f", "staging"));
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
    let key = |number: i64| key("f", &number.to_string());
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
