//! The ground of a run: a root, directories of the attacker, a canary, and what the program is asked for.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use caplink::FileKind;
use rustix::fs::{Mode as Bits, OFlags};
use tempfile::TempDir;

use crate::support::attacker::Target;
use crate::support::ground::temp_dir;
use crate::support::ledger::{Ledger, Setting};
pub(crate) use crate::support::scenario::{Layout, NEW, OLD, Verb};
use crate::support::trees::{self, Places};
use crate::view::{Id, KernelTree};

/// The most calls of one run that concern the file system.
const CALLS_MAX: usize = 4000;

pub(crate) const VERBS: &[Verb] = &[
    Verb::Create,
    Verb::Parents,
    Verb::EnsureNew,
    Verb::EnsureOld,
    Verb::EnsureSame,
    Verb::BackupFile,
    Verb::BackupDir,
    Verb::Swap,
    Verb::SwapStale,
    Verb::Exchange,
    Verb::ExchangeAcross,
    Verb::Remove,
    Verb::RemoveExpected,
    Verb::RemoveMaybe,
    Verb::Retarget,
    Verb::Series,
];

/// The verb's words on the command line.
pub(crate) fn arguments(verb: Verb) -> &'static [&'static str] {
    match verb {
        Verb::Create => &["create", "q/p/l", "--to", "q/t2"],
        Verb::Parents => &["create", "-p", "q/n1/n2/l", "--to", "q/t2"],
        Verb::EnsureNew | Verb::EnsureOld | Verb::EnsureSame => &["ensure", "q/p/l", "--to", "q/t2"],
        Verb::BackupFile | Verb::BackupDir => &["ensure", "q/p/l", "--to", "q/t2", "--backup"],
        Verb::Swap => &["swap", "q/p/l", "--to", "q/t2", "--expect", OLD],
        Verb::SwapStale => &["swap", "q/p/l", "--to", "q/t2", "--expect", "../stale"],
        Verb::Exchange => &["exchange", "q/p/l", "q/p/m"],
        Verb::ExchangeAcross => &["exchange", "q/p/l", "q/r/m"],
        Verb::Remove => &["remove", "q/p/l"],
        Verb::RemoveExpected => &["remove", "q/p/l", "--expect", OLD],
        Verb::RemoveMaybe => &["remove", "q/p/l", "--missing-ok"],
        Verb::Retarget | Verb::Series => &["repair", "q", "--retarget", "../t1=../t2"],
        Verb::Plan | Verb::Repair | Verb::Built(_) => unreachable!("BUG: not one command of the program"),
    }
}

/// What the kernel has for the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) name: &'static str,
    /// Changes are made on a thread that Landlock confines.
    pub(crate) confined: bool,
    pub(crate) openat2: bool,
    pub(crate) renameat2: bool,
}

pub(crate) const HOSTS: &[Host] = &[
    Host { name: "confined", confined: true, openat2: true, renameat2: true },
    Host { name: "native", confined: false, openat2: true, renameat2: true },
    Host { name: "no openat2", confined: false, openat2: false, renameat2: true },
    Host { name: "no renameat2", confined: false, openat2: true, renameat2: false },
    Host { name: "confined, neither", confined: true, openat2: false, renameat2: false },
];

pub(crate) const LAYOUTS: &[Layout] = &[Layout::Private, Layout::Open];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scenario {
    pub(crate) verb: Verb,
    pub(crate) host: Host,
    pub(crate) layout: Layout,
}

impl Scenario {
    pub(crate) fn all() -> Vec<Scenario> {
        let mut all = Vec::new();
        for host in HOSTS {
            for layout in LAYOUTS {
                all.extend(VERBS.iter().map(|verb| Scenario { verb: *verb, host: *host, layout: *layout }));
            }
        }
        all
    }

    pub(crate) fn name(&self) -> String {
        format!("{:?}, {}, {:?}", self.verb, self.host.name, self.layout)
    }
}

