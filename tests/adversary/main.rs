//! The executor against an attacker that acts between any two of its calls, on a file system in memory.
//!
//! A scenario is a verb in a tree: who owns its directories, who may write them, and what the host supports. A schedule
//! says before which calls the attacker does what, which call fails with which error, or where the executor stops. Every
//! schedule is judged by the laws of `tests/support`, which also hold on the kernel: only links are replaced or removed;
//! nothing outside is touched; a replaced name is never absent; reports are true; there is no residue and everything of
//! others is where they put it, unless it is reported; the calls are bounded, and nothing panics. A single action against
//! one edit has one of two answers: that of the action before the edit, or that of the action after it.
//!
//! Single actions, failing calls and crashes are played before every call, of several edits a part. Of pairs, of actions
//! beside a failing call and of actions against a confined executor a sample is played: `CAPLINK_ONE_OF=n` plays one of n,
//! and `CAPLINK_SCHEDULES=all` every one. The seed of the sample is printed; it is the same in every run, unless
//! `CAPLINK_SEED` says another, or `draw`. `CAPLINK_ONLY` plays the scenarios whose name contains it. What was played is
//! printed as tables.
//!
//! `CAPLINK_SCHEDULES=pairs` plays every pair of actions in the scenarios of one edit, whatever is sampled of the rest: all
//! 65 million, of which a third has to be played, as the others are in a state that one of these was in. Alone they take
//! five minutes of one processor:
//!
//! ```sh
//! CAPLINK_SCHEDULES=pairs cargo test --all-features --profile adversary --test adversary two_actions -- --nocapture
//! ```
//!
//! A night's run plays them, and of everything else 2.4 million schedules, in eight minutes of one processor:
//!
//! ```sh
//! CAPLINK_SCHEDULES=pairs CAPLINK_SEED=draw CAPLINK_ONE_OF=50 \
//!     cargo test --all-features --profile adversary --test adversary -- --nocapture
//! ```

#![cfg(test)]

mod abandoned;
mod answers;
mod ask;
mod attacker;
mod built;
mod calls;
mod chosen;
mod confined;
mod crashes;
mod drawn;
mod explore;
mod faults;
mod judge;
mod late;
mod limits;
mod linear;
mod locks;
mod pairs;
mod previews;
mod regressions;
mod replay;
mod requests;
mod run;
mod scene;
mod singles;
mod state;
mod sweep;
mod unreported;

#[path = "../support"]
mod support {
    pub(crate) mod action;
    pub(crate) mod attacker;
    pub(crate) mod draw;
    pub(crate) mod environment;
    pub(crate) mod judgement;
    pub(crate) mod laws;
    pub(crate) mod ledger;
    pub(crate) mod moves;
    pub(crate) mod report;
    pub(crate) mod scenario;
    pub(crate) mod space;
    pub(crate) mod trees;
    pub(crate) mod view;
}
