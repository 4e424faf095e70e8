//! Mount points, read-only and `nosymfollow` mounts, `/proc`, and images with broken links.

use std::fs;
use std::path::Path;

use caplink::{Durability, Edit, Effect, FileKind, Kind, LinkPath, Policy, Root, Status, Target, Trait};

use super::backend::{BACKENDS, NATIVE, skipped};
use super::ground::{Case, component, on_every_backend, with_mounts};
use super::spelling::LINK_VERBS;
use super::support::file_systems::{must, tried};

fn path(text: &str) -> LinkPath {
    LinkPath::new(text).expect("a plain path")
}

fn crossing() -> Policy {
    Policy::default().cross_mounts(true)
}

fn furnish(case: &Case) {
    case.dir("a");
    case.file("t");
    case.file("u");
    case.link("l", "t");
    case.link("a/m", "../t");
}

/// A mount that is unmounted before its tree is removed.
struct Mounted(String);

impl Mounted {
    fn at(case: &Case, path: &str, arguments: &[&str]) -> Mounted {
        let at = case.at(path).to_str().expect("the ground has a plain name").trim_end_matches('/').to_owned();
        must("mount", &[arguments, &[&at]].concat());
        Mounted(at)
    }

    fn bound(case: &Case, from: &Path, path: &str) -> Mounted {
        Mounted::at(case, path, &["--bind", from.to_str().expect("the ground has a plain name")])
    }

    fn remounted(self, options: &str) -> Mounted {
        must("mount", &["-o", &format!("remount,bind,{options}"), &self.0]);
        self
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = tried("umount", &["-l", &self.0]);
    }
}

#[test]
fn o_11_on_a_read_only_mount_the_same_link_is_unchanged_and_all_else_refused() {
    with_mounts("O-11", BACKENDS, |case| {
        furnish(case);
        let at = case.at("");
        let _mounted = Mounted::bound(case, &at, "").remounted("ro");
        let t = || Target::relative("t");
        assert_eq!(case.done(|root| root.ensure("l", t())).effect, Effect::Unchanged);
        assert_eq!(case.done(|root| root.swap("l", t(), "t")).effect, Effect::Unchanged);
        let absent = Edit::remove(path("missing")).missing_ok(true);
        assert_eq!(case.done(|root| root.apply(&absent)).effect, Effect::Unchanged);
        case.refused(Kind::ReadOnly, |root| root.create("new", t()));
        case.refused(Kind::Exists, |root| root.create("l", t()));
        case.refused(Kind::ReadOnly, |root| root.ensure("new", t()));
        case.refused(Kind::ReadOnly, |root| root.ensure("l", Target::relative("u")));
        case.refused(Kind::ReadOnly, |root| root.swap("l", Target::relative("u"), "t"));
        case.refused(Kind::Mismatch, |root| root.swap("l", Target::relative("u"), "u"));
        case.refused(Kind::ReadOnly, |root| root.remove("l"));
        case.refused(Kind::ReadOnly, |root| root.apply(&Edit::create(path("n/m/l"), t()).parents(true)));
        if case.backend.abilities.exchange {
            case.refused(Kind::ReadOnly, |root| root.apply(&Edit::ensure(path("u"), t()).backup(true)));
        }
        assert_eq!(case.watch(|root| root.inspect("l")).unwrap().link.unwrap().status, Status::Ok);
    });
}

