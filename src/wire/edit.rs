//! Edits and plans, as the objects that they are read from.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::line::{Keys, Line, Repairing, Verb};
use super::text::Text;
use crate::model::change::{Change, Ensure, Fix, NewLink, Remove, RemoveStale};
use crate::model::{Durability, Edit, OnError, Plan, Style};

/// The object that a [`Line`] is read from.
impl Serialize for Edit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        line(self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Edit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Edit, D::Error> {
        Line::deserialize(deserializer)?.edit().map_err(D::Error::custom)
    }
}

fn line(edit: &Edit) -> Line {
    let flag = |flag: bool| flag.then_some(true);
    let link = Some(Text::new(edit.path.as_path()));
    let text = |text: &std::ffi::OsString| Some(Text::new(text));
    let keys = match &edit.change {
        Change::Create(create) => {
            Keys { verb: Verb::Create, link, parents: flag(create.parents), ..making(&create.link) }
        }
        Change::Ensure(Ensure { link: new, parents, replace, backup }) => Keys {
            verb: Verb::Ensure,
            link,
            parents: flag(*parents),
            no_replace: flag(!replace),
            backup: flag(*backup),
            ..making(new)
        },
        Change::Swap(swap) => Keys { verb: Verb::Swap, link, expect: text(&swap.expected), ..making(&swap.link) },
        Change::Remove(Remove { expected, missing_ok }) => Keys {
            verb: Verb::Remove,
            link,
            expect: expected.as_ref().map(Text::new),
            missing_ok: flag(*missing_ok),
            ..Keys::default()
        },
        Change::Exchange(exchange) => Keys {
            verb: Verb::Exchange,
            a: link,
            b: Some(Text::new(exchange.with.as_path())),
            allow_dangling: flag(exchange.allow_dangling),
            allow_outside: flag(exchange.allow_outside),
            ..Keys::default()
        },
        Change::RemoveStale(stale) => {
            let expect = match stale {
                RemoveStale::Link(expected) => text(expected),
                RemoveStale::Dir => None,
            };
            Keys { verb: Verb::RemoveStale, link, expect, ..Keys::default() }
        }
        Change::Repair(repair) => {
            let (fix, keys) = match &repair.fix {
                Fix::Retarget(new) => (Repairing::Retarget, making(new)),
                Fix::KeepObject(new) => (Repairing::KeepObject, making(new)),
                Fix::ReplaceDangling(new) => (Repairing::ReplaceDangling, making(new)),
                Fix::RemoveDangling => (Repairing::RemoveDangling, Keys::default()),
            };
            Keys { verb: Verb::Repair, link, expect: text(&repair.expected), fix: Some(fix), ..keys }
        }
    };
    let durability = Some(edit.durability).filter(|durability| *durability != Durability::None);
    Line::new(Keys { durability, ..keys })
}

