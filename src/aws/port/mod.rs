//! What groundcrew asks of AWS: one trait per service, one method per operation, facts in and out.
//!
//! Ports make no choices and retry nothing. [`crate::aws::sdk`] implements them against AWS, the
//! simulated world of the tests against memory.

pub mod cloudwatch;
pub mod lambda;
pub mod sts;

pub use cloudwatch::CloudWatch;
pub use lambda::Lambda;
pub use sts::Sts;
