//! From a text to a manifest that is checked whole.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::app::{App, app};
use super::check::{Claim, Clash, Clashing, Role, clashes};
use super::document::{Spot, Table, document};
use super::entries::{Each, Entries, Tree};
use super::facts::{FACTS, Facts};
use super::globs::Globs;
use super::problem::{Lines, Problem, Problems, shown};
use super::read::Reader;
use super::settings::{SETTINGS, Settings};
use super::vars::{EACH, Vars, is_name};
use crate::error::printable;
use crate::model::Place;
use crate::plan::{Declared, OnConflict, Unwanted};

/// The largest manifest, in bytes.
const SIZE_MAX: usize = 16 << 20;

/// The longest name of a manifest or app, in bytes.
const NAME_MAX: usize = 64;

const KEYS: &[&str] =
    &["version", "name", "source", "vars", "defaults", "links", "link", "tree", "each", "absent", "release"];

/// A manifest that was checked whole, read for one machine and user.
///
/// # Examples
///
/// ```
/// use caplink::manage::{Facts, Manifest};
///
/// let text = r#"
///     version = 1
///     name = "dotfiles"
///     source = "dotfiles"
///
///     [links]
///     ".vimrc" = "vim/vimrc"
/// "#;
/// let manifest = Manifest::parse(text.as_bytes(), &Facts::default()).expect("nothing is wrong with it");
/// assert_eq!(manifest.links()[0].target.as_os_str(), "dotfiles/vim/vimrc");
/// ```
#[derive(Clone, Debug)]
pub struct Manifest {
    name: String,
    source: PathBuf,
    on_conflict: OnConflict,
    links: Vec<Declared>,
    unwanted: Vec<Unwanted>,
    pub(super) trees: Vec<Tree>,
    pub(super) each: Vec<Each>,
    apps: BTreeMap<String, App>,
    /// For problems that are found when it is expanded.
    text: Arc<str>,
}

impl Manifest {
    /// Reads a manifest and checks it whole.
    ///
    /// Entries whose `when` does not hold are checked and then left out. Nothing is looked at and nothing is run.
    ///
    /// # Errors
    ///
    /// Every problem, in the order of the text, at most 1000 of them and a last one that says that there are more.
    ///
    /// Time grows with the text, by a logarithm faster than it; memory is bounded by some 40 times its size, and by 128 MiB
    /// for the values of variables. A text has at most 16 MiB and 1,000,000 entries.
    pub fn parse(text: &[u8], facts: &Facts) -> Result<Manifest, Vec<Problem>> {
        let refuse = |text: &str, at: usize, message: String| {
            let mut problems = Problems::default();
            problems.add(Spot::new(at, at), message);
            Err(problems.finish(text, &Lines::new(text)))
        };
        if text.len() > SIZE_MAX {
            return refuse("", 0, format!("it has {} bytes, a manifest has at most 16 MiB", text.len()));
        }
        match std::str::from_utf8(text) {
            Ok(text) => checked(text, facts),
            Err(error) => {
                let good = error.valid_up_to();
                let before = String::from_utf8_lossy(&text[..good]);
                refuse(&before, good, "this is not UTF-8; a manifest is".to_owned())
            }
        }
    }

    /// Returns the owner of what is made.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the directory that targets start at, below the root; empty for the root itself.
    pub fn source(&self) -> &Path {
        &self.source
    }

    /// Returns what is done about something in the way of an entry that says nothing itself.
    pub fn on_conflict(&self) -> OnConflict {
        self.on_conflict
    }

    /// Returns the links that are declared one by one, in the order of the text.
    pub fn links(&self) -> &[Declared] {
        &self.links
    }

    /// Returns the links that shall not be there, in the order of the text.
    pub fn unwanted(&self) -> &[Unwanted] {
        &self.unwanted
    }

    /// Returns the apps by their names.
    pub fn apps(&self) -> &BTreeMap<String, App> {
        &self.apps
    }

    /// Returns whether anything in it runs a program.
    pub fn has_hooks(&self) -> bool {
        self.apps.values().any(App::has_hooks)
    }

