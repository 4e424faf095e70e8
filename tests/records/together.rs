//! Several programs at once, and the bounds of the disk.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use cap_std::ambient_authority;
use caplink::records::{Actor, Author, Query, Records, Settings};
use caplink::{Kind, Policy, Root};
use tempfile::TempDir;

use super::ground::{Ground, author, mutations, release};

const WRITERS: usize = 8;
const ROUNDS: usize = 25;

#[test]
fn eight_writers_and_readers_lose_nothing() {
    let (ground, _) = Ground::recorded();
    let done = AtomicBool::new(false);
    let changed: usize = thread::scope(|scope| {
        let write = |writer: usize| {
            let root = ground.again();
            let mut changed = 0;
            for round in 0..ROUNDS {
                let own = root.ensure(format!("own{writer}"), release(1 + (round as u32) % 3)).unwrap();
                let shared = root.ensure("shared", release(1 + (writer + round) as u32 % 3));
                let outcomes = [Ok(own), shared];
                changed += outcomes.iter().flatten().filter(|outcome| outcome.effect.is_change()).count();
                // Whatever a change fell short of, it is recorded.
                assert!(outcomes.iter().flatten().all(|outcome| outcome.shortfalls.is_empty()));
            }
            changed
        };
        let writers: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(move || write(writer))).collect();
        let read = || {
            let mut most = 0;
            while !done.load(Ordering::Relaxed) {
                let records = ground.records();
                let count = mutations(&records, &Query::default()).len();
                assert!(count >= most);
                most = count;
                let checkpoint = records.checkpoint().unwrap();
                assert_eq!(records.verify(std::slice::from_ref(&checkpoint)).unwrap().vouched, checkpoint.size);
            }
        };
        let readers: Vec<_> = (0..2).map(|_| scope.spawn(read)).collect();
        let changed = writers.into_iter().map(|writer| writer.join().unwrap()).sum();
        done.store(true, Ordering::Relaxed);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        changed
    });
    let told = ground.mutations();
    let of_links = told.iter().filter(|mutation| mutation.link.is_some() && mutation.outcome != "failed").count();
    assert_eq!(of_links, changed);
    assert!(told.iter().all(|mutation| mutation.outcome != "unknown"));
    let _ = ground.records().verify(&[]).unwrap();
}

#[test]
fn another_holder_of_the_lock_is_waited_for_as_long_as_was_said() {
    let (ground, _) = Ground::recorded();
    let file = fs::File::open(ground.log()).unwrap();
    file.lock().unwrap();
    let records = ground.records().waiting(Duration::from_millis(50));
    let before = std::time::Instant::now();
    let error = ground.root.recorded(&records, author()).ensure("current", release(1)).unwrap_err();
    assert_eq!(error.kind(), Kind::Busy, "{error}");
    assert!(before.elapsed() >= Duration::from_millis(50));
    #[cfg(target_os = "linux")]
    assert_eq!(error.holder().map(|holder| holder.pid), Some(std::process::id()));
    // Whoever looks does not wait.
    assert_eq!(ground.told(), Vec::<String>::new());
    assert!(ground.records().verify(&[]).is_ok());
    file.unlock().unwrap();
    let _ = ground.root.recorded(&records, author()).ensure("current", release(1)).unwrap();
}

#[test]
fn a_log_that_was_moved_away_is_written_no_more() {
    let (ground, root) = Ground::recorded();
    let _ = root.ensure("current", release(1)).unwrap();
    let copy = fs::read(ground.log()).unwrap();
    fs::rename(ground.log(), ground.state().join("old")).unwrap();
    assert_eq!(root.ensure("current", release(2)).unwrap_err().kind(), Kind::Integrity);
    fs::write(ground.log(), copy).unwrap();
    assert_eq!(root.ensure("current", release(2)).unwrap_err().kind(), Kind::Integrity);
    assert_eq!(fs::read_link(ground.dir.path().join("current")).unwrap(), Path::new("releases/1"));
}

