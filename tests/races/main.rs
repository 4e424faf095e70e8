//! The named races (`r_`): attackers change the tree while it is edited.
//!
//! An attacker is a thread or a process that repeats one change as fast as it can. Each race also runs against a naive
//! implementation with plain paths, where the attack must succeed: an attack that never works proves nothing. Operations
//! are counted as refused, retried or succeeded; where both outcomes are expected, a race continues until both occurred,
//! and fails at its deadline.
//!
//! `CAPLINK_ROUNDS=full` runs every race at full size, in some minutes: 20,000 rounds on the native backend and 1,000 on
//! each weaker one, 10,000 switches under the eyes of readers, 1,000 rounds of contenders. A usual run is a tenth of
//! that, and a fiftieth (`few`) under Landlock and on each other file system that root can mount.

#![cfg(target_os = "linux")]

mod arena;
mod attacker;
mod confined;
mod file_systems;
mod final_flip;
mod hygiene;
mod locks;
mod parent_flip;
mod readers;
mod releases;
mod rename_walk;
mod repairs;
mod tally;
mod winners;

#[path = "../support"]
mod support {
    pub(crate) mod environment;
    pub(crate) mod file_systems;
    pub(crate) mod ground;
    pub(crate) mod rounds;
    pub(crate) mod rows;
    pub(crate) mod snapshot;
    pub(crate) mod table;
    pub(crate) mod umask;
}

#[test]
fn a_size_that_no_race_knows_is_refused() {
    const RACE: &str = "readers::r_13_readers_never_find_the_name_absent";
    let mut race = std::process::Command::new(std::env::current_exe().unwrap());
    let ran = race.args(["--exact", RACE]).env("CAPLINK_ROUNDS", "fully").output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    assert!(!ran.status.success() && said.contains("CAPLINK_ROUNDS=fully: expected full or few"), "{said}");
}
