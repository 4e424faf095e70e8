//! The races once more, against roots that the kernel confines.

use std::process::{Command, Stdio};

use caplink::{Abilities, Enforcement};

use super::arena::{ALL_CONFINED, Arena, turn};
use super::support::rows::{ROWS, rows};
use super::support::table::left_out;

#[test]
fn the_races_hold_under_landlock() {
    let _turn = turn();
    if let Err(error) = Arena::new().root(Abilities::ALL).confined(Enforcement::Require) {
        return left_out("R-confined", &error.to_string());
    }
    let mut again = Command::new(std::env::current_exe().unwrap());
    again
        .args(["r_0", "r_1", "r_2", "--skip", "with_plain_paths"])
        .env(ALL_CONFINED, "1")
        .env(ROWS, rows())
        .stderr(Stdio::inherit());
    if std::env::var_os("CAPLINK_ROUNDS").is_none() {
        again.env("CAPLINK_ROUNDS", "few");
    }
    let output = again.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && !said.contains(" 0 passed"), "{said}");
}