#[test]
fn o_14_magic_links_are_never_followed() {
    on_every_backend("O-14", |case| {
        let authority = cap_std::ambient_authority();
        let proc = Root::open_ambient("/proc/self", crossing().follow(true), authority).unwrap();
        let proc = proc.with_abilities(case.backend.abilities);
        let fd = fs::File::open("/").unwrap();
        let (pipe, _writer) = std::io::pipe().unwrap();
        let number = |fd: &dyn std::os::fd::AsRawFd| format!("fd/{}", fd.as_raw_fd());
        for path in ["exe", "cwd/x", "root/etc", "root/", "ns/mnt", &number(&fd), &number(&pipe)] {
            let kind = proc.resolve(path).map_err(|error| error.kind()).unwrap_err();
            assert_eq!(kind, Kind::MagicLink, "{}: {path}", case.backend.name);
            assert!(proc.exists(path).is_err(), "{path}");
            let seen = proc.inspect(path.trim_end_matches('/'));
            if let Ok(seen) = seen {
                assert_eq!(seen.link.map(|link| link.status), Some(Status::Escape), "{}: {path}", case.backend.name);
            }
        }
        for dir in ["cwd/x", "root/x", &format!("{}/x", number(&fd))] {
            let kind = proc.create(dir, Target::relative("status")).unwrap_err().kind();
            assert_eq!(kind, Kind::MagicLink, "{}: {dir}", case.backend.name);
            assert!(proc.entry(dir).is_err());
        }
        // A symbolic link in `/proc` that is no magic link is one like any other.
        case.link("l", "/proc/self/fd");
        case.refused(Kind::Escape, |root| root.resolve("l"));
        case.refused_as(crossing().follow(true), Kind::Escape, |root| root.create("l/x", Target::verbatim("t")));
        let mine = Edit::create(path("m"), Target::verbatim("/proc/self/fd/0"));
        case.refused(Kind::Escape, |root| root.apply(&mine));
    });
}

#[test]
fn o_14_proc_below_the_root_leads_nowhere_else() {
    with_mounts("O-14m", BACKENDS, |case| {
        furnish(case);
        case.dir("proc");
        let _mounted = Mounted::at(case, "proc", &["-t", "proc", "proc"]);
        case.link("pid", "proc/self/status");
        case.link("way-out", "proc/self/root/etc/passwd");
        case.link("here", "proc/self/cwd");
        case.refused(Kind::CrossMount, |root| root.resolve("pid"));
        assert_eq!(case.watch_as(crossing(), |root| root.resolve("pid")).unwrap().kind, FileKind::File);
        for link in ["way-out", "here"] {
            case.refused_as(crossing(), Kind::MagicLink, |root| root.resolve(link));
            let seen = case.watch_as(crossing(), |root| root.inspect(link)).unwrap().link.unwrap();
            assert_eq!(seen.status, Status::Escape, "{}: {link}", case.backend.name);
        }
    });
}

#[test]
fn o_15_a_mount_below_the_root_is_not_crossed_unless_asked() {
    with_mounts("O-15", BACKENDS, |case| {
        furnish(case);
        for dir in ["bound", "other"] {
            case.dir(dir);
            case.link(format!("to-{dir}"), format!("{dir}/x"));
        }
        let beside = case.on_ground("beside");
        fs::create_dir(&beside).unwrap();
        for name in ["x", "t"] {
            fs::write(beside.join(name), "beside").unwrap();
        }
        std::os::unix::fs::symlink("t", beside.join("l")).unwrap();
        // A bind mount has the device of the root, another file system has its own.
        let _bound = Mounted::bound(case, &beside, "bound");
        let _other = Mounted::at(case, "other", &["-t", "tmpfs", "tmpfs"]);
        fs::write(case.at("other/x"), "other").unwrap();
        fs::write(case.at("other/t"), "other").unwrap();
        std::os::unix::fs::symlink("t", case.at("other/l")).unwrap();
        for dir in ["bound", "other"] {
            let below = format!("{dir}/l");
            for (verb, call) in LINK_VERBS {
                let error = case.watch(|root| call(root, below.as_ref())).expect_err(verb);
                // An exchange names its other argument if that is missing.
                if error.link() == Some(Path::new(&below)) {
                    assert_eq!(error.kind(), Kind::CrossMount, "{}: {verb}: {error:?}", case.backend.name);
                    assert_eq!(component(&error), Some((dir.as_ref(), 0)), "{verb}");
                }
            }
            let link = format!("to-{dir}");
            case.refused(Kind::CrossMount, |root| root.inspect(&below));
            case.refused(Kind::CrossMount, |root| root.resolve(&below));
            case.refused(Kind::CrossMount, |root| root.resolve(&link));
            case.refused(Kind::CrossMount, |root| root.subroot(dir));
            case.refused(Kind::CrossMount, |root| root.create("new", Target::relative(format!("{dir}/x"))));
            let wide = Edit::create(path("new"), Target::verbatim(format!("{dir}/x")));
            let wide = wide.allow_outside(true).allow_dangling(true);
            case.refused(Kind::CrossMount, |root| root.apply(&wide));
            let seen = case.watch(|root| root.inspect(&link)).unwrap().link.unwrap();
            assert_eq!(seen.status, Status::Ok);
            assert_eq!(seen.traits.contains(Trait::OtherFs), dir == "other", "{}", case.backend.name);
            // With `cross_mounts` it is a directory like any other.
            assert!(case.watch_as(crossing(), |root| root.resolve(&link)).is_ok());
            let made = case.done_as(crossing(), |root| root.create("new", Target::relative(format!("{dir}/x"))));
            assert_eq!(made.effect, Effect::Created);
            let _ = case.done(|root| root.remove("new"));
            let root = case.open(crossing());
            let fresh = format!("{dir}/fresh");
            assert_eq!(root.create(&fresh, Target::relative(format!("{dir}/t"))).unwrap().effect, Effect::Created);
            let replaced = root.ensure(&fresh, Target::relative(format!("{dir}/x"))).unwrap();
            assert_eq!((replaced.effect, replaced.verified), (Effect::Replaced, true));
            assert_eq!(fs::read_link(case.at(&fresh)).unwrap(), Path::new("x"));
            let _ = root.remove(&fresh).unwrap();
        }
    });
}

