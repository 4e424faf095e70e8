//! Files and directories that move below another directory, each replaced by a link to it.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::support::{Answer, Place};

fn told(answer: &Answer) -> (i32, Vec<(&str, &str)>) {
    let errors = answer.json["errors"].as_array().unwrap().iter();
    (answer.code, errors.map(|e| (e["kind"].as_str().unwrap(), e["link"].as_str().unwrap_or_default())).collect())
}

#[test]
fn a_file_or_directory_moves_and_its_name_is_a_link_to_it() {
    let place = Place::new();
    fs::write(place.root.join("a/b/deep"), "deep").unwrap();
    let inode = fs::metadata(place.root.join("file")).unwrap().ino();
    let dry = place.ask("-n adopt file a --into releases/1");
    assert_eq!(place.text("file"), None);
    let answer = place.ask("adopt file a --into releases/1");
    assert_eq!((answer.code, &dry.json["items"]), (0, &answer.json["items"]), "{answer:?}");
    assert_eq!((&answer.json["items"][0]["outcome"], &answer.json["changed"]), (&json!("adopted"), &json!(true)));
    assert_eq!((place.text("file"), place.text("a")), (Some("releases/1/file".into()), Some("releases/1/a".into())));
    assert_eq!(fs::metadata(place.root.join("releases/1/file")).unwrap().ino(), inode);
    assert_eq!(fs::read(place.root.join("a/b/deep")).unwrap(), b"deep");
    let again = place.ask("adopt file --into releases/1");
    assert_eq!(
        (again.code, &again.json["items"][0]["outcome"], &again.json["changed"]),
        (0, &json!("unchanged"), &json!(false))
    );
    assert_eq!(again.json["items"][0]["target"], "releases/1/file");
    let back = place.json(["undo", "--group", answer.json["group"].as_str().unwrap()]);
    assert_eq!((back.code, place.text("file")), (0, None), "{back:?}");
    assert_eq!(fs::metadata(place.root.join("file")).unwrap().ino(), inode, "the very file is back");
}

#[test]
fn everything_is_judged_before_anything_moves() {
    let place = Place::new();
    place.link("l", "file");
    fs::create_dir_all(place.root.join("releases/1/file")).unwrap();
    let before = place.snapshot();
    let refused = [
        ("adopt file --into nowhere", 5, "not_found", "file"),
        ("adopt file --into releases/1", 3, "exists", "releases/1/file"),
        ("adopt l --into releases/2", 3, "exists", "l"),
        ("adopt releases --into releases/1", 5, "loop", "releases"),
        ("adopt file --into .", 3, "exists", "file"),
        ("adopt a/b --into a", 3, "exists", "a/b"),
        ("adopt gone --into releases/2", 5, "not_found", "gone"),
        ("adopt ../file --into releases/2", 4, "escape", "../file"),
        ("adopt a gone --into releases/2", 5, "not_found", "gone"),
        ("adopt file --into l", 4, "symlink_in_path", "file"),
    ];
    for (line, code, kind, link) in refused {
        assert_eq!(told(&place.ask(line)), (code, vec![(kind, link)]), "{line}");
    }
    assert_eq!(place.snapshot(), before);
    let into_itself = place.ask("adopt releases --into releases/1");
    assert!(into_itself.error()["hint"].as_str().unwrap().contains("`--into`"), "{}", into_itself.json);
    let made = place.ask("adopt file --into new/deep -p");
    assert_eq!((made.code, &made.json["made"]), (0, &json!(["new", "new/deep"])));
}

#[test]
fn a_link_inside_a_directory_has_to_lead_where_it_led() {
    let place = Place::new();
    place.link("a/inside", "b").link("a/b/up", "../inside").link("a/out", "../file");
    let refused = place.ask("adopt a --into releases");
    assert_eq!(told(&refused), (4, vec![("dangling", "a")]));
    assert!(refused.json["errors"][0]["message"].as_str().unwrap().contains("`a/out`"));
    fs::write(place.root.join("releases/file"), "another").unwrap();
    assert_eq!(told(&place.ask("adopt a --into releases")), (3, vec![("mismatch", "a")]));
    fs::remove_file(place.root.join("a/out")).unwrap();
    place.link("a/b/above", "..").link("a/b/through", "above/../file");
    assert_eq!(
        told(&place.ask("adopt a --into releases")),
        (3, vec![("mismatch", "a")]),
        "the kernel goes through links"
    );
    fs::remove_file(place.root.join("a/b/through")).unwrap();
    assert_eq!(place.ask("adopt a --into releases").code, 0);
    assert_eq!(fs::canonicalize(place.root.join("a/b/up")).unwrap(), place.root.join("releases/a/b"));
}

#[test]
fn a_directory_does_not_move_with_what_moves_out_of_it() {
    // The link that stands for `a/b/deep` would go with `a`, and lead elsewhere from there.
    let place = Place::new();
    fs::write(place.root.join("a/b/deep"), "deep").unwrap();
    let before = place.snapshot();
    for line in ["adopt a/b/deep a --into releases", "adopt a a/b/deep --into releases", "adopt a/b a --into new -p"] {
        for dry in ["-n ", ""] {
            assert_eq!(told(&place.ask(&format!("{dry}{line}"))), (3, vec![("mismatch", "a")]), "{dry}{line}");
        }
    }
    assert_eq!(place.snapshot(), before, "no records are made either");
    fs::write(place.root.join("a.b"), "").unwrap();
    assert_eq!(place.ask("adopt a a.b --into releases").code, 0, "this one is beside it");
}

#[test]
fn no_reader_finds_the_name_absent() {
    let place = Place::new();
    let stop = AtomicBool::new(false);
    let names: Vec<String> = (0..20).map(|number| format!("f{number}")).collect();
    for name in &names {
        fs::write(place.root.join(name), name).unwrap();
        fs::create_dir(place.root.join(format!("d{name}"))).unwrap();
        fs::write(place.root.join(format!("d{name}/x")), name).unwrap();
    }
    let missed = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut missed = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                for name in &names {
                    for path in [place.root.join(name), place.root.join(format!("d{name}/x"))] {
                        missed.extend(fs::read(&path).err().map(|error| (path, error)));
                    }
                }
            }
            missed
        });
        for name in &names {
            assert_eq!(place.ask(&format!("adopt {name} d{name} --into releases/1")).code, 0);
        }
        stop.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    assert!(missed.is_empty(), "{missed:?}");
}
