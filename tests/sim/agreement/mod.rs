//! The world of this simulation against the AWS stand-in of `hack/aws`: the same random calls through
//! the same ports must get the same answers, or the simulation proves things about a world that is
//! not AWS's. Where the two disagree, AWS's documentation decides which one is wrong.
//!
//! The SDK takes endpoint and credentials from the environment of its process, so the calls are made
//! in a process of their own.

mod calls;
mod opening;
mod sides;
mod sights;

use std::{fmt::Write as _, sync::Arc, time::Instant};

use groundcrew::aws::sdk::{ProxySource, SdkConnector, TrustSource};
use tokio::{process::Command, runtime::Runtime};

use self::{
    calls::{Memory, Move},
    opening::Opening,
    sides::Sides,
    sights::Sights,
};
use crate::{
    faults::Random,
    harness::{Pace, aws::StandIn},
};

/// Sequences that CI plays.
const SEQUENCES: u64 = 45;
/// Calls and events of a sequence.
const LENGTH: usize = 60;
/// Plays this sequence alone, and tells all of it.
const SEED: &str = "GROUNDCREW_WORLD_SEED";
/// Plays so many sequences.
const SEEDS: &str = "GROUNDCREW_WORLD_SEEDS";
/// What tells the process that makes the calls where the stand-in is.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";
/// The test that makes the calls.
const PLAYER: &str = "agreement::plays_against_the_stand_in_that_it_is_given";

#[test]
fn the_world_answers_as_the_stand_in_does() {
    let runtime = Runtime::new().expect("a runtime");
    let output = runtime.block_on(async {
        let stand_in = StandIn::start("aws", Pace).await;
        let own = std::env::current_exe().expect("the path of this test");
        let kept = std::env::vars().filter(|(name, _)| name == SEED || name == SEEDS);
        let player = Command::new(own)
            .args([PLAYER, "--exact", "--ignored", "--nocapture"])
            .env_clear()
            .envs(kept)
            .env(ENDPOINT, &stand_in.endpoint)
            .env("AWS_ACCESS_KEY_ID", "AKIAOPERATOR")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .kill_on_drop(true)
            .output();
        player.await.expect("a process that makes the calls")
    });
    let told = String::from_utf8_lossy(&output.stdout);
    println!("{told}");
    assert!(
        output.status.success() && told.contains("1 passed"),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
#[ignore = "the_world_answers_as_the_stand_in_does runs it with a stand-in"]
fn plays_against_the_stand_in_that_it_is_given() {
    let endpoint = std::env::var(ENDPOINT).expect("run the_world_answers_as_the_stand_in_does");
    let number = |name| std::env::var(name).ok().map(|text: String| text.parse().expect(name));
    let seed: Option<u64> = number(SEED);
    let seeds = match seed {
        Some(seed) => seed..seed + 1,
        None => 0..number(SEEDS).unwrap_or(SEQUENCES),
    };
    let count = seeds.end - seeds.start;
    let stage = Stage {
        runtime: Runtime::new().expect("a runtime"),
        stand_in: Arc::new(StandIn::at(endpoint, Pace)),
        connector: SdkConnector::new(&TrustSource::System, &ProxySource::default())
            .expect("certificates"),
    };
    let (begun, mut sights, mut calls, mut failed) =
        (Instant::now(), Sights::default(), 0, Vec::new());
    for number in seeds {
        let _named = Named(number);
        let played = stage.play(number, &mut sights);
        calls += played.calls;
        if seed.is_some() {
            println!("{}", played.trace);
        }
        if let Some(differs) = played.differs {
            println!("{SEED}={number}{differs}");
            failed.push(played.trace);
        }
    }
    println!("{count} sequences, {calls} calls, {:?}", begun.elapsed());
    if let Some(first) = failed.first() {
        panic!("{} of {count} sequences differ, the first:\n{first}", failed.len());
    }
    if count >= SEQUENCES {
        assert!(sights.missed().is_empty(), "never seen: {:?}", sights.missed());
    }
}

/// Names the seed when its sequence panics.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{SEED}={} panics", self.0);
        }
    }
}

/// What all sequences share.
struct Stage {
    runtime: Runtime,
    stand_in: Arc<StandIn>,
    connector: SdkConnector,
}

/// How a sequence went.
struct Played {
    trace: String,
    calls: usize,
    /// The call that was answered differently, and both answers.
    differs: Option<String>,
}

impl Stage {
    /// Plays the sequence of a seed up to the first difference.
    fn play(&self, seed: u64, sights: &mut Sights) -> Played {
        let mut random = Random::new(seed);
        let opening = Opening::of(seed);
        let trace = format!("{SEED}={seed}: {opening:?}");
        let mut played = Played { trace, calls: 0, differs: None };
        let mut sides = Sides::set(opening, self);
        let mut memory = Memory::of(opening);
        for _ in 0..LENGTH {
            for next in Move::draw(&mut random, &memory) {
                let call = match next {
                    Move::Call(call) => call,
                    Move::Event(event) => {
                        sides.happens(&event);
                        let _ = write!(played.trace, "\n{event:?}");
                        continue;
                    }
                };
                let (world, stand_in) = sides.answers(&call);
                played.calls += 1;
                sights.look(&call, &world.text);
                let mut told = format!("\n{call:?}\n    {}", world.text);
                let differs = world.text != stand_in.text;
                if differs {
                    let _ = write!(told, "\n    the stand-in: {}", stand_in.text);
                }
                played.trace.push_str(&told);
                if differs {
                    return Played { differs: Some(told), ..played };
                }
                memory.learn(&world);
            }
        }
        let (world, stand_in) = sides.actions();
        sights.look_at_actions(&world);
        let mut told = format!("\nactions: {world}");
        let differs = world != stand_in;
        if differs {
            let _ = write!(told, "\n    the stand-in: {stand_in}");
        }
        played.trace.push_str(&told);
        Played { differs: differs.then_some(told), ..played }
    }
}
