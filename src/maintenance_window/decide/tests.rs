mod alarms;
mod laws;
mod openings;
mod toggle;
mod verbs;
