//! Whether the election turns, as `/livez` tells it.

use futures::poll;
use tokio::time::advance;

use super::*;

const HOUR: Duration = Duration::from_secs(3_600);

fn supervised(link: &Link, liveness: &Liveness) -> Elector<fn() -> Timestamp> {
    let settings = LeaseSettings::new("groundcrew", "a", LeaseTimes::default()).unwrap();
    Elector::new(link.api(), settings, now, liveness.supervise("lease", TURN_BOUND))
}

/// Looks every few seconds for an hour whether the election is said to be stuck.
async fn never_stuck(liveness: &Liveness) {
    let begun = Instant::now();
    while begun.elapsed() < HOUR {
        sleep(7 * SECOND).await;
        assert_eq!(liveness.stuck(), [""; 0], "after {:?}", begun.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn an_election_that_leads_waits_or_reaches_nobody_is_alive() {
    let work = |_, _| pending();
    for cut in [false, true] {
        let (leads, waits) = (Server::with_lease(), Server::held_by("somebody", Some(60)));
        for server in [leads, waits] {
            let (link, liveness) = (server.link(), Liveness::new());
            link.cut(cut);
            let elector = supervised(&link, &liveness);
            tokio::select! {
                ended = elector.run(work, pending()) => panic!("{ended:?}"),
                () = never_stuck(&liveness) => {}
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_election_that_does_not_turn_is_named() {
    let liveness = Liveness::new();
    let mut run = Box::pin(
        supervised(&Server::with_lease().link(), &liveness).run(|_, _| pending(), pending()),
    );
    assert!(poll!(&mut run).is_pending());
    advance(TURN_BOUND + SECOND).await;
    assert_eq!(liveness.stuck(), ["lease: no sign of life for 61 s, expected within 60 s"]);
}
