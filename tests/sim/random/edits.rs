//! What people and other tools do at random.

use groundcrew::{
    api::{
        canary_rollout::{OnTimeout, Preset},
        shared::Mode,
    },
    facts::cloudwatch::AlarmState,
};

use super::openings;
use crate::{
    faults::Random,
    scenarios::{approval, weight},
    script::Edit,
};

/// Something that somebody might do at any time, mostly to the one object, sometimes to the other, and
/// to windows where there are any.
pub fn edit(random: &mut Random, windows: bool) -> Edit {
    if windows && random.one_in(2) {
        let nonce = u32::try_from(random.below(1_000)).expect("small");
        return openings::edit(random, nonce);
    }
    let edit = draw(random);
    if random.one_in(6) { Edit::Other(Box::new(edit)) } else { edit }
}

fn draw(random: &mut Random) -> Edit {
    let nonce = u32::try_from(random.below(1_000)).expect("small");
    let version = random.pick(&["42", "43", "44", "45"]);
    match random.below(38) {
        0..=2 => Edit::Release(version),
        3 => Edit::Preset(random.pick(&[Preset::AllAtOnce, Preset::Canary10Percent5Minutes])),
        4 => Edit::Steps(vec![weight(5, 60), approval(Some(90), OnTimeout::Promote)]),
        5 => Edit::Suspend(true),
        6 | 7 => Edit::Suspend(false),
        8 => Edit::Verb("pause", nonce),
        9 | 10 => Edit::Verb("resume", nonce),
        11 => Edit::Verb("promote-full", nonce),
        12 | 13 => Edit::Verb("abort", nonce),
        14 | 15 => Edit::Verb("retry", nonce),
        16 => Edit::StepVerb("promote", nonce),
        17 => Edit::StepVerb("skip-step", nonce),
        18 => Edit::RawVerb("promote-full@000000000000"),
        19 => random.pick(&[Edit::Delete, Edit::DropFinalizer, Edit::Abandon]),
        20 => Edit::WipeStatus,
        21 => Edit::ForeignVersion(version),
        22 => Edit::ForeignWeight(version, 0.25),
        23 => Edit::ReleaseArchive(random.pick(&["a.zip", "b.zip"])),
        24 => Edit::ReleaseLatest,
        25 => Edit::ForeignCode(random.pick(&["sha-of-x", "sha-of-y"])),
        26 | 27 => Edit::Mode(random.pick(&[Mode::Audit, Mode::Enforce])),
        28 => Edit::Traffic(version, 100.0, random.pick(&[0.0, 40.0])),
        29 => Edit::Traffic(version, 0.0, 0.0),
        30 => Edit::Alarm("red", AlarmState::Alarm),
        31 => Edit::Alarm("red", AlarmState::Ok),
        32 => Edit::DeleteVersion(version),
        33 => Edit::DeleteStable,
        34 => Edit::Verb("rollback", nonce),
        35 => Edit::Smoke(random.pick(&[Some(200), Some(500), None])),
        36 => Edit::DeleteNamespace,
        _ => random.pick(&[Edit::PutBack, Edit::Kill]),
    }
}
