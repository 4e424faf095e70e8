//! Permissions: directories that may not be read, links of other users, and attributes that forbid a change.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;

use caplink::{Edit, Effect, Finding, Kind, LinkPath, Policy, Root, ScanOptions, Staging, Status, Target};

use super::backend::{NATIVE, skipped};
use super::ground::{Case, Holder, inode, on_backends, on_every_backend, with_users};
use super::privileges::{give_to_nobody, in_a_process};
use super::support::file_systems::{file_system, is_root, must, tried};
use super::support::snapshot::{residue, tree};
use super::support::table::left_out;

fn nobody() -> Holder {
    Holder { policy: Policy::default(), nobody: true }
}

fn mode(case: &Case, path: &str, bits: u32) {
    fs::set_permissions(case.at(path), fs::Permissions::from_mode(bits)).unwrap();
}

fn path(text: &str) -> LinkPath {
    LinkPath::new(text).expect("a plain path")
}

fn furnish(case: &Case) {
    case.file("t");
    case.file("u");
}

#[test]
fn o_07_a_directory_that_may_only_be_searched_serves_exact_names() {
    with_users("O-07", |case| {
        furnish(case);
        case.dir("x");
        case.link("x/l", "../t");
        mode(case, "x", 0o711);
        let seen = case.watch_as(nobody(), |root| root.inspect("x/l")).unwrap().link.unwrap();
        assert_eq!((seen.status, seen.target.as_os_str()), (Status::Ok, "../t".as_ref()));
        assert_eq!(case.watch_as(nobody(), |root| root.resolve("x/l")).unwrap().path, Path::new("t"));
        assert_eq!(case.watch_as(nobody(), |root| root.read_link("x/l")).unwrap(), "../t");
        let same = case.done_as(nobody(), |root| root.ensure("x/l", Target::relative("t")));
        assert_eq!(same.effect, Effect::Unchanged);
        case.refused_as(nobody(), Kind::Permission, |root| root.create("x/new", Target::relative("t")));
        case.refused_as(nobody(), Kind::Permission, |root| root.ensure("x/l", Target::relative("u")));
        case.refused_as(nobody(), Kind::Permission, |root| root.swap("x/l", Target::relative("u"), "../t"));
        case.refused_as(nobody(), Kind::Permission, |root| root.remove("x/l"));
        case.refused_as(nobody(), Kind::Exists, |root| root.create("x/l", Target::relative("t")));
    });
}

#[test]
fn o_07_a_directory_that_may_be_written_and_not_read_takes_new_links() {
    with_users("O-07w", |case| {
        furnish(case);
        case.dir("drop");
        mode(case, "drop", 0o733);
        let made = case.done_as(nobody(), |root| root.create("drop/l", Target::relative("t")));
        assert_eq!(made.effect, Effect::Created);
        // It cannot be locked, and this user may not create a state directory in the root.
        case.refused_as(nobody(), Kind::Permission, |root| root.ensure("drop/l", Target::relative("u")));
        case.refused_as(nobody(), Kind::Permission, |root| root.remove("drop/l"));
        mode(case, "", 0o1777);
        let replaced = case.done_as(nobody(), |root| root.ensure("drop/l", Target::relative("u")));
        assert_eq!((replaced.effect, replaced.staging), (Effect::Replaced, Staging::Private));
        let _ = case.done_as(nobody(), |root| root.remove("drop/l"));
    });
}

