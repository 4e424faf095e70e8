//! Texts judged as from inside an image, compared with what the kernel says after `chroot`.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use caplink::{Durability, Kind, Policy, Repair, RepairOptions, Root, ScanOptions, Status, Target};
use proptest::prelude::*;
use rustix::io::Errno;
use rustix::thread::UnshareFlags;

use crate::differential::{Made, cases, grow, name, path};
use crate::tree::{Tree, backends, scan, skipped, ways};

fn image(tree: &Tree) -> Root {
    tree.root_with(Policy::default().rooted(true))
}

/// What each link leads to from inside: device and inode, or why nothing. None where `chroot` is not allowed.
type Inside = BTreeMap<PathBuf, Result<(u64, u64), Option<i32>>>;

fn inside(base: &Path, links: Vec<PathBuf>) -> Option<Inside> {
    let base = base.to_path_buf();
    let look = move || {
        // The other threads of the test stay where they are.
        #[expect(deprecated, reason = "sharing no working directory takes nothing from anybody")]
        rustix::thread::unshare(UnshareFlags::FS).ok()?;
        rustix::process::chroot(&base).ok()?;
        std::env::set_current_dir("/").ok()?;
        let led = |link: &PathBuf| match std::fs::metadata(Path::new("/").join(link)) {
            Ok(there) => Ok((there.dev(), there.ino())),
            Err(error) => Err(error.raw_os_error()),
        };
        Some(links.iter().map(|link| (link.clone(), led(link))).collect())
    };
    std::thread::spawn(look).join().unwrap()
}

fn outside(base: &Path, link: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(base.join(link)).ok().map(|there| (there.dev(), there.ino()))
}

#[test]
fn an_image_is_judged_as_from_inside() {
    let tree = Tree::new();
    tree.dir("bin").dir("etc").dir("usr/lib").dir("usr/bin").file("bin/busybox").file("usr/lib/x");
    tree.link("bin/sh", "/bin/busybox").link("etc/up", "../../../../usr/lib").link("etc/gone", "/nonexist");
    tree.link("lib", "usr/lib").link("etc/resolv.conf", "../run/resolv.conf").link("usr/top", "/");
    tree.link("usr/bin/x", "/lib/../lib/x").link("etc/round", "/etc/round").link("deep", "/etc/up/x");
    for (backend, root) in backends(&image(&tree)) {
        for options in ways() {
            let scanned = scan(&root, ".", options);
            let said = |link: &str| {
                let found = &scanned.findings[Path::new(link)];
                (found.status, found.resolved.as_deref().map(|path| path.to_str().unwrap()), found.clamped)
            };
            for (link, expected) in [
                ("bin/sh", (Status::Ok, Some("bin/busybox"), false)),
                ("etc/up", (Status::Ok, Some("usr/lib"), true)),
                ("etc/gone", (Status::Dangling, None, false)),
                ("etc/resolv.conf", (Status::Dangling, None, false)),
                ("lib", (Status::Ok, Some("usr/lib"), false)),
                ("usr/top", (Status::Ok, Some(""), false)),
                ("usr/bin/x", (Status::Ok, Some("usr/lib/x"), false)),
                ("etc/round", (Status::Loop, None, false)),
                ("deep", (Status::Ok, Some("usr/lib/x"), true)),
            ] {
                assert_eq!(said(link), expected, "{backend} {link}");
            }
            assert_eq!(scanned.summary.with_status(Status::Escape), 0);
        }
        assert_eq!(root.resolve("bin/sh").unwrap().path, Path::new("bin/busybox"));
        assert_eq!(root.inspect("etc/up").unwrap().link.unwrap().resolved.as_deref(), Some(Path::new("usr/lib")));
        assert_eq!(root.resolve("../x").unwrap_err().kind(), Kind::Escape, "paths are spelled as ever");
    }
}

