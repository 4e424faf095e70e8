//! The ledgers of all apps of a root: read from the log, from where they were kept on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::to_raw_value;

use super::app_ledger::{AppLedger, nanos};
use super::check_report::CheckReport;
use super::noted::{Event, HOOK_TOPIC, Noted, TOPIC};
use crate::error::Result;
use crate::records::{Author, Hash, LogPlace, NewFact, Records, Time};

/// The name under which they are kept in the state directory.
const CACHE_NAME: &str = "ledger.json";

/// A log that is shorter than this, in bytes, is read sooner than it is worth keeping anything of it.
const SHORT: u64 = 64 * 1024;

/// The ledgers of all apps.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Ledgers {
    place: LogPlace,
    pub(super) apps: BTreeMap<String, AppLedger>,
}

impl Ledgers {
    /// Reads them; nothing is written.
    pub(super) fn load(records: &Records) -> Result<Ledgers> {
        let kept = records.cached(CACHE_NAME).and_then(|bytes| Ledgers::read(&bytes));
        let mut ledgers = match kept {
            Some(ledgers) if records.has_place(&ledgers.place)? => ledgers,
            _ => Ledgers::default(),
        };
        ledgers.read_on(records)?;
        Ok(ledgers)
    }

    /// Takes what was added to the log since.
    fn read_on(&mut self, records: &Records) -> Result<()> {
        let apps = &mut self.apps;
        self.place = records.facts_behind(&self.place, TOPIC, &mut |data| {
            // An event that a later version tells means nothing to this one.
            if let Ok(Noted { app, at, event }) = serde_json::from_str::<Noted>(data.get()) {
                apps.entry(app).or_default().take(&event, at);
            }
        })?;
        Ok(())
    }

    /// Tells events of an app, with what checks came to, and takes them.
    pub(super) fn tell(
        &mut self,
        records: &Records,
        teller: &Teller<'_>,
        events: Vec<Event>,
        checks: &[CheckReport],
    ) -> Result<()> {
        let fact = |topic, outcome, data| NewFact { topic, verb: teller.verb.to_owned(), outcome, data };
        let mut facts = Vec::new();
        for check in checks {
            let outcome = if check.passed() { "unchanged" } else { "failed" };
            let told = Told { app: teller.app, release: teller.release.unwrap_or_default(), check };
            facts.push(fact(HOOK_TOPIC, outcome, to_raw_value(&told).expect("BUG: a check has no JSON")));
        }
        for event in events {
            let outcome = event.outcome();
            let noted = Noted { app: teller.app.to_owned(), at: nanos(Time::now()), event };
            facts.push(fact(TOPIC, outcome, to_raw_value(&noted).expect("BUG: an event has no JSON")));
        }
        if teller.settles {
            records.add_settling_facts(teller.author, facts)?;
        } else {
            records.add_facts(teller.author, facts)?;
        }
        self.read_on(records)
    }

    /// Keeps them, so that they are read sooner the next time.
    pub(super) fn keep(&self, records: &Records) {
        if self.place.end < SHORT {
            return;
        }
        if let Ok(json) = serde_json::to_vec(self) {
            let mut bytes = format!("{}\n", sum(&json)).into_bytes();
            bytes.extend_from_slice(&json);
            records.keep_cached(CACHE_NAME, &bytes);
        }
    }

    /// Reads what was kept: a line with the hash of the rest, and the rest.
    fn read(bytes: &[u8]) -> Option<Ledgers> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let (said, json) = (&bytes[..end], &bytes[end + 1..]);
        if said != sum(json).as_bytes() {
            return None;
        }
        serde_json::from_slice(json).ok()
    }
}

fn sum(json: &[u8]) -> String {
    Hash::of_leaf(json).to_string()
}

/// Who tells something, and on which occasion.
pub(super) struct Teller<'a> {
    pub(super) app: &'a str,
    pub(super) verb: &'a str,
    pub(super) author: &'a Author,
    /// What an interrupted program left is settled.
    pub(super) settles: bool,
    /// The release that checks were run for.
    pub(super) release: Option<&'a str>,
}

#[derive(Serialize)]
struct Told<'a> {
    app: &'a str,
    release: &'a str,
    #[serde(flatten)]
    check: &'a CheckReport,
}
