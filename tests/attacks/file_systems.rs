//! The corpus once more on each file system that this host can make.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use caplink::{Abilities, Kind, Policy, Root, Target};

use super::backend::{NATIVE, row, run_within, skipped};
use super::ground::{is_root, on_backends, turn};
use super::privileges::{must, own_mounts, tried};

/// What depends on the file system. `CAPLINK_CORPUS=all` runs everything.
const CORPUS: &[&str] =
    &["s_12", "s_15", "s_16", "s_21", "o_01", "o_05", "o_10", "o_18_what", "o_19_without", "o_20", "o_22"];

/// Mounts a new file system at `at`, or says why it cannot.
fn mount(kind: &str, at: &Path, scratch: &Path) -> Result<(), String> {
    let (at, scratch) = (at.to_str().expect("a plain name"), scratch.to_str().expect("a plain name"));
    match kind {
        "tmpfs" => tried("mount", &["-t", "tmpfs", "tmpfs", at]),
        "overlay" => {
            // Its layers must not be an overlay themselves.
            tried("mount", &["-t", "tmpfs", "tmpfs", scratch])?;
            let dirs = ["lower", "upper", "work"].map(|name| format!("{scratch}/{name}"));
            dirs.iter().try_for_each(fs::create_dir).map_err(|error| error.to_string())?;
            let options = format!("lowerdir={},upperdir={},workdir={}", dirs[0], dirs[1], dirs[2]);
            tried("mount", &["-t", "overlay", "overlay", "-o", &options, at])
        }
        _ => {
            let image = format!("{scratch}/image");
            fs::File::create(&image).and_then(|file| file.set_len(320 << 20)).map_err(|error| error.to_string())?;
            let force = if kind == "ext4" { "-F" } else { "-f" };
            tried(&format!("mkfs.{kind}"), &["-q", force, &image])?;
            tried("mount", &["-o", "loop", &image, at])
        }
    }
}

#[test]
fn the_corpus_holds_on_each_file_system() {
    if !is_root() {
        return skipped("O-20fs", "only root mounts");
    }
    let _turn = turn();
    for kind in ["tmpfs", "ext4", "xfs", "btrfs", "overlay"] {
        run_within(Duration::from_secs(600), move || {
            own_mounts();
            let ground = tempfile::tempdir().unwrap();
            let (at, scratch) = (ground.path().join("at"), ground.path().join("scratch"));
            fs::create_dir(&at).unwrap();
            fs::create_dir(&scratch).unwrap();
            if let Err(said) = mount(kind, &at, &scratch) {
                return skipped("O-20fs", &format!("{kind}: {said}"));
            }
            let root = Root::open_ambient(&at, Policy::default(), cap_std::ambient_authority()).unwrap();
            assert_eq!(root.abilities(), Abilities::ALL, "{kind}");
            drop(root);
            let mut corpus = Command::new(std::env::current_exe().unwrap());
            if std::env::var_os("CAPLINK_CORPUS").is_none_or(|which| which != "all") {
                corpus.args(CORPUS).env("CAPLINK_BACKENDS", "few");
            }
            let output = corpus
                .args(["--skip", "the_corpus", "--skip", "o_19_whatever"])
                .env("CAPLINK_TEST_DIR", &at)
                .stderr(Stdio::inherit())
                .output()
                .unwrap();
            assert!(output.status.success(), "{kind}:\n{}", String::from_utf8_lossy(&output.stdout));
            for mounted in [&at, &scratch] {
                let _ = tried("umount", &["-l", mounted.to_str().unwrap()]);
            }
        });
    }
    row("O-20fs", "all");
}

#[test]
fn s_18_two_spellings_of_one_name_are_one_link() {
    if !is_root() {
        return skipped("S-18", "only root mounts");
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
        assert_eq!(root.ensure("CURRENT", Target::relative("t")).unwrap().change, caplink::Change::Unchanged);
        let traded = root.exchange("current", "Current").unwrap();
        assert!(traded.iter().all(|outcome| outcome.change == caplink::Change::Unchanged));
        drop(root);
        let _ = tried("umount", &["-l", at]);
    });
}
