//! The operations, and the ways to carry out each.

use std::fs;
use std::os::fd::AsFd as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use cap_std::fs::Dir;
use caplink::{Edit, Effect, Entry, LinkPath, Outcome, Policy, Root, Target};
use pathrs::InodeType;
use pathrs::flags::RenameFlags;
use rustix::fs::OFlags;

use crate::Result;
use crate::bare::{self, Bare};

/// Links that are made before they are cleared away; even, so that what goes to and fro ends where it began.
pub(super) const LINKS: usize = 256;

/// The directory of the links, below the root.
const DIR: &str = "srv/app";

/// Two targets, as paths below the root and as they read from `DIR`.
const TARGETS: [(&str, &str); 2] = [("srv/v1", "../v1"), ("srv/v2", "../v2")];

/// One way to carry out an operation.
pub(super) struct Way {
    pub(super) name: &'static str,
    pub(super) run: Box<dyn FnMut(usize) -> Result<()>>,
}

/// One operation.
pub(super) struct Group {
    pub(super) operation: &'static str,
    /// The most that caplink should take, as a multiple of the first way.
    pub(super) goal: Option<f64>,
    /// Each run makes a link that is then cleared away.
    pub(super) leaves_links: bool,
    pub(super) ways: Vec<Way>,
}

/// Clears away the links that were made.
pub(super) fn clear(room: &Path) -> Result<()> {
    for index in 0..LINKS {
        fs::remove_file(room.join(DIR).join(format!("l{index}")))?;
    }
    Ok(())
}

/// Everything that is prepared before the clock runs.
struct Scene {
    room: PathBuf,
    names: Vec<String>,
    paths: Vec<String>,
}

impl Scene {
    fn bare(&self) -> Result<Bare> {
        Ok(Bare::new(&self.room)?)
    }

    fn root(&self, policy: Policy) -> Result<Root> {
        Ok(Root::open_ambient(&self.room, policy, cap_std::ambient_authority())?)
    }

    fn dir(&self) -> Result<Dir> {
        Ok(Dir::open_ambient_dir(&self.room, cap_std::ambient_authority())?)
    }

    fn pathrs(&self) -> Result<pathrs::Root> {
        Ok(pathrs::Root::open(&self.room)?)
    }

    fn absolute(&self) -> Vec<PathBuf> {
        self.paths.iter().map(|path| self.room.join(path)).collect()
    }

    fn entries(&self, paths: &[String]) -> Result<Vec<Entry>> {
        let root = self.root(Policy::default().unverified(true))?;
        Ok(paths.iter().map(|path| root.entry(path)).collect::<caplink::Result<_>>()?)
    }
}

/// Builds the tree in `room`, and all operations on it.
pub(super) fn groups(room: &Path) -> Result<Vec<Group>> {
    fs::create_dir_all(room.join(DIR))?;
    for (target, _) in TARGETS {
        fs::create_dir(room.join(target))?;
    }
    symlink(TARGETS[0].1, room.join(DIR).join("current"))?;
    symlink(TARGETS[0].0, room.join("current"))?;
    let names: Vec<String> = (0..LINKS).map(|index| format!("l{index}")).collect();
    let paths = names.iter().map(|name| format!("{DIR}/{name}")).collect();
    let scene = Scene { room: room.to_path_buf(), names, paths };
    Ok(vec![
        create(&scene, false)?,
        create(&scene, true)?,
        create_from_entry(&scene)?,
        ensure(&scene)?,
        ensure_from_entry(&scene)?,
        ensure_in_root(&scene)?,
        replace_locked(&scene)?,
        replace(&scene, false)?,
        replace(&scene, true)?,
    ])
}

fn way(name: &'static str, run: impl FnMut(usize) -> Result<()> + 'static) -> Way {
    Way { name, run: Box::new(run) }
}

fn expect(change: Effect, outcome: caplink::Result<Outcome>) -> Result<()> {
    let found = outcome?.effect;
    if found == change { Ok(()) } else { Err(format!("expected {change:?}, found {found:?}").into()) }
}

/// An edit that stores the text as it is and asks nothing of what it leads to.
fn unchecked<C: caplink::MakesLink>(edit: Edit<C>) -> Edit<C> {
    edit.unjudged(true)
}

