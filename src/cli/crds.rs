//! `groundcrew crds`: prints the CRDs, as they are committed in `crds/`.

use std::io::Write as _;

use super::{EXIT_DONE, fail};
use crate::api::schema;

/// Prints every CRD as one YAML document.
pub(super) fn execute() -> u8 {
    let documents = match schema::crds()
        .map(|crds| crds.iter().map(serde_saphyr::to_string).collect::<Result<Vec<_>, _>>())
    {
        Ok(Ok(documents)) => documents,
        Ok(Err(error)) => return fail(&error, 1),
        Err(error) => return fail(&error, 1),
    };
    match std::io::stdout().write_all(documents.join("---\n").as_bytes()) {
        Ok(()) => EXIT_DONE,
        Err(error) => fail(&error, 1),
    }
}
