//! What groundcrew asks of AWS: one trait per service, one method per operation, facts in and out.
//!
//! Ports make no choices and retry nothing. [`crate::aws::sdk`] implements them against AWS, the
//! simulated world of the tests against memory.

pub mod alarms;
pub mod auto_scaling;
pub mod cloudwatch;
pub mod codedeploy;
pub mod dynamodb;
pub mod ecs;
pub mod lambda;
pub mod rds;
pub mod sns;
pub mod ssm;
pub mod sts;
#[cfg(test)]
pub mod unasked;

pub use alarms::Alarms;
pub use auto_scaling::AutoScaling;
pub use cloudwatch::CloudWatch;
pub use codedeploy::CodeDeploy;
pub use dynamodb::DynamoDb;
pub use ecs::Ecs;
pub use lambda::Lambda;
pub use rds::Rds;
pub use sns::Sns;
pub use ssm::Ssm;
pub use sts::Sts;
