//! Alarms as they are now, for callers that write in view of them.

use std::sync::Arc;

use super::alarms::{Full, describe};
use crate::{
    aws::{
        Error,
        port::cloudwatch::ALARM_NAMES_MAX,
        session::{CallContext, Session},
    },
    facts::{
        alarms::{AlarmKinds, FullAlarm},
        cloudwatch::AlarmFilter,
    },
};

/// The alarms of these names that exist, in full and of all kinds: asked for this caller alone, and
/// nothing that is older than the call.
///
/// # Errors
///
/// Those of DescribeAlarms, and [`Class::Unknown`](crate::aws::Class::Unknown) when its pages do not
/// end: what was not seen would look as if it were gone.
pub async fn alarms_now(
    session: &Arc<Session>,
    context: &CallContext,
    names: &[String],
) -> Result<Vec<Arc<FullAlarm>>, Error> {
    let port = session.alarms(context.clone());
    let mut found = Vec::new();
    for names in names.chunks(ALARM_NAMES_MAX) {
        let filter = AlarmFilter::Names(names.to_vec());
        found.extend(describe::<Full>(&port, &AlarmKinds::All, &filter).await?);
    }
    Ok(found)
}
