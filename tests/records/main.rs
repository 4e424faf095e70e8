//! What the records hold: every change is in the log, and what is in the log is what happened.
#![cfg(unix)]

mod ground;
mod log;
mod recording;
