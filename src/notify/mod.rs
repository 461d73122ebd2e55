//! Tells people: what is due, in which words, over which channel.

pub mod due;
pub mod message;
pub mod post;
pub mod render;
pub mod send;
pub mod stage;
