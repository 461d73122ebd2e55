//! Plain data: what AWS and Kubernetes said. No behaviour beyond construction and comparison.

pub mod alarms;
pub mod check;
pub mod cloudwatch;
pub mod codedeploy;
pub mod composites;
pub mod documents;
pub mod dynamodb;
pub mod ecs;
pub mod jobs;
pub mod kubernetes;
pub mod lambda;
pub mod mute_rules;
pub mod peers;
pub mod rds;
pub mod runtimes;
pub mod scaling;
pub mod sns;
pub mod ssm;
pub mod surplus;
pub mod windows;
