//! Memory by the number of a manifest's entries: what each of them takes in every verb, by the most that the program had.

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Stdio};

use crate::support::caplink;

/// So many entries have the manifests that are compared: a little less than fit into a hash table before it is doubled.
const FEW: usize = 800;
const MANY: usize = 7_000;

/// The most that an entry should take, in bytes, and a fifth for what allocators do.
const MOST: u64 = 1024 + 1024 / 5;

/// The same where nothing is changed: a plan, a status, an application with nothing to do.
const MOST_AT_REST: u64 = 928 + 928 / 5;

/// The same of taking back, where what is owned is in memory as well while the links are removed.
const MOST_BACK: u64 = 1152 + 1152 / 5;

/// The most memory that a program had so far, in KiB; none where the system does not say.
fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.trim().trim_end_matches(" kB").parse().ok()
}

fn names(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("d{:03}/file-{number:06}", number / 500))
}

/// A root with that many files, and the manifest that leads a link to each.
fn ground(count: usize) -> tempfile::TempDir {
    let root = tempfile::TempDir::new_in("/dev/shm").or_else(|_| tempfile::TempDir::new()).unwrap();
    let mut manifest = "version = 1\nname = \"many\"\nsource = \"src\"\n[links]\n".to_owned();
    for name in names(count) {
        let file = root.path().join("src").join(&name);
        if !file.parent().unwrap().exists() {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
        }
        fs::write(file, "").unwrap();
        writeln!(manifest, "\"out/{name}\" = \"{name}\"").unwrap();
    }
    fs::write(root.path().join("caplink.toml"), manifest).unwrap();
    root
}

/// Runs a verb; the most memory that it had when it began to print its document, which is longer than a pipe takes.
fn run(root: &Path, verb: &[&str]) -> u64 {
    let mut command = caplink();
    command.arg("-C").arg(root).arg("--json").args(verb).env_remove("CAPLINK_ROOT").env_remove("CAPLINK_STATE");
    let mut child: Child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut document = vec![0];
    out.read_exact(&mut document).unwrap();
    let peak = peak(child.id()).unwrap();
    out.read_to_end(&mut document).unwrap();
    assert!(child.wait().unwrap().success() && document.len() > 80 << 10, "{verb:?}: {} bytes", document.len());
    peak * 1024
}

#[test]
fn an_entry_takes_about_a_kibibyte() {
    if peak(std::process::id()).is_none() {
        eprintln!("SKIPPED: nothing tells how much memory a program had");
        return;
    }
    let (few, many) = (ground(FEW), ground(MANY));
    let verbs: [&[&str]; 7] =
        [&["plan"], &["apply"], &["apply"], &["apply"], &["status"], &["-n", "unapply"], &["unapply"]];
    let each = verbs.map(|verb| {
        let base = run(few.path(), verb);
        run(many.path(), verb).saturating_sub(base) / (MANY - FEW) as u64
    });
    // What was written in pieces is one chain.
    let verify = caplink().arg("-C").arg(many.path()).args(["log", "verify"]).output().unwrap();
    assert!(verify.status.success(), "{}", String::from_utf8_lossy(&verify.stderr));
    let told: Vec<String> = verbs.iter().zip(each).map(|(verb, each)| format!("{} {each}", verb.join(" "))).collect();
    println!("bytes an entry: {}", told.join(", "));
    let most = [MOST_AT_REST, MOST, MOST_AT_REST, MOST_AT_REST, MOST_AT_REST, MOST_BACK, MOST_BACK];
    assert!(each.iter().zip(most).all(|(each, most)| *each <= most), "at most {most:?}: {}", told.join(", "));
}
