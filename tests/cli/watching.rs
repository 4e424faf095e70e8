//! `watch`: a line for each change, a file of metrics, and a service.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::support::Place;

/// How long a line is waited for at most; the machine may be slow.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// The program as it watches.
pub(crate) struct Watching {
    child: Child,
    lines: Receiver<Value>,
}

impl Watching {
    pub(crate) fn started(command: &mut Command) -> Watching {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (told, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines() {
                let line = serde_json::from_str(&line.unwrap()).unwrap();
                if told.send(line).is_err() {
                    return;
                }
            }
        });
        Watching { child, lines }
    }

    pub(crate) fn of(place: &Place, words: &str) -> Watching {
        Watching::started(&mut place.command(words.split_whitespace()))
    }

    pub(crate) fn line(&self) -> Value {
        self.lines.recv_timeout(LONG).expect("a line comes")
    }

    /// Every line up to the first of this event, which is the last of them.
    pub(crate) fn until(&self, event: &str) -> Vec<Value> {
        let mut lines = Vec::new();
        loop {
            lines.push(self.line());
            if lines.last().unwrap()["event"] == event {
                return lines;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// The exit code, and how long it took to end.
    fn end(mut self) -> (Option<i32>, Duration) {
        let start = Instant::now();
        (self.child.wait().unwrap().code(), start.elapsed())
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _waited = self.child.wait();
    }
}

fn keys(line: &Value) -> Vec<&str> {
    line.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn what_is_not_well_comes_first_then_the_look_then_what_changes() {
    let place = Place::new();
    place.link("fine", "file").link("gone", "nothing");
    let watching = Watching::of(&place, "watch");
    let first = watching.until("look");
    assert_eq!(first.len(), 2);
    let broken = &first[0];
    assert_eq!(keys(broken), ["event", "link", "now", "previous", "target", "time", "was"]);
    assert_eq!((&broken["event"], &broken["link"]), (&"link".into(), &"gone".into()));
    assert_eq!((&broken["was"], &broken["now"]), (&Value::Null, &"dangling".into()));
    let time = broken["time"].as_str().unwrap();
    assert!(time.ends_with('Z') && time.len() == 30, "{time}");
    let look = &first[1];
    assert_eq!(keys(look), ["complete", "entries", "event", "links", "time"]);
    assert_eq!((&look["complete"], &look["links"]), (&true.into(), &2.into()));
    fs::remove_file(place.root.join("file")).unwrap();
    let line = watching.line();
    assert_eq!((&line["link"], &line["was"], &line["now"]), (&"fine".into(), &"ok".into(), &"dangling".into()));
    place.link("nothing", "releases");
    let (one, two) = (watching.line(), watching.line());
    let by_link = |link: &str| [&one, &two].into_iter().find(|line| line["link"] == link).unwrap();
    assert_eq!((&by_link("gone")["was"], &by_link("gone")["now"]), (&"dangling".into(), &"ok".into()));
    assert_eq!((&by_link("nothing")["was"], &by_link("nothing")["now"]), (&Value::Null, &"ok".into()));
    fs::remove_file(place.root.join("gone")).unwrap();
    let line = watching.line();
    assert_eq!((&line["link"], &line["was"], &line["now"]), (&"gone".into(), &"ok".into(), &Value::Null));
}

#[test]
fn names_that_are_not_utf_8_are_told_in_base64() {
    use std::os::unix::ffi::OsStrExt as _;
    let place = Place::new();
    place.link(std::ffi::OsStr::from_bytes(b"\xff"), "nothing");
    let watching = Watching::of(&place, "watch");
    assert_eq!(watching.line()["link"], serde_json::json!({ "base64": "/w==" }));
}

#[test]
fn signals_and_a_closed_stdout_end_it_within_a_second() {
    let place = Place::new();
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let watching = Watching::of(&place, "watch");
        watching.until("look");
        watching.signal(signal);
        let (code, time) = watching.end();
        assert!(code == Some(0) && time < Duration::from_secs(1), "{signal}: {code:?} {time:?}");
    }
    let mut child = place.command(["watch"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut String::new()).unwrap();
    drop(out);
    let start = Instant::now();
    let code = child.wait().unwrap().code();
    assert!(code == Some(0) && start.elapsed() < Duration::from_secs(1), "{code:?} {:?}", start.elapsed());
}

#[test]
fn it_ends_in_time_though_it_has_not_begun() {
    let place = Place::new();
    let mut command = place.command(["watch", "-m", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let _manifest = child.stdin.take();
    let pid = Pid::from_raw(child.id().try_into().unwrap());
    let catches = || {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(caught.trim(), 16).unwrap() & 1 << (Signal::SIGHUP as u32 - 1) != 0
    };
    let start = Instant::now();
    while !catches() {
        assert!(start.elapsed() < LONG);
    }
    kill(pid, Signal::SIGHUP).unwrap();
    kill(pid, Signal::SIGTERM).unwrap();
    let start = Instant::now();
    let code = child.wait().unwrap().code();
    assert!(code == Some(0) && start.elapsed() < Duration::from_secs(1), "{code:?} {:?}", start.elapsed());
}

#[test]
fn it_ends_in_time_though_nobody_reads_what_it_prints() {
    let place = Place::new();
    for number in 0..2_000 {
        place.link(format!("a/{number}"), "nothing");
    }
    let mut child = place.command(["watch"]).stdout(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    let start = Instant::now();
    let code = child.wait().unwrap().code();
    assert!(code == Some(0) && start.elapsed() < Duration::from_secs(1), "{code:?} {:?}", start.elapsed());
}

#[test]
fn the_interval_is_a_duration_of_at_least_a_second() {
    let place = Place::new();
    for interval in ["999ms", "0s", "5", "soon"] {
        let ran = place.run(["watch", "--interval", interval]);
        assert_eq!((ran.code, ran.out()), (2, ""), "{interval}");
    }
    let refused = place.ask("watch");
    assert_eq!((refused.code, refused.kind()), (2, "usage"));
    assert_eq!(place.words("watch --metrics-file -").code, 2);
    assert_eq!(place.words("watch nothing").code, 5);
    let watching = Watching::of(&place, "watch --interval 1s");
    let start = Instant::now();
    for _ in 0..3 {
        watching.until("look");
    }
    assert!(start.elapsed() >= Duration::from_millis(1900), "{:?}", start.elapsed());
}

#[test]
fn a_root_that_is_removed_is_an_error() {
    let place = Place::new();
    let watching = Watching::of(&place, "watch --interval 1s");
    watching.until("look");
    fs::remove_dir_all(&place.root).unwrap();
    assert_eq!(watching.end().0, Some(5));
}

/// A supervisor that listens at a path or at a name without a file.
fn supervised(socket: &UnixDatagram, name: &str) {
    let place = Place::new();
    socket.set_read_timeout(Some(LONG)).unwrap();
    let mut command = place.command(["watch"]);
    command.env("NOTIFY_SOCKET", name).env("WATCHDOG_USEC", "400000");
    let watching = Watching::started(&mut command);
    let mut buffer = [0; 256];
    let mut next = || {
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap().trim_end().to_owned()
    };
    let mut before = Vec::new();
    while before.last().is_none_or(|state| state != "READY=1") {
        before.push(next());
    }
    assert!(before[..before.len() - 1].iter().all(|state| state == "WATCHDOG=1"), "{before:?}");
    let start = Instant::now();
    for _ in 0..4 {
        assert_eq!(next(), "WATCHDOG=1");
    }
    assert!(start.elapsed() > Duration::from_millis(500), "{:?}", start.elapsed());
    watching.signal(Signal::SIGHUP);
    let mut after = Vec::new();
    while after.last().is_none_or(|state| state != "READY=1") {
        after.push(next());
        after.retain(|state| state != "WATCHDOG=1");
    }
    assert_eq!(after, ["RELOADING=1", "READY=1"]);
    watching.signal(Signal::SIGTERM);
    while next() != "STOPPING=1" {}
    assert_eq!(watching.end().0, Some(0));
}

#[test]
fn a_supervisor_is_told_that_it_is_ready_alive_and_stopping() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    supervised(&UnixDatagram::bind(&path).unwrap(), path.to_str().unwrap());
    let name = format!("caplink-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    supervised(&UnixDatagram::bind_addr(&address).unwrap(), &format!("@{name}"));
}

/// The next event that is an alarm.
fn alarm(watching: &Watching) -> (Value, Value, Value) {
    let mut alarm = watching.until("alarm").pop().unwrap();
    assert_eq!(keys(&alarm), ["app", "event", "link", "now", "time", "was"]);
    assert_eq!(alarm["link"], "current");
    (alarm["app"].take(), alarm["was"].take(), alarm["now"].take())
}

#[test]
fn alarms_of_apps_are_told_with_what_was_wrong_before() {
    let place = Place::new();
    let done = |line: &str| assert_eq!(place.words(line).code, 0, "{line}");
    done("release add 1 2");
    done("release switch 1");
    let watching = Watching::of(&place, "watch --interval 1h");
    assert_eq!(watching.until("look").len(), 1, "nothing is wrong");
    let lead = |to: &str| {
        let new = place.root.join("new");
        std::os::unix::fs::symlink(to, &new).unwrap();
        fs::rename(new, place.root.join("current")).unwrap();
    };
    let of = |was: Value, now: Value| ("default".into(), was, now);
    lead("releases/2");
    assert_eq!(alarm(&watching), of(Value::Null, "drift".into()));
    fs::rename(place.root.join("releases/2"), place.root.join("elsewhere")).unwrap();
    assert_eq!(alarm(&watching), of("drift".into(), "dangling".into()));
    lead("releases/1");
    assert_eq!(alarm(&watching), of("dangling".into(), Value::Null));
    // Nothing but the records says so.
    done("release mark 1 --bad");
    assert_eq!(alarm(&watching), of(Value::Null, "bad_release".into()));
    fs::remove_file(place.root.join("current")).unwrap();
    assert_eq!(alarm(&watching), of("bad_release".into(), "missing".into()));
    drop(watching);
    let watching = Watching::of(&place, "watch");
    assert_eq!(alarm(&watching), of(Value::Null, "missing".into()), "it comes first");
    assert_eq!(watching.line()["event"], "look");
}

#[test]
fn alarms_and_drift_beside_the_watched_directory_are_told_when_a_target_goes() {
    let place = Place::new();
    let done = |line: &str| assert_eq!(place.words(line).code, 0, "{line}");
    let text = "version = 1\nname = \"files\"\n[links]\nentry = \"releases/2\"\n";
    fs::write(place.root.join("caplink.toml"), text).unwrap();
    done("apply");
    done("release add 1 2");
    done("release switch 1");
    fs::create_dir(place.root.join("beside")).unwrap();
    let watching = Watching::of(&place, "watch beside --interval 1h");
    watching.until("look");
    let rename = |from: &str, to: &str| fs::rename(place.root.join(from), place.root.join(to)).unwrap();
    for _ in 0..2 {
        rename("releases/1", "elsewhere");
        assert_eq!(alarm(&watching), ("default".into(), Value::Null, "dangling".into()));
        rename("elsewhere", "releases/1");
        assert_eq!(alarm(&watching), ("default".into(), "dangling".into(), Value::Null));
        rename("releases/2", "elsewhere");
        assert_eq!(watching.until("entry").pop().unwrap()["now"], "dangling");
        rename("elsewhere", "releases/2");
        assert_eq!(watching.until("entry").pop().unwrap()["now"], "ok");
    }
}

#[test]
fn an_app_that_is_new_is_watched_from_then_on() {
    let place = Place::new();
    let watching = Watching::of(&place, "watch --interval 1h");
    watching.until("look");
    assert_eq!(place.words("release add 1").code, 0);
    assert_eq!(place.words("release switch 1").code, 0);
    std::thread::sleep(Duration::from_millis(500));
    fs::remove_file(place.root.join("current")).unwrap();
    loop {
        let (_, _, now) = alarm(&watching);
        if now == "missing" {
            return;
        }
    }
}

#[test]
fn drift_of_a_manifest_is_told_and_the_manifest_is_read_anew_when_asked() {
    let place = Place::new();
    place.link("good", "file").link("bad", "a");
    let write = |links: &str| {
        let text = format!("version = 1\nname = \"files\"\n[links]\n{links}");
        fs::write(place.root.join("caplink.toml"), text).unwrap();
    };
    write("good = \"file\"\nbad = \"file\"\n\"a/b/deep\" = \"file\"\n");
    let watching = Watching::of(&place, "watch releases --interval 1h");
    let entries = |lines: &[Value]| {
        let lines = lines.iter().filter(|line| line["event"] == "entry");
        lines
            .map(|line| {
                assert_eq!(keys(line), ["event", "link", "manifest", "now", "time", "was"]);
                assert_eq!(line["manifest"], "files");
                (line["link"].clone(), line["was"].clone(), line["now"].clone())
            })
            .collect::<Vec<_>>()
    };
    let first = watching.until("look");
    let (none, of) = (Value::Null, |status: &str| Value::from(status));
    let missing = ("a/b/deep".into(), none.clone(), of("missing"));
    assert_eq!(entries(&first), [missing, ("bad".into(), none.clone(), of("changed"))]);
    // Neither is below the directory that is watched.
    fs::remove_file(place.root.join("good")).unwrap();
    assert_eq!(entries(&watching.until("entry")), [("good".into(), of("ok"), of("missing"))]);
    place.link("a/b/deep", "../../file");
    assert_eq!(entries(&watching.until("entry")), [("a/b/deep".into(), of("missing"), of("ok"))]);
    write("\"a/b/deep\" = \"file\"\nnew = \"file\"\n");
    watching.signal(Signal::SIGHUP);
    let told: Vec<_> = (0..3).flat_map(|_| entries(&watching.until("entry"))).collect();
    let expected = [
        ("bad".into(), of("changed"), none.clone()),
        ("good".into(), of("missing"), none.clone()),
        ("new".into(), none, of("missing")),
    ];
    assert_eq!(told, expected);
}

/// The processor time of a process so far, and the most memory that it had.
fn used(pid: u32) -> (Duration, u64) {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    (Duration::from_millis(ticks * 10), peak.trim().trim_end_matches(" kB").parse().unwrap())
}

#[test]
fn a_storm_takes_a_part_of_a_processor_and_little_memory() {
    let place = Place::new();
    let watching = Watching::of(&place, "watch --interval 1h");
    watching.until("look");
    let (before, start) = (used(watching.child.id()).0, Instant::now());
    let mut turns = 0_u64;
    while start.elapsed() < Duration::from_secs(3) {
        let name = place.root.join(format!("n{}", turns % 1000));
        std::os::unix::fs::symlink("nothing", &name).unwrap();
        fs::remove_file(&name).unwrap();
        turns += 2;
    }
    let (after, memory) = used(watching.child.id());
    let share = (after - before).as_secs_f64() / start.elapsed().as_secs_f64();
    eprintln!("{turns} changes in {:?}: {share:.2} of a processor, {memory} KiB", start.elapsed());
    assert!(share < 0.75 && memory < 64 * 1024, "{share} {memory}");
}
