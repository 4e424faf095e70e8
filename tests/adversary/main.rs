//! The executor against an adversary that acts between any two of its calls, on a file system in memory.
//!
//! A scenario is a verb in a tree: whose its directories are, who may write them, and what the host can do. A schedule
//! says before which calls the adversary does what, or which call fails with which error. Every schedule is judged by
//! the same laws: only links are replaced or removed; nothing outside is touched; a replaced name is never absent;
//! what is reported is so; nothing of the executor's stays and everything of others is where they put it, unless it is
//! reported; the calls are bounded, and nothing panics.
//!
//! Pairs of deeds are played on request only (`--ignored`), since a few of them are known to break a law; there
//! `CAPLINK_SCHEDULES=all` plays every pair instead of a sample, `CAPLINK_SEED` chooses the sample,
//! `CAPLINK_ONLY` plays the scenarios whose name contains it.

#![cfg(test)]

mod deeds;
mod explore;
mod judge;
mod pairs;
mod regressions;
mod run;
mod scene;
mod singles;
mod verdict;
