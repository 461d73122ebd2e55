mod laws;
mod openings;
mod verbs;
