//! A test in a process of its own.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Names the test that this process runs alone.
const INSIDE: &str = "CAPLINK_TEST_INSIDE";

/// Whether this process runs this test alone. If not, one is started that does, and has to succeed.
pub(crate) fn alone(test: &str) -> bool {
    disturbed(test, |_| {})
}

/// The same, while `disturb` acts on that process in a loop.
pub(crate) fn disturbed(test: &str, disturb: impl Fn(&Child)) -> bool {
    if std::env::var(INSIDE).is_ok_and(|inside| inside == test) {
        return true;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    let mut inside =
        command.env(INSIDE, test).args([test, "--exact", "--nocapture", "--test-threads=1"]).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(90);
    loop {
        if let Some(status) = inside.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return false;
        }
        disturb(&inside);
        if Instant::now() > deadline {
            inside.kill().unwrap();
            inside.wait().unwrap();
            panic!("it hangs");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
