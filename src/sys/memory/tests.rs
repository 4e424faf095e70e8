//! The memory does what the kernel does: the same calls on both, from the same seed.

use std::ffi::{OsStr, OsString};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{Actor, Call, Errno, Memory, Object, Subject, Tree, Watch, World};
use crate::error::FileKind;
use crate::sys::{self, Abilities, Access, Calls, Handle};

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

/// One file system with the directories that were opened in it.
struct Side {
    calls: Arc<dyn Calls>,
    dirs: Vec<Handle>,
    pins: Vec<Handle>,
}

/// What a call came to, as far as callers look at it.
fn told<T: std::fmt::Debug>(result: io::Result<T>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("{:?}", error.kind()),
    }
}

impl Side {
    fn step(&mut self, draw: &mut Draw) -> String {
        let (calls, dirs) = (&*self.calls, &self.dirs);
        let (from, to) = (&dirs[draw.below(dirs.len())], &dirs[draw.below(dirs.len())]);
        let (name, other) = (OsStr::new(NAMES[draw.below(5)]), OsStr::new(NAMES[draw.below(5)]));
        let path = PathBuf::from(NAMES[draw.below(5)]).join(NAMES[draw.below(5)]);
        let pinned = draw.below(self.pins.len().max(1));
        let what = draw.below(18);
        let opened = |result: io::Result<Handle>| told(result.and_then(|handle| Ok(calls.stat(&handle)?.kind)));
        let result = match what {
            0 | 1 => told(calls.symlink(name, from, other, false)),
            2 | 3 => told(calls.make_dir(from, name, 0o755)),
            4 => told(calls.remove_dir(from, name)),
            5 => told(calls.unlink(from, name)),
            6 | 7 => told(calls.exchange((from, name), (to, other))),
            8 | 9 => told(calls.rename_new((from, name), (to, other))),
            10 => told(calls.rename_over((from, name), (to, other))),
            11 => told(calls.hard_link((from, name), (to, other))),
            12 => told(calls.read_link(from, name)),
            13 => told(calls.stat_at(from, name).map(|stat| (stat.kind, stat.links))),
            14 => opened(calls.reach(from, &path, pinned.is_multiple_of(2), false)),
            15 => opened(calls.reach_entry(from, &path, false)),
            16 => match self.pins.get(pinned) {
                Some(pin) => told(calls.stat(pin).map(|stat| (stat.kind, stat.links, calls.read_pinned(pin).ok()))),
                None => String::new(),
            },
            _ => told(calls.leads_somewhere(from, path.as_os_str())),
        };
        let line = format!("{what} {name:?} {other:?} {path:?}: {result}");
        let dir = calls.open_dir(from, Path::new(name), false, Access::Read);
        let pin = calls.pin(from, name);
        let line = format!(
            "{line}; {} {}",
            told(dir.as_ref().map(drop).map_err(copy)),
            told(pin.as_ref().map(drop).map_err(copy))
        );
        if let Ok(dir) = dir {
            self.dirs.push(dir);
            if self.dirs.len() > 12 {
                self.dirs.remove(1 + draw.below(11));
            }
        }
        if let Ok(pin) = pin {
            self.pins.push(pin);
            if self.pins.len() > 6 {
                self.pins.remove(0);
            }
        }
        line
    }

    /// Everything below the first directory, by name.
    fn tree(&self) -> Vec<String> {
        let mut lines = Vec::new();
        list(&*self.calls, &self.dirs[0], "", &mut lines);
        lines.sort();
        lines
    }
}

fn copy(error: &io::Error) -> io::Error {
    error.kind().into()
}

