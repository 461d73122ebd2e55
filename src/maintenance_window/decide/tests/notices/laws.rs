//! What holds for notices whatever happens.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};

use super::TOLD;
use crate::{
    api::shared::Mode,
    maintenance_window::world::{World, spec},
    notify::{post::Letter, stage::Stage},
    plan::Revisit,
};

/// What differs between the specs that a window may have, one after the other.
const CRONS: [&str; 4] = ["0 2 * * SUN", "0 3 * * SUN", "0 2 * * MON-FRI", "30 */6 * * *"];

/// What happens to a window.
#[derive(Clone, Debug)]
enum Turn {
    Minutes(i64),
    Due,
    Suspend(bool),
    Audit(bool),
    Cron(usize),
    Dark(bool),
    Spoil(bool),
    Break(bool),
    Verb(&'static str),
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        4 => (1_i64..600).prop_map(Turn::Minutes),
        8 => Just(Turn::Due),
        1 => any::<bool>().prop_map(Turn::Suspend),
        1 => any::<bool>().prop_map(Turn::Audit),
        1 => (0..CRONS.len()).prop_map(Turn::Cron),
        1 => any::<bool>().prop_map(Turn::Dark),
        1 => any::<bool>().prop_map(Turn::Spoil),
        2 => any::<bool>().prop_map(Turn::Break),
        2 => prop::sample::select(vec!["close", "extend=10m", "skip"]).prop_map(Turn::Verb),
    ]
}

fn take(world: &mut World, turn: &Turn, number: usize) {
    // No two passes are at the same time.
    world.now += jiff::SignedDuration::from_secs(1);
    match turn {
        Turn::Minutes(minutes) => world.now += jiff::SignedDuration::from_mins(*minutes),
        Turn::Due => {
            if let Revisit::At(then) = world.plan().revisit {
                world.now = then;
            }
        }
        Turn::Suspend(on) => world.edit(|spec| spec.suspend = Some(*on)),
        Turn::Audit(on) => {
            world.edit(|spec| spec.mode = Some(if *on { Mode::Audit } else { Mode::Enforce }));
        }
        Turn::Cron(index) => world.edit(|spec| {
            spec.schedules.as_mut().unwrap()[0].cron = Some(CRONS[*index].into());
        }),
        Turn::Dark(on) => {
            let dark =
                "{timeZone: X, blackouts: [{name: x, from: '2026-12-05', until: '2026-12-08'}]}";
            let dark = spec(dark).blackouts;
            world.edit(|spec| spec.blackouts = dark.filter(|_| *on));
        }
        Turn::Spoil(on) => world.edit(|spec| {
            spec.time_zone = if *on { "Mars/Olympus" } else { "Europe/Berlin" }.into();
        }),
        Turn::Break(on) => {
            if *on {
                world.mail.broken.insert("chat".into());
            } else {
                world.mail.broken.clear();
            }
        }
        Turn::Verb(verb) => {
            let status = world.told();
            let id = match (verb, &status.current, &status.next) {
                (&"skip", _, Some(next)) => next.id.clone(),
                (_, Some(current), _) => current.id.clone(),
                _ => "none".into(),
            };
            world.ask(&format!("{verb}@{id}#{number}"));
        }
    }
}

/// By occurrence and channel, in order.
fn by_occurrence(world: &World) -> BTreeMap<(String, String), Vec<&Letter>> {
    let mut all: BTreeMap<_, Vec<&Letter>> = BTreeMap::new();
    for letter in &world.mail.all {
        let key = (letter.due.occurrence.clone(), letter.channel.name.clone());
        all.entry(key).or_default().push(letter);
    }
    all
}

proptest! {
    // Each case looks through calendars some hundred times.
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Whatever happens: a notice goes out once for each occurrence, stage and channel, unless the
    /// occurrence was given up in between; nothing follows an end of what was open; what is open was
    /// told; and who was told of an opening that is not to come any more was told that, too.
    #[test]
    fn people_know_what_is_so_and_are_told_once(turns in vec(turn(), 1..30)) {
        let mut world = World::new(TOLD, "01T00:00");
        world.passes();
        for (number, turn) in turns.iter().enumerate() {
            take(&mut world, turn, number);
            world.passes();
            // What is sent never waits for long, and a quiet pass says nothing.
            let before = (world.mail.all.len(), world.status.clone());
            world.passes();
            prop_assert_eq!(before, (world.mail.all.len(), world.status.clone()));
        }
        world.mail.broken.clear();
        world.later(16 * 60);
        world.later(60);
        for ((id, channel), letters) in by_occurrence(&world) {
            let mut seen = Vec::new();
            for letter in &letters {
                if letter.due.stage == Stage::Cancelled {
                    seen.clear();
                }
                let due = &letter.due;
                // These come again, at other times.
                let again = matches!(due.stage, Stage::Progress | Stage::Changed | Stage::Extended);
                let same = (due.stage, again.then_some((due.at, due.span)));
                prop_assert!(!seen.contains(&same), "{channel} of {id}: {same:?} in {letters:#?}");
                seen.push(same);
            }
            let ends = letters.iter().position(|letter| {
                matches!(letter.due.stage, Stage::Closed | Stage::Missed)
            });
            prop_assert!(ends.is_none_or(|at| at + 1 == letters.len()), "{letters:#?}");
            let status = world.told();
            let lives = status.upcoming.iter().any(|opening| opening.id == id)
                || status.current.as_ref().is_some_and(|current| current.id == id);
            let last = letters.last().unwrap();
            let over = last.due.stage.is_end();
            // What a spec that cannot work has in mind may come yet.
            let ahead = last.due.span.is_some_and(|span| span.opens > world.now);
            let may_come = ahead && world.facts.window.is_err();
            let moved = world.mail.all.iter().any(|letter| letter.message.replaces.as_ref() == Some(&id));
            let moves = status.moved.iter().any(|moved| moved.replaces == id);
            if channel == "ops" {
                let suspended = world.facts.spec.suspend == Some(true);
                let rests = suspended || world.facts.spec.mode == Some(Mode::Audit);
                prop_assert!(over || moved || moves || (lives || may_come) && !rests, "{id}: {letters:#?}");
            }
        }
        if let Some(current) = &world.told().current {
            let opened = |letter: &&Letter| {
                letter.due.occurrence == current.id && letter.due.stage == Stage::Opened
            };
            prop_assert!(world.mail.all.iter().any(|letter| opened(&letter)), "{current:?}");
        }
    }
}
