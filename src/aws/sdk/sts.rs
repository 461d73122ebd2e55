//! STS through the SDK.

use async_trait::async_trait;
use aws_sdk_sts::{Client, operation::RequestId as _};

use super::error::{Call, Identity};
use crate::aws::{Error, accounts::is_account_id, operations::Operation, port};

/// STS with one identity in one region.
pub(super) struct SdkSts {
    client: Client,
    identity: Identity,
}

impl SdkSts {
    pub(super) fn new(client: Client, identity: Identity) -> Self {
        Self { client, identity }
    }
}

#[async_trait]
impl port::Sts for SdkSts {
    async fn get_caller_account(&self) -> Result<String, Error> {
        let resource = match &self.identity {
            Identity::Own => "the operator's own credentials".to_owned(),
            Identity::Role(arn) => format!("role {arn}"),
        };
        let operation = Operation::StsGetCallerIdentity;
        let call = Call { operation, resource, identity: &self.identity };
        let answer =
            self.client.get_caller_identity().send().await.map_err(|error| call.failed(&error))?;
        match answer.account() {
            Some(account) if is_account_id(account) => Ok(account.to_owned()),
            Some(_) | None => Err(call.unreadable("no account id", answer.request_id())),
        }
    }
}
