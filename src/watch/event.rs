//! What a watch comes by, and its JSON.

use std::ffi::OsString;
use std::path::PathBuf;

use serde::ser::{Serialize, SerializeMap as _, Serializer};

use crate::model::Status;
use crate::plan::Alarm;
use crate::records::Time;
use crate::wire::Text;

/// Something that a watch came by. It says what it was and what it is now, so that a reader needs no memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it was seen.
    pub time: Time,
    /// What it is.
    pub what: What,
}

/// What a watch came by.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// A look at everything came to its end.
    Look {
        /// Whether it saw everything.
        complete: bool,
        /// The links that are known now.
        links: u64,
        /// The entries that it saw.
        entries: u64,
    },
    /// A link is not what it was.
    Link {
        /// The link, below the root.
        link: PathBuf,
        /// Its status before; `None` where it was not known.
        was: Option<Status>,
        /// Its status now; `None` where it is gone.
        now: Option<Status>,
        /// Its text before.
        previous: Option<OsString>,
        /// Its text now.
        target: Option<OsString>,
    },
    /// Something else is wrong with an app than before, or nothing any more.
    Alarm {
        /// The app.
        app: String,
        /// Its link, below the root.
        link: PathBuf,
        /// What was wrong.
        was: Option<Alarm>,
        /// What is wrong.
        now: Option<Alarm>,
    },
    /// An entry of a manifest is not what it was.
    Entry {
        /// The name of the manifest.
        manifest: String,
        /// The link of the entry.
        link: PathBuf,
        /// Its status before; `None` where there was no such entry.
        was: Option<&'static str>,
        /// Its status now; `None` where there is no such entry any more.
        now: Option<&'static str>,
    },
    /// Some changes show no sooner than at the next look at everything.
    Lost {
        /// Why.
        why: Lost,
        /// How many directories are watched.
        watched: u64,
        /// How many directories are not, as far as is known.
        unwatched: u64,
    },
}

/// Why changes show no sooner than at the next look at everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lost {
    /// There are more directories than may be watched.
    Watches,
    /// More changed at once than is kept. A look at everything comes soon.
    Queue,
    /// This host gives no hints.
    Unavailable,
}

impl Lost {
    /// Returns the stable name that the command line prints.
    pub fn as_str(self) -> &'static str {
        match self {
            Lost::Watches => "watches",
            Lost::Queue => "queue",
            Lost::Unavailable => "unavailable",
        }
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let name = match self.what {
            What::Look { .. } => "look",
            What::Link { .. } => "link",
            What::Alarm { .. } => "alarm",
            What::Entry { .. } => "entry",
            What::Lost { .. } => "lost",
        };
        map.serialize_entry("event", name)?;
        map.serialize_entry("time", &self.time)?;
        match &self.what {
            What::Look { complete, links, entries } => {
                map.serialize_entry("complete", complete)?;
                map.serialize_entry("links", links)?;
                map.serialize_entry("entries", entries)?;
            }
            What::Link { link, was, now, previous, target } => {
                map.serialize_entry("link", &Text::path(link))?;
                map.serialize_entry("was", &was.map(Status::as_str))?;
                map.serialize_entry("now", &now.map(Status::as_str))?;
                map.serialize_entry("previous", &previous.as_ref().map(Text::new))?;
                map.serialize_entry("target", &target.as_ref().map(Text::new))?;
            }
            What::Alarm { app, link, was, now } => {
                map.serialize_entry("app", app)?;
                map.serialize_entry("link", &Text::path(link))?;
                map.serialize_entry("was", &was.map(Alarm::as_str))?;
                map.serialize_entry("now", &now.map(Alarm::as_str))?;
            }
            What::Entry { manifest, link, was, now } => {
                map.serialize_entry("manifest", manifest)?;
                map.serialize_entry("link", &Text::path(link))?;
                map.serialize_entry("was", was)?;
                map.serialize_entry("now", now)?;
            }
            What::Lost { why, watched, unwatched } => {
                map.serialize_entry("why", why.as_str())?;
                map.serialize_entry("watched", watched)?;
                map.serialize_entry("unwatched", unwatched)?;
            }
        }
        map.end()
    }
}
