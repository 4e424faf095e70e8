//! Whatever is done to a tree, what is told of its links is what a scan says, and no look at everything is needed for it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;

use caplink::watch::WatchOptions;

use super::asked::rounds::Rounds;
use super::support::Ground;

/// Numbers that follow from a seed.
struct Draw(u64);

impl Draw {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }

    fn name(&mut self) -> &'static str {
        ["a", "b", "c", "d"][self.below(4) as usize]
    }

    /// One to three names, half of them in the directory that is watched.
    fn path(&mut self) -> PathBuf {
        let within = ["in", ""][self.below(2) as usize];
        PathBuf::from(within).join((0..=self.below(3)).map(|_| self.name()).collect::<PathBuf>())
    }

    /// A text of a link: up, down, through nothing, doubled, from the root.
    fn text(&mut self, ground: &Ground) -> PathBuf {
        let mut text = if self.below(8) == 0 { ground.dir.path().to_path_buf() } else { PathBuf::new() };
        for _ in 0..=self.below(4) {
            text.push(if self.below(3) == 0 { ["..", "in"][self.below(2) as usize] } else { self.name() });
        }
        text
    }
}

/// One change, which fails as often as not.
fn change(ground: &Ground, outside: &Ground, draw: &mut Draw) {
    let at = ground.at(draw.path());
    let other = match draw.below(4) {
        0 => outside.at(draw.name()),
        _ => ground.at(draw.path()),
    };
    let _failed = match draw.below(16) {
        0..3 => fs::create_dir(&at),
        3 => fs::write(&at, ""),
        4..9 => symlink(draw.text(ground), &at),
        9 => fs::remove_file(&at),
        10 => fs::remove_dir(&at),
        11 => fs::remove_dir_all(&at),
        12..14 => fs::rename(&at, &other),
        14 => fs::rename(&other, &at),
        _ => nix::fcntl::renameat2(
            nix::fcntl::AT_FDCWD,
            &at,
            nix::fcntl::AT_FDCWD,
            &other,
            nix::fcntl::RenameFlags::RENAME_EXCHANGE,
        )
        .map_err(Into::into),
    };
}

fn drawn(seed: u64, dir: &str, batches: u64) {
    let (ground, outside) = (Ground::in_memory(), Ground::in_memory());
    let mut draw = Draw(seed);
    for dir in ["in/a", "in/a/b", "a/b", "b"] {
        fs::create_dir_all(ground.at(dir)).unwrap();
    }
    for _ in 0..40 {
        change(&ground, &outside, &mut draw);
    }
    let options = WatchOptions::default().interval(Duration::from_secs(3600)).gap(Duration::from_millis(1));
    let mut told = ground.watched_at(dir, &options);
    for batch in 0..batches {
        for _ in 0..=draw.below(8) {
            change(&ground, &outside, &mut draw);
        }
        // Shown if it fails.
        eprintln!("seed {seed} in `{dir}`, batch {batch}");
        told.until_it_fits(&ground);
    }
    assert!(told.looks == 1 && told.lost.is_empty(), "{} looks, lost {:?}", told.looks, told.lost);
}

#[test]
fn whatever_changes_is_told_without_a_look_at_everything() {
    let (seeds, batches) = if Rounds::asked_for() == Rounds::Full { (50, 200) } else { (4, 50) };
    for seed in 0..seeds {
        drawn(seed, ["in", "."][seed as usize % 2], batches);
    }
}