fn create(scene: &Scene, checked: bool) -> Result<Group> {
    let (target, text) = TARGETS[0];
    let (bare, without) = (scene.bare()?, scene.bare()?);
    let (root, unverified) = (scene.root(Policy::default())?, scene.root(Policy::default().unverified(true))?);
    let apply = move |root: &Root, path: &str| match checked {
        true => expect(Effect::Created, root.create(path, Target::relative(target))),
        false => {
            let edit = unchecked(Edit::create(LinkPath::new(path)?, Target::verbatim(text)));
            expect(Effect::Created, root.apply(&edit))
        }
    };
    let made = move |bare: &Bare, path: &str, name: &str, read_back: bool| -> Result<()> {
        let parent = bare.parent(DIR)?;
        if checked {
            bare.check_target(target)?;
        }
        rustix::fs::symlinkat(text, &parent, name)?;
        if read_back {
            bare.read_back(parent.as_fd(), name, path, text)?;
        }
        Ok(())
    };
    let (names, paths) = (scene.names.clone(), scene.paths.clone());
    let mut ways = vec![way("bare calls", move |index| made(&bare, &paths[index], &names[index], true))];
    let paths = scene.paths.clone();
    ways.push(way("caplink", move |index| apply(&root, &paths[index])));
    let (names, paths) = (scene.names.clone(), scene.paths.clone());
    ways.push(way("bare, no read-back", move |index| made(&without, &paths[index], &names[index], false)));
    let paths = scene.paths.clone();
    ways.push(way("caplink, unverified", move |index| apply(&unverified, &paths[index])));
    if !checked {
        let paths = scene.absolute();
        ways.push(way("std", move |index| Ok(symlink(text, &paths[index])?)));
        let (dir, paths) = (scene.dir()?, scene.paths.clone());
        ways.push(way("cap-std", move |index| Ok(dir.symlink(text, &paths[index])?)));
        let (root, paths) = (scene.pathrs()?, scene.paths.clone());
        ways.push(way("pathrs", move |index| Ok(root.create(&paths[index], &InodeType::Symlink(text.into()))?)));
    }
    let operation = if checked { "create, target checked" } else { "create" };
    Ok(Group { operation, goal: Some(1.08), leaves_links: true, ways })
}

fn create_from_entry(scene: &Scene) -> Result<Group> {
    let (_, text) = TARGETS[0];
    let (bare, names) = (scene.bare()?.parent(DIR)?, scene.names.clone());
    let entries = scene.entries(&scene.paths)?;
    let edits: Vec<_> =
        entries.iter().map(|entry| unchecked(Edit::create(entry.path().clone(), Target::verbatim(text)))).collect();
    let ways = vec![
        way("bare calls", move |index| Ok(rustix::fs::symlinkat(text, &bare, &*names[index])?)),
        way("caplink", move |index| expect(Effect::Created, entries[index].apply(&edits[index]))),
    ];
    Ok(Group { operation: "create in an opened directory, unverified", goal: None, leaves_links: true, ways })
}

fn ensure(scene: &Scene) -> Result<Group> {
    let (target, text) = TARGETS[0];
    let path = format!("{DIR}/current");
    let same = |equal: bool| if equal { Ok(()) } else { Err("the link is another".into()) };
    let (bare, root, dir, pathrs) = (scene.bare()?, scene.root(Policy::default())?, scene.dir()?, scene.pathrs()?);
    let (absolute, below, inside) = (scene.room.join(&path), path.clone(), path.clone());
    let ways = vec![
        way("bare calls", move |_| same(bare::reads(bare.parent(DIR)?.as_fd(), "current", text)?)),
        way("caplink", move |_| expect(Effect::Unchanged, root.ensure(&path, Target::relative(target)))),
        way("std", move |_| same(fs::read_link(&absolute)?.as_os_str() == text)),
        way("cap-std", move |_| same(dir.read_link_contents(&below)?.as_os_str() == text)),
        way("pathrs", move |_| same(pathrs.readlink(&inside)?.as_os_str() == text)),
    ];
    Ok(Group { operation: "ensure, already so", goal: Some(1.12), leaves_links: false, ways })
}

fn ensure_from_entry(scene: &Scene) -> Result<Group> {
    let (_, text) = TARGETS[0];
    let bare = scene.bare()?.parent(DIR)?;
    let entry = scene.entries(&[format!("{DIR}/current")])?.remove(0);
    let edit = unchecked(Edit::ensure(entry.path().clone(), Target::verbatim(text)));
    let ways = vec![
        way("bare calls", move |_| {
            if bare::reads(bare.as_fd(), "current", text)? { Ok(()) } else { Err("the link is another".into()) }
        }),
        way("caplink", move |_| expect(Effect::Unchanged, entry.apply(&edit))),
    ];
    Ok(Group { operation: "ensure in an opened directory, already so", goal: None, leaves_links: false, ways })
}

