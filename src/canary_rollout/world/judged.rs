//! What a release is judged by.

use crate::api::analysis::{AlreadyFiring, Analysis, AnalysisAlarms, AnalysisMetric, Builtin};

pub fn judged_by_errors(max: &str) -> Analysis {
    let metric = AnalysisMetric {
        name: "errors".into(),
        builtin: Some(Builtin::ErrorRate),
        metric: None,
        max: Some(max.into()),
        min: None,
        vs_stable: None,
        failure_limit: None,
        on_no_data: None,
        window: None,
    };
    Analysis { metrics: Some(vec![metric]), ..Analysis::default() }
}

pub fn judged_by_alarm(already_firing: AlreadyFiring) -> Analysis {
    let alarms = AnalysisAlarms {
        names: Some(vec!["red".into()]),
        already_firing: Some(already_firing),
        ..AnalysisAlarms::default()
    };
    Analysis { alarms: Some(alarms), ..Analysis::default() }
}
