//! `records renew`, killed before any of its calls: the damaged records are there, or behind them the new ones with all that
//! was taken over. At no moment there are none, which the next change would take for a root without records.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use serde_json::Value;
use tempfile::TempDir;

use crate::draw::{Draw, is_asked_for};
use crate::groups::run;
use crate::skipped;
use crate::support::ground::temp_dir;
use crate::tracee::{Call, Memory, Verdict, Watch, trace};

/// Of how many calls one is played, where nothing else is asked for.
const ONE_OF: u64 = 17;

/// A root with a ledger, whose records are damaged.
struct Damaged {
    dir: TempDir,
    elsewhere: bool,
    log: Vec<u8>,
    marker: Option<Vec<u8>>,
    ledger: Value,
}

impl Damaged {
    fn new(elsewhere: bool) -> Damaged {
        let (log, marker, ledger) = (Vec::new(), None, Value::Null);
        let mut place = Damaged { dir: temp_dir(), elsewhere, log, marker, ledger };
        for dir in ["releases/1", "releases/2"] {
            fs::create_dir_all(place.root().join(dir)).expect("a directory");
        }
        for words in [&["records", "init"][..], &["release", "deploy", "1"], &["release", "deploy", "2"]] {
            assert_eq!(place.run(words).0, Some(0), "{words:?}");
        }
        assert_eq!(place.run(&["release", "pin", "1"]).0, Some(0));
        place.ledger = place.run(&["release", "list"]).1["items"].clone();
        place.marker = fs::read(place.root().join(".caplink-records")).ok();
        assert_eq!(place.marker.is_some(), elsewhere);
        let log = place.state().join("log.jsonl");
        place.log = [fs::read(&log).expect("a log"), b"{\"damage\"}\n".to_vec()].concat();
        place.again();
        place
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    fn state(&self) -> PathBuf {
        if self.elsewhere { self.dir.path().join("state") } else { self.root().join(".caplink") }
    }

    fn command(&self, words: &[&str]) -> Vec<OsString> {
        let mut command: Vec<OsString> = vec![env!("CARGO_BIN_EXE_caplink").into(), "-C".into(), self.root().into()];
        command.extend(["--json", "--confine", "off"].map(OsString::from));
        if self.elsewhere {
            command.extend(["--state".into(), self.state().into()]);
        }
        command.extend(words.iter().map(OsString::from));
        command
    }

    fn renew(&self) -> Vec<OsString> {
        self.command(&["records", "renew", "--reason", "bent"])
    }

    fn run(&self, words: &[&str]) -> (Option<i32>, Value) {
        run(&self.command(words))
    }

    /// Everything as it was before a renewal.
    fn again(&self) {
        for name in self.names() {
            let path = self.state().join(name);
            if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.expect("it is removed");
        }
        let log = self.state().join("log.jsonl");
        fs::write(&log, &self.log).expect("a log");
        fs::set_permissions(log, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("permissions");
        if let Some(marker) = &self.marker {
            fs::write(self.root().join(".caplink-records"), marker).expect("a file");
        }
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.state()).expect("the state directory");
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name")).collect()
    }

    /// Whether the damaged log is kept under one of the two names.
    fn keeps(&self, dir: &Path) -> bool {
        ["log.jsonl", "damaged.jsonl"].iter().any(|name| fs::read(dir.join(name)).is_ok_and(|log| log == self.log))
    }

    /// Judges what a renewal left that was stopped, and goes on with it. Returns whether the new records were there.
    fn judge(&self, what: &str) -> bool {
        let (code, shown) = self.run(&["records", "show"]);
        let is_damaged = code == Some(9) && shown["errors"][0]["kind"] == "integrity";
        assert!(is_damaged || code == Some(0), "{what}: {shown}");
        if !is_damaged {
            assert_eq!(self.run(&["release", "list"]).1["items"], self.ledger, "{what}: the new ones know it all");
        }
        let (code, renewed) = run(&self.renew());
        assert_eq!(code, Some(0), "{what}: {renewed}");
        assert_eq!(renewed["items"][0]["outcome"], if is_damaged { "renewed" } else { "unchanged" }, "{what}");
        assert_eq!(self.run(&["release", "list"]).1["items"], self.ledger, "{what}");
        let (code, said) = self.run(&["log", "verify"]);
        assert_eq!(code, Some(0), "{what}: {said}");
        let (code, said) = self.run(&["ensure", "other", "--to", "releases/1"]);
        assert_eq!(code, Some(0), "{what}: {said}");
        let names = self.names();
        let kept: Vec<&String> = names.iter().filter(|name| name.starts_with("records.damaged-")).collect();
        assert!(matches!(*kept, [kept] if self.keeps(&self.state().join(kept))), "{what}: {names:?}");
        assert!(!names.iter().any(|name| name.starts_with("log-")), "{what}: {names:?}");
        !is_damaged
    }
}

/// Kills before a call, and lets no two entries be exchanged where that is asked for.
struct At {
    seen: usize,
    at: Option<usize>,
    exchanges: bool,
    refused: usize,
    /// The calls that change names, and those behind them.
    names: Vec<usize>,
}

impl At {
    fn new(at: Option<usize>, exchanges: bool) -> At {
        At { seen: 0, at, exchanges, refused: 0, names: Vec::new() }
    }
}

impl Watch for At {
    fn before(&mut self, call: &Call, _memory: &Memory) -> Verdict {
        self.seen += 1;
        if self.at == Some(self.seen - 1) {
            return Verdict::Kill;
        }
        let renamings = [libc::SYS_renameat2, libc::SYS_renameat];
        let others = [libc::SYS_linkat, libc::SYS_unlinkat, libc::SYS_mkdirat];
        if renamings.contains(&call.number) || others.contains(&call.number) {
            self.names.extend([self.seen - 1, self.seen]);
        }
        let is_exchange = call.number == libc::SYS_renameat2 && call.args[4] == u64::from(libc::RENAME_EXCHANGE);
        if is_exchange && !self.exchanges {
            self.refused += 1;
            return Verdict::Fail(Errno::EINVAL);
        }
        Verdict::Go
    }

    fn after(&mut self, _call: &Call, _result: i64) {}
}

#[test]
fn a_renewal_that_is_killed_before_any_call_leaves_the_damaged_records_or_the_whole_new_ones() {
    if skipped("a renewal killed before any call") || !is_asked_for("renewals") {
        return;
    }
    let mut draw = Draw::new("renewals killed", ONE_OF);
    for (elsewhere, exchanges) in [(false, true), (true, true), (false, false)] {
        let place = Damaged::new(elsewhere);
        let mut undisturbed = At::new(None, exchanges);
        let end = trace(&place.renew(), &mut undisturbed).expect("it is traced");
        assert_eq!(end.code, Some(0), "{}", end.stdout);
        assert_eq!(undisturbed.refused > 0, !exchanges);
        assert!(place.judge("undisturbed"));
        let (mut old, mut new) = (0, 0);
        for at in 0..undisturbed.seen {
            if !draw.one() && !undisturbed.names.contains(&at) {
                continue;
            }
            place.again();
            let mut watch = At::new(Some(at), exchanges);
            if trace(&place.renew(), &mut watch).expect("it is traced").code.is_none() {
                let what = format!("elsewhere {elsewhere}, exchanges {exchanges}, killed before call {at}");
                if place.judge(&what) { new += 1 } else { old += 1 }
            }
        }
        assert!(old > 0 && new > 0, "{old} old, {new} new");
    }
}
