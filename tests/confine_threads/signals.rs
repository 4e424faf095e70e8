//! Signals whose handlers run on a confined thread, or on the one that waits for it.

use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::signal::{SigSet, Signal};
use rustix::process::{Pid, kill_process};

use super::alone::{alone, disturbed};
use super::fork::in_child;
use super::*;

/// Swaps of one link from `.` to `./` and back, alone and in batches; each has to succeed and to stand.
fn edits(dir: &TempDir, root: &Root) {
    let swap = |new: &str, old: &str| Edit::swap(path("l"), Target::verbatim(new), old);
    for turn in 0..1500 {
        let (new, old) = if turn % 2 == 0 { ("./", ".") } else { (".", "./") };
        let _ = root.apply(&swap(new, old)).unwrap();
        assert_eq!(fs::read_link(dir.path().join("l")).unwrap().as_os_str(), new);
    }
    let batch: Vec<Edit> =
        (0..1000).map(|turn| if turn % 2 == 0 { swap("./", ".").into() } else { swap(".", "./").into() }).collect();
    for result in root.apply_all(&batch) {
        let _ = result.unwrap();
    }
}

/// The names of the threads to which a signal can be delivered.
fn takers(signal: Signal) -> Vec<String> {
    let status = fs::read_dir("/proc/self/task").unwrap();
    let status = status.map(|task| fs::read_to_string(task.unwrap().path().join("status")).unwrap());
    let field =
        |status: &str, key: &str| status.lines().find_map(|line| line.strip_prefix(key)).unwrap().trim().to_owned();
    let takes = |status: &String| {
        let blocked = u64::from_str_radix(&field(status, "SigBlk:"), 16).unwrap();
        blocked & (1 << (signal as u32 - 1)) == 0
    };
    status.filter(takes).map(|status| field(&status, "Name:")).collect()
}

/// Makes the edits while signals come one after the other; each is handled before the next is sent.
fn among_signals(dir: &TempDir, root: &Root, handled: &AtomicBool) -> usize {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let mut sent = 0;
            SigSet::from(Signal::SIGALRM).thread_block().unwrap();
            while !stop.load(Ordering::Relaxed) {
                handled.store(false, Ordering::SeqCst);
                kill_process(rustix::process::getpid(), rustix::process::Signal::ALARM).unwrap();
                while !handled.load(Ordering::SeqCst) && !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
                sent += 1;
                std::thread::sleep(Duration::from_micros(50));
            }
            sent
        });
        let done = catch_unwind(AssertUnwindSafe(|| edits(dir, root)));
        stop.store(true, Ordering::Relaxed);
        let sent = sender.join().unwrap();
        done.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        sent
    })
}

#[test]
fn a_signal_handler_neither_fails_an_edit_nor_loses_one() {
    if !alone("signals::a_signal_handler_neither_fails_an_edit_nor_loses_one") {
        return;
    }
    let Some((_turn, dir, root)) = ground("a_signal_handler_neither_fails_an_edit_nor_loses_one") else { return };
    // A forked child has no thread of the test runner, which would take the signals.
    let child = in_child(|| {
        let _ = root.ensure("l", Target::verbatim(".")).unwrap();
        let handled = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(Signal::SIGALRM as i32, Arc::clone(&handled)).unwrap();
        // The kernel prefers the waiting thread; blocked there, only the confined one is left.
        assert_eq!(takers(Signal::SIGALRM).len(), 2);
        let waiting = among_signals(&dir, &root, &handled);
        SigSet::from(Signal::SIGALRM).thread_block().unwrap();
        assert_eq!(takers(Signal::SIGALRM), ["caplink-confine"]);
        let confined = among_signals(&dir, &root, &handled);
        assert!(waiting > 100 && confined > 100, "{waiting} and {confined} signals");
        true
    });
    assert!(child);
}

#[test]
fn a_program_that_is_stopped_and_continued_loses_no_edit() {
    let test = "signals::a_program_that_is_stopped_and_continued_loses_no_edit";
    let stop_and_continue = |child: &std::process::Child| {
        let pid = Pid::from_child(child);
        for signal in [rustix::process::Signal::STOP, rustix::process::Signal::CONT] {
            kill_process(pid, signal).unwrap();
        }
    };
    if !disturbed(test, stop_and_continue) {
        return;
    }
    let Some((_turn, dir, root)) = ground("a_program_that_is_stopped_and_continued_loses_no_edit") else { return };
    edits(&dir, &root);
}
