mod alarms;
mod laws;
mod notices;
mod openings;
mod toggle;
mod told;
mod verbs;
