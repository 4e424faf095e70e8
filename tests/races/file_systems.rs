//! The races once more on each file system that this host can make.

use super::arena::{patience, race_within};
use super::support::file_systems::on_each_file_system;

/// What depends on how a file system looks up, renames and locks.
const RACES: &[&str] =
    &["r_01_a_parent", "r_06_a_root", "r_07_a_file", "r_09_of_eight", "r_13_readers", "r_20_a_state"];

#[test]
fn the_races_hold_on_each_file_system() {
    // Each of the races in there has a deadline of its own.
    race_within(patience() * 5, || {
        on_each_file_system("R-fs", |_, _, again| {
            again.args(RACES).env("CAPLINK_ROUNDS", "few");
        });
    });
}