fn ensure_in_root(scene: &Scene) -> Result<Group> {
    let (target, _) = TARGETS[0];
    let (bare, root, dir) = (scene.bare()?, scene.root(Policy::default())?, scene.dir()?);
    let same = |equal: bool| if equal { Ok(()) } else { Err("the link is another".into()) };
    let ways = vec![
        way("bare calls", move |_| same(bare::reads(bare.as_fd(), "current", target)?)),
        way("caplink", move |_| expect(Effect::Unchanged, root.ensure("current", Target::relative(target)))),
        way("cap-std", move |_| same(dir.read_link_contents("current")?.as_os_str() == target)),
    ];
    Ok(Group { operation: "ensure in the root itself, already so", goal: Some(1.3), leaves_links: false, ways })
}

/// The same calls as caplink's, with a lock that blocks.
fn replace_locked(scene: &Scene) -> Result<Group> {
    let turn = |index: usize| (TARGETS[index % 2].1, TARGETS[(index + 1) % 2].1);
    let (bare, root) = (scene.bare()?, scene.root(Policy::default())?);
    let path = format!("{DIR}/current");
    let ways = vec![
        way("bare calls", move |index| {
            let (old, new) = turn(index);
            match bare::locked_exchange(&bare, (DIR, "current"), &format!(".staged-{index:032x}"), old, new)? {
                true => Ok(()),
                false => Err("the link is another".into()),
            }
        }),
        way("caplink", move |index| {
            let (old, new) = turn(index);
            let edit = unchecked(Edit::swap(LinkPath::new(&path)?, Target::verbatim(new), old));
            expect(Effect::Replaced, root.apply(&edit))
        }),
    ];
    Ok(Group { operation: "replace, under a lock", goal: Some(1.05), leaves_links: false, ways })
}

fn replace(scene: &Scene, checked: bool) -> Result<Group> {
    let path = format!("{DIR}/current");
    let turn = |index: usize| (TARGETS[index % 2], TARGETS[(index + 1) % 2]);
    let staged = |index: usize| format!(".staged-{index:032x}");
    let bare = scene.bare()?;
    let back = path.clone();
    let mut ways = vec![way("bare calls", move |index| {
        let ((_, old), (target, new)) = turn(index);
        let staged = staged(index);
        let parent = bare.parent(DIR)?;
        if checked {
            bare.check_target(target)?;
        }
        Bare::exchange(parent.as_fd(), &staged, "current", new)?;
        bare.read_back(parent.as_fd(), "current", &back, new)?;
        Ok(Bare::verify_and_unlink(parent.as_fd(), &staged, old)?)
    })];
    let (root, unverified) = (scene.root(Policy::default())?, scene.root(Policy::default().unverified(true))?);
    for (name, root) in [("caplink", root), ("caplink, unverified", unverified)] {
        let path = path.clone();
        ways.push(way(name, move |index| {
            let ((_, old), (target, new)) = turn(index);
            if checked {
                return expect(Effect::Replaced, root.swap(&path, Target::relative(target), old));
            }
            let edit = unchecked(Edit::swap(LinkPath::new(&path)?, Target::verbatim(new), old));
            expect(Effect::Replaced, root.apply(&edit))
        }));
    }
    if !checked {
        let (bare, dir, pathrs) = (scene.bare()?, scene.dir()?, scene.pathrs()?);
        ways.push(way("bare, rename over", move |index| {
            let (_, (_, new)) = turn(index);
            let parent = bare.open(DIR, OFlags::DIRECTORY)?;
            rustix::fs::symlinkat(new, &parent, &*staged(index))?;
            Ok(rustix::fs::renameat(&parent, &*staged(index), &parent, "current")?)
        }));
        let room = scene.room.clone();
        let absolute = room.join(&path);
        ways.push(way("std, rename over", move |index| {
            let beside = room.join(DIR).join(staged(index));
            symlink(turn(index).1.1, &beside)?;
            Ok(fs::rename(&beside, &absolute)?)
        }));
        let name = path.clone();
        ways.push(way("cap-std, rename over", move |index| {
            let beside = format!("{DIR}/{}", staged(index));
            dir.symlink(turn(index).1.1, &beside)?;
            Ok(dir.rename(&beside, &dir, &name)?)
        }));
        ways.push(way("pathrs, rename over", move |index| {
            let beside = format!("{DIR}/{}", staged(index));
            pathrs.create(&beside, &InodeType::Symlink(turn(index).1.1.into()))?;
            Ok(pathrs.rename(&beside, &path, RenameFlags::empty())?)
        }));
    }
    let operation = if checked { "replace, target checked" } else { "replace" };
    Ok(Group { operation, goal: Some(1.35), leaves_links: false, ways })
}
