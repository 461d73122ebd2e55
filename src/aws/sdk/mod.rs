//! AWS through its SDK: the only place that names the SDK's crates.
//!
//! [`SdkConnector`] makes the ports of a target. The SDK retries nothing here and spaces nothing:
//! that is done once, above the ports.

mod alarms;
mod auto_scaling;
mod check;
mod cloudwatch;
mod codedeploy;
mod config;
mod dynamodb;
mod ecs;
mod error;
mod lambda;
mod proxy;
mod rds;
mod settings;
mod sns;
mod ssm;
mod sts;
#[cfg(test)]
mod tests;

pub use config::{CREDENTIALS_TIMEOUT, InvalidEnvironment, SdkConnector, TrustSource};
pub use proxy::ProxySource;