/// A small file system, which is there as long as this.
struct Small(TempDir);

impl Small {
    fn new(size: &str) -> Option<Small> {
        let dir = TempDir::new().unwrap();
        let options = format!("size={size},mode=700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "none"]).arg(dir.path()).output();
        if mounted.is_ok_and(|mounted| mounted.status.success()) {
            return Some(Small(dir));
        }
        eprintln!("SKIPPED: a small tmpfs cannot be mounted");
        None
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_refuses_a_mutation_before_anything_changes() {
    let Some(small) = Small::new("256k") else { return };
    let ground = Ground::new();
    let state = cap_std::fs::Dir::open_ambient_dir(small.0.path(), ambient_authority()).unwrap();
    let root = Root::open_ambient(ground.dir.path(), Policy::default(), ambient_authority()).unwrap();
    let root = root.with_state(&state, "state").unwrap();
    let (records, _) = Records::init(&root, Settings::default(), &author()).unwrap();
    let recorded = root.recorded(&records, author());
    let _ = recorded.ensure("current", release(1)).unwrap();
    let filler = small.0.path().join("filler");
    fs::write(&filler, vec![1; 252 * 1024]).err();
    let mut made = 1;
    let filled = fs::OpenOptions::new().write(true).open(&filler).unwrap();
    // Each time there is one block more, and entries of another length: what fits last ends at another place.
    for round in 0..10 {
        let reason = "x".repeat(1 + round * 37);
        let author = Author::new(Actor::default(), Some(&reason)).unwrap();
        let recorded = root.recorded(&records, author);
        let error = loop {
            match recorded.ensure("current", release(1 + made % 3)) {
                Ok(outcome) => {
                    assert!(outcome.shortfalls.is_empty(), "{:?}", outcome.shortfalls);
                    made += 1;
                }
                Err(error) => break error,
            }
            assert!(made < 1000, "the disk is never full");
        };
        assert_eq!(error.kind(), Kind::NoSpace, "{error}");
        filled.set_len(filled.metadata().unwrap().len() / 4096 * 4096 - 4096).unwrap();
    }
    filled.set_len(0).unwrap();
    fs::write(&filler, vec![1; 252 * 1024]).err();
    while recorded.ensure("current", release(1 + made % 3)).is_ok() {
        made += 1;
    }
    assert_eq!(recorded.remove("current").unwrap_err().kind(), Kind::NoSpace);
    let told = mutations(&Records::open(&root).unwrap().unwrap(), &Query::default());
    assert_eq!(told.len() as u32, made + 1);
    assert!(told.iter().all(|mutation| mutation.outcome != "unknown"));
    drop(filled);
    fs::remove_file(filler).unwrap();
    let again = Records::open(&root).unwrap().unwrap();
    let _ = root.recorded(&again, author()).remove("current").unwrap();
    let _ = again.verify(&[]).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_child_that_was_forked_records_together_with_its_parent() {
    const CHANGES: u32 = 200;
    let (ground, root) = Ground::recorded();
    let work = |link: &str| {
        (0..CHANGES).all(|number| {
            let done = root.ensure(link, release(1 + number % 2));
            done.is_ok_and(|outcome| outcome.shortfalls.is_empty())
        })
    };
    let child = match ::fork::fork().unwrap() {
        ::fork::Fork::Child => std::process::exit(i32::from(!work("child"))),
        ::fork::Fork::Parent(child) => nix::unistd::Pid::from_raw(child),
    };
    let done = work("parent");
    let ended = nix::sys::wait::waitpid(child, None).unwrap();
    assert!(done, "the parent's");
    assert_eq!(ended, nix::sys::wait::WaitStatus::Exited(child, 0), "the child's");
    assert_eq!(ground.records().verify(&[]).unwrap().entries, 1 + 2 * 2 * u64::from(CHANGES));
}
