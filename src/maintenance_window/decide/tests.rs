mod alarms;
mod laws;
mod openings;
mod verbs;