/// The keys of a link that is to be made.
fn making(link: &NewLink) -> Keys {
    let flag = |flag: bool| flag.then_some(true);
    Keys {
        to: Some(Text::new(link.target.as_os_str())),
        style: Some(link.target.style()).filter(|style| *style != Style::Relative),
        directory: link.target.directory_hint(),
        allow_dangling: flag(link.allow_dangling),
        allow_outside: flag(link.allow_outside),
        unjudged: flag(link.unjudged),
        ..Keys::default()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Planned {
    edits: Vec<Edit>,
    #[serde(default)]
    on_error: OnError,
    #[serde(default)]
    durability: Durability,
}

impl Serialize for Plan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (edits, on_error, durability) = (self.edits.clone(), self.on_error, self.durability);
        Planned { edits, on_error, durability }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Plan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Plan, D::Error> {
        let Planned { edits, on_error, durability } = Planned::deserialize(deserializer)?;
        Ok(Plan { edits, on_error, durability })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{LinkPath, Target};

    fn path(path: &str) -> LinkPath {
        LinkPath::new(path).unwrap()
    }

    fn every_kind_of_edit() -> Vec<Edit> {
        let new = || NewLink::new(Target::verbatim("t")).allow_dangling(true);
        let repair = |fix| Edit::repair(path("l"), "old", fix).into();
        vec![
            Edit::create(path("l"), Target::relative("t")).into(),
            Edit::create(path("a/l"), Target::absolute("t").as_directory(true)).parents(true).into(),
            Edit::ensure(path("l"), Target::relative("t")).into(),
            Edit::ensure(path("l"), Target::relative("t")).replace(false).backup(true).allow_outside(true).into(),
            Edit::swap(path("l"), Target::verbatim("t"), "old").unjudged(true).into(),
            Edit::remove(path("l")).into(),
            Edit::remove(path("l")).expect("").missing_ok(true).into(),
            Edit::exchange(path("x"), path("y")).into(),
            Edit::exchange(path("x"), path("y")).allow_dangling(true).allow_outside(true).into(),
            Edit::remove_stale(path("l"), RemoveStale::Dir).into(),
            Edit::remove_stale(path("l"), RemoveStale::Link("old".into())).into(),
            repair(Fix::Retarget(new())),
            repair(Fix::KeepObject(new())),
            repair(Fix::ReplaceDangling(new())),
            repair(Fix::RemoveDangling),
        ]
    }

    #[test]
    fn every_edit_and_plan_comes_back() {
        let mut edits = every_kind_of_edit();
        edits.push(edits[0].clone().durability(Durability::Fs));
        for edit in &edits {
            let json = serde_json::to_string(edit).unwrap();
            assert_eq!(&serde_json::from_str::<Edit>(&json).unwrap(), edit, "{json}");
        }
        let plan = Plan::new(edits).on_error(OnError::KeepGoing).durability(Durability::Dir);
        let json = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
        assert_eq!(serde_json::from_str::<Plan>(r#"{"edits": []}"#).unwrap(), Plan::default());
    }

    #[test]
    fn the_keys_are_the_options_of_the_verb() {
        let json = |edit: &Edit| serde_json::to_string(edit).unwrap();
        let edits = every_kind_of_edit();
        assert_eq!(json(&edits[0]), r#"{"verb":"create","link":"l","to":"t"}"#);
        let ensure = r#"{"verb":"ensure","link":"l","to":"t","allow_outside":true,"no_replace":true,"backup":true}"#;
        assert_eq!(json(&edits[3]), ensure);
        assert_eq!(json(&edits[6]), r#"{"verb":"remove","link":"l","expect":"","missing_ok":true}"#);
        assert_eq!(json(&edits[7]), r#"{"verb":"exchange","a":"x","b":"y"}"#);
    }

    #[test]
    fn a_line_that_makes_no_sense_is_refused() {
        for (json, message) in [
            (r#"{"link": "l", "to": "t"}"#, "the key `verb` is missing"),
            (
                r#"{"verb": "frobnicate"}"#,
                "`frobnicate` is no verb of an edit: one of `create`, `ensure`, `swap`, `remove`, `exchange`",
            ),
            (r#"{"verb": "create", "link": "l"}"#, "`create` needs the key `to`"),
            (r#"{"verb": "swap", "link": "l", "to": "t"}"#, "`swap` needs the key `expect`"),
            (r#"{"verb": "exchange", "a": "l"}"#, "`exchange` needs the key `b`"),
            (r#"{"verb": "create", "link": "l", "to": "t", "backup": false}"#, "`create` has no key `backup`"),
            (r#"{"verb": "exchange", "a": "l", "b": "m", "link": "l"}"#, "`exchange` has no key `link`"),
            (r#"{"verb": "remove", "link": "l", "link": "l"}"#, "the key `link` is given twice"),
            (r#"{"verb": "remove", "verb": "remove", "link": "l"}"#, "the key `verb` is given twice"),
            (
                r#"{"verb": "remove", "link": "l", "force": true}"#,
                "`remove` has no key `force`; it has `verb`, `link`, `expect`, `missing_ok`, `reason`",
            ),
            (r#"{"verb": "remove", "link": "l", "expect": null}"#, "`expect`: invalid type: null"),
            (r#"{"verb": "remove", "link": "l", "missing_ok": "yes"}"#, "`missing_ok`: invalid type: string"),
            (r#"{"verb": "create", "link": "l", "to": "t", "style": "odd"}"#, "`style`: `odd` is no style"),
            (r#"["remove", "l"]"#, "invalid type: sequence, expected an object with the key `verb`"),
            (r#"remove"#, "expected value"),
        ] {
            let error = serde_json::from_str::<Line>(json).unwrap_err().to_string();
            assert!(error.starts_with(message), "{json}: {error}");
        }
        let climbing: Line = serde_json::from_str(r#"{"verb": "remove", "link": "../l", "reason": "why"}"#).unwrap();
        assert_eq!(climbing.edit().unwrap_err().kind(), crate::error::Kind::Escape);
        assert_eq!((climbing.reason(), climbing.link().unwrap().0.to_str()), (Some("why"), Some("../l")));
    }
}
