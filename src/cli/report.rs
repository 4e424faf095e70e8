//! What one run came to: its items, its errors, and what stands beside them.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use caplink::records::Recovered;
use caplink::wire::Text;
use caplink::{Error, Kind, ObjectId, Root};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use super::context::Context;
use super::errors::Errors;
use super::exit::Class;
use super::here::Here;
use super::hint;
use super::problem::Problem;
use super::settled::Settled;

/// What one run came to. It is printed as text or as one JSON document, and decides the exit code.
pub(crate) struct Report {
    command: Option<String>,
    root: RootLine,
    dry_run: bool,
    /// Whether any link differs because of this run.
    pub(crate) changed: bool,
    pub(crate) items: Vec<Item>,
    pub(crate) errors: Errors,
    /// How many items there were that are not listed.
    pub(crate) unlisted_items: u64,
    /// Whether there are findings, and the exit code is to say so.
    pub(crate) has_findings: bool,
    /// Lines of detail for stderr, with the number of `-v` that they need.
    pub(crate) notes: Vec<(u8, String)>,
    /// What could be done next, for stderr.
    pub(crate) hints: Vec<String>,
    time: String,
    rooted: bool,
    /// Directories that were made, by whichever item or error.
    made: Vec<Text>,
    /// The group that the run was.
    group: Option<String>,
    /// What was settled on the way.
    recovered: Vec<Value>,
    /// Keys of the verb's own, at the top of the document.
    own: Map<String, Value>,
    /// What the hints need to name a command that works.
    here: Here,
}

#[derive(Serialize)]
struct RootLine {
    path: Text,
    id: Option<String>,
}

/// One item, ready to be printed either way.
pub(crate) struct Item {
    json: Box<RawValue>,
    pub(crate) text: String,
    /// Whether its text says that something was done, rather than answering a question.
    pub(crate) is_news: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    command: Option<&'a str>,
    root: &'a RootLine,
    time: &'a str,
    dry_run: bool,
    #[serde(skip_serializing_if = "is_false")]
    rooted: bool,
    changed: bool,
    items: Vec<&'a RawValue>,
    errors: &'a [Problem],
    #[serde(skip_serializing_if = "is_zero")]
    errors_unlisted: u64,
    #[serde(skip_serializing_if = "is_zero")]
    items_unlisted: u64,
    #[serde(skip_serializing_if = "<[Text]>::is_empty")]
    made: &'a [Text],
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Value]>::is_empty")]
    recovered: &'a [Value],
    #[serde(flatten)]
    own: &'a Map<String, Value>,
}

/// The contract that the document keeps.
pub(crate) const SCHEMA: &str = "caplink/1";

impl Report {
    pub(crate) fn new(command: &str, context: &Context) -> Report {
        let global = &context.global;
        let bare = Report::bare(Some(command.to_owned()), context.root_path().into(), global.dry_run);
        Report { here: Here::of(global), ..bare.rooted(global.rooted) }
    }

    /// The same where texts were to be judged as from inside.
    pub(crate) fn rooted(self, rooted: bool) -> Report {
        Report { rooted, ..self }
    }

    /// A report on arguments that could not be understood.
    pub(crate) fn bare(command: Option<String>, root: OsString, dry_run: bool) -> Report {
        Report {
            command,
            root: RootLine { path: Text::new(root), id: None },
            dry_run,
            changed: false,
            items: Vec::new(),
            errors: Errors::default(),
            unlisted_items: 0,
            has_findings: false,
            notes: Vec::new(),
            hints: Vec::new(),
            time: now(),
            rooted: false,
            made: Vec::new(),
            group: None,
            recovered: Vec::new(),
            own: Map::new(),
            here: Here::default(),
        }
    }

    /// Names the root that was opened; an error of opening it becomes the report's.
    pub(crate) fn opened(&mut self, root: Result<Root, Box<Problem>>) -> Option<Root> {
        match root {
            Ok(root) => {
                self.opened_root(root.physical_path(), root.id());
                Some(root)
            }
            Err(problem) => {
                self.errors.push(*problem);
                None
            }
        }
    }

    fn opened_root(&mut self, physical: Option<&Path>, id: ObjectId) {
        if let Some(path) = physical {
            self.root.path = Text::new(path);
        }
        self.root.id = Some(id.to_string());
        self.note(2, format!("root: {} ({id})", self.root.path));
    }

    /// Adds an answer.
    pub(crate) fn answer(&mut self, item: &(impl Serialize + fmt::Display)) {
        self.items.push(Item { json: to_json(item), text: item.to_string(), is_news: false });
    }

    /// Adds a text that is an answer by itself, with no place in a document.
    pub(crate) fn print(&mut self, text: impl Into<String>) {
        self.items.push(Item { json: to_json(&()), text: text.into(), is_news: false });
    }

    /// Whether a document is asked of a verb that prints a format of its own; that is then the error.
    pub(crate) fn refuses_json(&mut self, context: &Context) -> bool {
        if context.global.json {
            let verb = self.command.as_deref().unwrap_or_default();
            let problem = Problem::new(Kind::Usage, format!("`{verb}` prints a format of its own, not JSON"));
            self.errors.push(problem.hinted(Some("leave out `--json`".to_owned())));
        }
        context.global.json
    }

    /// Adds what was done to a link.
    pub(crate) fn news(&mut self, item: &(impl Serialize + fmt::Display)) {
        self.items.push(Item { json: to_json(item), text: item.to_string(), is_news: true });
    }

    /// Adds one of many things that were done, as it is asked for: for the document, or as text.
    pub(crate) fn step(&mut self, item: &(impl Serialize + fmt::Display), for_document: bool) {
        self.one(item, for_document, true);
    }

