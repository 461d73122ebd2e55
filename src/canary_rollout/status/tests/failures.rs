use super::*;

fn failure(remedy: Remedy, in_a_row: u32, request: &str) -> Failure {
    Failure {
        remedy,
        reason: "Unavailable",
        message: format!(
            "cannot read alias production: GetAlias of function processor failed with 500 (request {request})"
        ),
        in_a_row,
    }
}

fn failed(failure: Failure) -> Attempt {
    Attempt { plan: None, failure: Some(failure), place: None }
}

fn healthy() -> CanaryRolloutStatus {
    let mut world = World::concluded(Outcome::Promoted, "StepsCompleted");
    world.settle();
    world.status
}

fn fails(old: &CanaryRolloutStatus, attempt: &Attempt) -> CanaryRolloutStatus {
    summarize(Some(old), Some(2), attempt, time("03:00:00"))
}

#[test]
fn a_failure_that_may_mend_itself_is_told_from_the_third_in_a_row() {
    for remedy in [Remedy::Retry, Remedy::Later] {
        let old = healthy();
        for in_a_row in [1, 2] {
            assert_eq!(fails(&old, &failed(failure(remedy, in_a_row, "r-1"))), old);
        }
        let told = fails(&old, &failed(failure(remedy, 3, "r-1")));
        assert!(told.message.unwrap().ends_with("failed with 500 (request r-1)"));
    }
}

#[test]
fn ready_and_what_was_seen_last_stay_through_a_failure_that_may_mend_itself() {
    let old = healthy();
    let told = fails(&old, &failed(failure(Remedy::Retry, 3, "r-1")));
    assert_eq!(
        conditions_of(&told),
        [
            "AliasInSync=True AsLeft",
            "Progressing=False Idle",
            "Ready=True Promoted",
            "Reconciling=True Unavailable",
        ]
    );
    assert_eq!(condition(&told, "Ready"), condition(&old, "Ready"));
    assert_eq!((told.phase, told.observed_generation), (old.phase, old.observed_generation));
}

#[test]
fn what_was_not_ready_says_the_failure_instead() {
    let mut world = World::flying(0, Some("01:44:00"));
    world.settle();
    let told = fails(&world.status, &failed(failure(Remedy::Retry, 3, "r-1")));
    let ready = condition(&told, "Ready");
    assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("False", "Unavailable"));
    assert_eq!(Memory::recall(Some(&told)), world.memory());
}

#[test]
fn what_only_a_person_can_mend_is_told_at_once() {
    let told = fails(&healthy(), &failed(failure(Remedy::AwaitEdit, 1, "r-1")));
    assert_eq!(
        conditions_of(&told),
        [
            "AliasInSync=True AsLeft",
            "Progressing=False Idle",
            "Ready=False Unavailable",
            "Stalled=True Unavailable",
        ]
    );
    assert_eq!(told.observed_generation, Some(2));
}

#[test]
fn the_first_failure_of_a_new_object_is_told_with_a_phase() {
    let first = failed(failure(Remedy::AwaitEdit, 1, "r-1"));
    let told = summarize(None, Some(1), &first, time("01:44:00"));
    assert_eq!(told.phase, Some(Phase::Pending));
    assert_eq!(conditions_of(&told), ["Ready=False Unavailable", "Stalled=True Unavailable"]);
}

#[test]
fn another_request_id_is_no_news() {
    for (remedy, from) in [(Remedy::Retry, 3), (Remedy::AwaitEdit, 1)] {
        let told = fails(&healthy(), &failed(failure(remedy, from, "r-1")));
        let again = fails(&told, &failed(failure(remedy, from + 1, "r-2")));
        assert_eq!(again, told);
    }
}

#[test]
fn another_failure_is_news() {
    let told = fails(&healthy(), &failed(failure(Remedy::Retry, 3, "r-1")));
    let other = Failure { message: "else (request r-2)".into(), ..failure(Remedy::Retry, 4, "") };
    assert_eq!(fails(&told, &failed(other)).message.as_deref(), Some("else (request r-2)"));
}

#[test]
fn a_write_that_failed_is_told_over_what_was_planned_and_the_plan_is_remembered() {
    let world = World::flying(0, None);
    let stopped = |in_a_row| Attempt {
        plan: Some(world.plan()),
        failure: Some(failure(Remedy::Retry, in_a_row, "r-1")),
        place: None,
    };
    let quiet = fails(&world.status, &stopped(1));
    assert_eq!(quiet.message.as_deref(), Some("setting version 43 to 10%"));
    let told = fails(&quiet, &stopped(3));
    assert!(told.message.as_deref().unwrap().contains("failed with 500"));
    assert_eq!(Memory::recall(Some(&told)), world.plan().memory);
    assert_eq!(fails(&told, &stopped(4)), told);
}

#[test]
fn a_success_takes_the_failure_back() {
    let told = fails(&healthy(), &failed(failure(Remedy::AwaitEdit, 1, "r-1")));
    let mended = after(Some(&told), plan(Phase::Healthy));
    assert_eq!(
        conditions_of(&mended),
        ["AliasInSync=True AsLeft", "Progressing=False Idle", "Ready=True Why"]
    );
}

#[test]
fn what_a_rule_lacked_leaves_what_was_told_and_remembers_the_rest() {
    let mut world = World::flying(0, Some("01:43:00"));
    world.pass();
    let told = world.status.clone();
    world.facts.wanted = Err(denied("GetFunction").into());
    let lacking = |world: &World, in_a_row| {
        let plan = world.plan();
        let Unread { remedy: _, reason, message } = plan.unread.clone().unwrap();
        let failure = Failure { remedy: Remedy::Retry, reason, message, in_a_row };
        let attempt = Attempt { plan: Some(plan), failure: Some(failure), place: None };
        summarize(Some(&world.status), Some(1), &attempt, world.now)
    };
    assert_eq!(lacking(&world, 1), told, "nothing changes on a pass that changes nothing");
    assert!(told.step.as_ref().unwrap().hold_until.is_some(), "the hold stays, too");
    let paused = world.clone().asked("pause@9f2c1a");
    let after = lacking(&paused, 1);
    assert_eq!((after.phase, after.message.clone()), (told.phase, told.message.clone()));
    assert!(after.paused_at.is_some() && after.last_action.is_some(), "{after:#?}");
    let after = lacking(&world, 3);
    assert_eq!(after.message.as_deref(), Some("GetFunction was denied (request 1)"));
    assert_eq!(condition(&after, "Reconciling").reason, "AccessDenied");
    assert_eq!(after.phase, told.phase);
}

#[test]
fn a_look_that_let_others_go_first_is_never_told() {
    let old = healthy();
    let waits = failed(failure(Remedy::NextTurn, 1_000, "1"));
    assert_eq!(fails(&old, &waits), old);
}
