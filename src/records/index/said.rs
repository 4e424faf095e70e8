//! What the index takes of the most frequent entries. All of such an entry is read, and has to be of the same types as
//! [elsewhere](crate::records::entry); what is not used is not kept.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

use crate::records::entry::{Body, EntryKind, Run};
use crate::records::head::{Head, Heads};
use crate::records::moved::Moved;
use crate::wire::Text;

/// What an entry says.
pub(super) enum Said<'a> {
    Intent(Box<Intent<'a>>),
    Result(Ended<'a>),
    Other(Body),
}

/// Reads entries, one after the other.
#[derive(Default)]
pub(super) struct Reader {
    heads: Heads,
    /// What an entry says behind its head, as JSON.
    rest: Vec<u8>,
}

impl Reader {
    /// Reads the next entry; `None` if it is none.
    pub(super) fn read(&mut self, line: &[u8]) -> Option<(Head, Said<'_>)> {
        let Reader { heads, rest } = self;
        if let Some((head, json)) = heads.split(line)
            && matches!(head.entry, EntryKind::Intent | EntryKind::Result)
        {
            rest.clear();
            rest.push(b'{');
            rest.extend_from_slice(&json[1..]);
            let said = Said::by(head.entry, rest)?;
            return Some((head, said));
        }
        let head = Head::of_entry(line).ok()?;
        let body = head.body(line).ok()?;
        if !matches!(body, Body::Intent(_) | Body::Result(_)) {
            return Some((head, Said::Other(body)));
        }
        // It is written in another way: it says the same as this program would write it.
        rest.clear();
        body.write_json(rest).ok()?;
        let said = Said::by(head.entry, rest)?;
        Some((head, said))
    }
}

impl<'a> Said<'a> {
    /// `json` is that of the body alone, in which no key of a head may be.
    fn by(kind: EntryKind, json: &'a [u8]) -> Option<Said<'a>> {
        let json = std::str::from_utf8(json).ok()?;
        match kind {
            EntryKind::Intent => serde_json::from_str(json).ok().map(Said::Intent),
            _ => serde_json::from_str(json).ok().map(Said::Result),
        }
    }
}

/// What a key of the head says behind it: an entry that has one twice is none.
#[derive(Default)]
struct Absent;

impl<'de> Deserialize<'de> for Absent {
    fn deserialize<D: Deserializer<'de>>(_deserializer: D) -> Result<Absent, D::Error> {
        Err(D::Error::custom("a key of the head is there twice"))
    }
}

/// An [intent](crate::records::entry::Intent).
#[derive(Deserialize)]
pub(super) struct Intent<'a> {
    #[serde(borrow)]
    pub(super) verb: Piece<'a>,
    pub(super) link: Text,
    #[serde(default)]
    pub(super) other: Option<Text>,
    #[serde(default)]
    pub(super) target: Option<Text>,
    #[serde(default)]
    pub(super) previous: Option<Text>,
    #[serde(default, rename = "at")]
    _at: Option<Text>,
    #[serde(default)]
    pub(super) moved: Option<Moved>,
    #[serde(rename = "will")]
    _will: Unused,
    #[serde(default, borrow)]
    pub(super) group: Option<Piece<'a>>,
    #[serde(default, rename = "reason")]
    _reason: Option<Unused>,
    #[serde(default, borrow)]
    pub(super) owner: Option<Piece<'a>>,
    #[serde(rename = "run")]
    _run: Run,
    #[serde(rename = "actor")]
    _actor: Actor,
    #[serde(default, rename = "seq")]
    _seq: Absent,
    #[serde(default, rename = "entry")]
    _entry: Absent,
    #[serde(default, rename = "prev")]
    _prev: Absent,
    #[serde(default, rename = "time")]
    _time: Absent,
    #[serde(default, rename = "base")]
    _base: Absent,
    #[serde(default, rename = "settings_at")]
    _settings_at: Absent,
}

/// An [actor](crate::records::Actor).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Actor {
    #[serde(rename = "uid")]
    _uid: Option<u32>,
    #[serde(rename = "user")]
    _user: Option<Unused>,
    #[serde(rename = "login_uid")]
    _login_uid: Option<u32>,
    #[serde(rename = "login_user")]
    _login_user: Option<Unused>,
    #[serde(rename = "pid")]
    _pid: Option<u32>,
    #[serde(rename = "program")]
    _program: Option<Unused>,
    #[serde(rename = "host")]
    _host: Option<Unused>,
    #[serde(rename = "claimed")]
    _claimed: Option<Unused>,
}

/// A [result](crate::records::entry::Ended).
#[derive(Deserialize)]
pub(super) struct Ended<'a> {
    pub(super) of: u64,
    #[serde(borrow)]
    pub(super) outcome: Piece<'a>,
    #[serde(default, rename = "kind")]
    _kind: Option<Unused>,
    #[serde(default)]
    pub(super) target: Option<Text>,
    #[serde(default, rename = "previous")]
    _previous: Option<Text>,
    #[serde(default, rename = "guarantee")]
    _guarantee: Option<Unused>,
    #[serde(default, rename = "durability")]
    _durability: Option<Unused>,
    #[serde(default, rename = "confinement")]
    _confinement: Option<Unused>,
    #[serde(default, rename = "verified")]
    _verified: Option<bool>,
    #[serde(default, rename = "backup")]
    _backup: Option<Text>,
    #[serde(default, rename = "made")]
    _made: Vec<Text>,
    #[serde(default, rename = "settled")]
    _settled: bool,
    #[serde(default, rename = "seq")]
    _seq: Absent,
    #[serde(default, rename = "entry")]
    _entry: Absent,
    #[serde(default, rename = "prev")]
    _prev: Absent,
    #[serde(default, rename = "time")]
    _time: Absent,
    #[serde(default, rename = "base")]
    _base: Absent,
    #[serde(default, rename = "settings_at")]
    _settings_at: Absent,
}

