//! A root with something beside it, and the program run on it.

#[path = "../support/umask.rs"]
mod umask;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use serde_json::Value;

/// A temporary directory with a root in it, and `outside` beside the root.
pub(crate) struct Place {
    pub(crate) base: tempfile::TempDir,
    pub(crate) root: PathBuf,
}

/// What one run printed.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: Vec<u8>,
    pub(crate) err: Vec<u8>,
}

/// What one run with `--json` answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) json: Value,
}

impl Place {
    /// `releases/1`, `releases/2`, `a/b`, `file`; outside of the root `outside/secret`.
    pub(crate) fn new() -> Place {
        umask::set_umask();
        let base = tempfile::tempdir().unwrap();
        let root = base.path().canonicalize().unwrap().join("root");
        for dir in ["root/releases/1", "root/releases/2", "root/a/b", "outside"] {
            fs::create_dir_all(base.path().join(dir)).unwrap();
        }
        fs::write(root.join("file"), "content").unwrap();
        fs::write(base.path().join("outside/secret"), "secret").unwrap();
        Place { base, root }
    }

    pub(crate) fn link(&self, name: impl AsRef<Path>, text: impl AsRef<Path>) -> &Place {
        symlink(text, self.root.join(name)).unwrap();
        self
    }

    pub(crate) fn text(&self, name: impl AsRef<Path>) -> Option<OsString> {
        fs::read_link(self.root.join(name)).ok().map(OsString::from)
    }

    /// The program with `-C` for this root.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = caplink();
        command.arg("-C").arg(&self.root).args(arguments);
        command
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Ran {
        ran(&mut self.command(arguments))
    }

    /// Runs a line of words, which stand between blanks.
    pub(crate) fn words(&self, line: &str) -> Ran {
        self.run(line.split_whitespace())
    }

    /// Runs with `--json`; the document is checked against the published schema.
    pub(crate) fn json<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Answer {
        answer(self.command(["--json"]).args(arguments))
    }

    /// Runs a line of words with `--json`.
    pub(crate) fn ask(&self, line: &str) -> Answer {
        self.json(line.split_whitespace())
    }

    /// Everything below the base, with what identifies it.
    pub(crate) fn snapshot(&self) -> Vec<String> {
        let mut seen = Vec::new();
        walk(self.base.path(), &mut seen);
        seen.sort();
        seen
    }
}

fn walk(dir: &Path, seen: &mut Vec<String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let stat = fs::symlink_metadata(&path).unwrap();
        let text = fs::read_link(&path).ok();
        let content = stat.is_file().then(|| fs::read(&path).ok());
        seen.push(format!("{path:?} {} {:o} {text:?} {content:?}", stat.ino(), stat.mode()));
        if stat.is_dir() && fs::read_dir(&path).is_ok() {
            walk(&path, seen);
        }
    }
}

/// The program, without the variables that it looks at.
pub(crate) fn caplink() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_caplink"));
    command.env_remove("CAPLINK_ROOT").env_remove("CAPLINK_STATE").env_remove("NO_COLOR").stdin(Stdio::null());
    command
}

pub(crate) fn ran(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    let ran = Ran { code: output.status.code().expect("it was killed"), out: output.stdout, err: output.stderr };
    for hint in commands_of(&ran.err) {
        try_out(command, &hint);
    }
    ran
}

/// The command lines that hints and tips name: in backticks, and beginning with the program's name.
fn commands_of(err: &[u8]) -> Vec<String> {
    let Ok(err) = std::str::from_utf8(err) else { return Vec::new() };
    let hints = err.lines().filter_map(|line| line.strip_prefix("hint: ").or(line.trim_start().strip_prefix("tip: ")));
    // A quoted name may hold a backtick: such a hint is none that can be taken apart here.
    let whole = hints.filter(|hint| hint.matches('`').count() % 2 == 0);
    let quoted = whole.flat_map(|hint| hint.split('`').skip(1).step_by(2));
    quoted.filter(|command| command.starts_with("caplink ")).map(str::to_owned).collect()
}