    /// Adds one of many answers, as it is asked for.
    pub(crate) fn one_answer(&mut self, item: &(impl Serialize + fmt::Display), for_document: bool) {
        self.one(item, for_document, false);
    }

    fn one(&mut self, item: &(impl Serialize + fmt::Display), for_document: bool, is_news: bool) {
        let (json, text) = match for_document {
            true => (to_json(item), String::new()),
            false => (to_json(&()), item.to_string()),
        };
        self.items.push(Item { json, text, is_news });
    }

    /// Adds an error of an operation on a link, with its hint.
    pub(crate) fn error(&mut self, error: &Error) {
        if self.errors.is_full() {
            self.errors.count(error.kind());
            // What is left over is an error of its own.
            if !(error.left().is_empty() && error.preserved().is_empty()) {
                self.errors.count(Kind::Residue);
            }
            return;
        }
        let hint = hint::of(error, self.command.as_deref().unwrap_or_default(), &self.here);
        self.errors.extend(Problem::of(error, hint, hint::of_residue(error, &self.here)));
    }

    /// Adds an error about the root as a whole.
    pub(crate) fn root_error(&mut self, error: &Error) {
        self.errors.push(Problem::of_root(error).hinted(hint::of_root(error, &self.here)));
    }

    /// Takes back the hint of the last error, where the caller did already what it says.
    pub(crate) fn drop_hint_if(&mut self, done: bool) {
        if let (true, Some(problem)) = (done, self.errors.last_mut()) {
            problem.reported.hint = None;
        }
    }

    /// Adds a line of detail for stderr.
    pub(crate) fn note(&mut self, verbosity: u8, line: impl Into<String>) {
        self.notes.push((verbosity, line.into()));
    }

    /// Adds directories that were made for an item or before an error.
    pub(crate) fn made(&mut self, made: &[PathBuf]) {
        self.made.extend(made.iter().map(|path| Text::path(path)));
    }

    /// Names the group that the run was.
    pub(crate) fn group(&mut self, id: &str) {
        self.group = Some(id.to_owned());
    }

    /// Adds what was settled on the way.
    pub(crate) fn recovered(&mut self, recovered: &[Recovered]) {
        for recovered in recovered {
            self.note(0, Settled::of(recovered).to_string().trim_end());
        }
        self.settled(recovered);
    }

    /// The same where the items say so too.
    pub(crate) fn settled(&mut self, recovered: &[Recovered]) {
        self.changed |= recovered.iter().any(|recovered| recovered.changed);
        recovered.iter().for_each(|recovered| self.recovered_item(&Settled::of(recovered)));
    }

    /// Adds something else that was settled on the way.
    pub(crate) fn recovered_item(&mut self, item: &impl Serialize) {
        self.recovered.push(serde_json::to_value(item).expect("BUG: an item has string keys"));
    }

    /// Says, once, what the verb has besides items: an object whose keys stand at the top of the document.
    pub(crate) fn own(&mut self, keys: &impl Serialize) {
        let keys = serde_json::to_value(keys).expect("BUG: a verb's own keys are strings");
        self.own = serde_json::from_value(keys).expect("BUG: a verb's own keys are an object");
    }

    /// When the run began.
    pub(crate) fn time(&self) -> &str {
        &self.time
    }

    /// What other commands have to repeat of this line.
    pub(crate) fn here(&self) -> &Here {
        &self.here
    }

    /// Whether anything was changed, rather than planned.
    pub(crate) fn has_changed(&self) -> bool {
        self.changed && !self.dry_run
    }

    pub(crate) fn class(&self) -> Class {
        match self.errors.class() {
            Class::Done if self.has_findings => Class::Findings,
            class => class,
        }
    }

    /// The one JSON document of this run.
    pub(crate) fn document(&self) -> String {
        serde_json::to_string(&self.whole()).expect("BUG: a report has string keys")
    }

    /// Writes the document, which can be long.
    pub(crate) fn write_document(&self, to: &mut impl io::Write) -> io::Result<()> {
        serde_json::to_writer(to, &self.whole()).map_err(io::Error::from)
    }

    fn whole(&self) -> Document<'_> {
        Document {
            schema: SCHEMA,
            command: self.command.as_deref(),
            root: &self.root,
            time: &self.time,
            dry_run: self.dry_run,
            rooted: self.rooted,
            changed: self.changed,
            items: self.items.iter().map(|item| &*item.json).collect(),
            errors: &self.errors,
            errors_unlisted: self.errors.unlisted(),
            items_unlisted: self.unlisted_items,
            made: &self.made,
            group: self.group.as_deref(),
            recovered: &self.recovered,
            own: &self.own,
        }
    }

    /// The document as it stands before and after its items, for a verb that prints them as they come.
    pub(crate) fn around_items(&self) -> (String, String) {
        let document = self.document();
        // No string of a document holds this: a quote in it is escaped.
        let (before, after) = document.split_once(ITEMS).expect("BUG: a document has items");
        (format!("{before}{ITEMS}"), after.to_owned())
    }
}

/// Where the items begin.
const ITEMS: &str = "\"items\":[";

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The time in UTC, with all nine digits.
fn now() -> String {
    format!("{:.9}", jiff::Timestamp::now())
}

fn to_json(value: &impl Serialize) -> Box<RawValue> {
    to_raw_value(value).expect("BUG: an item has string keys")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_items_made_is_listed_together() {
        let mut report = Report::bare(None, ".".into(), false);
        for made in [&["a", "a/b"][..], &[], &["c"]] {
            report.made(&made.iter().map(PathBuf::from).collect::<Vec<_>>());
        }
        let document: Value = serde_json::from_str(&report.document()).unwrap();
        assert_eq!(document["made"], serde_json::json!(["a", "a/b", "c"]));
    }
}