fn list(calls: &dyn Calls, dir: &Handle, at: &str, lines: &mut Vec<String>) {
    let mut names: Vec<OsString> = Vec::new();
    let visit = &mut |listed: sys::Listed<'_>| {
        names.push(listed.name.to_os_string());
        ControlFlow::Continue(())
    };
    let dir = calls.open_dir(dir, Path::new(""), false, Access::Read).unwrap();
    calls.list(&dir, visit).unwrap();
    for name in names {
        let stat = calls.stat_at(&dir, &name).unwrap();
        let at = format!("{at}/{}", name.display());
        lines.push(format!("{at} {:?} {} {:?}", stat.kind, stat.links, calls.read_link(&dir, &name).unwrap()));
        if stat.kind == FileKind::Dir {
            let below = calls.open_dir(&dir, Path::new(&name), false, Access::Search).unwrap();
            list(calls, &below, &at, lines);
        }
    }
}

/// Numbers from a seed.
#[derive(Clone)]
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

#[test]
fn the_memory_answers_as_the_kernel_does() {
    for seed in 0..12 {
        let dir = cap_tempfile::tempdir(cap_std::ambient_authority()).unwrap();
        let real = sys::root_handle(dir.try_clone().unwrap());
        let kernel = sys::calls(&real).unwrap();
        let world = World::new(Tree::new());
        let user = kernel.user();
        world.with(|tree| tree.set_up(Tree::ROOT, user, 0o755, 1));
        let (handle, memory) = Memory::open(&world, "", user, Abilities::ALL).unwrap();
        let mut sides = [(kernel, real), (memory as Arc<dyn Calls>, handle)].map(|(calls, root)| Side {
            calls,
            dirs: vec![root],
            pins: Vec::new(),
        });
        let mut draw = Draw(seed);
        for step in 0..500 {
            let mut draws = [draw.clone(), draw.clone()];
            let [kernel, memory] = [0, 1].map(|side| sides[side].step(&mut draws[side]));
            assert_eq!(kernel, memory, "seed {seed}, step {step}: the kernel, and the memory");
            draw = draws[0].clone();
        }
        assert_eq!(sides[0].tree(), sides[1].tree(), "seed {seed}");
    }
}

const OWNER: Subject = Subject { actor: Actor::Other, uid: 7 };
const STRANGER: Subject = Subject { actor: Actor::Other, uid: 8 };

fn shared(mode: u32) -> (Tree, Object) {
    let mut tree = Tree::new();
    let dir = tree.make(Subject { actor: Actor::Other, uid: 0 }, Tree::ROOT, "d", FileKind::Dir).unwrap();
    tree.set_up(dir, 0, mode, 1);
    tree.symlink(OWNER, OsStr::new("t"), dir, OsStr::new("l")).unwrap_or(dir);
    (tree, dir)
}

#[test]
fn a_sticky_directory_keeps_strangers_from_names() {
    for (mode, allowed) in [(0o777, Ok(())), (0o1777, Err(Errno::PERM))] {
        let (mut tree, dir) = shared(mode);
        tree.make(STRANGER, dir, "f", FileKind::File).unwrap();
        let (l, f) = ((dir, OsStr::new("l")), (dir, OsStr::new("f")));
        assert_eq!(tree.exchange(STRANGER, f, l), allowed, "{mode:o}");
        assert_eq!(tree.get(dir, l.1).is_some_and(|found| tree.text(found).is_some()), allowed.is_err());
        assert_eq!(tree.rename_over(STRANGER, f, l), allowed, "{mode:o}");
        if allowed.is_err() {
            assert_eq!(tree.unlink(STRANGER, dir, l.1), allowed);
            assert_eq!(tree.rename_new(STRANGER, l, (dir, OsStr::new("x"))), allowed);
            tree.unlink(OWNER, dir, l.1).unwrap();
        }
    }
    let (mut tree, dir) = shared(0o755);
    assert_eq!(tree.make(STRANGER, dir, "f", FileKind::File), Err(Errno::ACCESS));
}

