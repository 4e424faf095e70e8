//! An edit as its keys say it, before its path was judged.
//!
//! The keys are the options of the verb. One that the verb has not is refused, as is one that is missing, doubled or of
//! another type. What is wrong with a path or a target is an error of the edit, not of the line.

use std::fmt;

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::text::Text;
use crate::error::{Result, printable};
use crate::model::change::{Change, Create, Ensure, Exchange, Fix, NewLink, Remove, RemoveStale, Repair, Swap};
use crate::model::{Durability, Edit, LinkPath, Style, Target};

/// An edit as an object with the verb's options as its keys.
///
/// # Examples
///
/// ```
/// use caplink::wire::Line;
///
/// let line: Line = serde_json::from_str(r#"{"verb": "swap", "link": "current", "to": "v2", "expect": "v1"}"#)?;
/// assert_eq!((line.verb(), line.edit().unwrap().path().to_string().as_str()), ("swap", "current"));
/// let unknown = serde_json::from_str::<Line>(r#"{"verb": "remove", "link": "current", "to": "v2"}"#);
/// let reason = "`remove` has no key `to`; it has `verb`, `link`, `expect`, `missing_ok`, `reason`";
/// assert_eq!(unknown.unwrap_err().to_string(), reason);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line(Keys);

macro_rules! keys {
    ($($key:ident: $type:ty,)*) => {
        /// Every key that some verb has; a key that was not given is none.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
        pub(super) struct Keys {
            pub(super) verb: Verb,
            $(
                #[serde(skip_serializing_if = "Option::is_none")]
                pub(super) $key: Option<$type>,
            )*
        }

        impl Keys {
            /// Takes the value of a key; false if no verb has that key, and its value is still to be read.
            fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> std::result::Result<bool, A::Error> {
                match key {
                    $(stringify!($key) => once(key, &mut self.$key, map)?,)*
                    _ => return Ok(false),
                }
                Ok(true)
            }

            /// The keys that were given, without the verb.
            fn given(&self) -> Vec<&'static str> {
                let all = [$((stringify!($key), self.$key.is_some()),)*];
                all.into_iter().filter(|(_, given)| *given).map(|(key, _)| key).collect()
            }
        }
    };
}

keys! {
    link: Text,
    a: Text,
    b: Text,
    to: Text,
    expect: Text,
    fix: Repairing,
    style: Style,
    directory: bool,
    allow_dangling: bool,
    allow_outside: bool,
    unjudged: bool,
    parents: bool,
    no_replace: bool,
    backup: bool,
    missing_ok: bool,
    durability: Durability,
    reason: String,
}

/// Reads the value of a key that is given once, and never as `null`.
fn once<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    key: &str,
    place: &mut Option<T>,
    map: &mut A,
) -> std::result::Result<(), A::Error> {
    if place.is_some() {
        return Err(A::Error::custom(format_args!("the key `{key}` is given twice")));
    }
    *place = Some(map.next_value().map_err(|error| A::Error::custom(format_args!("`{key}`: {error}")))?);
    Ok(())
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verb {
    #[default]
    Create,
    Ensure,
    Swap,
    Remove,
    Exchange,
    Repair,
    RemoveStale,
}

/// How a link is repaired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Repairing {
    Retarget,
    KeepObject,
    ReplaceDangling,
    RemoveDangling,
}

/// The keys of an edit that makes a link.
const MAKES: &[&str] = &["style", "directory", "allow_dangling", "allow_outside", "unjudged", "parents"];

/// Keys that a serialised edit may have beside the options of its verb.
const SERIALISED: &[&str] = &["directory", "unjudged", "durability"];

impl Verb {
    /// Every verb; the first five are those of the command line.
    const ALL: [Verb; 7] =
        [Verb::Create, Verb::Ensure, Verb::Swap, Verb::Remove, Verb::Exchange, Verb::Repair, Verb::RemoveStale];

    fn as_str(self) -> &'static str {
        match self {
            Verb::Create => "create",
            Verb::Ensure => "ensure",
            Verb::Swap => "swap",
            Verb::Remove => "remove",
            Verb::Exchange => "exchange",
            Verb::Repair => "repair",
            Verb::RemoveStale => "remove_stale",
        }
    }

    /// The keys that it must have, and others that it may have.
    fn keys(self) -> (&'static [&'static str], &'static [&'static [&'static str]]) {
        match self {
            Verb::Create => (&["link", "to"], &[MAKES]),
            Verb::Ensure => (&["link", "to"], &[MAKES, &["no_replace", "backup"]]),
            Verb::Swap => (&["link", "to", "expect"], &[MAKES]),
            Verb::Remove => (&["link"], &[&["expect", "missing_ok"]]),
            Verb::Exchange => (&["a", "b"], &[&["allow_dangling", "allow_outside"]]),
            Verb::Repair => (&["link", "expect", "fix"], &[&["to"], MAKES]),
            Verb::RemoveStale => (&["link"], &[&["expect"]]),
        }
    }
}

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Line, D::Error> {
        let Read { keys, unknown } = deserializer.deserialize_map(ReadObject)?;
        let (needed, others) = keys.verb.keys();
        let (verb, given) = (keys.verb.as_str(), keys.given());
        let has: Vec<&str> =
            needed.iter().chain(others.iter().copied().flatten()).chain(&["durability", "reason"]).copied().collect();
        let unknown = unknown.as_deref().or_else(|| given.iter().find(|key| !has.contains(key)).copied());
        if let Some(unknown) = unknown {
            let options = has.iter().filter(|key| !SERIALISED.contains(key)).map(|key| format!(", `{key}`"));
            let options: String = options.collect();
            return Err(D::Error::custom(format_args!(
                "`{verb}` has no key `{}`; it has `verb`{options}",
                printable(unknown)
            )));
        }
        if let Some(missing) = needed.iter().find(|key| !given.contains(key)) {
            return Err(D::Error::custom(format_args!("`{verb}` needs the key `{missing}`")));
        }
        Ok(Line(keys))
    }
}