    /// The links that are declared, and those that shall not be there; it has none any more.
    pub(super) fn take_links(&mut self) -> (Vec<Declared>, Vec<Unwanted>) {
        (std::mem::take(&mut self.links), std::mem::take(&mut self.unwanted))
    }

    /// The text, to show a part of it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

fn checked(text: &str, facts: &Facts) -> Result<Manifest, Vec<Problem>> {
    let lines = Lines::new(text);
    let mut problems = Problems::default();
    let root = document(text, &mut problems);
    let torn = !problems.is_empty();
    let mut entries = Entries {
        reader: Reader { text, problems },
        vars: Vars::new(facts),
        globs: Globs::default(),
        facts,
        lines: &lines,
        source: PathBuf::new(),
        settings: Settings::default(),
        links: Vec::new(),
        unwanted: Vec::new(),
        trees: Vec::new(),
        each: Vec::new(),
    };
    if !is_version_one(&mut entries.reader, &root, torn) {
        return Err(entries.reader.problems.finish(text, &lines));
    }
    entries.reader.known(&root, KEYS);
    let name = own_name(&mut entries.reader, &root, torn);
    head(&mut entries, &root);
    body(&mut entries, &root);
    let apps = apps(&mut entries, &root);
    doubles(&mut entries, &apps);
    let Entries { reader, source, settings, links, unwanted, trees, each, .. } = entries;
    if !reader.problems.is_empty() {
        return Err(reader.problems.finish(text, &lines));
    }
    let on_conflict = settings.on_conflict.unwrap_or_default();
    Ok(Manifest { name, source, on_conflict, links, unwanted, trees, each, apps, text: text.into() })
}

/// Where nothing was written that could be pointed at.
fn top() -> Spot {
    Spot::default()
}

/// Of a manifest of another version nothing else is said: its keys may well have a meaning.
fn is_version_one(reader: &mut Reader<'_>, root: &Table<'_>, torn: bool) -> bool {
    let Some(value) = root.get("version") else {
        if !torn {
            reader.problems.add_expecting(top(), "`version` is missing", "`version = 1`");
        }
        return true;
    };
    let version = reader.number(value);
    if version.is_some_and(|version| version != 1) {
        reader.problems.add_expecting(value.at(), "this version is not known", "`version = 1`");
    }
    version.is_none_or(|version| version == 1)
}

fn own_name(reader: &mut Reader<'_>, root: &Table<'_>, torn: bool) -> String {
    let expected = "a name as in `name = \"dotfiles\"`";
    let Some(value) = root.get("name") else {
        if !torn {
            reader.problems.add_expecting(top(), "`name` is missing", expected);
        }
        return String::new();
    };
    let Some(name) = reader.string(value, expected) else { return String::new() };
    named(reader, &name, value.at());
    name.into_owned()
}

/// Checks the name of a manifest or app.
fn named(reader: &mut Reader<'_>, name: &str, at: Spot) {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-');
    let begins = name.bytes().next().is_some_and(|first| first.is_ascii_lowercase() || first.is_ascii_digit());
    if !begins || !name.bytes().all(allowed) || name.len() > NAME_MAX {
        let expected = format!("1 to {NAME_MAX} of a-z, 0-9, `.`, `_`, `-`, beginning with a letter or digit");
        reader.problems.add_expecting(at, format!("{} is no name", shown(name)), expected);
    }
}