#[test]
fn a_target_is_judged_and_stored_as_from_inside() {
    let tree = Tree::new();
    tree.dir("etc").dir("usr/lib").link("etc/l", "/usr");
    let root = image(&tree);
    let made = root.create("etc/lib", Target::absolute("usr/lib")).unwrap();
    assert_eq!(made.target.as_deref(), Some("/usr/lib".as_ref()));
    let made = root.ensure("etc/lib", Target::verbatim("../../../usr/lib")).unwrap();
    assert_eq!(made.previous.as_deref(), Some("/usr/lib".as_ref()));
    assert_eq!(root.create("etc/x", Target::verbatim("/gone")).unwrap_err().kind(), Kind::Dangling);
    let _ = root.exchange("etc/l", "etc/lib").unwrap();
    let outcome = root.swap("etc/l", Target::absolute("."), "../../../usr/lib").unwrap();
    assert_eq!(outcome.target.as_deref(), Some("/".as_ref()));
}

#[test]
fn a_root_that_is_handed_on_is_read_as_before() {
    let tree = Tree::new();
    tree.dir("usr/lib").file("usr/lib/x").file("top");
    tree.link("usr/in", "/usr/lib/x").link("usr/out", "/top").link("usr/round", "../../../usr/lib");
    let plain = tree.root();
    let rooted = image(&tree);
    let status = |root: &Root, link: &str| root.inspect(link).unwrap().link.unwrap().status;
    assert_eq!(status(&rooted.narrow(Policy::default()), "usr/out"), Status::Ok, "narrowing leaves it so");
    assert_eq!(status(&plain.narrow(Policy::default().rooted(true)), "usr/out"), Status::Escape);
    let below = rooted.subroot("usr").unwrap();
    assert_eq!(below.text_root(), Some(Path::new("/usr")));
    // The image's root is above this one.
    assert_eq!(
        (status(&below, "in"), status(&below, "out"), status(&below, "round")),
        (Status::Ok, Status::Escape, Status::Escape)
    );
}

/// Texts that often begin at the root and climb above it.
fn entries() -> impl Strategy<Value = Vec<(Vec<Vec<u8>>, Made)>> {
    let part = prop_oneof![7 => name(), 6 => Just(b"..".to_vec()), 1 => Just(b".".to_vec()), 1 => Just(Vec::new())];
    let begins = prop_oneof![3 => Just(0_u8), 2 => Just(2)];
    let text = (begins, prop::collection::vec(part, 0..6), prop::bool::weighted(0.1));
    let link = text.prop_map(|(begins, parts, slash)| {
        let mut marked = vec![begins];
        marked.extend(parts.join(&b'/'));
        marked.extend(slash.then_some(b'/'));
        Made::Link(marked)
    });
    let made = prop_oneof![3 => Just(Made::Dir), 2 => Just(Made::File), 7 => link];
    prop::collection::vec((path(), made), 1..28)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases() / 2, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_link_leads_where_it_does_after_chroot(entries in entries()) {
        let tree = Tree::new();
        let links = grow(&tree, &entries);
        let Some(led) = inside(&tree.base, links.keys().cloned().collect()) else {
            skipped("rooted::every_link_leads_where_it_does_after_chroot", "`chroot` is not allowed here");
            return Ok(());
        };
        for (backend, root) in backends(&image(&tree)).into_iter().take(2) {
            let scanned = scan(&root, ".", ScanOptions::default());
            for (link, led) in &led {
                let found = &scanned.findings[link];
                let said = match (found.status, &found.resolved) {
                    (Status::Ok, Some(end)) => {
                        let there = std::fs::symlink_metadata(tree.base.join(end)).unwrap();
                        Ok((there.dev(), there.ino()))
                    }
                    (Status::Dangling, None) => Err(Some(Errno::NOENT.raw_os_error())),
                    (Status::Loop, None) => Err(Some(Errno::LOOP.raw_os_error())),
                    other => panic!("{link:?}: {other:?}"),
                };
                let led = match led {
                    Err(errno) if *errno == Some(Errno::NOTDIR.raw_os_error()) => Err(Some(Errno::NOENT.raw_os_error())),
                    led => *led,
                };
                prop_assert_eq!(said, led, "{} {:?}: {:?}", backend, link, found);
                let resolved = root.resolve(link).ok().map(|end| end.path);
                prop_assert_eq!(&resolved, &found.resolved, "{:?}", link);
            }
        }
    }

    #[test]
    fn absolute_texts_of_an_image_are_made_to_lead_there_from_outside_as_well(entries in entries()) {
        let tree = Tree::new();
        let links = grow(&tree, &entries);
        let names: Vec<PathBuf> = links.keys().cloned().collect();
        let Some(before) = inside(&tree.base, names.clone()) else {
            skipped("rooted::absolute_texts_of_an_image", "`chroot` is not allowed here");
            return Ok(());
        };
        let root = image(&tree);
        let relative = Repair::default().make_relative(true);
        let repair = || {
            let mut changed = 0;
            let options = RepairOptions::default().durability(Durability::None);
            root.repair(".", &relative, options, |came| changed += usize::from(came.unwrap().effect.is_change())).unwrap();
            changed
        };
        repair();
        let after = inside(&tree.base, names).unwrap();
        for (link, before) in &before {
            prop_assert_eq!(before, &after[link], "{:?}", link);
            if let (true, Ok(there)) = (links[link].starts_with(b"/"), before) {
                prop_assert_eq!(outside(&tree.base, link), Some(*there), "{:?}", link);
            }
        }
        prop_assert_eq!(repair(), 0, "twice changes nothing");
    }
}

