use super::{check_passes, laws};
use crate::{
    api::{
        canary_rollout::Outcome,
        fit::ANSWERED_MAX,
        shared::{ActionResult, LastAction},
    },
    canary_rollout::{
        memory::Memory,
        world::{World, k8s_time, mark, time},
    },
};

#[track_caller]
fn answered(world: &World) -> (ActionResult, String, Memory) {
    let plan = world.plan();
    laws::hold(world, &plan);
    let last = plan.memory.last_action.clone().expect("an answer");
    assert_eq!(last.value, world.facts.request.as_ref().unwrap().value);
    (last.result, last.message, plan.memory)
}

#[track_caller]
fn accepted(world: &World, says: &str) -> Memory {
    let (result, message, memory) = answered(world);
    assert_eq!((result, message.as_str()), (ActionResult::Accepted, says));
    memory
}

/// Refused with these words; apart from the answer everything goes on as if nobody had asked.
#[track_caller]
fn refused(world: &World, says: &str) {
    let (result, message, memory) = answered(world);
    assert_eq!((result, message.as_str()), (ActionResult::Refused, says));
    let mut unasked = world.clone();
    unasked.facts.request = None;
    let unasked = unasked.plan();
    let apart = |memory| Memory { last_action: None, answered: Vec::new(), ..memory };
    assert_eq!(apart(memory), apart(unasked.memory));
    assert_eq!(world.plan().actions, unasked.actions);
}

fn holding() -> World {
    World::flying(0, Some("01:40:00"))
}

fn back() -> World {
    World::ending(0, Some("01:40:00"), Outcome::RolledBack, "ErrorRate")
}

fn promoting() -> World {
    World::ending(2, Some("01:00:00"), Outcome::Promoted, "StepsCompleted")
}

fn aborted() -> World {
    World::concluded(Outcome::Aborted, "AbortedByUser")
}

#[test]
fn an_answer_says_who_asked_what_and_when_and_is_given_once() {
    let mut world = holding().asked("pause@9f2c1a#1").at("01:44:00.5");
    world.pass();
    let answer = LastAction {
        value: "pause@9f2c1a#1".into(),
        by: "jane".into(),
        result: ActionResult::Accepted,
        message: "paused at the current weight".into(),
        at: k8s_time("01:44:01"),
    };
    assert_eq!(world.status.last_action.as_ref(), Some(&answer));
    world.status.paused_at = None;
    world.pass();
    assert_eq!((world.memory().paused_at, world.memory().last_action), (None, Some(answer)));
}

#[test]
fn a_value_that_comes_again_after_another_one_is_refused() {
    let mut world = holding().asked("pause@9f2c1a");
    world.pass();
    let mut world = world.asked("resume@9f2c1a");
    world.pass();
    let again = world.clone().asked("pause@9f2c1a");
    let says = "pause@9f2c1a was answered before; to mean it again, give it with another #nonce";
    refused(&again, says);
    accepted(&world.clone().asked("pause@9f2c1a#2"), "paused at the current weight");
    // So many that the first is forgotten.
    for nonce in 0..ANSWERED_MAX {
        world = world.asked(&format!("resume@9f2c1a#{nonce}"));
        world.pass();
    }
    assert_eq!(world.status.answered.len(), ANSWERED_MAX);
    accepted(&world.asked("pause@9f2c1a"), "paused at the current weight");
}

#[test]
fn promote_and_skip_step_leave_the_step_that_they_name() {
    let memory = accepted(&holding().asked("promote@9f2c1a/0"), "step 0 left early");
    let flight = memory.flight.unwrap();
    assert_eq!((flight.index, flight.entered_at), (1, Some(time("01:44:00"))));
    accepted(&holding().asked("skip-step@9f2c1a/0"), "step 0 left early");
    let waiting = World::flying(1, Some("01:40:00"));
    accepted(&waiting.clone().asked("promote@9f2c1a/1"), "step 1 approved");
    accepted(&waiting.asked("skip-step@9f2c1a/1"), "step 1 approved");
}

#[test]
fn promote_and_skip_step_are_refused_for_any_other_step() {
    refused(
        &holding().asked("promote@9f2c1a/1"),
        "promote is for step 1; the rollout is at step 0",
    );
    refused(
        &World::flying(0, None).asked("skip-step@9f2c1a/0"),
        "step 0 was not entered yet; ask again when it is, with a new #nonce",
    );
    refused(&World::flying(3, None).asked("promote@9f2c1a/3"), "all steps are behind");
}

