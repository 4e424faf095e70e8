//! The outcome of every verb, and the tree afterwards.

use super::*;

/// The outcome of an edit, without what differs between two trees.
pub(super) fn outcome_of(result: &Result<Outcome>) -> String {
    match result {
        Ok(outcome) => {
            let Outcome {
                effect,
                target,
                previous,
                guarantee,
                durability,
                staging,
                verified,
                dry_run,
                backup,
                made,
                ..
            } = outcome;
            let shortfalls: Vec<Kind> = outcome.shortfalls.iter().map(Error::kind).collect();
            format!(
                "{} {effect:?} {target:?} {previous:?} {guarantee:?} {durability:?} {staging:?} {verified} {dry_run} \
                 {backup:?} {made:?} {shortfalls:?}",
                outcome.link
            )
        }
        Err(error) => format!(
            "{error}: {:?} {:?} {:?} {:?} {:?} {:?}",
            error.kind(),
            error.component(),
            error.found(),
            error.left(),
            error.preserved(),
            error.made()
        ),
    }
}

pub(super) fn listing(dir: &Path, below: &Path, into: &mut String) {
    let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    for name in names {
        let path = dir.join(&name);
        let stat = path.symlink_metadata().unwrap();
        let text = fs::read_link(&path).ok();
        writeln!(into, "{} {:o} {text:?}", below.join(&name).display(), stat.mode()).unwrap();
        if stat.is_dir() {
            listing(&path, &below.join(&name), into);
        }
    }
}

/// Every verb on every kind of entry, in every kind of directory: each outcome, and the tree at the end.
pub(super) fn transcript(dir: &TempDir, root: &Root) -> String {
    let mut said = String::new();
    let mut say = |result: Result<Outcome>| writeln!(said, "{}", outcome_of(&result)).unwrap();
    let big = "x".repeat(255);
    for at in ["", "a/b/", "shared/", "sticky/", "missing/", "file/", "shared/led/"] {
        let name = |name: &str| format!("{at}{name}");
        let edit = |name: &str| path(&format!("{at}{name}"));
        say(root.create(name("l"), to("releases/1")));
        say(root.create(name("l"), to("releases/1")));
        say(root.create(name("gone"), to("nowhere")));
        say(root.create(name("out"), Target::verbatim("../../../../../etc")));
        say(root.apply(&Edit::create(edit("dangling"), to("nowhere")).allow_dangling(true)));
        say(root.ensure(name("l"), to("releases/1")));
        say(root.ensure(name("l"), to("releases/2")));
        say(root.ensure(name("file"), to("releases/2")));
        say(root.ensure(name(&big), to("releases/1")));
        say(root.ensure(name(&big), to("releases/2")));
        say(root.swap(name("l"), to("releases/1"), "something else"));
        say(root.swap(name("l"), Target::verbatim("/etc"), "x"));
        for (durability, target) in [(Durability::Dir, "releases/1"), (Durability::Fs, "releases/2")] {
            say(root.apply(&Edit::ensure(edit("l"), to(target)).durability(durability)));
        }
        say(root.preview(&Edit::ensure(edit("l"), to("releases/1"))));
        say(root.apply(&Edit::ensure(edit("p/q/l"), to("releases/1")).parents(true)));
        say(root.apply(&Edit::ensure(edit("p/q/l"), to("releases/2")).parents(true)));
        say(root.apply(&Edit::ensure(edit("file"), to("releases/1")).backup(true)));
        say(root.apply(&Edit::ensure(edit("p"), to("releases/1")).backup(true)));
        say(root.apply(&Edit::ensure(edit("l"), to("releases/1")).backup(true)));
        for (a, b) in [("l", "dangling"), ("l", "l"), ("l", "none"), ("l", "file.backup"), ("l", "p.backup")] {
            let exchange = Edit::exchange(edit(a), edit(b)).allow_dangling(true);
            say(root.apply(&exchange));
        }
        say(root.exchange(name("l"), "top"));
        if let Ok(entry) = root.entry(name("e")) {
            say(entry.apply(&Edit::create(edit("e"), to("releases/1"))));
            say(entry.apply(&Edit::ensure(edit("e"), to("releases/2"))));
            say(entry.apply(&Edit::ensure(edit("e"), to("releases/2"))));
            say(entry.apply(&Edit::remove(edit("f"))));
            say(entry.apply(&Edit::remove(edit("e"))));
        }
        let batch: [Edit; _] = [
            Edit::create(edit("1"), to("releases/1")).into(),
            Edit::create(edit("1"), to("releases/1")).into(),
            Edit::ensure(edit("1"), to("releases/2")).into(),
            Edit::ensure(edit("2/3"), to("releases/2")).parents(true).into(),
            Edit::swap(edit("2/3"), to("releases/1"), "other").into(),
            Edit::remove(edit("1")).into(),
            Edit::remove(edit("1")).missing_ok(true).into(),
        ];
        root.apply_all(&batch).into_iter().for_each(&mut say);
        say(root.apply(&Edit::remove(edit("l")).expect("other")));
        say(root.remove(name("l")));
        say(root.remove(name("l")));
        say(root.remove(name("p.backup")));
        say(root.create(name("top"), to("releases/1")));
        say(root.create(name(".caplink"), to("releases/1")));
    }
    writeln!(said, "{:?}", root.try_out().map_err(|error| error.kind())).unwrap();
    writeln!(said, "{:?}", root.check_state()).unwrap();
    listing(&dir.path().join("root"), Path::new(""), &mut said);
    listing(&dir.path().join("outside"), Path::new("outside"), &mut said);
    said
}