/// The links of this host's own root file system, with nothing in the files: a real image.
#[test]
fn no_link_of_a_debian_root_leads_elsewhere_once_it_is_relative() {
    const TEST: &str = "rooted::no_link_of_a_debian_root_leads_elsewhere_once_it_is_relative";
    if !Path::new("/etc/debian_version").exists() {
        return skipped(TEST, "this is no Debian");
    }
    let tree = Tree::new();
    let mut names = Vec::new();
    for top in ["bin", "sbin", "lib", "lib64", "etc", "usr/bin", "usr/sbin", "usr/lib", "var/lib", "opt"] {
        copy(Path::new("/"), Path::new(top), &tree.base, &mut names);
    }
    let Some(before) = inside(&tree.base, names.clone()) else {
        return skipped(TEST, "`chroot` is not allowed here");
    };
    let absolute = |link: &PathBuf| std::fs::read_link(tree.base.join(link)).unwrap().is_absolute();
    let were_absolute: Vec<PathBuf> = names.iter().filter(|link| absolute(link)).cloned().collect();
    assert!(!were_absolute.is_empty());
    let options = RepairOptions::default().durability(Durability::None);
    let relative = Repair::default().make_relative(true);
    image(&tree).repair(".", &relative, options, |came| assert!(came.unwrap().effect.is_change())).unwrap();
    assert!(!names.iter().any(absolute));
    assert_eq!(before, inside(&tree.base, names).unwrap());
    for link in were_absolute {
        if let Ok(there) = before[&link] {
            assert_eq!(outside(&tree.base, &link), Some(there), "{link:?}");
        }
    }
}

/// Makes the directories and links that are below a path, and empty files; a few levels deep.
fn copy(from: &Path, path: &Path, to: &Path, links: &mut Vec<PathBuf>) {
    let Ok(metadata) = std::fs::symlink_metadata(from.join(path)) else { return };
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(to.join(parent)).unwrap();
    }
    if metadata.is_symlink() {
        std::os::unix::fs::symlink(std::fs::read_link(from.join(path)).unwrap(), to.join(path)).unwrap();
        links.push(path.to_path_buf());
    } else if metadata.is_dir() {
        std::fs::create_dir_all(to.join(path)).unwrap();
        if path.components().count() < 5 {
            for entry in std::fs::read_dir(from.join(path)).into_iter().flatten().flatten() {
                copy(from, &path.join(entry.file_name()), to, links);
            }
        }
    } else if metadata.is_file() {
        std::fs::write(to.join(path), "").unwrap();
    }
}