#[test]
fn promote_full_skips_what_is_left_and_ends_a_pause() {
    let mut world = holding().asked("promote-full@9f2c1a");
    world.status.paused_at = Some(k8s_time("01:41:00"));
    let memory = accepted(&world, "the remaining steps are skipped");
    assert_eq!(memory.paused_at, None);
    world.settle();
    assert_eq!(world.facts.alias.as_ref().map(|alias| alias.version.as_str()), Some("43"));
    assert_eq!(world.status.history[0].reason, "PromotedInFull");
}

#[test]
fn pause_keeps_the_weight_and_resume_goes_on() {
    let mut world = holding().asked("pause@9f2c1a");
    assert_eq!(accepted(&world, "paused at the current weight").paused_at, Some(world.now));
    world.settle();
    let mut world = world.asked("resume@9f2c1a");
    assert_eq!(accepted(&world, "goes on").paused_at, None);
    check_passes(&mut world, &["Progressing: 10%: holds until 02:10:00Z"]);
}

#[test]
fn what_goes_forward_needs_a_flight_that_is_not_ending() {
    for verb in [
        "promote@9f2c1a/0",
        "skip-step@9f2c1a/0",
        "promote-full@9f2c1a",
        "pause@9f2c1a",
        "resume@9f2c1a",
    ] {
        let (name, _) = verb.split_once('@').unwrap();
        let says = format!("{name} needs a rollout in flight; there is none");
        refused(&aborted().asked(verb), &says);
        refused(&back().asked(verb), &says);
        refused(&promoting().asked(verb), &says);
    }
}

#[test]
fn suspended_only_abort_and_retry_are_heard() {
    for verb in [
        "promote@9f2c1a/0",
        "skip-step@9f2c1a/0",
        "promote-full@9f2c1a",
        "pause@9f2c1a",
        "resume@9f2c1a",
    ] {
        let world = holding().asked(verb).with(|world| world.facts.suspended = true);
        refused(&world, "the rollout is suspended; set spec.suspend to false first");
    }
    let suspend = |world: World| world.with(|world| world.facts.suspended = true);
    let says = "the alias goes back to the stable version";
    accepted(&suspend(holding().asked("abort@9f2c1a")), says);
    accepted(&suspend(aborted().asked("retry@9f2c1a")), "starts again from where the alias is");
}

#[test]
fn abort_wins_over_whatever_is_under_way() {
    for world in
        [holding(), World::flying(0, None), World::flying(1, Some("01:40:00")), promoting()]
    {
        let mut world = world.asked("abort@9f2c1a");
        accepted(&world, "the alias goes back to the stable version");
        world.settle();
        assert_eq!(world.facts.alias.unwrap().version, "42");
        assert_eq!(world.status.history[0].outcome, Outcome::Aborted);
    }
}

#[test]
fn an_abort_says_who_asked_for_it() {
    let mut world = holding().asked("abort@9f2c1a");
    let memory = accepted(&world, "the alias goes back to the stable version");
    assert_eq!(memory.flight.unwrap().ending.unwrap().message, "aborted by jane");
    world.facts.request.as_mut().unwrap().by = String::new();
    let memory = accepted(&world, "the alias goes back to the stable version");
    assert_eq!(memory.flight.unwrap().ending.unwrap().message, "aborted by a person");
}

#[test]
fn abort_takes_back_a_promotion_that_was_written_already() {
    let mut world = promoting().asked("abort@9f2c1a");
    world.alias_is("43", &[], "");
    world.settle();
    assert_eq!(world.facts.alias.unwrap().version, "42");
}

#[test]
fn abort_is_refused_when_there_is_nothing_to_abort() {
    refused(&aborted().asked("abort@9f2c1a"), "abort needs a rollout in flight; there is none");
    refused(&back().asked("abort@9f2c1a"), "the alias is already going back");
}

#[test]
fn retry_tries_a_failed_revision_again() {
    let mut world = aborted().asked("retry@9f2c1a");
    accepted(&world, "starts again from where the alias is");
    check_passes(
        &mut world,
        &[
            "Pending: releasing version 43 in place of 42",
            "Progressing: setting version 43 to 10%",
            "Progressing: 10%: holds until 02:14:00Z",
            "Progressing: 10%: holds until 02:14:00Z",
        ],
    );
}

#[test]
fn retry_accepts_an_alias_that_someone_moved() {
    let moved = World::concluded(Outcome::Promoted, "x").with(|w| w.alias_is("41", &[], ""));
    accepted(&moved.asked("retry@9f2c1a"), "starts again from where the alias is");
    // In flight: the conflict's message offers the verb in each of these states.
    for alias in ["41", "42", "43", "$LATEST"] {
        let mut world = holding().asked("retry@9f2c1a");
        world.alias_is(alias, &[], "");
        let memory = accepted(&world, "starts again from where the alias is");
        assert!(memory.history.iter().any(|entry| entry.reason == "AliasMoved"));
        world.settle();
    }
    let mut gone = holding().asked("retry@9f2c1a").with(|world| world.facts.alias = None);
    gone.settle();
    assert_eq!(gone.facts.alias.unwrap().version, "43");
}

