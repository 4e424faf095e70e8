//! What a run is asked for by the environment is understood, or refused before anything is played.

use std::process::Command;

#[test]
fn a_request_that_no_test_knows_is_refused() {
    const PLAYS: &str = "singles::one_action_before_any_call_breaks_no_law";
    for (name, value, expected) in [
        ("CAPLINK_SCHEDULES", "every", "CAPLINK_SCHEDULES=every: expected all or pairs"),
        ("CAPLINK_SEED", "0x1", "CAPLINK_SEED=0x1: expected a number"),
        ("CAPLINK_ONE_OF", "-1", "CAPLINK_ONE_OF=-1: expected a number"),
    ] {
        let mut plays = Command::new(std::env::current_exe().unwrap());
        let ran = plays.args(["--exact", PLAYS]).env(name, value).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stdout);
        assert!(!ran.status.success() && said.contains(expected), "{name}={value}: {said}");
    }
}
