//! Tells people: what is due, in which words, over which channel.

pub mod due;
pub mod message;
pub mod render;
pub mod send;
pub mod stage;
