use super::{check, check_passes};
use crate::{
    api::canary_rollout::{Held, Outcome, Phase},
    canary_rollout::{
        decide::{Unread, provisioned_matters},
        world::{World, time},
    },
    facts::lambda::{Provisioned, ProvisionedStatus, Source},
};

fn provisioned(status: ProvisionedStatus, allocated: i64) -> Result<Option<Provisioned>, Unread> {
    let failed = status == ProvisionedStatus::Failed;
    let reason = if failed { "FUNCTION_ERROR_INIT_FAILURE" } else { "" };
    Ok(Some(Provisioned { status, reason: reason.into(), requested: 10, allocated }))
}

/// The alias was set to 43, and Lambda moves its provisioned concurrency there.
fn promoting(status: ProvisionedStatus, allocated: i64, weights: &[(&str, f64)]) -> World {
    World::ending(2, Some("01:44:00"), Outcome::Promoted, "StepsCompleted").with(|world| {
        world.alias_is("43", weights, "");
        world.facts.provisioned = provisioned(status, allocated);
    })
}

#[test]
fn a_promotion_is_done_only_when_provisioned_concurrency_is_there() {
    let waits = [
        "Promoting ProvisionedConcurrencyPending: version 43 is promoted once its provisioned concurrency is there: 3 of 10",
        "01:44:15 !",
    ];
    check(&promoting(ProvisionedStatus::InProgress, 3, &[("42", 1.0)]), &waits);
    check(&promoting(ProvisionedStatus::InProgress, 3, &[]), &waits);
    let ready = promoting(ProvisionedStatus::Ready, 10, &[]);
    assert_eq!(ready.plan().report.message, "alias production serves version 43");
}

#[test]
fn ready_is_not_enough_while_lambda_still_sends_everybody_to_the_old_version() {
    let world = promoting(ProvisionedStatus::Ready, 10, &[("42", 1.0)]);
    assert_eq!(world.plan().report.reason, "ProvisionedConcurrencyPending");
    assert_eq!(world.plan().actions, []);
}

#[test]
fn provisioned_concurrency_that_fails_takes_the_release_back() {
    let mut world = promoting(ProvisionedStatus::Failed, 0, &[("42", 1.0)]);
    let says = "provisioned concurrency of version 43 failed: FUNCTION_ERROR_INIT_FAILURE";
    check(&world, &[&format!("RollingBack ProvisionedConcurrencyFailed: {says}"), "now !"]);
    world.pass();
    check(
        &world,
        &[
            &format!("RollingBack ProvisionedConcurrencyFailed: going back to version 42: {says}"),
            "UpdateAlias flightdata-processor:production to version 42 alone",
            "now !",
        ],
    );
}

#[test]
fn going_back_waits_for_the_provisioned_concurrency_of_the_stable_version_and_writes_nothing_more()
{
    let world = World::ending(2, None, Outcome::Aborted, "RolledBackByUser").with(|world| {
        world.alias_is("42", &[("43", 1.0)], "");
        world.facts.alias_source = Source::Read;
        world.facts.provisioned = provisioned(ProvisionedStatus::InProgress, 4);
    });
    let message = "alias production serves version 42 with 43 at 100% until its provisioned concurrency is there: 4 of 10";
    check(
        &world,
        &[&format!("RollingBack ProvisionedConcurrencyPending: {message}"), "01:44:15 !"],
    );
    let world =
        world.with(|world| world.facts.provisioned = provisioned(ProvisionedStatus::Failed, 0));
    let message = world.plan().report.message;
    assert!(message.contains("failed; remove it from the alias"), "{message}");
}

#[test]
fn weights_that_lambda_writes_are_no_conflict_at_rest() {
    let world = World::concluded(Outcome::Promoted, "StepsCompleted").with(|world| {
        world.alias_is("43", &[("42", 1.0)], "");
        world.facts.provisioned = provisioned(ProvisionedStatus::InProgress, 0);
    });
    check(
        &world,
        &[
            "Pending ProvisionedConcurrencyPending: alias production serves version 43 with 42 at 100% while Lambda moves its provisioned concurrency",
            "01:45:00",
        ],
    );
    let foreign = world.with(|world| world.facts.provisioned = Ok(None));
    assert_eq!(foreign.plan().report.reason, "AliasMoved");
}

