//! Threads of another user, and tests in a process of their own.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::thread;

use rustix::fs::{Gid, Uid};

/// The user that owns nothing.
const NOBODY: u32 = 65534;

/// Runs `act` as another user. Credentials are per thread; the rest of this process keeps its own.
pub(crate) fn as_nobody<T: Send>(act: impl FnOnce() -> T + Send) -> T {
    let acting = || {
        let (user, group) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
        rustix::thread::set_thread_groups(&[]).expect("root drops its groups");
        rustix::thread::set_thread_res_gid(group, group, group).expect("root changes its group");
        rustix::thread::set_thread_res_uid(user, user, user).expect("root changes its user");
        act()
    };
    match thread::scope(|scope| scope.spawn(acting).join()) {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Gives an entry to the user that owns nothing.
pub(crate) fn give_to_nobody(path: impl AsRef<Path>) {
    std::os::unix::fs::lchown(path, Some(NOBODY), Some(NOBODY)).expect("root gives entries away");
}

/// Runs another test of this program, otherwise ignored, in its own process behind `wrapper`.
pub(crate) fn in_a_process(wrapper: &[&str], test: &str, ground: &Path) {
    let this = std::env::current_exe().expect("a program has a path");
    let mut words: Vec<&OsStr> = wrapper.iter().map(OsStr::new).collect();
    words.push(this.as_os_str());
    let output = Command::new(words[0])
        .args(&words[1..])
        .args(["--exact", test, "--ignored", "--nocapture", "--test-threads", "1"])
        .env("CAPLINK_TEST_DIR", ground)
        .output()
        .expect("the program runs");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{test}:\n{out}\n{err}");
    assert!(out.contains("1 passed"), "{test} did not run:\n{out}");
}