/// What the entries are read with: source, variables, defaults.
fn head<'a>(entries: &mut Entries<'a, '_>, root: &Table<'a>) {
    if let Some(value) = root.get("source")
        && let Some(text) = entries.reader.string(value, "a directory below the root as a string")
    {
        match Place::new(&*text) {
            Ok(place) => entries.source = place.path,
            Err(error) => entries.reader.problems.add_caused(value.at(), error.to_string(), error.kind()),
        }
    }
    if let Some(table) = root.get("vars").and_then(|value| entries.reader.table(value, "a table")) {
        for (key, value) in table.pairs() {
            let name = &*key.text;
            if FACTS.contains(&name) || EACH.contains(&name) {
                entries.reader.problems.add(key.at, format!("the variable `{name}` is given and cannot be set"));
            } else if !is_name(name) {
                let expected = "1 to 64 letters, digits, `_`, `-`";
                entries.reader.problems.add_expecting(
                    key.at,
                    format!("{} is no name of a variable", shown(name)),
                    expected,
                );
            }
            if let Some(text) = entries.reader.string(value, "a string") {
                entries.vars.define(name.to_owned(), text.into_owned());
            }
        }
    }
    if let Some(table) = root.get("defaults").and_then(|value| entries.reader.table(value, "a table")) {
        entries.reader.known(table, SETTINGS);
        entries.settings = Settings::default().read(&mut entries.reader, table);
    }
}

fn body<'a>(entries: &mut Entries<'a, '_>, root: &Table<'a>) {
    // What an entry itself says about conflicts is not what the defaults say.
    let defaults = entries.settings;
    entries.settings.on_conflict = None;
    if let Some(table) = root.get("links").and_then(|value| entries.reader.table(value, "a table")) {
        entries.short_links(table);
    }
    type Reads<'a, 'f> = fn(&mut Entries<'a, 'f>, &Table<'a>);
    let kinds: [(&str, Reads<'a, '_>); 4] =
        [("link", Entries::long_link), ("tree", Entries::tree), ("each", Entries::each), ("absent", Entries::absent)];
    for (key, read) in kinds {
        for table in entries.reader.tables(root, key) {
            if entries.reader.problems.is_full() {
                return;
            }
            read(entries, table);
        }
    }
    entries.settings = defaults;
}

fn apps<'a>(entries: &mut Entries<'a, '_>, root: &Table<'a>) -> BTreeMap<String, App> {
    let mut apps = BTreeMap::new();
    let Some(release) = root.get("release") else { return apps };
    let Some(table) = entries.reader.table(release, "tables that begin with `[release.NAME]`") else { return apps };
    for (key, value) in table.pairs() {
        named(&mut entries.reader, &key.text, key.at);
        if let Some(table) = entries.reader.table(value, "a table that begins with `[release.NAME]`") {
            apps.insert(key.text.to_string(), app(entries, key, table));
        }
        if entries.reader.problems.is_full() {
            break;
        }
    }
    apps
}

/// Tells what is declared twice, and what is below another's link.
fn doubles(entries: &mut Entries<'_, '_>, apps: &BTreeMap<String, App>) {
    let links = entries.links.iter().map(|link| Claim { path: link.link.as_path(), role: Role::Link, at: link.at });
    let unwanted =
        entries.unwanted.iter().map(|link| Claim { path: link.link.as_path(), role: Role::Absent, at: link.at });
    let current = apps
        .values()
        .filter_map(|app| Some(Claim { path: app.current.as_ref()?.as_path(), role: Role::Link, at: app.at }));
    let all = clashes(links.chain(unwanted).chain(current).collect());
    let shared = apps.values().flat_map(|app| {
        let shared = |link: &'_ super::app::SharedLink| link.declared;
        let claims =
            app.shared.iter().map(|link| Claim { path: link.at.as_path(), role: Role::Link, at: shared(link) });
        clashes(claims.collect())
    });
    for clash in all.into_iter().chain(shared) {
        let at = entries.lines.token(entries.reader.text, clash.later.at);
        entries.reader.problems.add(at, clash_message(&clash));
    }
}

/// Two links that cannot be declared together, in words.
pub(super) fn clash_message(clash: &Clash<'_>) -> String {
    let (later, first, line) = (printable(clash.later.path), printable(clash.first.path), clash.first.at.line);
    match clash.what {
        Clashing::Twice => format!("`{later}` is declared twice, first in line {line}"),
        Clashing::Below => format!("`{later}` is below `{first}`, which line {line} makes a link"),
        Clashing::Above => format!("`{later}` is to be a link, and `{first}` of line {line} is below it"),
    }
}
