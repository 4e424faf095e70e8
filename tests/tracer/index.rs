//! The calls of a run that finds the index of the records up to date: it is read, and nothing is written or synced.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::skipped;
use crate::support::ground::temp_dir;
use crate::tracee::{Call, Memory, Verdict, Watch, trace};

const LINKS: usize = 600;

/// What a run does to the files of the state directory.
#[derive(Default)]
struct Uses {
    index_read: u64,
    log_read: u64,
    /// Calls by which something is written, made shorter or longer, or synced.
    writes: Vec<String>,
}

impl Watch for Uses {
    fn before(&mut self, call: &Call, _memory: &Memory) -> Verdict {
        let writes = [
            (libc::SYS_write, "write"),
            (libc::SYS_pwrite64, "pwrite64"),
            (libc::SYS_ftruncate, "ftruncate"),
            (libc::SYS_fallocate, "fallocate"),
            (libc::SYS_fdatasync, "fdatasync"),
            (libc::SYS_fsync, "fsync"),
        ];
        let file = || fs::read_link(format!("/proc/{}/fd/{}", call.thread, call.args[0])).unwrap_or_default();
        let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if call.number == libc::SYS_pread64 {
            match name(&file()).as_str() {
                "index.redb" => self.index_read += call.args[2],
                "log.jsonl" => self.log_read += call.args[2],
                _ => {}
            }
        } else if let Some((_, of)) = writes.iter().find(|(number, _)| *number == call.number) {
            let path = file();
            if path.components().any(|part| part.as_os_str() == ".caplink") {
                self.writes.push(format!("{of} {}", name(&path)));
            }
        }
        Verdict::Go
    }

    fn after(&mut self, _call: &Call, _result: i64) {}
}

/// A root whose links are those of a manifest.
struct Place(TempDir);

impl Place {
    fn applied() -> Place {
        let place = Place(temp_dir());
        fs::create_dir_all(place.root().join("target")).expect("a directory");
        let links: String = (0..LINKS).map(|number| format!("l{number} = \"target\"\n")).collect();
        let manifest = format!("version = 1\nname = \"test\"\n[links]\n{links}");
        fs::write(place.root().join("caplink.toml"), manifest).expect("a manifest");
        for words in [&["records", "init"][..], &["apply"], &["apply"]] {
            let command = place.command(words);
            let ran = Command::new(&command[0]).args(&command[1..]).output().expect("it runs");
            assert!(ran.status.success(), "{words:?}: {}", String::from_utf8_lossy(&ran.stderr));
        }
        place
    }

    fn root(&self) -> PathBuf {
        self.0.path().join("root")
    }

    fn command(&self, words: &[&str]) -> Vec<OsString> {
        let mut command: Vec<OsString> = vec![env!("CARGO_BIN_EXE_caplink").into(), "-C".into(), self.root().into()];
        command.extend(words.iter().map(OsString::from));
        command
    }

    fn uses(&self, words: &[&str]) -> Uses {
        let mut uses = Uses::default();
        let end = trace(&self.command(words), &mut uses).expect("it is traced");
        assert_eq!(end.code, Some(0), "{words:?}: {}", end.stdout);
        uses
    }
}

#[test]
fn a_run_that_finds_the_index_up_to_date_writes_and_syncs_nothing() {
    if skipped("an index that is up to date") {
        return;
    }
    let place = Place::applied();
    let log = fs::metadata(place.root().join(".caplink/log.jsonl")).expect("a log").len();
    assert!(log > 300 << 10, "it is too short for an index: {log}");
    for words in [&["apply"][..], &["plan"], &["status"], &["log", "--limit", "3"], &["log", "--link", "l7"]] {
        let uses = place.uses(words);
        assert_eq!(uses.writes, Vec::<String>::new(), "{words:?}");
        assert!(uses.index_read > 4096, "{words:?}: the index is not used");
        assert!(uses.log_read < log / 2, "{words:?}: {} bytes of the log are read", uses.log_read);
    }
}
