//! The trees of the scenarios: `home/base` is the root, `out` the canary, `beyond` a directory of the attacker's outside.

use caplink::FileKind;

use super::scenario::{Built, GONE, Layout, NEW, OLD, Occupant, STALE, Verb};

/// Where the root is.
pub(crate) const ROOT: &str = "home/base";

/// Who owns an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Superuser,
    Executor,
    Attacker,
}

/// One entry of a tree.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) path: String,
    pub(crate) kind: FileKind,
    /// The text of a link.
    pub(crate) text: &'static str,
    pub(crate) owner: Owner,
    pub(crate) mode: u32,
}

fn dir(path: &str, owner: Owner, mode: u32) -> Entry {
    Entry { path: path.into(), kind: FileKind::Dir, text: "", owner, mode }
}

fn file(path: &str, owner: Owner, mode: u32) -> Entry {
    Entry { path: path.into(), kind: FileKind::File, text: "", owner, mode }
}

fn link(path: &str, text: &'static str, owner: Owner) -> Entry {
    Entry { path: path.into(), kind: FileKind::Symlink, text, owner, mode: 0o777 }
}

/// Owner and mode of the root, of the directory `q` in it, and of the link's directory `q/p`.
fn directories(layout: Layout) -> [(Owner, u32); 3] {
    use Owner::{Attacker, Executor, Superuser};
    match layout {
        Layout::Private => [(Executor, 0o755); 3],
        Layout::Sticky => [(Executor, 0o755), (Executor, 0o755), (Superuser, 0o1777)],
        Layout::StickyOther => [(Superuser, 0o755), (Superuser, 0o755), (Superuser, 0o1777)],
        Layout::Open | Layout::OpenSame => [(Executor, 0o755), (Executor, 0o777), (Executor, 0o777)],
        Layout::Tenant => [(Superuser, 0o755), (Attacker, 0o755), (Attacker, 0o755)],
        Layout::OpenRoot => [(Executor, 0o777); 3],
        Layout::NoState => [(Superuser, 0o755), (Attacker, 0o777), (Attacker, 0o777)],
    }
}

/// Every entry of a scenario's tree, a directory before what is in it.
pub(crate) fn entries(verb: Verb, layout: Layout) -> Vec<Entry> {
    let [(root, root_mode), (q, q_mode), (p, p_mode)] = directories(layout);
    let owner = match layout {
        Layout::StickyOther | Layout::Tenant | Layout::NoState => Owner::Attacker,
        _ => Owner::Executor,
    };
    let mut entries = vec![
        dir("out", Owner::Superuser, 0o755),
        dir("out/yard", Owner::Attacker, 0o755),
        dir("beyond", Owner::Attacker, 0o755),
        dir("home", Owner::Attacker, 0o777),
        dir("home/base", root, root_mode),
        dir("home/base/yard", Owner::Attacker, 0o755),
        dir("home/base/q", q, q_mode),
        dir("home/base/q/p", p, p_mode),
        dir("home/base/q/r", p, p_mode),
        dir("home/base/q/t1", Owner::Executor, 0o755),
        dir("home/base/q/t2", Owner::Executor, 0o755),
        dir("home/base/q/t3", Owner::Executor, 0o755),
        file("out/secret", Owner::Superuser, 0o600),
        file("out/yard/l", Owner::Superuser, 0o600),
        link("out/current", "secret", Owner::Superuser),
        file("home/base/q/p/kept", owner, 0o644),
        file("home/base/q/r/kept", owner, 0o644),
    ];
    entries.extend(match verb {
        Verb::Create | Verb::EnsureNew | Verb::RemoveMaybe | Verb::Parents => None,
        Verb::EnsureSame => Some(link("home/base/q/p/l", NEW, owner)),
        Verb::BackupFile => Some(file("home/base/q/p/l", owner, 0o755)),
        Verb::BackupDir => Some(dir("home/base/q/p/l", owner, 0o755)),
        Verb::Built(built) => occupant(built, owner),
        _ => Some(link("home/base/q/p/l", OLD, owner)),
    });
    entries.extend(match verb {
        Verb::BackupDir => vec![file("home/base/q/p/l/inside", owner, 0o644)],
        Verb::Built(built) => built.links[1..].iter().map(|path| link(&format!("{ROOT}/{path}"), NEW, owner)).collect(),
        Verb::Exchange => vec![link("home/base/q/p/m", NEW, owner)],
        Verb::Series => vec![link("home/base/q/p/m", OLD, owner), link("home/base/q/p/c", OLD, owner)],
        Verb::ExchangeAcross => vec![link("home/base/q/r/m", NEW, owner)],
        Verb::Plan => vec![link("home/base/q/p/d", "../t3", owner), link("home/base/q/r/m", OLD, owner)],
        Verb::Repair => vec![
            link("home/base/q/r/m", GONE, owner),
            Entry { path: format!("{ROOT}/{STALE}"), ..link("", NEW, Owner::Executor) },
        ],
        _ => Vec::new(),
    });
    entries
}

/// What is under the name of a drawn edit at first. A staged link is always the executor's.
fn occupant(built: Built, owner: Owner) -> Option<Entry> {
    let owner = if built.links[0] == STALE { Owner::Executor } else { owner };
    let path = format!("{ROOT}/{}", built.links[0]);
    match built.found {
        Occupant::Nothing => None,
        Occupant::Link(text) => Some(link(&path, text, owner)),
        Occupant::File => Some(file(&path, owner, 0o755)),
        Occupant::Dir => Some(dir(&path, owner, 0o755)),
    }
}

/// Directories that are told apart by their role, wherever they are moved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places<Id> {
    pub(crate) home: Id,
    pub(crate) base: Id,
    /// A directory of the attacker's inside the root, and one outside.
    pub(crate) yard: Id,
    pub(crate) beyond: Id,
    pub(crate) out: Id,
    pub(crate) q: Id,
    pub(crate) p: Id,
    pub(crate) r: Id,
}

impl<Id> Places<Id> {
    /// The directories as they are found by their paths.
    pub(crate) fn of(find: impl Fn(&str) -> Id) -> Places<Id> {
        Places {
            home: find("home"),
            base: find("home/base"),
            yard: find("home/base/yard"),
            beyond: find("beyond"),
            out: find("out"),
            q: find("home/base/q"),
            p: find("home/base/q/p"),
            r: find("home/base/q/r"),
        }
    }
}
