//! Which file of a room knows which, and that none of them go in a circle.
//!
//! A name that a file takes from its own `mod.rs` belongs to the file that it is re-exported from. So a `mod.rs` may show
//! what its files define, and they may know each other through it; what it defines itself they can know only if it knows
//! none of them.

use std::collections::{BTreeMap, BTreeSet};

use super::code;
use super::source::Source;

/// The files of the package, by the modules that lead to them.
pub(crate) struct Files<'a> {
    by_module: BTreeMap<Vec<String>, &'a Source>,
}

impl<'a> Files<'a> {
    pub(crate) fn new(sources: &'a [Source]) -> Files<'a> {
        let files = sources.iter().filter(|source| source.path.starts_with("src/") && !source.is_test());
        let module = |source: &Source| source.modules().into_iter().map(str::to_owned).collect();
        Files { by_module: files.map(|source| (module(source), source)).collect() }
    }

    /// Each circle of files in one room, as the paths of those that are in it.
    pub(crate) fn circles(&self) -> Vec<Vec<&'a str>> {
        let known: BTreeMap<&str, BTreeSet<&str>> =
            self.by_module.iter().map(|(module, source)| (&*source.path, self.known(module, source))).collect();
        let mut reached = BTreeMap::new();
        for path in known.keys() {
            let mut seen = BTreeSet::new();
            let mut next: Vec<&str> = known[path].iter().copied().collect();
            while let Some(file) = next.pop() {
                if seen.insert(file) {
                    next.extend(known[file].iter().copied());
                }
            }
            reached.insert(*path, seen);
        }
        let mut circles: Vec<Vec<&str>> = Vec::new();
        for (path, seen) in &reached {
            let circle: Vec<&str> = seen.iter().copied().filter(|other| reached[other].contains(path)).collect();
            if seen.contains(path) && !circles.contains(&circle) {
                circles.push(circle);
            }
        }
        circles
    }

    /// The other files of its room that a file refers to.
    fn known(&self, module: &[String], source: &Source) -> BTreeSet<&'a str> {
        let room = module.first();
        let paths = self.paths(module, source);
        let owners = paths.iter().filter_map(|path| self.owner(path, 8)).filter(|owner| owner.first() == room);
        owners.map(|owner| &*self.by_module[&owner].path).filter(|path| *path != source.path).collect()
    }

    /// The paths, from the top of the crate, that a file refers to.
    fn paths(&self, module: &[String], source: &Source) -> Vec<Vec<String>> {
        let mut paths = Vec::new();
        for import in code::imports_with_visibility(&source.code) {
            let path = absolute(module, &import.path);
            let name = import.path.rsplit("::").next().unwrap_or_default();
            // A re-export is no use of what it shows.
            if !import.is_public || source.uses_word(name) > 1 {
                paths.push(path);
            }
        }
        for path in code::inline_paths(&source.code) {
            let first = path.split("::").next().unwrap_or_default();
            let is_child = self.by_module.contains_key(&[module, &[first.to_owned()]].concat());
            if matches!(first, "crate" | "super" | "self") {
                paths.push(absolute(module, &path));
            } else if is_child {
                paths.push(absolute(module, &format!("self::{path}")));
            }
        }
        paths
    }

    /// The module whose file defines what a path leads to.
    fn owner(&self, path: &[String], depth: usize) -> Option<Vec<String>> {
        let length = (1..=path.len()).rev().find(|length| self.by_module.contains_key(&path[..*length]))?;
        let (module, rest) = path.split_at(length);
        let Some(name) = rest.first().filter(|_| depth > 0) else { return Some(module.to_vec()) };
        let source = self.by_module[module];
        let shown = code::imports_with_visibility(&source.code).into_iter();
        let shown = shown.filter(|import| import.is_public && import.path.rsplit("::").next() == Some(name));
        let children = shown.map(|import| absolute(module, &import.path)).filter(|path| path.starts_with(module));
        children.filter_map(|path| self.owner(&path, depth - 1)).next().or(Some(module.to_vec()))
    }
}

/// A path from the top of the crate. One that begins with a name is taken to begin in the module itself.
fn absolute(module: &[String], path: &str) -> Vec<String> {
    let mut from = module.to_vec();
    let mut segments: Vec<&str> = path.split("::").map(str::trim).collect();
    match segments.first() {
        Some(&"crate") => {
            from.clear();
            segments.remove(0);
        }
        Some(&"self") => {
            segments.remove(0);
        }
        _ => {}
    }
    while segments.first() == Some(&"super") {
        from.pop();
        segments.remove(0);
    }
    from.extend(segments.into_iter().map(|segment| segment.split(' ').next().unwrap_or_default().to_owned()));
    from
}

/// Rooms in which some files still go in a circle. A room leaves this list with its last circle, and none comes to it.
const KNOTTED: &[&str] = &["exec", "manifest", "resolve", "root", "scan", "sys"];

#[test]
fn the_files_of_a_room_import_each_other_one_way() {
    let sources = super::sources();
    let circles = Files::new(&sources).circles();
    let is_of = |path: &str, room: &str| path.split(['/', '.']).nth(1) == Some(room);
    let is_knotted = |circle: &[&str], room: &str| circle.iter().all(|path| is_of(path, room));
    let untold = circles.iter().filter(|circle| !KNOTTED.iter().any(|room| is_knotted(circle, room)));
    let told: Vec<String> = untold.map(|circle| circle.join(", ")).collect();
    assert!(told.is_empty(), "these files go in a circle:\n{}", told.join("\n"));
    for room in KNOTTED {
        assert!(circles.iter().any(|circle| is_knotted(circle, room)), "{room} has no circle any more");
    }
}

#[test]
fn a_circle_of_files_is_seen_and_a_line_is_none() {
    let circles = |files: &[(&str, &str)]| {
        let sources: Vec<Source> = files.iter().map(|(path, code)| Source::new(path, code)).collect();
        Files::new(&sources).circles().iter().map(|circle| circle.join(" ")).collect::<Vec<_>>()
    };
    let line = [
        ("src/room/mod.rs", "mod a;\nmod b;\nmod c;\npub use a::A;\npub(crate) use b::B;\nfn f() { c::g() }"),
        ("src/room/a.rs", "use super::B;\nuse super::c::{self, C};"),
        ("src/room/b.rs", "use crate::room::c::C;\nuse crate::other::D;"),
        ("src/room/c.rs", "use std::io;\n#[cfg(test)]\nmod tests {\nuse super::super::A;"),
        ("src/other/mod.rs", "use crate::room::A;"),
    ];
    assert_eq!(circles(&line), Vec::<String>::new());
    let with = |path: &'static str, code: &'static str| {
        let mut files = line.to_vec();
        files.iter_mut().find(|(of, _)| *of == path).unwrap().1 = code;
        circles(&files)
    };
    assert_eq!(with("src/room/c.rs", "use super::A;"), ["src/room/a.rs src/room/b.rs src/room/c.rs"]);
    assert_eq!(with("src/room/c.rs", "fn f() { super::f() }"), ["src/room/c.rs src/room/mod.rs"]);
    assert_eq!(with("src/room/c.rs", "fn f(b: crate::room::b::B) {}"), ["src/room/b.rs src/room/c.rs"]);
    assert_eq!(with("src/room/b.rs", "use super::{A, c};"), ["src/room/a.rs src/room/b.rs"]);
}