/// Version 43 bakes, and Lambda sends everybody to 42 again.
fn moved_in_the_bake() -> World {
    World::flying(3, Some("01:40:00")).with(|world| {
        world.facts.terms.as_mut().unwrap().bake = "1h".parse().unwrap();
        world.alias_is("43", &[("42", 1.0)], "");
        world.facts.provisioned = provisioned(ProvisionedStatus::InProgress, 0);
    })
}

#[test]
fn a_bake_that_began_before_lambda_moved_provisioned_concurrency_starts_anew() {
    let mut world = moved_in_the_bake();
    let found = "alias production serves version 43 with 42 at 100% while Lambda moves its provisioned concurrency";
    check(&world, &[&format!("Promoting ProvisionedConcurrencyPending: {found}"), "now !"]);
    world.settle();
    assert_eq!(
        world.plan().report.message,
        "version 43 is promoted once its provisioned concurrency is there: 0 of 10"
    );
    world.now = time("01:50:00");
    world.alias_is("43", &[], "");
    world.facts.provisioned = provisioned(ProvisionedStatus::Ready, 10);
    check_passes(
        &mut world,
        &["Baking: 100%: watching version 43", "Baking: 100%: watched until 02:50:00Z"],
    );
}

#[test]
fn provisioned_concurrency_that_fails_in_the_bake_takes_the_release_back() {
    let mut world = moved_in_the_bake();
    world.settle();
    world.facts.provisioned = provisioned(ProvisionedStatus::Failed, 0);
    world.settle();
    assert_eq!(world.facts.alias.as_ref().unwrap().version, "42");
    assert_eq!(world.status.history[0].reason, "ProvisionedConcurrencyFailed");
}

#[test]
fn weights_in_the_bake_that_are_not_lambdas_are_a_conflict_and_a_held_bake_stays_held() {
    for change in [
        (|world| world.facts.provisioned = Ok(None)) as fn(&mut World),
        |world| world.alias_is("43", &[("41", 1.0)], ""),
        |world| world.alias_is("43", &[("42", 0.5)], ""),
    ] {
        assert_eq!(moved_in_the_bake().with(change).plan().report.reason, "AliasMoved");
    }
    let held = Held { reason: "ErrorRate".into(), message: "bad".into() };
    let world = moved_in_the_bake().with(|world| world.status.held = Some(held));
    let plan = world.plan();
    assert_eq!(plan.report.phase, Phase::Held);
    assert_eq!(plan.memory.flight, world.memory().flight, "a person decides");
}

#[test]
fn provisioned_concurrency_that_fails_at_rest_is_told() {
    let world = World::concluded(Outcome::Promoted, "StepsCompleted").with(|world| {
        world.alias_is("43", &[("42", 1.0)], "");
        world.facts.provisioned = provisioned(ProvisionedStatus::Failed, 0);
    });
    check(
        &world,
        &[
            "Held ProvisionedConcurrencyFailed: alias production serves version 43 with 42 at 100%, because its provisioned concurrency failed: FUNCTION_ERROR_INIT_FAILURE; mend the function and ask for the concurrency again, or remove it from the alias",
            "01:45:00",
        ],
    );
}

#[test]
fn it_is_asked_for_only_where_it_matters() {
    let matters =
        |world: &World| provisioned_matters(&world.memory(), world.facts.alias.as_ref().unwrap());
    assert!(matters(&promoting(ProvisionedStatus::Ready, 10, &[])));
    assert!(!matters(&World::flying(0, Some("01:44:00"))));
    assert!(!matters(&World::concluded(Outcome::Promoted, "x")));
    let lambdas = World::concluded(Outcome::Promoted, "x")
        .with(|world| world.alias_is("43", &[("42", 1.0)], ""));
    assert!(matters(&lambdas));
}
