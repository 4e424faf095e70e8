//! Several links removed by one run.

use crate::support::{Place, outcomes};

#[test]
fn several_links_are_removed_each_for_itself() {
    let place = Place::new();
    place.link("l", "file").link("a/m", "nowhere").link("n", "a");
    let before = place.snapshot();
    let dry = place.ask("remove -n l file gone ../x a/m no/parent n");
    assert_eq!(place.snapshot(), before);
    let ran = place.ask("remove l file gone ../x a/m no/parent n");
    let seen: Vec<_> = outcomes(&ran).into_iter().map(|(link, outcome, _)| (link, outcome)).collect();
    assert_eq!(seen, [("l", "removed"), ("a/m", "removed"), ("n", "removed")]);
    let kinds: Vec<_> = ran.json["errors"].as_array().unwrap().iter().map(|e| (&e["link"], &e["kind"])).collect();
    let (link, kind) = (|link: &str| serde_json::json!(link), |kind: &str| serde_json::json!(kind));
    let expected = [("file", "not_a_link"), ("gone", "not_found"), ("../x", "escape"), ("no/parent", "not_found")];
    assert_eq!(kinds.len(), expected.len());
    for (seen, expected) in kinds.iter().zip(expected) {
        assert_eq!((seen.0, seen.1), (&link(expected.0), &kind(expected.1)));
    }
    assert_eq!((ran.code, &ran.json["changed"]), (4, &true.into()), "the refusal comes before the others");
    let mut expected = ran.json.clone();
    expected["dry_run"] = true.into();
    assert_eq!((dry.code, &dry.json), (ran.code, &expected));
    assert_eq!(place.text("l"), None);

    let fine = place.ask("remove --missing-ok l gone no/parent");
    assert_eq!((fine.code, &fine.json["changed"]), (0, &false.into()));
    assert!(outcomes(&fine).iter().all(|(_, outcome, _)| *outcome == "unchanged"));
    let refused = place.ask("remove l m --expect file");
    assert_eq!((refused.code, refused.kind(), &refused.json["items"]), (2, "usage", &serde_json::json!([])));
}