#[test]
fn o_07_what_may_not_be_searched_is_denied_and_never_broken() {
    with_users("O-07d", |case| {
        furnish(case);
        for (dir, bits) in [("r", 0o744), ("none", 0o700)] {
            case.dir(format!("{dir}/sub"));
            case.file(format!("{dir}/f"));
            case.link(format!("{dir}/l"), "f");
            case.link(format!("to-{dir}"), format!("{dir}/f"));
            case.link(format!("to-missing-in-{dir}"), format!("{dir}/missing"));
            mode(case, dir, bits);
            for link in [format!("to-{dir}"), format!("to-missing-in-{dir}")] {
                let seen = case.watch_as(nobody(), |root| root.inspect(&link)).unwrap().link.unwrap();
                assert_eq!(seen.status, Status::Denied, "{link}");
                let error = case.refused_as(nobody(), Kind::Permission, |root| root.resolve(&link));
                assert!(error.component().is_some(), "{error:?}");
            }
            let below = format!("{dir}/l");
            for kind in [
                case.watch_as(nobody(), |root| root.inspect(&below).map(drop)),
                case.watch_as(nobody(), |root| root.read_link(&below).map(drop)),
                case.watch_as(nobody(), |root| root.create(&below, Target::relative("t")).map(drop)),
                case.watch_as(nobody(), |root| root.ensure(&below, Target::relative("t")).map(drop)),
                case.watch_as(nobody(), |root| root.remove(&below).map(drop)),
                case.watch_as(nobody(), |root| root.exists(&below).map(drop)),
                case.watch_as(nobody(), |root| root.create("new", Target::relative(&below)).map(drop)),
                case.watch_as(nobody(), |root| root.create(format!("{dir}/sub/x"), Target::relative("t")).map(drop)),
            ] {
                assert_eq!(kind.map_err(|error| error.kind()), Err(Kind::Permission), "{below}");
            }
        }
    });
}

#[test]
fn o_08_in_a_sticky_directory_links_of_others_stay() {
    with_users("O-08", |case| {
        furnish(case);
        case.dir("tmp");
        mode(case, "tmp", 0o1777);
        case.link("tmp/roots", "../t");
        case.link("tmp/own", "../t");
        give_to_nobody(case.at("tmp/own"));
        let path = "tmp/roots";
        case.refused_as(nobody(), Kind::Permission, |root| root.ensure(path, Target::relative("u")));
        case.refused_as(nobody(), Kind::Permission, |root| root.swap(path, Target::relative("u"), "../t"));
        case.refused_as(nobody(), Kind::Permission, |root| root.remove(path));
        if case.backend.abilities.exchange {
            case.refused_as(nobody(), Kind::Permission, |root| root.exchange(path, "tmp/own"));
            case.refused_as(nobody(), Kind::Permission, |root| root.exchange("tmp/own", path));
        }
        let _ = case.done_as(nobody(), |root| root.ensure("tmp/own", Target::relative("u")));
        let _ = case.done_as(nobody(), |root| root.remove("tmp/own"));
        // The superuser may replace links of others there, as anywhere.
        case.link("tmp/own", "../t");
        give_to_nobody(case.at("tmp/own"));
        let outcome = case.done(|root| root.ensure("tmp/own", Target::relative("u")));
        assert_eq!((outcome.effect, outcome.staging), (Effect::Replaced, Staging::Private));
    });
}

#[test]
fn a_directory_that_others_write_is_edited_through_the_private_state() {
    with_users("O-08s", |case| {
        furnish(case);
        case.dir("open");
        mode(case, "open", 0o777);
        case.link("open/l", "../t");
        let outcome = case.done(|root| root.ensure("open/l", Target::relative("u")));
        assert_eq!((outcome.effect, outcome.staging), (Effect::Replaced, Staging::Private));
        assert_eq!(case.done(|root| root.remove("open/l")).staging, Staging::Private);
        // Where another user stages in the default state directory, the caller has one of its own.
        case.link("open/l", "../t");
        fs::create_dir(case.at(".caplink")).unwrap();
        mode(case, ".caplink", 0o700);
        give_to_nobody(case.at(".caplink"));
        let before = case.names();
        let root = case.open(Policy::default());
        assert_eq!(root.ensure("open/l", Target::relative("u")).unwrap().staging, Staging::Private);
        assert_eq!(case.names(), before);
        fs::remove_dir(case.at(".caplink")).unwrap();
        fs::remove_file(case.at("open/l")).unwrap();
        // One that others can enter, or that is no directory, is not used.
        case.link("open/l", "../t");
        for unsafe_state in [
            |case: &Case| fs::create_dir(case.at(".caplink")).map(|()| mode(case, ".caplink", 0o755)),
            |case: &Case| fs::write(case.at(".caplink"), "a file"),
            |case: &Case| std::os::unix::fs::symlink("../canary", case.at(".caplink")),
        ] {
            unsafe_state(case).unwrap();
            let before = case.names();
            let root = case.open(Policy::default());
            for failed in [
                root.ensure("open/l", Target::relative("u")),
                root.swap("open/l", Target::relative("u"), "../t"),
                root.remove("open/l"),
            ] {
                assert_eq!(failed.unwrap_err().kind(), Kind::UnsafeState, "{}", case.backend.name);
            }
            // Only what needs a state directory is refused.
            let _ = root.create("open/new", Target::relative("t")).unwrap();
            let _ = root.ensure("open/new", Target::relative("t")).unwrap();
            fs::remove_file(case.at("open/new")).unwrap();
            assert_eq!(case.names(), before);
            let state = case.at(".caplink");
            if state.is_dir() && !state.is_symlink() { fs::remove_dir(state) } else { fs::remove_file(state) }.unwrap();
        }
    });
}

