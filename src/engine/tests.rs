//! Passes that go wrong, and what the others make of it; on paused time.

mod nothing;
mod watching;

use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use jiff::SignedDuration;
use kube::ResourceExt as _;
use serde_json::json;
use tokio::time::Instant;

use self::nothing::context;
use super::*;
use crate::api::canary_rollout::CanaryRollout;

const SECOND: Duration = Duration::from_secs(1);

/// A kind whose objects are named after what their passes do.
struct Named;

#[async_trait]
impl Kind for Named {
    type Object = CanaryRollout;
    const NAMES: KindNames =
        KindNames { api_version: "groundcrew.dev/v1alpha1", kind: "Named", plural: "named" };

    async fn prepare(object: &CanaryRollout, _: &Context) {
        go(object.name_any().strip_prefix("prepare-").unwrap_or_default()).await;
    }

    async fn pass(object: &CanaryRollout, context: &Context, _: u32) -> Pass<CanaryRollout> {
        go(&object.name_any()).await;
        let (namespace, name) = (object.namespace().unwrap(), object.name_any());
        context.metrics.rollout_ended(&namespace, &name, "Looked");
        let then = context.clock.now() + SignedDuration::from_mins(1);
        Pass { object: None, unsure: false, next: Next::At(then) }
    }

    fn class(object: &CanaryRollout) -> Class {
        match object.name_any() {
            name if name.contains("undo") => Class::Undo,
            name if name.contains("rests") => Class::Other,
            _ => Class::Urgent,
        }
    }

    fn place(_: &CanaryRollout) -> Option<Place> {
        None
    }

    fn subject(_: &CanaryRollout) -> u64 {
        0
    }

    fn forget(context: &Context, namespace: &str, name: &str) {
        context.metrics.forget_rollout(namespace, name);
    }
}

/// Panics, hangs, or returns.
async fn go(how: &str) {
    match how {
        "panics" => panic!("as its name says"),
        hangs if hangs.starts_with("hangs") => std::future::pending().await,
        _ => {}
    }
}

fn object(name: &str) -> CanaryRollout {
    serde_json::from_value(json!({
        "apiVersion": "groundcrew.dev/v1alpha1", "kind": "CanaryRollout",
        "metadata": {"name": name, "namespace": "shop", "resourceVersion": "1"},
        "spec": {"function": {"name": "f", "alias": "live"}, "release": {"version": "2"}},
    }))
    .unwrap()
}

fn driver() -> Driver<Named> {
    Driver::new(Arc::new(context()))
}

/// How many passes ended so, as `/metrics` shows it.
fn passes(driver: &Driver<Named>, result: &str) -> Option<String> {
    let metrics = driver.context().metrics.render();
    let series = format!(r#"groundcrew_reconciles_total{{kind="Named",result="{result}"}} "#);
    metrics.lines().find_map(|line| line.strip_prefix(&series)).map(str::to_owned)
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_panics_is_counted_and_tried_again_later_and_the_others_go_on() {
    let driver = driver();
    for round in 1..=3 {
        let wait = driver.look(&object("panics")).await;
        assert!(wait >= 15 * SECOND && wait < 20 * SECOND, "{wait:?}");
        assert_eq!(passes(&driver, "error"), Some(round.to_string()));
        assert_eq!(driver.look(&object("good")).await, 60 * SECOND);
    }
    assert_eq!(passes(&driver, "ok").as_deref(), Some("3"));
    assert!(driver.context().metrics.render().contains("queue_depth{kind=\"Named\"} 0\n"));
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_hangs_ends_at_its_deadline_and_the_others_go_on() {
    let driver = driver();
    let begun = Instant::now();
    let (hangs, good) = (object("hangs"), object("good"));
    let (wait, ()) = tokio::join!(driver.look(&hangs), async {
        assert_eq!(driver.look(&good).await, 60 * SECOND);
        assert_eq!(begun.elapsed(), Duration::ZERO, "nobody waits for the one that hangs");
    });
    assert_eq!(begun.elapsed(), PASS_DEADLINE);
    assert!(wait >= SECOND && wait < 2 * SECOND, "{wait:?}");
    assert_eq!(passes(&driver, "error").as_deref(), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn passes_that_hang_in_every_slot_give_them_back_and_never_keep_undo_waiting() {
    let driver = driver();
    let begun = Instant::now();
    let hanging: Vec<_> = (0..32).map(|n| object(&format!("hangs-{n}"))).collect();
    let (good, undo) = (object("good"), object("undo"));
    tokio::join!(
        join_all(hanging.iter().map(|object| driver.look(object))),
        async {
            driver.look(&good).await;
            assert_eq!(begun.elapsed(), PASS_DEADLINE, "it waited for a slot");
        },
        async {
            driver.look(&undo).await;
            assert_eq!(begun.elapsed(), Duration::ZERO);
        },
    );
    assert!(driver.context().metrics.render().contains("queue_depth{kind=\"Named\"} 0\n"));
}

#[tokio::test(start_paused = true)]
async fn what_goes_wrong_before_the_pass_keeps_it_from_nothing() {
    let driver = driver();
    let begun = Instant::now();
    assert_eq!(driver.look(&object("prepare-panics")).await, 60 * SECOND);
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert_eq!(driver.look(&object("prepare-hangs")).await, 60 * SECOND);
    assert_eq!(begun.elapsed(), PASS_DEADLINE);
    assert_eq!(passes(&driver, "ok").as_deref(), Some("2"));
}
