//! On which thread changes are made, found out by refusing them to the caller's.

use super::filter::denied;
use super::*;

#[test]
fn every_change_is_made_by_the_confined_thread() {
    let dir = tree();
    let free = open(&dir, Policy::default());
    let Some(held) = confined("every_change_is_made_by_the_confined_thread", &free) else { return };
    // Threads that are started from here on would inherit the filter.
    let _ = held.apply(&Edit::create(path("p/l"), to("a")).parents(true)).unwrap();
    let _ = held.apply(&Edit::ensure(path("file"), to("a")).backup(true)).unwrap();
    symlink("a", dir.path().join("root/m")).unwrap();
    let run = |root: &Root| {
        let entry = root.entry("e").unwrap();
        let mut results = vec![
            root.create("l", to("a")),
            root.ensure("l", to("releases")),
            root.swap("l", to("a"), "releases"),
            entry.apply(&Edit::create(path("e"), to("a"))),
            entry.apply(&Edit::remove(path("e"))),
            root.exchange("l", "m"),
            root.remove("l"),
            root.apply(&Edit::create(path("p/n"), to("a")).parents(true)),
            root.apply(&Edit::ensure(path("full"), to("file")).backup(true)),
        ];
        results.extend(root.apply_all(&[Edit::create(path("b"), to("a")).into(), Edit::remove(path("b")).into()]));
        (results.iter().map(Result::is_ok).collect::<Vec<_>>(), root.try_out().is_ok())
    };
    let without_changes = |root: &Root| {
        denied(libc::SYS_symlinkat, libc::EPERM as u32, || {
            denied(libc::SYS_renameat2, libc::EPERM as u32, || {
                denied(libc::SYS_unlinkat, libc::EPERM as u32, || run(root))
            })
        })
    };
    let (free, held) = (without_changes(&free), without_changes(&held));
    assert!(free.0.iter().all(|done| !done) && !free.1, "{free:?}");
    assert!(held.0.iter().all(|done| *done) && held.1, "{held:?}");
}