#[test]
fn o_10_a_directory_that_is_immutable_is_left_as_it_is() {
    if !is_root() {
        return left_out("O-10", "only root sets attributes");
    }
    on_every_backend("O-10", |case| {
        furnish(case);
        case.dir("fixed");
        case.dir("d");
        case.link("fixed/l", "../t");
        case.link("d/l", "../u");
        case.file("fixed-file");
        let (dir, file) = (case.at("fixed"), case.at("fixed-file"));
        let (dir, file) = (dir.to_str().unwrap(), file.to_str().unwrap());
        if let Err(said) = tried("chattr", &["+i", dir]) {
            return skipped("O-10", &format!("chattr +i on {}: {said}", file_system()));
        }
        must("chattr", &["+i", file]);
        let refused = |op: fn(&Root) -> caplink::Result<()>| case.refused(Kind::Permission, op);
        refused(|root| root.create("fixed/new", Target::relative("t")).map(drop));
        refused(|root| root.ensure("fixed/l", Target::relative("u")).map(drop));
        refused(|root| root.swap("fixed/l", Target::relative("u"), "../t").map(drop));
        refused(|root| root.remove("fixed/l").map(drop));
        refused(|root| root.apply(&Edit::create(path("fixed/a/l"), Target::relative("t")).parents(true)).map(drop));
        if case.backend.abilities.exchange {
            refused(|root| root.exchange("fixed/l", "d/l").map(drop));
            let aside = |root: &Root| {
                root.apply(&Edit::ensure(path("fixed-file"), Target::relative("t")).backup(true)).map(drop)
            };
            case.refused(Kind::Permission, aside);
        }
        must("chattr", &["-i", dir, file]);
    });
}

#[test]
fn o_10_what_cannot_be_taken_back_from_a_directory_that_only_grows_is_named() {
    if !is_root() {
        return left_out("O-10a", "only root sets attributes");
    }
    on_every_backend("O-10a", |case| {
        furnish(case);
        case.dir("log");
        case.link("log/l", "../t");
        let dir = case.at("log");
        let dir = dir.to_str().unwrap();
        if let Err(said) = tried("chattr", &["+a", dir]) {
            return skipped("O-10a", &format!("chattr +a on {}: {said}", file_system()));
        }
        let _ = case.done(|root| root.create("log/new", Target::relative("t")));
        // Links can be created there and not removed: a staged one would stay.
        let root = case.open(Policy::default());
        let left = || residue(&tree(&case.at("")));
        for op in [
            |root: &Root| root.ensure("log/l", Target::relative("u")),
            |root: &Root| root.swap("log/l", Target::relative("u"), "../t"),
            |root: &Root| root.remove("log/l"),
        ] {
            let before = left();
            let error = op(&root).unwrap_err();
            assert_eq!(error.kind(), Kind::Permission, "{error:?}");
            let new: Vec<_> = left().into_iter().filter(|path| !before.contains(path)).collect();
            let mut named = error.left().to_vec();
            named.sort();
            assert_eq!(named, new, "what is left is named: {error:?}");
        }
        assert_eq!(case.text("log/l").as_deref(), Some(Path::new("../t")));
        must("chattr", &["-a", dir]);
    });
}

/// `fs.protected_symlinks`, switched on while this lives, if that is asked for.
struct Protected {
    was: String,
}

impl Protected {
    const SETTING: &str = "/proc/sys/fs/protected_symlinks";

    /// `None` if it is off, and the host's settings are not to be changed.
    fn on() -> Option<Protected> {
        let was = fs::read_to_string(Self::SETTING).ok()?;
        let on =
            was.trim() == "1" || std::env::var_os("CAPLINK_SYSCTL").is_some() && fs::write(Self::SETTING, "1").is_ok();
        on.then_some(Protected { was })
    }
}