/// The keys of an object, and the first one that no verb has.
struct Read {
    keys: Keys,
    unknown: Option<String>,
}

/// Reads keys from an object only; a struct could also be read from a list.
struct ReadObject;

impl<'de> Visitor<'de> for ReadObject {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the key `verb`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Read, A::Error> {
        let (mut keys, mut verb, mut unknown) = (Keys::default(), None::<String>, None);
        while let Some(key) = map.next_key::<String>()? {
            if key == "verb" {
                once(&key, &mut verb, &mut map)?;
            } else if !keys.take(&key, &mut map)? {
                map.next_value::<IgnoredAny>()?;
                unknown.get_or_insert(key);
            }
        }
        let verb = verb.ok_or_else(|| A::Error::custom("the key `verb` is missing"))?;
        let known = Verb::ALL.into_iter().find(|known| known.as_str() == verb);
        keys.verb = known.ok_or_else(|| {
            let verbs: Vec<_> = Verb::ALL[..5].iter().map(|verb| format!("`{}`", verb.as_str())).collect();
            A::Error::custom(format_args!("`{}` is no verb of an edit: one of {}", printable(&verb), verbs.join(", ")))
        })?;
        Ok(Read { keys, unknown })
    }
}

impl Line {
    pub(super) fn new(keys: Keys) -> Line {
        Line(keys)
    }

    /// Returns the verb.
    pub fn verb(&self) -> &'static str {
        self.0.verb.as_str()
    }

    /// Returns the link as it is written; the first of an exchange.
    pub fn link(&self) -> Option<&Text> {
        self.0.link.as_ref().or(self.0.a.as_ref())
    }

    /// Returns the second link of an exchange as it is written.
    pub fn second(&self) -> Option<&Text> {
        self.0.b.as_ref()
    }

    /// Returns the keys that were given, without `verb`.
    pub fn keys(&self) -> Vec<&'static str> {
        self.0.given()
    }

    /// Returns why the edit is made, if that is said.
    pub fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// Returns the edit.
    ///
    /// # Errors
    ///
    /// Those of [`LinkPath::new`](crate::LinkPath::new).
    pub fn edit(&self) -> Result<Edit> {
        let keys = &self.0;
        let path = |text: &Option<Text>| {
            let text = text.as_ref().expect("BUG: a key that the verb needs is there");
            LinkPath::new(text).map_err(|error| error.during(keys.verb.as_str()))
        };
        let is = |flag: Option<bool>| flag.unwrap_or_default();
        let expected = || keys.expect.clone().map(|text| text.0);
        let change: Change = match keys.verb {
            Verb::Create => Create { link: keys.new_link(), parents: is(keys.parents) }.into(),
            Verb::Ensure => Ensure {
                link: keys.new_link(),
                parents: is(keys.parents),
                replace: !is(keys.no_replace),
                backup: is(keys.backup),
            }
            .into(),
            Verb::Swap => Swap { link: keys.new_link(), expected: expected().unwrap_or_default() }.into(),
            Verb::Remove => Remove { expected: expected(), missing_ok: is(keys.missing_ok) }.into(),
            Verb::Exchange => {
                let (allow_dangling, allow_outside) = (is(keys.allow_dangling), is(keys.allow_outside));
                let (a, b) = (path(&keys.a)?, path(&keys.b)?);
                let exchange = Exchange { with: b, allow_dangling, allow_outside };
                return Ok(Edit::new(a, exchange.into()).durability(keys.durability.unwrap_or_default()));
            }
            Verb::Repair => Repair { expected: expected().unwrap_or_default(), fix: keys.fix() }.into(),
            Verb::RemoveStale => expected().map_or(RemoveStale::Dir, RemoveStale::Link).into(),
        };
        Ok(Edit::new(path(&keys.link)?, change).durability(keys.durability.unwrap_or_default()))
    }
}

impl Keys {
    fn new_link(&self) -> NewLink {
        let to = self.to.clone().map(|text| text.0).unwrap_or_default();
        let mut target = Target::new(self.style.unwrap_or_default(), to);
        if let Some(directory) = self.directory {
            target = target.as_directory(directory);
        }
        NewLink {
            target,
            allow_dangling: self.allow_dangling.unwrap_or_default(),
            allow_outside: self.allow_outside.unwrap_or_default(),
            unjudged: self.unjudged.unwrap_or_default(),
        }
    }

    fn fix(&self) -> Fix {
        match self.fix {
            Some(Repairing::KeepObject) => Fix::KeepObject(self.new_link()),
            Some(Repairing::ReplaceDangling) => Fix::ReplaceDangling(self.new_link()),
            Some(Repairing::RemoveDangling) => Fix::RemoveDangling,
            Some(Repairing::Retarget) | None => Fix::Retarget(self.new_link()),
        }
    }
}
