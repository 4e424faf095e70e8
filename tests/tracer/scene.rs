//! The ground of a run: a root, directories of the adversary's, a canary, and what the program is asked for.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode as Bits, OFlags};
use tempfile::TempDir;

use crate::support::ground::temp_dir;
use crate::view::{Id, View};

/// What the link says before, and what it is to say.
pub(crate) const OLD: &str = "../t1";
pub(crate) const NEW: &str = "../t2";

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    Create,
    /// `create -p` below two missing directories.
    Parents,
    /// `ensure` where nothing is.
    EnsureNew,
    /// `ensure` where another link is.
    EnsureOld,
    /// `ensure` where it is so already.
    EnsureSame,
    BackupFile,
    BackupDir,
    Swap,
    /// A swap that expects another text than is there.
    SwapStale,
    /// Two links of one directory.
    Exchange,
    /// Two links of two directories.
    ExchangeAcross,
    Remove,
    RemoveExpected,
    Repair,
}

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
    Verb::Repair,
];

impl Verb {
    pub(crate) fn arguments(self) -> &'static [&'static str] {
        match self {
            Verb::Create => &["create", "q/p/l", "--to", "q/t2"],
            Verb::Parents => &["create", "-p", "q/n1/n2/l", "--to", "q/t2"],
            Verb::EnsureNew | Verb::EnsureOld | Verb::EnsureSame => &["ensure", "q/p/l", "--to", "q/t2"],
            Verb::BackupFile | Verb::BackupDir => &["ensure", "q/p/l", "--to", "q/t2", "--backup"],
            Verb::Swap => &["swap", "q/p/l", "--to", "q/t2", "--expect", OLD],
            Verb::SwapStale => &["swap", "q/p/l", "--to", "q/t2", "--expect", "../t3"],
            Verb::Exchange => &["exchange", "q/p/l", "q/p/m"],
            Verb::ExchangeAcross => &["exchange", "q/p/l", "q/r/m"],
            Verb::Remove => &["remove", "q/p/l"],
            Verb::RemoveExpected => &["remove", "q/p/l", "--expect", OLD],
            Verb::Repair => &["repair", "q", "--retarget", "../t1=../t2"],
        }
    }

    /// The paths of the links that it is about.
    pub(crate) fn links(self) -> &'static [&'static str] {
        match self {
            Verb::Parents => &["q/n1/n2/l"],
            Verb::Exchange => &["q/p/l", "q/p/m"],
            Verb::ExchangeAcross => &["q/p/l", "q/r/m"],
            _ => &["q/p/l"],
        }
    }

    pub(crate) fn is_exchange(self) -> bool {
        matches!(self, Verb::Exchange | Verb::ExchangeAcross)
    }

    pub(crate) fn is_backup(self) -> bool {
        matches!(self, Verb::BackupFile | Verb::BackupDir)
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

/// Who may write the link's directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Only the program's user; the adversary is the same, and keeps away from what is staged.
    Private,
    /// Everybody, but not the root.
    Open,
}

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

/// Directories that are told apart by their role, wherever they are moved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    pub(crate) home: Id,
    pub(crate) base: Id,
    pub(crate) yard: Id,
    pub(crate) q: Id,
    pub(crate) p: Id,
    pub(crate) r: Id,
    /// A directory of the adversary's outside the root.
    pub(crate) beyond: Id,
    pub(crate) out: Id,
}

pub(crate) struct Scene {
    pub(crate) scenario: Scenario,
    pub(crate) ground: PathBuf,
    pub(crate) places: Places,
    /// The tree before anything was done.
    pub(crate) first: View,
    /// Held, so that no number is given to another; directories are worked in through these.
    held: BTreeMap<Id, OwnedFd>,
    _dir: TempDir,
}

impl Scene {
    pub(crate) fn new(scenario: Scenario) -> Scene {
        let dir = temp_dir();
        let ground = dir.path().canonicalize().expect("the ground is there");
        let make = |path: &str| fs::create_dir(ground.join(path)).expect("a new directory");
        ["home", "home/base", "home/base/yard", "home/base/q", "home/base/q/p", "home/base/q/r"]
            .into_iter()
            .for_each(make);
        ["home/base/q/t1", "home/base/q/t2", "home/base/q/t3", "beyond", "out", "out/yard"].into_iter().for_each(make);
        let link = |path: &str, text: &str| symlink(text, ground.join(path)).expect("a new link");
        let file = |path: &str| fs::write(ground.join(path), format!("what is in {path}")).expect("a new file");
        ["out/secret", "out/yard/l", "home/base/q/p/kept", "home/base/q/r/kept"].into_iter().for_each(file);
        link("out/current", "secret");
        match scenario.verb {
            Verb::Create | Verb::EnsureNew | Verb::Parents => {}
            Verb::EnsureSame => link("home/base/q/p/l", NEW),
            Verb::BackupFile => file("home/base/q/p/l"),
            Verb::BackupDir => {
                make("home/base/q/p/l");
                file("home/base/q/p/l/inside");
            }
            _ => link("home/base/q/p/l", OLD),
        }
        match scenario.verb {
            Verb::Exchange => link("home/base/q/p/m", NEW),
            Verb::ExchangeAcross => link("home/base/q/r/m", NEW),
            _ => {}
        }
        if scenario.layout == Layout::Open {
            for path in ["home", "home/base/q", "home/base/q/p", "home/base/q/r"] {
                fs::set_permissions(ground.join(path), fs::Permissions::from_mode(0o777)).expect("it is ours");
            }
        }
        let first = View::of(&ground);
        let at = |path: &str| first.walk(first.top, path).expect("it was made");
        let places = Places {
            home: at("home"),
            base: at("home/base"),
            yard: at("home/base/yard"),
            q: at("home/base/q"),
            p: at("home/base/q/p"),
            r: at("home/base/q/r"),
            beyond: at("beyond"),
            out: at("out"),
        };
        let mut scene = Scene { scenario, ground, places, held: BTreeMap::new(), _dir: dir, first: first.clone() };
        scene.hold(&first);
        scene
    }

    pub(crate) fn base(&self) -> PathBuf {
        self.ground.join("home/base")
    }

    /// Holds whatever is not held yet.
    pub(crate) fn hold(&mut self, view: &View) {
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

    pub(crate) fn view(&self) -> View {
        View::of(&self.ground)
    }

    /// The program with its arguments.
    pub(crate) fn command(&self) -> Vec<OsString> {
        self.command_with(self.scenario.verb.arguments(), &[])
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