#[test]
fn retry_is_refused_when_there_is_nothing_to_retry() {
    let flying = "the rollout is in flight; there is nothing to retry";
    refused(&holding().asked("retry@9f2c1a"), flying);
    refused(&promoting().asked("retry@9f2c1a"), flying);
    let promoted = promoting().with(|world| world.alias_is("43", &[], ""));
    refused(&promoted.asked("retry@9f2c1a"), flying);
    let arrived = World::flying(0, None)
        .with(|world| world.alias_is("42", &[("43", 0.1)], &mark("9f2c1a", 0)));
    refused(&arrived.asked("retry@9f2c1a"), flying);
    refused(
        &World::concluded(Outcome::Promoted, "x").asked("retry@9f2c1a"),
        "the release was not rolled back or aborted; there is nothing to retry",
    );
}

#[test]
fn retry_is_refused_while_the_alias_carries_weights_or_goes_back() {
    let weighted = |world: World| world.with(|world| world.alias_is("42", &[("41", 0.2)], ""));
    refused(
        &weighted(holding().asked("retry@9f2c1a")),
        "the alias carries weights; remove them first, or abort",
    );
    refused(
        &weighted(aborted().asked("retry@9f2c1a")),
        "the alias carries weights; remove them first",
    );
    let says = "the alias is going back; ask again when it is there, with a new #nonce";
    refused(&back().asked("retry@9f2c1a"), says);
    let canary_alone = back().with(|world| world.alias_is("43", &[], ""));
    refused(&canary_alone.asked("retry@9f2c1a"), says);
}

#[test]
fn a_verb_for_another_revision_or_none_is_refused() {
    refused(
        &holding().asked("abort@b07d3e"),
        "abort is for revision b07d3e; the current one is 9f2c1a",
    );
    for verb in ["promote-full@9f2c1a", "abort@9f2c1a", "retry@9f2c1a"] {
        let (name, _) = verb.split_once('@').unwrap();
        let says = format!("{name} is for revision 9f2c1a; the current one is not known yet");
        refused(&World::new().asked(verb), &says);
    }
    // An empty target is not the revision of an empty status.
    let mut lost = World::new().asked("retry@");
    lost.alias_is("42", &[("43", 0.1)], "");
    let says = "retry names a revision: write retry@<revision>";
    refused(&lost, says);
}

#[test]
fn a_value_that_is_no_verb_is_refused_with_the_right_form() {
    refused(&holding().asked("abort"), "write <verb>@<revision>, for example abort@9f2c1a");
}

#[test]
fn rollback_takes_a_served_release_back_to_the_one_promoted_before() {
    let mut world = World::concluded(Outcome::Promoted, "x").asked("rollback@9f2c1a");
    accepted(&world, "the alias goes back to version 42");
    check_passes(
        &mut world,
        &[
            "RollingBack: going back to version 42: rolled back by jane",
            "RollingBack: going back to version 42: rolled back by jane",
            "Aborted: rolled back by jane",
            "Aborted: version 43 was aborted: rolled back by jane; the alias serves version 42; release something else, or try again with the verb retry@9f2c1a",
        ],
    );
    assert_eq!(world.memory().history[0].reason, "RolledBackByUser");
}

#[test]
fn rollback_needs_a_served_release_and_one_before_it() {
    refused(
        &World::concluded(Outcome::Initialized, "x").asked("rollback@9f2c1a"),
        "no version is known that served before 43",
    );
    refused(
        &World::concluded(Outcome::RolledBack, "ErrorRate").asked("rollback@9f2c1a"),
        "the alias is back at the stable version already",
    );
    refused(
        &World::flying(0, Some("01:44:00")).asked("rollback@9f2c1a"),
        "the release does not serve everybody yet; use abort",
    );
}

#[test]
fn once_a_verb_was_heard_the_absence_of_its_annotation_means_nothing() {
    let mut world = holding().asked("pause@9f2c1a");
    world.settle();
    let heard = (world.memory().paused_at, world.memory().last_action);
    assert!(heard.0.is_some() && heard.1.is_some(), "{heard:?}");
    world.facts.request = None;
    world.settle();
    assert_eq!((world.memory().paused_at, world.memory().last_action), heard);
}
