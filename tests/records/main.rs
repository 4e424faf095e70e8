//! What the records hold: every change is in the log, and what is in the log is what happened.
#![cfg(unix)]

mod follow;
mod ground;
mod groups;
mod index;
mod log;
mod ownership;
mod program;
mod recording;
mod standing;
mod states;
mod steps;
mod stranger;
mod together;
mod unknown;
mod unrecorded;
mod unusable;
