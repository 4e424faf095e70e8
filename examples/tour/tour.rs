//! A tour of what caplink does, on a real tree:
//! `cargo run --no-default-features --features tour --bin tour [-- DIR]`.
//!
//! The tree is made below DIR, by default `target/tour`, and stays there to be looked at. It may be run again.

#![expect(clippy::print_stdout, reason = "it shows what it does")]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use caplink::{Edit, LinkPath, Outcome, Policy, Root, Target};

/// Switches to and fro while a reader looks.
const SWITCHES: usize = 1000;

fn main() -> Result<(), Box<dyn Error>> {
    let given = std::env::args_os().nth(1).map(PathBuf::from);
    let dir = given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tour"));
    let app = dir.join("app");
    for version in ["41", "42"] {
        fs::create_dir_all(app.join("releases").join(version))?;
        fs::write(app.join("releases").join(version).join("version"), version)?;
    }
    fs::create_dir_all(dir.join("outside"))?;
    fs::write(dir.join("outside/secret"), "secret")?;
    let outside = listing(&dir.join("outside"))?;

    println!("The root is {}.", app.display());
    let root = Root::open_ambient(&app, Policy::default(), caplink::ambient_authority())?;

    println!("\n1. Blue: `current` points to release 41, whatever it was before.");
    show(&root.ensure("current", Target::relative("releases/41"))?);

    println!("\n2. Green: it is switched to release 42, if it still points to 41.");
    let switched = root.swap("current", Target::relative("releases/42"), "releases/41")?;
    show(&switched);
    println!("   current/version reads {}", fs::read_to_string(app.join("current/version"))?);

    println!("\n3. A second agent believes that it still points to 41. It loses, and nothing changes.");
    refused(root.swap("current", Target::relative("releases/41"), "releases/41"))?;

    println!("\n4. Somebody who can write below the root tries to lead it out.");
    refused(root.create("../outside/planted", Target::relative("releases/42")))?;
    refused(root.create("planted", Target::verbatim("../outside/secret")))?;
    let _gone = root.apply(&Edit::remove(LinkPath::new("door")?).missing_ok(true))?;
    symlink_dir(Path::new("../outside"), &app.join("door"))?;
    refused(root.create("door/planted", Target::relative("releases/42")))?;
    println!("   outside is {}", if listing(&dir.join("outside"))? == outside { "untouched" } else { "CHANGED" });

    println!("\n5. The way back is what the switch displaced, if nobody switched since.");
    let (Some(previous), Some(target)) = (switched.previous, switched.target) else {
        return Err("a switch displaces a link".into());
    };
    show(&root.swap("current", Target::verbatim(previous), target)?);
    println!("   current/version reads {}", fs::read_to_string(app.join("current/version"))?);

    println!("\n6. {SWITCHES} switches to and fro, while a reader looks all the time.");
    let absent = switch_under_a_reader(&root, &app)?;
    println!("   the reader found the link absent {absent} times");
    Ok(())
}

fn show(outcome: &Outcome) {
    let text = |text: &Option<std::ffi::OsString>| {
        text.as_ref().map_or_else(|| "nothing".to_owned(), |text| text.to_string_lossy().into_owned())
    };
    let link = outcome.link.as_path().display();
    let (change, guarantee) = (outcome.effect.as_str(), outcome.guarantee.as_str());
    println!("   {link}: {} -> {} ({change}, {guarantee})", text(&outcome.previous), text(&outcome.target));
}

fn refused(result: caplink::Result<Outcome>) -> Result<(), Box<dyn Error>> {
    match result {
        Ok(outcome) => Err(format!("this should have been refused: {outcome:?}").into()),
        Err(error) => {
            println!("   refused as {}: {error}", error.kind());
            Ok(())
        }
    }
}

fn switch_under_a_reader(root: &Root, app: &Path) -> Result<usize, Box<dyn Error>> {
    let done = AtomicBool::new(false);
    let current = app.join("current");
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut absent = 0;
            while !done.load(Ordering::Relaxed) {
                absent += usize::from(fs::symlink_metadata(&current).is_err());
            }
            absent
        });
        let switched = (0..SWITCHES).try_for_each(|turn| {
            let (new, old) = if turn % 2 == 0 { ("42", "41") } else { ("41", "42") };
            root.swap("current", Target::relative(format!("releases/{new}")), format!("releases/{old}")).map(drop)
        });
        done.store(true, Ordering::Relaxed);
        let absent = reader.join().map_err(|_| "the reader panicked")?;
        switched?;
        Ok(absent)
    })
}

/// Every name in a directory of files, with its content.
fn listing(dir: &Path) -> std::io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let named = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry?.path();
        Ok((path.clone(), fs::read(path)?))
    };
    let mut files = fs::read_dir(dir)?.map(named).collect::<std::io::Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}

#[cfg(unix)]
fn symlink_dir(text: &Path, link: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(text, link)
}

#[cfg(windows)]
fn symlink_dir(text: &Path, link: &Path) -> std::io::Result<()> {
    std::os::windows::fs::symlink_dir(text, link)
}
