//! Statuses of windows that say what the one before them said.

use groundcrew::api::maintenance_window::MaintenanceWindowStatus;

use super::windows::{Act, OPENS, play, scheduled};

#[test]
fn a_status_is_written_again_only_where_nobody_knows_that_it_was() {
    let news =
        || Act::Tells(MaintenanceWindowStatus { message: Some("news".into()), ..scheduled() });
    play(vec![(1, Act::Tells(scheduled()))], &["G8"]);
    play(vec![(1, news()), (2, news())], &["G8"]);
    play(vec![(OPENS, Act::Tells(scheduled()))], &["G8"]);
    let lost = || vec![(1, Act::Unanswered), (1, news())];
    let then = |acts: Vec<(i64, Act)>| lost().into_iter().chain(acts).collect();
    play(then(vec![(2, news())]), &[]);
    play(then(vec![(2, news()), (3, news())]), &["G8"]);
    // Its answer was lost as well.
    play(then(vec![(2, Act::Unanswered), (2, news()), (3, news()), (4, news())]), &["G8"]);
}