pub(crate) struct Scene {
    pub(crate) scenario: Scenario,
    pub(crate) ground: PathBuf,
    pub(crate) places: Places<Id>,
    pub(crate) target: Target<Id>,
    /// The tree before anything was done.
    pub(crate) first: KernelTree,
    /// Held, so that no number is given to another; directories are worked in through these.
    held: BTreeMap<Id, OwnedFd>,
    _dir: TempDir,
}

impl Scene {
    pub(crate) fn new(scenario: Scenario) -> Scene {
        let dir = temp_dir();
        let ground = dir.path().canonicalize().expect("the ground is there");
        for entry in trees::entries(scenario.verb, scenario.layout) {
            let path = ground.join(&entry.path);
            match entry.kind {
                FileKind::Dir => fs::create_dir(&path).expect("a new directory"),
                FileKind::Symlink => symlink(entry.text, &path).expect("a new link"),
                _ => fs::write(&path, format!("what is in {}", entry.path)).expect("a new file"),
            }
            if entry.kind != FileKind::Symlink {
                fs::set_permissions(&path, fs::Permissions::from_mode(entry.mode)).expect("it is ours");
            }
        }
        let first = KernelTree::of(&ground);
        let places = Places::of(|path| first.walk(first.top, path).expect("it was made"));
        let canary = ground.join("out").to_string_lossy().into_owned();
        let target = Target::new(&first, (scenario.verb, scenario.layout), places, canary);
        let mut scene =
            Scene { scenario, ground, places, target, held: BTreeMap::new(), _dir: dir, first: first.clone() };
        scene.hold(&first);
        scene
    }

    /// An empty ledger of this scene.
    pub(crate) fn ledger(&self) -> Ledger<Id> {
        let Scenario { verb, layout, host } = self.scenario;
        let executor = rustix::process::geteuid().as_raw();
        let setting =
            Setting { verb, layout, places: self.places, executor, confined: host.confined, calls_max: CALLS_MAX };
        let Places { out, beyond, home, .. } = self.places;
        let canary = self.first.walk(out, "yard").expect("it was made");
        Ledger::new(setting, &self.first, vec![self.first.top, out, canary, beyond, home])
    }

    pub(crate) fn base(&self) -> PathBuf {
        self.ground.join("home/base")
    }

    /// Holds whatever is not held yet.
    pub(crate) fn hold(&mut self, view: &KernelTree) {
        for id in view.nodes.keys() {
            if self.held.contains_key(id) {
                continue;
            }
            let Some(path) = view.path(*id) else { continue };
            let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            if let Ok(fd) = rustix::fs::open(self.ground.join(path), flags, Bits::empty()) {
                self.held.insert(*id, fd);
            }
        }
    }

    /// A directory that is held, wherever it is by now.
    pub(crate) fn dir(&self, id: Id) -> Option<BorrowedFd<'_>> {
        self.held.get(&id).map(|fd| fd.as_fd())
    }

    pub(crate) fn view(&self) -> KernelTree {
        KernelTree::of(&self.ground)
    }

    /// Holds an object that was just made.
    pub(crate) fn hold_as(&mut self, id: Id, made: OwnedFd) {
        self.held.insert(id, made);
    }

    /// The program with its arguments.
    pub(crate) fn command(&self) -> Vec<OsString> {
        self.command_with(arguments(self.scenario.verb), &[])
    }

    pub(crate) fn command_with(&self, verb: &[&str], options: &[&str]) -> Vec<OsString> {
        let confine = if self.scenario.host.confined { "auto" } else { "off" };
        let mut command: Vec<OsString> =
            vec![env!("CARGO_BIN_EXE_caplink").into(), "--json".into(), "--confine".into(), confine.into()];
        command.push("-C".into());
        command.push(self.base().into());
        command.extend(options.iter().chain(verb).map(OsString::from));
        command
    }
}

/// Whether a text of a call leads to the root.
pub(crate) fn is_about(text: &str, base: &Path) -> bool {
    Path::new(text).starts_with(base)
}
