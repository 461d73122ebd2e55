//! AWS: ports, the SDK behind them, and what stands above them for all kinds together.
//!
//! [`port`] says what is asked, [`sdk`] asks it. Above them: [`accounts`] chooses role, account and
//! region, [`limits`] spaces the calls, [`gate`] decides whether a write may go now, [`session`]
//! puts these around the ports, and [`operations`] is the table of everything that is sent.

pub mod accounts;
mod error;
pub mod gate;
pub mod hub;
pub mod limits;
pub mod operations;
pub mod port;
pub mod resource;
pub mod sdk;
pub mod session;

pub use error::{Class, Error};
