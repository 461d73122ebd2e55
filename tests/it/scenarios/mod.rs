//! What users see, from the manifest to the calls that reach AWS.

mod alarms;
mod aws_faults;
mod checks;
mod claims;
mod cli;
mod conflict;
mod credentials;
mod deletion;
mod evidence;
mod faults;
mod jobs;
mod metrics;
mod modes;
mod notices;
mod promotion;
mod provisioned;
mod publishing;
mod quiet;
mod release;
mod replicas;
mod storm;
mod tasks;
mod toggle;
mod verbs;
mod windows;
