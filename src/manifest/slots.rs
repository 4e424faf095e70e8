//! Entries that are one link where a directory does not tell cases apart, found by identity.
//!
//! Two names that differ in case only are one entry if both lead to one inode and the directory lists one of them. Where
//! neither is there yet the directory is asked about another of its entries. An empty directory does not say; there the second
//! link meets the first when it is made, and is refused then.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::hash::{BuildHasher as _, Hash as _, Hasher as _, RandomState};
use std::path::Path;

use super::look::{Slots, folded, names};
use crate::entry::open_dir;
use crate::error::{Error, Result};
use crate::model::{LinkPath, ObjectId};
use crate::root::Root;
use crate::sys::{Access, Handle};

/// The slots of links whose directories are open. Links that are alone in theirs need none and get the plain one.
pub(super) fn slots(root: &Root, links: &[(&LinkPath, ObjectId)]) -> Result<Slots> {
    let twice = twice(links);
    let mut alike: HashMap<(ObjectId, OsString), Vec<&LinkPath>> = HashMap::new();
    for (link, dir) in links.iter().filter(|(link, dir)| twice.holds(*dir, link.name())) {
        alike.entry((*dir, folded(link.name()))).or_default().push(link);
    }
    let mut slots = Slots::new();
    for ((dir, name), links) in alike.into_iter().filter(|(_, links)| links.len() > 1) {
        let first = links[0];
        let same_spelling = links.iter().all(|link| link.name() == first.name());
        let folds = same_spelling || folds(root, first.parent(), &links)?;
        for link in links {
            let own = if folds { name.clone() } else { link.name().to_os_string() };
            slots.push((link.clone(), (dir, own)));
        }
    }
    Ok(slots)
}

/// Which links may not be alone in their slots, by a hash: nearly all are, and need no folded name.
struct Twice {
    seed: RandomState,
    hashes: HashSet<u64>,
}

fn twice(links: &[(&LinkPath, ObjectId)]) -> Twice {
    let mut twice = Twice { seed: RandomState::new(), hashes: HashSet::new() };
    let odd = odd(links);
    let mut once = HashSet::new();
    for (link, dir) in links.iter().filter(|(_, dir)| odd.contains(dir)) {
        let hash = twice.hash(*dir, link.name());
        if !once.insert(hash) {
            twice.hashes.insert(hash);
        }
    }
    twice
}

/// The directories in which two links can be one: those of a name that is another when it is folded, and those that have more
/// than one path. Two names that stay as they are and differ are two.
fn odd(links: &[(&LinkPath, ObjectId)]) -> HashSet<ObjectId> {
    let (mut odd, mut paths, mut last) = (HashSet::new(), HashMap::new(), None);
    for (link, dir) in links {
        let own = (link.parent().as_os_str(), *dir);
        if last.replace(own) != Some(own) && *paths.entry(*dir).or_insert(own.0) != own.0 {
            odd.insert(*dir);
        }
        let folded = |byte: &u8| byte.is_ascii() && !byte.is_ascii_uppercase();
        if !link.name().as_encoded_bytes().iter().all(folded) {
            odd.insert(*dir);
        }
    }
    odd
}

impl Twice {
    fn holds(&self, dir: ObjectId, name: &OsStr) -> bool {
        !self.hashes.is_empty() && self.hashes.contains(&self.hash(dir, name))
    }

    fn hash(&self, dir: ObjectId, name: &OsStr) -> u64 {
        let mut hasher = self.seed.build_hasher();
        dir.hash(&mut hasher);
        let bytes = name.as_encoded_bytes();
        let mut small = [0; 255];
        match small.get_mut(..bytes.len()).filter(|_| bytes.is_ascii()) {
            Some(small) => {
                small.copy_from_slice(bytes);
                small.make_ascii_lowercase();
                hasher.write(small);
            }
            None => hasher.write(folded(name).as_encoded_bytes()),
        }
        hasher.finish()
    }
}

/// Whether a directory takes names for one that differ in case only.
fn folds(root: &Root, dir: &Path, links: &[&LinkPath]) -> Result<bool> {
    let (handle, _) = match open_dir(root, dir, Access::Search) {
        Ok(opened) => opened,
        Err(error) if error.kind().tells_nothing() => return Err(error),
        Err(_) => return Ok(false),
    };
    let names_of: Vec<&OsStr> = links.iter().map(|link| link.name()).collect();
    Ok(is_one(&names_of, names(root, dir).as_ref(), &|name| id(root, &handle, name)))
}

