//! Moves of an alias.

use groundcrew::api::{
    canary_rollout::{Conflict, OnConflict, PutBack},
    shared::Mode,
};

use super::*;

#[test]
fn a_rollout_that_keeps_its_steps_breaks_nothing() {
    let weighted = alias("42", Some(("43", 0.5)), "next");
    let promotion = write(&weighted, change("43", None, "next"), ending(Outcome::Promoted));
    check(&[(0, first_weight()), (60, second_weight(flying())), (120, promotion)], &[]);
}

#[test]
fn weights_need_the_finalizer_first() {
    let mut object = flying();
    object.metadata.finalizers = None;
    let event =
        write(&alias("42", None, "r0"), change("42", Some(("43", 0.1)), "r0"), object.clone());
    check(&[(0, event.clone())], &["G1"]);
    let mut invariants = Invariants::default();
    invariants.finalizer_taken(MAIN, 7);
    assert_eq!(invariants.observe(at(0), &event), Vec::<String>::new(), "a person took it unseen");
    let mut newer = flying();
    newer.metadata.resource_version = Some("7".into());
    invariants.seen(at(1), MAIN, &newer);
    let again = write(&alias("42", None, "r0"), change("42", Some(("43", 0.1)), "r0"), object);
    assert_eq!(invariants.observe(at(1), &again).len(), 1, "the operator has seen it");
}

#[test]
fn an_alias_is_not_moved_for_an_object_that_is_gone() {
    check(&[(0, without_object(first_weight()))], &["G3"]);
}

#[test]
fn a_write_carries_the_current_revision_id() {
    let before = alias("42", None, "r1");
    check(&[(0, write(&before, change("42", Some(("43", 0.1)), "r0"), flying()))], &["C5"]);
}

#[test]
fn weights_are_those_of_the_steps_in_their_order_and_time() {
    let bare = alias("42", None, "r0");
    let odd = write(&bare, change("42", Some(("43", 0.25)), "r0"), flying());
    check(&[(0, odd)], &["C1"]);
    check(&[(0, first_weight()), (59, second_weight(flying()))], &["C1"]);
    let late_start = write(&bare, change("42", Some(("43", 0.5)), "r0"), flying());
    check(&[(0, late_start)], &["C6"]);
}

#[test]
fn an_alias_moves_forward_or_back_to_stable_only() {
    let weighted = alias("42", Some(("43", 0.5)), "r1");
    let lower = write(&weighted, change("42", Some(("43", 0.1)), "r1"), flying());
    let found = {
        let mut invariants = Invariants::default();
        invariants.observe(at(0), &lower)
    };
    assert!(found.iter().any(|line| line.starts_with("C4: the weight of 43 fell")), "{found:?}");
    let unannounced = write(&weighted, change("43", None, "r1"), flying());
    check(&[(0, unannounced)], &["C4"]);
    let unannounced = write(&weighted, change("43", None, "r1"), ending(Outcome::Aborted));
    check(&[(0, late(unannounced))], &[]);
    let elsewhere = write(&weighted, change("44", None, "r1"), ending(Outcome::Promoted));
    check(&[(0, elsewhere)], &["C4"]);
    let promoted_on_the_way_back =
        write(&weighted, change("43", None, "r1"), ending(Outcome::Aborted));
    check(&[(0, promoted_on_the_way_back)], &["C4"]);
    let back = write(&alias("43", None, "r1"), change("42", None, "r1"), ending(Outcome::Aborted));
    check(&[(0, back)], &[]);
}

#[test]
fn in_audit_an_alias_goes_back_at_most() {
    let audited = |mut object: CanaryRollout| {
        object.spec.mode = Some(Mode::Audit);
        object.status.as_mut().unwrap().conditions = vec![Condition {
            type_: "Ready".into(),
            status: "False".into(),
            reason: "Audit".into(),
            message: String::new(),
            observed_generation: Some(1),
            last_transition_time: Time(at(0)),
        }];
        object
    };
    let bare = alias("42", None, "r0");
    let step = change("42", Some(("43", 0.1)), "r0");
    let forward = write(&bare, step.clone(), audited(flying()));
    check(&[(0, forward.clone())], &["Audit"]);
    check(&[(0, late(forward))], &[]);
    let mut enforced = audited(flying());
    enforced.spec.mode = None;
    check(&[(0, write(&bare, step, enforced))], &[]);
    let weighted = alias("42", Some(("43", 0.5)), "r1");
    let promotion = write(&weighted, change("43", None, "r1"), audited(ending(Outcome::Promoted)));
    check(&[(0, promotion)], &["Audit"]);
    let back = write(&weighted, change("42", None, "r1"), audited(ending(Outcome::Aborted)));
    check(&[(0, back)], &[]);
}

#[test]
fn an_alias_is_put_back_to_where_it_was_left_and_not_too_often() {
    let decided = |on_conflict| {
        let mut object = with(|status| {
            let revision_id = "theirs".to_owned();
            let conflict = Conflict { since: Time(at(0)), revision_id, left: Some(10) };
            status.put_backs = vec![PutBack { at: Time(at(0)), revision_id: "theirs".into() }];
            status.conflict = Some(conflict);
        });
        object.spec.on_conflict = on_conflict;
        object
    };
    let enforced = || decided(Some(OnConflict::Enforce));
    let moved = alias("45", None, "theirs");
    let back = |change: AliasChange, object| write(&moved, change, object);
    let left = change("42", Some(("43", 0.1)), "theirs");
    let flown = (0, first_weight());
    check(&[flown.clone(), (9, back(left.clone(), enforced()))], &[]);
    check(&[flown.clone(), (9, back(change("42", None, "theirs"), enforced()))], &[]);
    check(&[flown.clone(), (9, back(left.clone(), decided(None)))], &["C5"]);
    let elsewhere = change("42", Some(("43", 0.5)), "theirs");
    check(&[flown.clone(), (9, back(elsewhere, enforced()))], &["C5"]);
    let again = |second| (second, back(left.clone(), enforced()));
    check(&[flown.clone(), again(1), again(2), again(3)], &[]);
    check(&[flown.clone(), again(1), again(2), again(3), again(4)], &["C5"]);
    check(&[flown, again(1), again(2), again(3), again(4_000)], &[]);
}
