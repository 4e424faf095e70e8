//! Programs that are stopped in their midst, by `strace` at a certain call.

use std::fs;
use std::process::Command;

use crate::faults::has_strace;
use crate::support::Place;

/// Entries of the log are written so many at a time.
#[test]
fn a_group_of_many_that_is_killed_between_two_pieces_of_the_log_is_whole_or_was_not_begun() {
    if !has_strace("stopped::a_group_of_many_that_is_killed_between_two_pieces_of_the_log_is_whole_or_was_not_begun") {
        return;
    }
    const LINKS: usize = 2_100;
    let lines: String =
        (0..LINKS).map(|link| format!("{{\"verb\":\"create\",\"link\":\"l{link}\",\"to\":\"file\"}}\n")).collect();
    let links = |place: &Place| {
        fs::read_dir(&place.root)
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with('l'))
            .count()
    };
    let mut came = Vec::new();
    // Three pieces announce it, three say what became of it, and one that it ended.
    for piece in [2, 3, 5] {
        let place = Place::new();
        let before = links(&place);
        let file = place.base.path().join("lines");
        fs::write(&file, &lines).unwrap();
        assert_eq!(place.words("records init").code, 0);
        let line = format!("--confine off batch --all-or-nothing {}", file.display());
        let mut command = Command::new("strace");
        command.args(["-qq", "-f", "-o", "/dev/null", "-e"]).arg(format!("inject=write:signal=SIGKILL:when={piece}"));
        command.arg(env!("CARGO_BIN_EXE_caplink")).arg("-C").arg(&place.root).args(line.split_whitespace());
        assert!(!command.output().unwrap().status.success(), "piece {piece}");
        assert_eq!((place.words("recover").code, place.words("log verify").code), (0, 0), "piece {piece}");
        came.push(links(&place) - before);
    }
    assert_eq!(came, [0, 0, LINKS]);
}
