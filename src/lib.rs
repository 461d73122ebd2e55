//! groundcrew: a Kubernetes operator for the maintenance work that teams on AWS do from runbooks.
//!
//! Data flows one way:
//!
//! ```text
//! watch → observe (reads) → decide (pure) → act (writes) → status (pure) → publish
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | [`api`] | the custom resources, as users write them |
//! | [`canary_rollout`] | one kind: its observe, decide, act and status |
//! | [`checks`] | conditions that must hold: one file for each sort |
//! | [`notify`] | what people are told: when, in which words, and one file for each channel |
//! | [`engine`] | runs the passes of a kind: isolated, bounded, fair, never on an old cache |
//! | [`context`] | what a pass is handed: clock, AWS, Kubernetes, metrics |
//! | [`aws`] | ports, the SDK behind them, and limits, gate, accounts and shared answers above |
//! | [`kubernetes`] | clients, the lease, and everything that is written there |
//! | [`jobs`] | Jobs that are made of CronJobs |
//! | [`facts`], [`fair`], [`invocations`], [`names`], [`plan`], [`stats`], [`thresholds`], [`time`], [`verbs`], [`window_gate`], [`status`] | pure leaves that decisions are made of |
//! | [`operator`], [`health`], [`metrics`], [`telemetry`], [`cli`] | the process |
//!
//! What always holds: decisions are made from facts and one reading of the clock; a write is made
//! only while the lease has time left for it, and carries what makes repeating it harmless; an end is
//! published before the alias is moved for it; the status can be lost without losing safety.

#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::wildcard_enum_match_arm,
        reason = "a test may panic"
    )
)]

pub mod api;
pub mod aws;
pub mod canary_rollout;
pub mod checks;
pub mod cli;
pub mod context;
pub mod engine;
pub mod error;
pub mod facts;
pub mod fair;
pub mod health;
pub mod invocations;
pub mod jobs;
pub mod kubernetes;
pub mod maintenance_window;
pub mod metrics;
pub mod names;
pub mod notify;
pub mod operator;
pub mod plan;
pub mod stats;
pub mod status;
pub mod sweeps;
pub mod tasks;
pub mod telemetry;
pub mod thresholds;
pub mod time;
pub mod verbs;
pub mod window_gate;