#[test]
fn o_16_a_mount_point_is_no_link_and_is_busy() {
    with_mounts("O-16", BACKENDS, |case| {
        furnish(case);
        case.file("point");
        case.dir("dir-point");
        let outside = case.canary().join("secret");
        let _file = Mounted::bound(case, &outside, "point");
        let _dir = Mounted::at(case, "dir-point", &["-t", "tmpfs", "tmpfs"]);
        for name in ["point", "dir-point"] {
            case.refused(Kind::Exists, |root| root.create(name, Target::relative("t")));
            case.refused(Kind::NotALink, |root| root.ensure(name, Target::relative("t")));
            case.refused(Kind::NotALink, |root| root.swap(name, Target::relative("t"), "t"));
            case.refused(Kind::NotALink, |root| root.remove(name));
            let aside = Edit::ensure(path(name), Target::relative("t")).backup(true);
            let kind = if case.backend.abilities.exchange { Kind::Busy } else { Kind::Unsupported };
            case.refused(kind, |root| root.apply(&aside));
        }
    });
}

#[test]
fn o_16_a_state_directory_on_another_mount_is_not_used_for_staging() {
    with_mounts("O-16s", BACKENDS, |case| {
        use std::os::unix::fs::PermissionsExt as _;
        furnish(case);
        case.dir("open");
        case.link("open/l", "../t");
        fs::set_permissions(case.at("open"), fs::Permissions::from_mode(0o777)).unwrap();
        for arguments in [&["-t", "tmpfs", "tmpfs"][..], &["--bind", case.on_ground("same").to_str().unwrap()]] {
            fs::create_dir_all(case.on_ground("same")).unwrap();
            fs::create_dir_all(case.on_ground("elsewhere")).unwrap();
            let elsewhere = Mounted::at(case, "../elsewhere", arguments);
            let parent = cap_std::fs::Dir::open_ambient_dir(&elsewhere.0, cap_std::ambient_authority()).unwrap();
            for target in ["u", "t"] {
                let outcome = case.watch(|root| {
                    root.with_state(&parent, "state").unwrap().ensure("open/l", Target::relative(target))
                });
                let outcome = outcome.unwrap();
                assert_eq!((outcome.effect, outcome.staging), (Effect::Replaced, caplink::Staging::Private));
            }
            assert_eq!(fs::read_dir(&elsewhere.0).unwrap().count(), 0, "nothing is left in the state");
        }
        // The link's directory is on the other mount, the state directory is not.
        let open = case.at("open");
        for arguments in [&["--bind", open.to_str().unwrap()][..], &["-t", "tmpfs", "-o", "mode=777", "tmpfs"]] {
            let _other = Mounted::at(case, "open", arguments);
            let _ = fs::remove_file(case.at("open/l"));
            std::os::unix::fs::symlink("../t", case.at("open/l")).unwrap();
            let outcome = case.watch_as(crossing(), |root| root.ensure("open/l", Target::relative("u"))).unwrap();
            assert_eq!((outcome.effect, outcome.staging), (Effect::Replaced, caplink::Staging::Private));
        }
    });
}

