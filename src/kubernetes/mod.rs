//! Kubernetes: clients, stores, the lease, and what is written there.

pub mod client;
mod event;
mod jobs;
pub mod leader;
pub mod objects;
pub mod port;
pub mod publish;
pub mod secrets;
