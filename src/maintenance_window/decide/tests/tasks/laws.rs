//! What holds for tasks whatever happens.

use jiff::SignedDuration;
use proptest::{collection::vec, prelude::*, sample::select};

use super::*;
use crate::{maintenance_window::world::Crash, plan::Revisit};

/// What happens while tasks run.
#[derive(Clone, Debug)]
enum Turn {
    Later(i64),
    Due,
    Crash(Crash),
    Fails(Option<(Failure, bool)>),
    Unreadable(bool),
    Lag(i64),
    /// Somebody deletes the Job, once it is known.
    DeletesJob,
}

fn turn() -> impl Strategy<Value = Turn> {
    let failures = vec![
        None,
        Some((Failure::Refused, false)),
        Some((Failure::NotDone, false)),
        Some((Failure::Unsure, false)),
        Some((Failure::Unsure, true)),
    ];
    prop_oneof![
        3 => (1_i64..600).prop_map(Turn::Later),
        8 => Just(Turn::Due),
        4 => select(vec![Crash::BeforeCall, Crash::AfterCall, Crash::Published]).prop_map(Turn::Crash),
        2 => select(failures).prop_map(Turn::Fails),
        1 => any::<bool>().prop_map(Turn::Unreadable),
        1 => (0_i64..200).prop_map(Turn::Lag),
        1 => Just(Turn::DeletesJob),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is cut off, refused, unanswered or listed late: each task begins at most once, in order,
    /// inside of its opening; one that ended stays as it ended; and a task that is told to have
    /// succeeded has begun.
    #[test]
    fn each_task_begins_at_most_once(turns in vec(turn(), 1..60)) {
        let mut world = with(&[DEPLOY, JOB, PATCH, REBOOT, RUNBOOK].map(|task| {
            task.replace("timeout", "onFailure: Continue, timeout")
        }).iter().map(String::as_str).collect::<Vec<_>>(), "extend: {max: 30m}");
        world.until("06T00:59");
        let mut ended: Vec<(String, TaskState)> = Vec::new();
        for turn in turns {
            match turn {
                Turn::Later(secs) => world.now += SignedDuration::from_secs(secs),
                Turn::Due => {
                    if let Revisit::At(then) = world.plan().revisit {
                        world.now = then.max(world.now);
                    }
                }
                Turn::Crash(crash) => world.crash = Some(crash),
                Turn::Fails(failing) => world.plant.failing = failing,
                Turn::Unreadable(on) => world.plant.unreadable = on.then_some(Failure::NotDone),
                Turn::DeletesJob => {
                    let current = world.told().current.as_ref();
                    let mut known = current.into_iter().flat_map(|current| &current.tasks);
                    if known.any(|task| task.name == "vacuum" && task.id.is_some()) {
                        world.plant.delete_job();
                    }
                }
                Turn::Lag(secs) => world.plant.lag = SignedDuration::from_secs(secs),
            }
            world.passes();
            let begun = &world.plant.begun;
            let order = ["deploy", "job", "command", "reboot prod-db", "automation"];
            let at: Vec<usize> =
                begun.iter().map(|call| order.iter().position(|one| one == call).unwrap()).collect();
            prop_assert!(at.is_sorted_by(|a, b| a < b), "{begun:?}");
            if world.told().current.is_none() && world.told().history.is_empty() {
                continue;
            }
            let now = states(&world);
            for (name, state) in &ended {
                prop_assert!(now.contains(&(name.clone(), *state)), "{name} was {state:?}: {now:?}");
            }
            for ((name, state), call) in now.iter().zip(order) {
                let has = begun.iter().any(|one| one == call);
                prop_assert!(*state != Succeeded || has || name == "reboot", "{name}: {now:?} {begun:?}");
            }
            ended = now.into_iter().filter(|(_, state)| state.ended()).collect();
        }
    }
}
