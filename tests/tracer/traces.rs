//! What the calls of an undisturbed run show: what is opened and how, what is written, and what is synced.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::calls::{Named, Sort, named};
use crate::scene::{HOSTS, LAYOUTS, Layout, Scenario, Scene, VERBS, Verb, arguments, is_about};
use crate::skipped;
use crate::tracee::{Call, Memory, Verdict, Watch, trace};

/// The calls of one run, with what a first descriptor leads to.
struct Log {
    base: PathBuf,
    begun: bool,
    without_openat2: bool,
    calls: Vec<(Named, PathBuf)>,
}

impl Watch for Log {
    fn before(&mut self, call: &Call, memory: &Memory) -> Verdict {
        let Some(named) = named(call, memory) else { return Verdict::Go };
        self.begun = self.begun || named.texts.iter().any(|text| is_about(text, &self.base));
        if self.begun {
            let descriptor = format!("/proc/{}/fd/{}", call.thread, named.descriptor);
            let missing = self.without_openat2 && named.name == "openat2";
            self.calls.push((named, std::fs::read_link(descriptor).unwrap_or_default()));
            if missing {
                return Verdict::Fail(nix::errno::Errno::ENOSYS);
            }
        }
        Verdict::Go
    }

    fn after(&mut self, _call: &Call, _result: i64) {}
}

/// The calls of one run with these options.
fn log(scene: &Scene, options: &[&str]) -> Vec<(Named, PathBuf)> {
    let without_openat2 = !scene.scenario.host.openat2;
    let mut log = Log { base: scene.base(), begun: false, without_openat2, calls: Vec::new() };
    let end = trace(&scene.command_with(arguments(scene.scenario.verb), options), &mut log).expect("it is traced");
    let expected = if scene.scenario.verb == Verb::SwapStale { 3 } else { 0 };
    assert_eq!(end.code, Some(expected), "{}: {}", scene.scenario.name(), end.stdout);
    assert!(!log.calls.is_empty());
    log.calls
}

fn flag(flag: i32) -> u64 {
    u64::from(flag.cast_unsigned())
}

#[test]
fn o_02_nothing_is_opened_but_to_be_named_or_as_a_directory() {
    if skipped("what is opened") {
        return;
    }
    let (mut opened, mut confined) = (0, 0);
    for host in HOSTS {
        for layout in LAYOUTS {
            for verb in VERBS {
                let scene = Scene::new(Scenario { verb: *verb, host: *host, layout: *layout });
                for (call, _) in log(&scene, &[]).iter().filter(|(call, _)| call.sort == Sort::Open) {
                    let context = format!("{}: {} with {:o}", scene.scenario.name(), call.words(), call.flags);
                    opened += 1;
                    assert!(call.flags & flag(libc::O_CLOEXEC) != 0, "{context}: others inherit it");
                    assert!(
                        call.flags & (flag(libc::O_WRONLY) | flag(libc::O_RDWR) | flag(libc::O_CREAT)) == 0,
                        "{context}"
                    );
                    let to_name = call.flags & flag(libc::O_PATH) != 0;
                    let directory = call.flags & flag(libc::O_DIRECTORY) != 0;
                    let no_follow = call.flags & flag(libc::O_NOFOLLOW) != 0;
                    if call.name == "openat2" {
                        confined += 1;
                        // include/uapi/linux/openat2.h: BENEATH, NO_MAGICLINKS, NO_SYMLINKS, NO_XDEV.
                        let (xdev, magic, symlinks, beneath) = (1, 2, 4, 8);
                        assert!(to_name || directory, "{context}");
                        assert!(call.resolve & beneath != 0, "{context}: it can leave the root");
                        // A directory by its own descriptor, and the state directory, which may be on another mount.
                        if call.texts != ["."] && call.texts != [".caplink"] {
                            assert_eq!(call.resolve, xdev | magic | symlinks | beneath, "{context}");
                        }
                        assert!(!call.texts[0].contains(".."), "{context}");
                    } else if !is_about(&call.texts[0], &scene.base()) {
                        assert!((to_name || directory) && no_follow, "{context}");
                    } else {
                        assert!(to_name && directory, "{context}");
                    }
                }
            }
        }
    }
    assert!(opened > 500 && confined > 200, "{opened} {confined}");
}

#[test]
fn an_equal_link_is_left_alone_without_a_write() {
    if skipped("an equal link") {
        return;
    }
    for host in HOSTS {
        for layout in LAYOUTS {
            let scene = Scene::new(Scenario { verb: Verb::EnsureSame, host: *host, layout: *layout });
            for (call, _) in log(&scene, &["--durability", "dir"]) {
                let writes = matches!(call.sort, Sort::Change | Sort::Lock);
                assert!(!writes, "{}: {}", scene.scenario.name(), call.words());
            }
            let view = scene.view();
            assert_eq!(view.nodes, scene.first.nodes, "not even a time changed");
        }
    }
}

/// The directories in which a verb changes names, from the root.
fn changed(verb: Verb) -> &'static [&'static str] {
    match verb {
        Verb::Parents => &["q", "q/n1", "q/n1/n2"],
        Verb::ExchangeAcross => &["q/p", "q/r"],
        Verb::SwapStale | Verb::EnsureSame | Verb::RemoveMaybe => &[],
        _ => &["q/p"],
    }
}

#[test]
fn o_20_what_was_changed_is_synced_as_asked_for() {
    if skipped("what is synced") {
        return;
    }
    let mut seen = 0;
    for host in &HOSTS[..3] {
        for verb in VERBS {
            for durability in ["none", "dir", "fs"] {
                let scene = Scene::new(Scenario { verb: *verb, host: *host, layout: Layout::Private });
                let calls = log(&scene, &["--durability", durability]);
                let context = format!("{} --durability {durability}", scene.scenario.name());
                let at = |name: &str| calls.iter().position(|(call, _)| call.name == name);
                // A directory is synced after the last change in it; of a call that changes two, one is known.
                let last_change_in = |dir: &PathBuf| {
                    let changes = |of: &dyn Fn(&PathBuf) -> bool| {
                        calls.iter().rposition(|(call, at)| call.sort == Sort::Change && of(at))
                    };
                    changes(&|at| at == dir).or_else(|| changes(&|_| true))
                };
                let synced = |name: &str| -> BTreeSet<PathBuf> {
                    let these = calls.iter().enumerate().filter(|(_, (call, _))| call.name == name);
                    let after = these.filter(|(index, (_, dir))| Some(*index) > last_change_in(dir));
                    after.map(|(_, (_, dir))| dir.strip_prefix(scene.base()).unwrap_or(dir).to_path_buf()).collect()
                };
                let dirs: BTreeSet<PathBuf> = changed(*verb).iter().map(PathBuf::from).collect();
                match durability {
                    "dir" => {
                        assert!(synced("fsync").is_superset(&dirs), "{context}: {:?} of {dirs:?}", synced("fsync"));
                        assert_eq!(at("syncfs"), None, "{context}");
                    }
                    "fs" => {
                        assert_eq!(!synced("syncfs").is_empty(), !dirs.is_empty(), "{context}");
                        assert_eq!(at("fsync"), None, "{context}");
                    }
                    _ => assert_eq!((at("fsync"), at("syncfs")), (None, None), "{context}"),
                }
                seen += usize::from(at("fsync").is_some()) + usize::from(at("syncfs").is_some());
            }
        }
    }
    assert!(seen > 50, "{seen}");
}