/// Pastes a command into a shell where the hint was given, as a dry run: it is no wrong usage, and answers.
fn try_out(given: &Command, hint: &str) {
    let script = format!("caplink() {{ {} -n \"$@\"; }}; {hint}", env!("CARGO_BIN_EXE_caplink"));
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).env_remove("CAPLINK_ROOT").env_remove("CAPLINK_STATE");
    if let Some(dir) = given.get_current_dir() {
        shell.current_dir(dir);
    }
    for (name, value) in given.get_envs() {
        value.map(|value| shell.env(name, value));
    }
    let output = shell.stdin(Stdio::null()).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    // `resolve` is named to show why a path leads nowhere, which is its exit code as well.
    let works = match output.status.code() {
        Some(0 | 1) => true,
        Some(4 | 5 | 10) => hint.contains(" resolve "),
        _ => false,
    };
    assert!(works && !output.stdout.is_empty(), "the hint `{hint}` of {given:?} does not work: {err}");
}

pub(crate) fn answer(command: &mut Command) -> Answer {
    let ran = ran(command);
    let json = document(&ran.out);
    if ran.code > 1 {
        assert!(!ran.err.is_empty(), "an error is reported on stderr as well");
    }
    Answer { code: ran.code, json }
}

/// Exactly one document, as the schema says.
pub(crate) fn document(out: &[u8]) -> Value {
    static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
        let schema = serde_json::from_str(include_str!("../../src/cli/schema.json")).unwrap();
        jsonschema::validator_for(&schema).unwrap()
    });
    let mut json: Value =
        serde_json::from_slice(out).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(out)));
    let errors: Vec<String> =
        SCHEMA.iter_errors(&json).map(|error| format!("{} at {}", error, error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:?} in {json}");
    // Two documents that say the same differ in this alone.
    json["time"] = "then".into();
    json
}

impl Ran {
    pub(crate) fn out(&self) -> &str {
        std::str::from_utf8(&self.out).unwrap()
    }

    pub(crate) fn err(&self) -> &str {
        std::str::from_utf8(&self.err).unwrap()
    }
}

impl Answer {
    pub(crate) fn item(&self) -> &Value {
        let items = self.json["items"].as_array().unwrap();
        assert_eq!((items.len(), self.code), (1, 0), "{}", self.json);
        &items[0]
    }

    pub(crate) fn outcome(&self) -> &str {
        self.item()["outcome"].as_str().unwrap()
    }

    pub(crate) fn error(&self) -> &Value {
        let errors = self.json["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{}", self.json);
        &errors[0]
    }

    /// The exit code, the kind, and the component with its index.
    pub(crate) fn refusal(&self) -> (i32, &str, Option<&str>, Option<u64>) {
        let error = self.error();
        (self.code, error["kind"].as_str().unwrap(), error["component"].as_str(), error["index"].as_u64())
    }

    /// The kind of the only error, or `ok`.
    pub(crate) fn kind(&self) -> &str {
        match self.json["errors"].as_array().unwrap().as_slice() {
            [] => "ok",
            _ => self.error()["kind"].as_str().unwrap(),
        }
    }
}
/// The link, the outcome and the new text of each item.
pub(crate) fn outcomes(answer: &Answer) -> Vec<(&str, &str, Option<&str>)> {
    let text = |value: &Value, key| value[key].as_str().map(str::to_owned);
    let items = answer.json["items"].as_array().unwrap();
    assert!(items.iter().all(|item| text(item, "link").is_some()));
    items
        .iter()
        .map(|item| (item["link"].as_str().unwrap(), item["outcome"].as_str().unwrap(), item["target"].as_str()))
        .collect()
}

/// Says aloud that a test was not run.
pub(crate) fn skipped(test: &str, reason: &str) {
    // Past the capture of the test harness.
    let _ = std::io::stderr().write_all(format!("SKIPPED: {test}: {reason}\n").as_bytes());
}

pub(crate) fn is_root() -> bool {
    // The owner of a new file is whoever runs the tests.
    tempfile::tempfile().unwrap().metadata().unwrap().uid() == 0
}
