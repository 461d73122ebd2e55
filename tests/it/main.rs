//! The built operator as a process, under the permissions of the chart, against a real API server
//! and the AWS stand-in. Nothing is mocked inside the process.
//!
//! Each scenario has a namespace and an AWS account of its own. Time runs [`harness::SCALE`] times
//! as fast for decisions; leases, time-outs and rate limits stay real.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that meets the unexpected fails"
)]

mod chart;
mod command_line;
mod drift;
mod harness;
mod notices;
mod scale;
mod scenarios;
mod schema;
