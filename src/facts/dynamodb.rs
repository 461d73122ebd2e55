//! What DynamoDB says about tables.

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its status in DynamoDB's word: `ACTIVE` when it can be used.
    ///
    /// Source: DynamoDB API reference, TableDescription.TableStatus.
    pub status: String,
    /// Number of items; DynamoDB counts them about every six hours.
    pub items: u64,
    /// Size in bytes, as old as the number of items.
    pub bytes: u64,
}
