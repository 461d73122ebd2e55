//! DynamoDB through the SDK.

use async_trait::async_trait;
use aws_sdk_dynamodb::{Client, operation::RequestId as _, types::TableDescription};

use super::error::{Call, Identity};
use crate::{
    aws::{Error, operations::Operation, port, resource},
    facts::dynamodb::Table,
};

/// DynamoDB with one identity in one region.
pub(super) struct SdkDynamoDb {
    client: Client,
    identity: Identity,
}

impl SdkDynamoDb {
    pub(super) fn new(client: Client, identity: Identity) -> Self {
        Self { client, identity }
    }
}

#[async_trait]
impl port::DynamoDb for SdkDynamoDb {
    async fn describe_table(&self, name: &str) -> Result<Table, Error> {
        let operation = Operation::DynamoDbDescribeTable;
        let call = Call { operation, resource: resource::table(name), identity: &self.identity };
        let request = self.client.describe_table().table_name(name);
        let answer = request.send().await.map_err(|error| call.failed(&error))?;
        table(answer.table()).map_err(|what| call.unreadable(what, answer.request_id()))
    }
}

fn table(answer: Option<&TableDescription>) -> Result<Table, &'static str> {
    let answer = answer.ok_or("Table is missing")?;
    let status = answer.table_status().map(|status| status.as_str());
    let count = |number: Option<i64>| number.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    Ok(Table {
        status: status.ok_or("TableStatus is missing")?.to_owned(),
        items: count(answer.item_count()),
        bytes: count(answer.table_size_bytes()),
    })
}
