//! The corpus once more on each file system that this host can make.

use std::fs;
use std::time::Duration;

use caplink::{Abilities, Kind, Policy, Root, Target};

use super::backend::{NATIVE, run_within, skipped};
use super::ground::{on_backends, turn};
use super::support::environment::word;
use super::support::file_systems::{is_root, must, on_each_file_system, own_mounts, tried};
use super::support::table::left_out;

/// What depends on the file system. `CAPLINK_CORPUS=all` runs everything.
const CORPUS: &[&str] =
    &["s_12", "s_15", "s_16", "s_21", "o_01", "o_05", "o_10", "o_18_the_abilities", "o_19_without", "o_20", "o_22"];

#[test]
fn the_corpus_holds_on_each_file_system() {
    let _turn = turn();
    run_within(Duration::from_secs(600), || {
        on_each_file_system("O-20fs", |kind, at, again| {
            let root = Root::open_ambient(at, Policy::default(), cap_std::ambient_authority()).unwrap();
            assert_eq!(root.abilities(), Abilities::ALL, "{kind}");
            if word("CAPLINK_CORPUS", &["all"]).is_none() {
                again.args(CORPUS).env("CAPLINK_BACKENDS", "few");
            }
            again.args(["--skip", "the_corpus", "--skip", "o_19_whatever"]);
        });
    });
}

#[test]
fn s_18_two_spellings_of_one_name_are_one_link() {
    if !is_root() {
        return left_out("S-18", "only root mounts");
    }
    on_backends("S-18", NATIVE, |case| {
        own_mounts();
        let (image, at) = (case.on_ground("image"), case.on_ground("at"));
        let (image, at) = (image.to_str().unwrap(), at.to_str().unwrap());
        fs::File::create(image).unwrap().set_len(16 << 20).unwrap();
        fs::create_dir(at).unwrap();
        let made = tried("mkfs.ext4", &["-q", "-O", "casefold", image]);
        if let Err(said) = made.and_then(|()| tried("mount", &["-o", "loop", image, at])) {
            return skipped("S-18", &format!("this kernel cannot fold case: {}", said.trim()));
        }
        let folded = format!("{at}/d");
        fs::create_dir(&folded).unwrap();
        must("chattr", &["+F", &folded]);
        let root = Root::open_ambient(&folded, Policy::default(), cap_std::ambient_authority()).unwrap();
        fs::write(format!("{folded}/t"), "t").unwrap();
        let _ = root.create("current", Target::relative("t")).unwrap();
        assert_eq!(root.create("Current", Target::relative("t")).unwrap_err().kind(), Kind::Exists);
        assert_eq!(root.ensure("CURRENT", Target::relative("t")).unwrap().effect, caplink::Effect::Unchanged);
        let exchanged = root.exchange("current", "Current").unwrap();
        assert!(exchanged.each().all(|outcome| outcome.effect == caplink::Effect::Unchanged));
        drop(root);
        let _ = tried("umount", &["-l", at]);
    });
}