#[test]
fn o_17_a_mount_that_does_not_follow_links_is_named_as_the_reason() {
    with_mounts("O-17", BACKENDS, |case| {
        furnish(case);
        case.link("chain", "l");
        case.link("d", "a");
        let at = case.at("");
        let _mounted = Mounted::bound(case, &at, "");
        if let Err(said) = tried("mount", &["-o", "remount,bind,nosymfollow", at.to_str().unwrap()]) {
            return skipped("O-17", &said);
        }
        assert!(fs::metadata(case.at("l")).is_err(), "the kernel does not follow");
        for name in ["l", "chain"] {
            case.refused(Kind::MountPolicy, |root| root.resolve(name));
            let seen = case.watch(|root| root.inspect(name)).unwrap().link.unwrap();
            assert_eq!(seen.status, Status::Denied, "{}: {name}", case.backend.name);
        }
        case.refused_as(Policy::default().follow(true), Kind::MountPolicy, |root| {
            root.create("d/x", Target::relative("t"))
        });
        case.refused(Kind::SymlinkInPath, |root| root.create("d/x", Target::relative("t")));
        case.refused(Kind::MountPolicy, |root| root.create("new", Target::relative("l")));
        // Links can still be created, replaced and removed there.
        let _ = case.done(|root| root.create("new", Target::relative("t")));
        let _ = case.done(|root| root.ensure("new", Target::relative("u")));
        let _ = case.done(|root| root.remove("new"));
    });
}

#[test]
fn o_20_durability_is_reported_only_where_it_was_reached() {
    on_every_backend("O-20", |case| {
        furnish(case);
        for durability in [Durability::None, Durability::Dir, Durability::Fs] {
            let edit = Edit::create(path("n/m/l"), Target::relative("t")).parents(true).durability(durability);
            let outcome = case.done(|root| root.apply(&edit));
            assert_eq!((outcome.durability, outcome.made.len()), (durability, 2));
            let ensure = Edit::ensure(path("n/m/l"), Target::relative("u")).durability(durability);
            assert_eq!(case.done(|root| root.apply(&ensure)).durability, durability);
            let _ = case.done(|root| root.apply(&Edit::remove(path("n/m/l")).durability(durability)));
            fs::remove_dir_all(case.at("n")).unwrap();
        }
    });
}

#[test]
fn o_24_a_link_that_a_crash_left_empty_is_corrupt() {
    with_mounts("O-24", NATIVE, |case| {
        let image = case.on_ground("image");
        let image = image.to_str().unwrap();
        fs::File::create(image).unwrap().set_len(8 << 20).unwrap();
        case.dir("img");
        if let Err(said) = tried("mkfs.ext4", &["-q", "-O", "^metadata_csum,^has_journal", image]) {
            return skipped("O-24", &said);
        }
        {
            let _image = Mounted::at(case, "img", &["-o", "loop", image]);
            std::os::unix::fs::symlink("t", case.at("img/empty")).unwrap();
            fs::write(case.at("img/t"), "t").unwrap();
        }
        if let Err(said) = tried("debugfs", &["-w", "-R", "set_inode_field empty size 0", image]) {
            return skipped("O-24", &said);
        }
        let _image = Mounted::at(case, "img", &["-o", "loop", image]);
        let root = Root::open_ambient(case.at("img"), Policy::default(), cap_std::ambient_authority()).unwrap();
        let root = root.with_abilities(case.backend.abilities);
        match root.inspect("empty") {
            Ok(seen) => assert_eq!(seen.link.unwrap().status, Status::Corrupt),
            Err(error) => {
                // This kernel refuses to load such an inode.
                assert_eq!(error.kind(), Kind::Corrupt, "{error:?}");
                return skipped("O-24", &format!("this kernel refuses the inode: {error:?}"));
            }
        }
        assert!([Kind::NotFound, Kind::Corrupt].contains(&root.resolve("empty").unwrap_err().kind()));
        let outcome = root.swap("empty", Target::relative("t"), "").unwrap();
        assert_eq!(outcome.previous.as_deref(), Some("".as_ref()));
        assert_eq!(root.read_link("empty").unwrap(), "t");
    });
}