/// Whether names are one entry, given what a directory lists, as far as that is known, and what has a name in it.
fn is_one(links: &[&OsStr], listed: Option<&HashSet<OsString>>, id: &dyn Fn(&OsStr) -> Option<ObjectId>) -> bool {
    // Where the list is not known hard links look the same; they are rarer than directories that fold.
    let is_listed = |name: &OsStr| listed.is_some_and(|listed| listed.contains(name));
    let ids: Vec<Option<ObjectId>> = links.iter().map(|name| id(name)).collect();
    if let Some(first) = ids.iter().flatten().next() {
        return ids.iter().all(|id| id.as_ref() == Some(first)) && !links.iter().all(|name| is_listed(name));
    }
    let another = listed.into_iter().flatten().find_map(|name| Some((name, flipped(name)?)));
    another.is_some_and(|(name, flipped)| id(name).is_some() && !is_listed(&flipped) && id(&flipped) == id(name))
}

fn id(root: &Root, dir: &Handle, name: &OsStr) -> Option<ObjectId> {
    root.calls().stat_at(dir, name).map_err(Error::from_io).ok().map(|stat| stat.id)
}

/// The name with small letters for capitals and the other way round; none where it has no letters.
fn flipped(name: &OsStr) -> Option<OsString> {
    let flip = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    let flipped: String = name.to_str()?.chars().map(flip).collect();
    (name != OsStr::new(&flipped)).then(|| flipped.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory with these names, each with its inode.
    fn directory<'d>(entries: &'d [(&str, u64)], folds: bool) -> impl Fn(&OsStr) -> Option<ObjectId> + 'd {
        move |name| {
            let same = |known: &str| match folds {
                true => known.eq_ignore_ascii_case(name.to_str().unwrap()),
                false => name == known,
            };
            entries.iter().find(|(known, _)| same(known)).map(|(_, inode)| ObjectId { device: 1, inode: *inode })
        }
    }

    #[test]
    fn names_are_one_where_the_directory_takes_them_for_one() {
        let names = [OsStr::new("Readme"), OsStr::new("README")];
        let one = |entries: &[(&str, u64)], folds| {
            let listed = entries.iter().map(|(name, _)| OsString::from(name)).collect();
            is_one(&names, Some(&listed), &directory(entries, folds))
        };
        assert!(one(&[("Readme", 1)], true) && one(&[("readme", 1)], true));
        assert!(!one(&[("Readme", 1)], false));
        assert!(!one(&[("Readme", 1), ("README", 2)], false));
        assert!(!one(&[("Readme", 1), ("README", 1)], false), "hard links are two entries");
        // Neither is there: another entry tells, and an empty directory does not.
        assert!(one(&[("1", 1), ("other", 2)], true) && !one(&[("other", 2)], false));
        assert!(!one(&[("other", 2), ("OTHER", 2)], false) && !one(&[], true) && !one(&[("1", 1)], true));
    }

    #[test]
    fn links_that_could_be_one_entry_are_found_in_each_directory() {
        let dirs = [1, 2].map(|inode| ObjectId { device: 1, inode });
        let long = "x".repeat(255);
        let longer = "X".repeat(255);
        let links = [(0, "a"), (1, "A"), (0, "b"), (0, "B"), (1, "Ä"), (1, "ä"), (0, &long), (0, &longer), (1, "c")];
        let paths: Vec<(LinkPath, ObjectId)> =
            links.iter().map(|(dir, name)| (LinkPath::new(name).unwrap(), dirs[*dir])).collect();
        let links: Vec<(&LinkPath, ObjectId)> = paths.iter().map(|(path, dir)| (path, *dir)).collect();
        let twice = twice(&links);
        let held: Vec<&OsStr> =
            links.iter().filter(|(link, dir)| twice.holds(*dir, link.name())).map(|(link, _)| link.name()).collect();
        assert_eq!(held, ["b", "B", "Ä", "ä", &long, &longer]);
    }

    #[test]
    fn only_names_of_directories_where_two_can_be_one_are_compared() {
        let dirs = [1, 2, 3, 4].map(|inode| ObjectId { device: 1, inode });
        // The second directory is mounted twice, the third has a capital, the fourth a name that is no ASCII.
        let links = [("a/x", 0), ("a/b/x", 1), ("a/y", 0), ("c/x", 1), ("d/x", 2), ("d/X-", 2), ("e/ä", 3), ("f/x", 0)];
        let odd = |links: &[(&str, usize)]| {
            let paths: Vec<(LinkPath, ObjectId)> =
                links.iter().map(|(path, dir)| (LinkPath::new(path).unwrap(), dirs[*dir])).collect();
            let links: Vec<(&LinkPath, ObjectId)> = paths.iter().map(|(path, dir)| (path, *dir)).collect();
            let odd = super::odd(&links);
            dirs.map(|dir| odd.contains(&dir))
        };
        assert_eq!(odd(&links[..7]), [false, true, true, true]);
        assert_eq!(odd(&links), [true; 4]);
    }

    #[test]
    fn names_that_are_no_text_are_not_folded() {
        assert_eq!(folded(OsStr::new("Ä")), "ä");
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt as _;
            let odd = OsStr::from_bytes(b"A\xff");
            assert_eq!((folded(odd), flipped(odd)), (odd.to_os_string(), None));
        }
    }
}