impl Drop for Protected {
    fn drop(&mut self) {
        if self.was.trim() != "1" {
            let _restored = fs::write(Self::SETTING, &self.was);
        }
    }
}

#[test]
fn o_17_a_link_of_somebody_else_in_a_sticky_directory_is_not_followed() {
    if !is_root() {
        return left_out("O-17p", "only root becomes another user");
    }
    let Some(_on) = Protected::on() else {
        return left_out("O-17p", "fs.protected_symlinks is off; CAPLINK_SYSCTL=1 lets this test switch it on");
    };
    with_users("O-17p", |case| {
        furnish(case);
        for (dir, name) in [("sticky", "theirs"), ("theirs", "theirs"), ("sticky", "mine")] {
            case.dir(dir);
            mode(case, dir, 0o1777);
            case.link(format!("{dir}/{name}"), "../t");
            if name == "theirs" {
                give_to_nobody(case.at(dir).join(name));
            }
        }
        give_to_nobody(case.at("theirs"));
        let theirs = "sticky/theirs";
        assert!(fs::read(case.at(theirs)).is_err(), "the kernel does not follow it");
        case.refused(Kind::Permission, |root| root.resolve(theirs));
        case.refused(Kind::Permission, |root| root.create("new", Target::verbatim(theirs)));
        assert_eq!(case.watch(|root| root.inspect(theirs)).unwrap().link.unwrap().status, Status::Denied);
        let scan = case.watch(|root| root.scan("sticky", ScanOptions::default()).unwrap().collect::<Vec<_>>());
        let denied =
            |found: &&caplink::Result<Finding>| found.as_ref().is_ok_and(|found| found.status == Status::Denied);
        assert_eq!((scan.len(), scan.iter().filter(denied).count()), (2, 1), "{scan:?}");
        // Links of the directory's owner and of the follower are followed.
        for link in ["theirs/theirs", "sticky/mine"] {
            assert_eq!(case.watch(|root| root.resolve(link)).unwrap().path, Path::new("t"), "{link}");
        }
        let nobody = Holder { nobody: true, ..Holder::default() };
        assert_eq!(case.watch_as(nobody, |root| root.resolve(theirs)).unwrap().path, Path::new("t"));
    });
}

#[test]
fn o_21_in_a_user_namespace_unmapped_owners_are_no_reason_to_panic() {
    if !is_root() {
        return left_out("O-21", "the tree must belong to somebody who is not mapped");
    }
    on_backends("O-21", NATIVE, |case| {
        furnish(case);
        case.dir("shared");
        mode(case, "shared", 0o777);
        case.link("shared/l", "../t");
        case.link("l", "t");
        for (user, group) in [(1000, 1000), (0, 0)] {
            chown(case.at("shared"), Some(user), Some(group)).unwrap();
            in_a_process(
                &["setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups", "unshare", "-U"],
                "users::in_a_user_namespace",
                &case.at(""),
            );
        }
        assert!(case.names().iter().all(|name| !name.contains("caplink")), "{:?}", case.names());
        assert_eq!(case.text("l").as_deref(), Some(Path::new("t")));
    });
}

#[test]
#[ignore = "is run by another test, as a user without a name"]
fn in_a_user_namespace() {
    let tree = super::support::ground::ground();
    let before = inode(tree.join("l"));
    let root = Root::open_ambient(&tree, Policy::default(), cap_std::ambient_authority()).unwrap();
    assert_eq!(root.inspect("l").unwrap().link.unwrap().status, Status::Ok);
    for failed in [
        root.create("new", Target::relative("t")),
        root.ensure("l", Target::relative("u")),
        root.swap("l", Target::relative("u"), "t"),
        root.remove("l"),
    ] {
        let kind = failed.unwrap_err().kind();
        assert!([Kind::Permission, Kind::Unsupported].contains(&kind), "{kind}");
    }
    assert_eq!(inode(tree.join("l")), before);
    for text in ["u", "t"] {
        match root.ensure("shared/l", Target::relative(text)) {
            Ok(outcome) => assert!(outcome.shortfalls.is_empty(), "{outcome:?}"),
            Err(error) => assert!(error.left().is_empty() && error.preserved().is_empty(), "{error:?}"),
        }
    }
}
