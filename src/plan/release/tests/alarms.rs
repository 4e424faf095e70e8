//! Which alarm comes first.

use super::*;

#[test]
fn the_first_alarm_that_holds_is_given() {
    let app = || App::with(&["41", "42"]);
    for (app, expected) in [
        (app(), None),
        (app().current(Occupant::Missing), Some(Alarm::Missing)),
        (app().current(Occupant::Other(FileKind::File)), Some(Alarm::NotALink)),
        (app().current(Occupant::Other(FileKind::Dir)), Some(Alarm::NotALink)),
        (app().current(leads(Pointing::Dangling)), Some(Alarm::Dangling)),
        (app().current(leads(Pointing::Escape)), Some(Alarm::Escape)),
        (app().current(leads(Pointing::Elsewhere)), Some(Alarm::UnknownRelease)),
        (app().current(points("99")), Some(Alarm::UnknownRelease)),
        (app().state("42", ReleaseState::Removed), Some(Alarm::UnknownRelease)),
        (app().current(points("41")), Some(Alarm::Drift)),
        (App::with(&[]).prepared("42").current(points("42")), Some(Alarm::Drift)),
        (app().replaced("42"), Some(Alarm::ReplacedRelease)),
        (app().bad("42"), Some(Alarm::BadRelease)),
        (app().open(), Some(Alarm::Interrupted)),
        (App::with(&[]), Some(Alarm::Missing)),
    ] {
        assert_eq!(alarm(&app.ledger, &app.sight), expected);
    }
}

/// Everything is wrong at once, and repaired one after the other.
#[test]
fn alarms_come_in_their_order() {
    let wrong = || App::with(&["41", "42"]).bad("42").replaced("42").open();
    let expected = [
        (wrong().current(points("41")).bad("41"), Alarm::Drift),
        (wrong(), Alarm::ReplacedRelease),
        (wrong().see("42", Some(ReleaseDir::Dir(id("42")))), Alarm::BadRelease),
        (
            wrong().see("42", Some(ReleaseDir::Dir(id("42")))).change("42", |release| release.bad = false),
            Alarm::Interrupted,
        ),
    ];
    for (app, alarm_expected) in expected {
        assert_eq!(alarm(&app.ledger, &app.sight), Some(alarm_expected));
    }
    let names: Vec<&str> = Alarm::ALL.iter().map(|alarm| alarm.as_str()).collect();
    let order = "missing not_a_link dangling escape unknown_release drift replaced_release bad_release interrupted";
    assert_eq!(names.join(" "), order);
}
