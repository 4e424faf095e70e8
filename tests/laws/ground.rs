//! A root to be attacked, and attackers that count.

use super::*;

/// Exchange and no-replace, or neither.
pub(crate) const ABILITIES: [Abilities; 3] = [
    Abilities::ALL,
    Abilities { confined_open: false, ..Abilities::ALL },
    Abilities { confined_open: false, exchange: false, no_replace: false },
];

/// A root with files, directories and links, and a canary beside it.
pub(crate) struct Ground(pub(crate) TempDir);

impl Ground {
    pub(crate) fn new() -> Ground {
        let ground = Ground(support::ground::temp_dir());
        for dir in ["root/d/e", "root/releases", "canary"] {
            fs::create_dir_all(ground.at(dir)).unwrap();
        }
        for file in ["root/t", "root/u", "root/d/f", "root/releases/1", "root/releases/2", "canary/x"] {
            fs::write(ground.at(file), file).unwrap();
        }
        for (text, link) in [("../t", "root/d/l"), ("../u", "root/d/m"), ("t", "root/l"), ("../canary", "root/out")] {
            symlink(text, ground.at(link)).unwrap();
        }
        rustix::fs::mknodat(CWD, ground.at("root/fifo"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        ground
    }

    pub(crate) fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(path)
    }

    pub(crate) fn open(&self, abilities: Abilities) -> Root {
        let authority = cap_std::ambient_authority();
        Root::open_ambient(self.at("root"), Policy::default(), authority).unwrap().with_abilities(abilities)
    }

    pub(crate) fn tree(&self) -> support::snapshot::Tree {
        without_directory_times(tree(&self.at("root")))
    }
}

/// Past the capture of the test harness, so that it is always seen.
pub(crate) fn told_aloud(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

pub(crate) fn path(text: &str) -> LinkPath {
    LinkPath::new(text).unwrap()
}

pub(crate) fn exchange(a: &Path, b: &Path) {
    renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE).unwrap();
}

/// Ends an attack, also where the work panics.
pub(crate) struct Ends<'a>(pub(crate) &'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs `attack` again and again beside `work`, and returns how often.
pub(crate) fn beside(mut attack: impl FnMut() + Send, work: impl FnOnce()) -> u64 {
    let (done, count) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                attack();
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        let _ends = Ends(&done);
        work();
    });
    count.into_inner()
}

/// Every edit on this name, whatever it comes to.
pub(crate) fn every_edit(root: &Root, name: &str) -> Vec<Result<Outcome>> {
    let to = || Target::relative("releases/1");
    vec![
        root.create(name, to()),
        root.ensure(name, to()),
        root.swap(name, to(), "t"),
        root.remove(name),
        root.apply(&Edit::ensure(path(name), Target::relative("gone")).allow_dangling(true)),
        root.apply(&Edit::remove(path(name)).missing_ok(true).expect("x")),
        root.exchange(name, "d/l"),
        root.exchange("d/l", name),
    ]
}
