//! Whether the operator has credentials at all.

use aws_credential_types::provider::ProvideCredentials as _;
use tokio::time::timeout;

use super::config::{CREDENTIALS_TIMEOUT, SdkConnector};

/// Credentials do not depend on it; STS has an endpoint in every region.
const ANY_REGION: &str = "us-east-1";

impl SdkConnector {
    /// Looks for the operator's own credentials, from which roles are assumed.
    ///
    /// # Errors
    ///
    /// A sentence that says what is missing; it holds no part of a credential.
    pub async fn check_credentials(&self) -> Result<(), String> {
        let base = self.base(ANY_REGION).await;
        let Some(provider) = base.credentials_provider() else {
            return Err("none are configured".to_owned());
        };
        match timeout(CREDENTIALS_TIMEOUT, provider.provide_credentials()).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(format!(
                "{}; set up EKS Pod Identity or IRSA for the ServiceAccount, or the usual AWS environment",
                crate::error::chain(&error)
            )),
            Err(_) => Err(format!("not there within {} ms", CREDENTIALS_TIMEOUT.as_millis())),
        }
    }
}
