use super::*;
use crate::{api::canary_rollout::Outcome, canary_rollout::world::World};

#[test]
fn it_is_asked_whose_alias_it_is_before_a_start_and_where_somebody_moved_it() {
    let asked = |world: &World, starts| asks_whose(&world.memory(), starts);
    assert!(asked(&World::new(), true));
    assert!(!asked(&World::new(), false));
    let flying = World::flying(0, Some("01:44:00"));
    assert!(!asked(&flying, true), "its alias is its own");
    for mut moved in [flying, World::concluded(Outcome::Promoted, "x")] {
        moved.alias_is("41", &[], "");
        moved.pass();
        assert!(asked(&moved, false), "whatever onConflict says");
    }
}
