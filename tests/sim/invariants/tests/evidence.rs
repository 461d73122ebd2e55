//! Evidence.

use groundcrew::facts::cloudwatch::Span;

use super::*;
use crate::{evidence::error_rate, history::Evidence};

/// A step that began at second 60 is left after CloudWatch gave this.
fn left_after(answer: Option<Evidence>) -> Vec<(i64, Event)> {
    let judged = |index: i32, entered: bool| {
        let mut object = with(|status| {
            let step = status.step.as_mut().unwrap();
            step.index = index;
            step.entered_at = entered.then(|| Time(at(60)));
            status.steps[0].min_invocations = Some(50);
        });
        object.spec.analysis = Some(error_rate());
        object
    };
    let weighted = alias("42", Some(("43", 0.1)), "next");
    let begun = applied(judged(0, false), judged(0, true), &weighted);
    let left = applied(judged(0, true), judged(1, false), &weighted);
    let answer = answer.map(|answer| (240, Event::MetricsRead(answer)));
    [(50, first_weight()), (60, begun)].into_iter().chain(answer).chain([(300, left)]).collect()
}

#[test]
fn a_step_is_left_on_whole_and_good_evidence_of_its_own_time_only() {
    let told = |from: i64, minute: i64, calls: f64, errors: f64| Evidence {
        span: Span { from: at(from), until: at(120) },
        whole: true,
        minutes: [(at(minute), (calls, errors))].into(),
    };
    let good = told(60, 60, 100.0, 1.0);
    check(&left_after(Some(good.clone())), &[]);
    check(&left_after(Some(told(0, 60, 100.0, 1.0))), &[]);
    check(&left_after(None), &["C2"]);
    for bad in [
        Evidence { whole: false, ..good.clone() },
        Evidence { span: Span { from: at(0), until: at(60) }, ..good },
        told(0, 0, 100.0, 1.0),
        told(60, 60, 0.0, 0.0),
        told(60, 60, 49.0, 1.0),
        told(60, 60, 100.0, 6.0),
    ] {
        check(&left_after(Some(bad)), &["C2"]);
    }
}