/// A text that is borrowed from the line, unless it is written with escapes.
pub(super) struct Piece<'a>(Cow<'a, str>);

impl std::ops::Deref for Piece<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Piece<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Piece<'a>, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
                Ok(Cow::Borrowed(text))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Cow<'de, str>, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
        }
        deserializer.deserialize_str(Read).map(Piece)
    }
}

/// A text that is not looked at.
struct Unused;

impl<'de> Deserialize<'de> for Unused {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Unused, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Unused;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: Error>(self, _text: &str) -> Result<Unused, E> {
                Ok(Unused)
            }
        }
        deserializer.deserialize_str(Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::tree::Hash;

    fn line(entry: &str, body: &str) -> String {
        let prev = Hash::of_nothing();
        let time = "2026-11-28T06:05:04.000000000Z";
        format!(r#"{{"seq":7,"entry":"{entry}","prev":"{prev}","time":"{time}","base":12,{body}}}"#)
    }

    const INTENT: &str = r#""verb":"ensure","link":"a","target":"b","at":"c","will":"created","reason":"d","owner":"one","run":[1,2],"actor":{"uid":0,"user":"root"}"#;
    const ENDED: &str = r#""of":6,"outcome":"created","guarantee":"atomic","verified":true,"made":["d"]"#;

    /// What is taken of an entry by either reader; none where it is no entry.
    fn taken(line: &str) -> [Option<String>; 2] {
        let mut reader = Reader::default();
        let said = reader.read(line.as_bytes()).map(|(head, said)| match said {
            Said::Intent(intent) => {
                let Intent { verb, link, other, target, previous, moved, group, owner, .. } = *intent;
                let (verb, group, owner) = (&*verb, group.as_deref(), owner.as_deref());
                format!("{head:?} {verb:?} {link:?} {other:?} {target:?} {previous:?} {moved:?} {group:?} {owner:?}")
            }
            Said::Result(ended) => format!("{head:?} {:?} {:?} {:?}", ended.of, &*ended.outcome, ended.target),
            Said::Other(body) => format!("{head:?} {body:?}"),
        });
        let head = Head::of_entry(line.as_bytes()).ok();
        let whole = head.and_then(|head| head.body(line.as_bytes()).ok().map(|body| (head, body)));
        let whole = whole.map(|(head, body)| match body {
            Body::Intent(intent) => {
                let crate::records::entry::Intent { verb, link, other, target, previous, moved, group, owner, .. } =
                    &*intent;
                format!("{head:?} {verb:?} {link:?} {other:?} {target:?} {previous:?} {moved:?} {group:?} {owner:?}")
            }
            Body::Result(ended) => format!("{head:?} {:?} {:?} {:?}", ended.of, ended.outcome, ended.target),
            body => format!("{head:?} {body:?}"),
        });
        [said, whole]
    }

    #[test]
    fn an_entry_is_taken_as_it_is_read_elsewhere() {
        let changes = [
            ("", ""),
            ("\"link\":\"a\"", r#""link":{"base64":"bP8="}"#),
            ("\"link\":\"a\"", r#""l\u0069nk":"a\n\"b\u00e9""#),
            ("\"target\":\"b\"", r#""target":null"#),
            ("\"owner\":\"one\"", r#""owner":"o\"e","group":"seq""#),
            ("\"verb\"", r#""new":{"seq":[1,{"prev":2}]},"verb""#),
            ("\"base\":12", r#""base" : 12"#),
            ("\"seq\":7", r#""s\u0065q":7"#),
        ];
        for line in [line("intent", INTENT), line("result", ENDED), line("torn", r#""torn":1,"leaf":"x""#)] {
            for (from, to) in changes {
                let line = line.replacen(from, to, 1);
                let [said, whole] = taken(&line);
                assert_eq!(said, whole, "{line}");
                assert_eq!(said.is_some(), !line.contains("torn"), "{line}");
            }
        }
    }

    #[test]
    fn what_is_no_entry_elsewhere_is_none_here() {
        let intent = line("intent", INTENT);
        for (from, to) in [
            ("\"verb\":\"ensure\",", ""),
            ("\"verb\":\"ensure\"", "\"verb\":1"),
            ("\"verb\"", "\"link\":\"b\",\"verb\""),
            ("\"verb\"", "\"seq\":7,\"verb\""),
            ("\"verb\"", "\"prev\":null,\"verb\""),
            ("\"verb\"", "\"settings_at\":0,\"base\":12,\"verb\""),
            ("\"verb\"", "\"t\\u0069me\":1,\"verb\""),
            ("\"uid\":0", "\"uid\":\"0\""),
            ("\"root\"", "[]"),
            ("\"d\"", "{}"),
            ("\"c\"", "7"),
            ("\"created\"", "null"),
            ("[1,2]", "[1]"),
            ("\"actor\":{", "\"actor\":{\"uid\":1,"),
            ("}}", "}}}"),
            ("}}", "}"),
            ("\"time\":\"2026-11-28", "\"time\":\"2026-13-28"),
        ] {
            let line = intent.replacen(from, to, 1);
            assert_ne!(line, intent, "{from}");
            assert_eq!(taken(&line), [None, None], "{line}");
        }
        for (from, to) in
            [("6", "-6"), ("true", "1"), ("[\"d\"]", "[1]"), ("\"atomic\"", "0"), ("\"of\"", "\"base\":1,\"of\"")]
        {
            let line = line("result", &ENDED.replacen(from, to, 1));
            assert_eq!(taken(&line), [None, None], "{line}");
        }
    }
}
