//! What the program says of itself: completions, the manual, the schema, the time of a document.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::arguments::{OWN_FORMAT, VERBS};
use crate::support::{Place, caplink, ran, skipped};

#[test]
fn completions_and_the_manual_need_no_root_and_print_their_own_format() {
    for line in ["completions bash", "completions zsh", "completions fish", "man", "man remove", "schema"] {
        let ran = ran(caplink().args(["-C", "/nonexistent"]).args(line.split_whitespace()));
        assert_eq!((ran.code, ran.err.len()), (0, 0), "{line}");
        assert!(ran.out().contains("caplink"), "{line}");
    }
    for line in OWN_FORMAT {
        let refused = Place::new().ask(line);
        assert_eq!((refused.code, refused.kind()), (2, "usage"), "{line}");
    }
}

#[test]
fn the_manual_has_a_page_for_each_verb() {
    let page = |line: &str| ran(caplink().args(line.split_whitespace())).out().replace('\\', "");
    let whole = page("man");
    for verb in VERBS.iter().chain(OWN_FORMAT).chain(&["repair"]) {
        let verb = verb.split_whitespace().next().unwrap();
        let one = page(&format!("man {verb}"));
        assert!(one.contains(&format!(".TH caplink-{verb} 1")), "{one}");
        assert_eq!(page(&format!("man caplink-{verb}")), one);
        assert!(one.contains(".SH EXAMPLES") && one.contains("caplink "), "{verb}");
        assert!(
            whole.contains(&format!("caplink-{verb}(1)"))
                || whole.contains(&format!("SS \"{verb}"))
                || whole.contains(&format!("SS {verb}")),
            "{verb}"
        );
    }
    assert_eq!(page("man caplink"), whole);
}

#[test]
fn the_formatter_has_nothing_to_say_of_any_page() {
    const NAME: &str = "describing::the_formatter_has_nothing_to_say_of_any_page";
    let verbs = VERBS.iter().chain(OWN_FORMAT).filter_map(|line| line.split_whitespace().next());
    for page in verbs.chain(["", "repair", "release", "releases"]) {
        let text = ran(caplink().arg("man").args(page.split_whitespace())).out;
        let started = Command::new("groff")
            .args(["-man", "-Tutf8", "-ww"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut formatter) = started else { return skipped(NAME, "there is no groff") };
        formatter.stdin.take().unwrap().write_all(&text).unwrap();
        let ended = formatter.wait_with_output().unwrap();
        assert!(
            ended.status.success() && ended.stderr.is_empty(),
            "{page}: {}",
            String::from_utf8_lossy(&ended.stderr)
        );
    }
}

#[test]
fn the_schema_is_that_of_the_documents() {
    let place = Place::new();
    let schema: serde_json::Value = serde_json::from_slice(&place.words("schema").out).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let validator = jsonschema::validator_for(&schema).unwrap();
    for line in ["--json create l --to file", "--json inspect l", "--json schema", "--json frobnicate"] {
        let document: serde_json::Value = serde_json::from_slice(&place.words(line).out).unwrap();
        assert!(validator.is_valid(&document), "{document}");
    }
    assert_eq!(place.ask("schema").item()["schema"], schema);
}

#[test]
fn a_document_tells_when_it_was_made() {
    let before = std::time::SystemTime::now();
    let ran = Place::new().words("--json inspect file");
    let document: serde_json::Value = serde_json::from_slice(&ran.out).unwrap();
    let time = document["time"].as_str().unwrap();
    let digits = |range: std::ops::Range<usize>| time[range].bytes().all(|byte| byte.is_ascii_digit());
    assert!(time.len() == 30 && time.ends_with('Z') && digits(0..4) && digits(20..29), "{time}");
    let date = std::process::Command::new("date").args(["-u", "-d", time, "+%s.%N"]).output().unwrap();
    let seconds: f64 = String::from_utf8(date.stdout).unwrap().trim().parse().unwrap();
    let began = before.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    assert!(seconds >= began - 0.001 && seconds < began + 60.0, "{time}");
}