#[test]
fn an_inode_number_is_given_again_unless_a_descriptor_holds_it() {
    let (tree, dir) = shared(0o777);
    let world = World::new(tree);
    let (handle, memory) = Memory::open(&world, "d", 7, Abilities::ALL).unwrap();
    let inode = || memory.stat_at(&handle, OsStr::new("l")).unwrap().id.inode;
    let again = || {
        memory.unlink(&handle, OsStr::new("l")).unwrap();
        memory.symlink(OsStr::new("t"), &handle, OsStr::new("l"), false).unwrap();
    };
    let first = inode();
    again();
    assert_eq!(inode(), first);
    let pin = memory.pin(&handle, OsStr::new("l")).unwrap();
    again();
    assert_ne!(inode(), first);
    drop(pin);
    again();
    assert_eq!(world.with(|tree| tree.entries(dir).len()), 1);
    assert_eq!(world.with(|tree| tree.descriptors()), 1);
}

struct Listener(Arc<Mutex<Vec<String>>>);

impl Watch for Listener {
    fn before(&mut self, _tree: &mut Tree, _call: Call) -> Option<Errno> {
        None
    }

    fn after(&mut self, _tree: &mut Tree, _call: Call, _result: Result<(), Errno>) {}

    fn told(&mut self, answer: &dyn std::fmt::Debug) {
        self.0.lock().unwrap().push(format!("{answer:?}"));
    }
}

#[test]
fn whoever_watches_is_told_what_is_learned_by_calls_and_without() {
    let (tree, dir) = shared(0o755);
    let world = World::new(tree);
    let (handle, memory) = Memory::open(&world, "d", 7, Abilities::ALL).unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    world.watch(Box::new(Listener(Arc::clone(&told))));
    memory.sleep(Duration::from_secs(3));
    assert!(!memory.may_change_names(&handle).unwrap());
    assert_eq!(memory.clock(), Duration::from_secs(3));
    assert!(memory.stat_at(&handle, OsStr::new("l")).is_err());
    drop(memory.reach(&handle, Path::new(""), true, false).unwrap());
    let pin = format!("Ok(Handle(Memory(Pin({}, 3, false))))", dir.0);
    assert_eq!(
        *told.lock().unwrap(),
        ["false", "3s", "Err(Os { code: 2, kind: NotFound, message: \"No such file or directory\" })", &pin]
    );
}

#[test]
fn a_crash_leaves_what_a_journal_can_leave() {
    let (mut tree, dir) = shared(0o777);
    tree.settle();
    let (l, n, m) = ((dir, OsStr::new("l")), (dir, OsStr::new("n")), (dir, OsStr::new("m")));
    tree.symlink(OWNER, OsStr::new("new"), dir, n.1).unwrap();
    tree.symlink(OWNER, OsStr::new("free"), dir, m.1).unwrap();
    tree.exchange(OWNER, n, l).unwrap();
    tree.unlink(OWNER, dir, n.1).unwrap();
    let seen = |tree: &Tree| {
        let text = |image: &super::Image, name| {
            image.get(dir, name).map_or("-".to_owned(), |link| tree.text(link).unwrap().to_string_lossy().into_owned())
        };
        let mut seen: Vec<String> =
            tree.images().iter().map(|image| [l.1, n.1, m.1].map(|name| text(image, name)).join(" ")).collect();
        seen.sort();
        seen
    };
    let all = ["new - -", "new - free", "new t -", "new t free", "t - -", "t - free", "t new -", "t new free"];
    assert_eq!(seen(&tree), all);
    tree.sync_dir(Tree::ROOT);
    assert_eq!(seen(&tree), all, "another directory");
    tree.sync_dir(dir);
    assert_eq!(seen(&tree), ["new - free"]);
    tree.settle();
    let made = tree.make(OWNER, dir, "new", FileKind::Dir).unwrap();
    tree.rename_new(OWNER, l, (made, OsStr::new("l"))).unwrap();
    assert!(
        !tree.images().iter().any(|image| image.get(dir, l.1).is_none() && image.get(dir, OsStr::new("new")).is_none())
    );
    tree.sync_dir(made);
    assert_eq!(tree.images().len(), 2, "its own name is not synced with it");
}
