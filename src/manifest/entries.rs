//! The entries of a manifest: links, trees, one for each directory, and what shall be absent.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::document::{Key, Spot, Table, Value};
use super::facts::{FACTS, Facts};
use super::globs::{Globs, on_paths};
use super::problem::{Lines, shown};
use super::read::Reader;
use super::settings::{KINDS, SETTINGS, Settings};
use super::vars::{Template, Vars};
use crate::error::Error;
use crate::model::{LinkPath, Place, Style, Target};
use crate::plan::{Declared, Label, Pattern, Position, Star, TargetKind, Unwanted};

/// How many entries a manifest may have, also after it is expanded.
pub(super) const ENTRIES_MAX: usize = 1_000_000;

/// The keys that every table of entries may have.
const LABELS: &[&str] = &["name", "comment", "tags", "when"];

/// `[[tree]]`: a link for every file below a directory.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    /// Below the root.
    pub(super) from: PathBuf,
    pub(super) into: PathBuf,
    pub(super) dotfiles: bool,
    pub(super) include: Option<Pattern>,
    pub(super) exclude: Option<Pattern>,
    pub(super) settings: Settings,
    pub(super) label: Label,
    pub(super) at: Position,
}

/// `[[each]]`: links for every directory that matches.
#[derive(Clone, Debug)]
pub(super) struct Each {
    /// As it is written, on paths below the root.
    pub(super) glob: String,
    pub(super) matching: Pattern,
    pub(super) exclude: Option<Pattern>,
    pub(super) links: Vec<(Template, Template)>,
    pub(super) kind: TargetKind,
    pub(super) settings: Settings,
    pub(super) label: Label,
    pub(super) at: Position,
}

/// What is read, and what it is read with.
pub(super) struct Entries<'a, 'f> {
    pub(super) reader: Reader<'a>,
    pub(super) vars: Vars<'f>,
    pub(super) globs: Globs,
    pub(super) facts: &'f Facts,
    pub(super) lines: &'a Lines,
    pub(super) source: PathBuf,
    pub(super) settings: Settings,
    pub(super) links: Vec<Declared>,
    pub(super) unwanted: Vec<Unwanted>,
    pub(super) trees: Vec<Tree>,
    pub(super) each: Vec<Each>,
}

/// What the keys say that every table may have.
struct Common {
    label: Label,
    /// Whether `when` holds.
    holds: bool,
}

impl<'a> Entries<'a, '_> {
    pub(super) fn position(&self, at: Spot) -> Position {
        let (line, column) = self.lines.position(at.start());
        let cut = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Position { line: cut(line), column: cut(column) }
    }

    fn known(&mut self, table: &Table<'a>, own: &[&str], settings: bool) {
        let settings = if settings { SETTINGS } else { &[] };
        self.reader.known(table, &[own, LABELS, settings].concat());
    }

    /// A key that has to be there.
    pub(super) fn required<'v>(&mut self, table: &'v Table<'a>, key: &str) -> Option<&'v Value<'a>> {
        let value = table.get(key);
        if value.is_none() {
            self.reader.problems.add(table.at, format!("`{key}` is missing"));
        }
        value
    }

    fn filled<'t>(&mut self, text: &'t str, at: Spot) -> Option<Cow<'t, str>> {
        let filled = self.vars.fill(text);
        filled.map_err(|why| self.reader.problems.add(at, why)).ok()
    }

    fn bad_path(&mut self, at: Spot, error: &Error) {
        self.reader.problems.add_caused(at, error.to_string(), error.kind());
    }

    pub(super) fn link_path(&mut self, text: &str, at: Spot) -> Option<LinkPath> {
        let filled = self.filled(text, at)?;
        LinkPath::new(&*filled).map_err(|error| self.bad_path(at, &error)).ok()
    }

    /// A directory below the root, or the root.
    pub(super) fn place(&mut self, text: &str, at: Spot) -> Option<PathBuf> {
        let filled = self.filled(text, at)?;
        Place::new(&*filled).map(|place| place.path).map_err(|error| self.bad_path(at, &error)).ok()
    }

    /// A target of an entry, and what it has to be: a `/` at its end asks for a directory.
    fn target(&mut self, text: &str, at: Spot, style: Style, kind: TargetKind) -> Option<(Target, TargetKind)> {
        let filled = self.filled(text, at)?;
        target(&self.source, OsStr::new(&*filled), style, kind)
            .map_err(|error| self.bad_path(at, &error.on("use", &*filled)))
            .ok()
    }

    fn pattern(&mut self, globs: &[(Cow<'a, str>, Spot)], star: Star) -> Option<Pattern> {
        let texts: Vec<&str> = globs.iter().map(|(text, _)| &**text).collect();
        match self.globs.compile(&texts, star) {
            Ok(pattern) => Some(pattern),
            Err((index, why)) => {
                let at = globs.get(index).map(|(_, at)| *at).unwrap_or_default();
                self.reader.problems.add(at, why);
                None
            }
        }
    }

    /// A list of globs on paths; none where there is none.
    fn path_globs(&mut self, table: &Table<'a>, key: &str) -> Option<Pattern> {
        let globs = self.reader.strings(table.get(key)?, "a list of globs")?;
        if globs.is_empty() { None } else { self.pattern(&globs, Star::Component) }
    }

    fn common(&mut self, table: &Table<'a>) -> Common {
        let text = |entries: &mut Self, key: &str| entries.reader.string(table.get(key)?, "a string");
        let (name, comment) = (text(self, "name"), text(self, "comment"));
        let tags = table.get("tags").and_then(|tags| self.reader.strings(tags, "a list of strings"));
        let tags = tags.iter().flatten().map(|(tag, _)| &**tag);
        let label = Label::new(name.as_deref(), comment.as_deref(), tags);
        let holds = table.get("when").is_none_or(|when| self.holds(when));
        Common { label, holds }
    }

    /// Whether all lists that are given match.
    fn holds(&mut self, when: &Value<'a>) -> bool {
        let Some(table) = self.reader.table(when, "a table, as in `{ os = [\"linux\"] }`") else { return true };
        self.reader.known(table, FACTS);
        let mut holds = true;
        for (key, value) in table.pairs().filter(|(key, _)| FACTS.contains(&&*key.text)) {
            let Some(globs) = self.reader.strings(value, "a list of globs") else { continue };
            if globs.is_empty() {
                self.reader.problems.add(value.at(), "an empty list never matches");
            } else if let Some(pattern) = self.pattern(&globs, Star::All) {
                holds &= self.facts.values(&key.text).any(|fact| pattern.matches(fact));
            }
        }
        holds
    }

    /// Whether there is room for one more entry; told once where there is none.
    fn has_room(&mut self, at: Spot) -> bool {
        let count = self.links.len() + self.unwanted.len() + self.trees.len() + self.each.len();
        if count == ENTRIES_MAX {
            self.reader.problems.add(at, format!("there are more than {ENTRIES_MAX} entries"));
        }
        count < ENTRIES_MAX
    }

    /// `[links]`.
    pub(super) fn short_links(&mut self, table: &Table<'a>) {
        let settings = self.settings;
        if table.pairs().len() > ENTRIES_MAX {
            self.reader.problems.add(table.at, format!("there are more than {ENTRIES_MAX} entries"));
            return;
        }
        self.links.reserve_exact(table.pairs().len());
        for (Key { text, at }, value) in table.pairs() {
            if self.reader.problems.is_full() || !self.has_room(*at) {
                return;
            }
            let link = self.link_path(text, *at);
            let Some(to) = self.reader.string(value, "the target as a string") else { continue };
            let target = self.target(&to, value.at(), settings.style, TargetKind::Any);
            if let (Some(link), Some((target, kind))) = (link, target) {
                let at = self.position(*at);
                self.links.push(declared(link, target, kind, settings, Label::default(), at));
            }
        }
    }

    /// `[[link]]`.
    pub(super) fn long_link(&mut self, table: &Table<'a>) {
        self.known(table, &["at", "to", "kind"], true);
        let Common { label, holds } = self.common(table);
        let settings = self.settings.read(&mut self.reader, table);
        let kind = table.get("kind").and_then(|kind| self.reader.word(kind, KINDS)).unwrap_or_default();
        let (at, to) = (self.required(table, "at"), self.required(table, "to"));
        let link = at.and_then(|at| {
            let text = self.reader.string(at, "the link as a string")?;
            Some((self.link_path(&text, at.at())?, at.at()))
        });
        let target = to.and_then(|to| {
            let text = self.reader.string(to, "the target as a string")?;
            self.target(&text, to.at(), settings.style, kind)
        });
        if let (Some((link, at)), Some((target, kind)), true) = (link, target, holds && self.has_room(table.at)) {
            let at = self.position(at);
            self.links.push(declared(link, target, kind, settings, label, at));
        }
    }

    /// `[[absent]]`.
    pub(super) fn absent(&mut self, table: &Table<'a>) {
        self.known(table, &["at", "if_to"], false);
        let Common { label, holds } = self.common(table);
        let at = self.required(table, "at");
        let link = at.and_then(|at| {
            let text = self.reader.string(at, "the link as a string")?;
            Some((self.link_path(&text, at.at())?, at.at()))
        });
        let if_to = table.get("if_to").and_then(|glob| {
            let text = self.reader.string(glob, "a glob on the text of the link")?;
            self.pattern(&[(text, glob.at())], Star::All)
        });
        if let (Some((link, at)), true) = (link, holds && self.has_room(table.at)) {
            let at = self.position(at);
            self.unwanted.push(Unwanted { link, if_to, label, at });
        }
    }

    /// `[[tree]]`.
    pub(super) fn tree(&mut self, table: &Table<'a>) {
        self.known(table, &["from", "into", "dotfiles", "include", "exclude"], true);
        let Common { label, holds } = self.common(table);
        let settings = self.settings.read(&mut self.reader, table);
        if settings.style == Style::Verbatim {
            let at = table.get("style").map_or(table.at, Value::at);
            let message = "a tree makes the texts of its links, so they cannot be verbatim";
            self.reader.problems.add_expecting(at, message, "`style = \"relative\"` or `\"absolute\"`");
        }
        let dotfiles = table.get("dotfiles").and_then(|value| self.reader.flag(value)).unwrap_or(false);
        let (include, exclude) = (self.path_globs(table, "include"), self.path_globs(table, "exclude"));
        let mut place = |key: &str| {
            let value = self.required(table, key)?;
            let text = self.reader.string(value, "a directory as a string")?;
            self.place(&text, value.at())
        };
        let (Some(from), Some(into)) = (place("from"), place("into")) else { return };
        let from = below(&self.source, from);
        if into.strip_prefix(&from).is_ok_and(|below| !is_left_out(below, exclude.as_ref())) {
            let message = "`into` lies in `from`: what is made there would be found the next time";
            self.reader.problems.add(table.get("into").map_or(table.at, Value::at), message);
        }
        if holds && self.has_room(table.at) {
            let at = self.position(table.at);
            self.trees.push(Tree { from, into, dotfiles, include, exclude, settings, label, at });
        }
    }

    /// `[[each]]`.
    pub(super) fn each(&mut self, table: &Table<'a>) {
        self.known(table, &["for", "exclude", "links", "kind"], true);
        let Common { label, holds } = self.common(table);
        let settings = self.settings.read(&mut self.reader, table);
        let kind = table.get("kind").and_then(|kind| self.reader.word(kind, KINDS)).unwrap_or_default();
        let exclude = self.path_globs(table, "exclude");
        let glob = self.required(table, "for").and_then(|value| {
            let glob = self.reader.string(value, "a glob on directories below the root")?;
            let matching = self.pattern(&[(glob.clone(), value.at())], Star::Component)?;
            Some((on_paths(&glob).unwrap_or_default().to_owned(), matching))
        });
        let links = self.required(table, "links").and_then(|value| {
            let table = self.reader.table(value, "a table of links and targets")?;
            let links: Vec<_> =
                table.pairs().filter_map(|(key, value)| self.each_link(key, value, settings.style, kind)).collect();
            (links.len() == table.pairs().len()).then_some(links)
        });
        if let (Some((glob, matching)), Some(links), true) = (glob, links, holds && self.has_room(table.at)) {
            let at = self.position(table.at);
            self.each.push(Each { glob, matching, exclude, links, kind, settings, label, at });
        }
    }

    /// One link of `[[each]]`, tried with a directory that fits everywhere.
    fn each_link(
        &mut self,
        key: &Key<'a>,
        value: &Value<'a>,
        style: Style,
        kind: TargetKind,
    ) -> Option<(Template, Template)> {
        if self.reader.problems.is_full() {
            return None;
        }
        let text = self.reader.string(value, "the target as a string");
        let link = self.vars.template(&key.text).map_err(|why| self.reader.problems.add(key.at, why)).ok()?;
        let to = self.vars.template(&text?).map_err(|why| self.reader.problems.add(value.at(), why)).ok()?;
        let try_out = |template: &Template| template.fill("d".as_ref(), "d".as_ref());
        if let Err(error) = LinkPath::new(try_out(&link)) {
            self.bad_path(key.at, &error);
        }
        let tried = try_out(&to);
        if let Err(error) = target(Path::new(""), &tried, style, kind) {
            self.bad_path(value.at(), &error.on("use", &tried));
        }
        if !link.mentions_directory() {
            let message = format!("the link {} is the same for every directory", shown(&key.text));
            self.reader.problems.add_expecting(key.at, message, "`{dir}` or `{base}` in it");
        }
        Some((link, to))
    }
}

/// A path below a directory; neither ends in `/`, and the root is empty.
fn below(dir: &Path, path: PathBuf) -> PathBuf {
    if path.as_os_str().is_empty() { dir.to_path_buf() } else { dir.join(path) }
}

/// A target of an entry: a path below `source`, or a text.
pub(super) fn target(
    source: &Path,
    text: &OsStr,
    style: Style,
    kind: TargetKind,
) -> Result<(Target, TargetKind), Error> {
    if style == Style::Verbatim {
        let target = Target::verbatim(text);
        return target.check(None).map(|()| (target, kind));
    }
    let bytes = text.as_encoded_bytes();
    let asks = bytes.len() > 1 && bytes.ends_with(b"/");
    if bytes.is_empty() {
        Target::new(style, text).check(None)?;
    }
    let place = Place::new(text).or_else(|error| Target::new(style, text).check(None).and(Err(error)))?;
    if asks && kind == TargetKind::File {
        let reason = "a `/` at the end asks for a directory, and a file is asked for";
        return Err(Error::new(crate::error::Kind::InvalidTarget).because(reason).on("use", text));
    }
    let path = below(source, place.path);
    let path = if path.as_os_str().is_empty() { PathBuf::from(".") } else { path };
    Ok((Target::new(style, path), if asks { TargetKind::Dir } else { kind }))
}

pub(super) fn declared(
    link: LinkPath,
    target: Target,
    kind: TargetKind,
    settings: Settings,
    label: Label,
    at: Position,
) -> Declared {
    let Settings { on_conflict, parents, allow_dangling, allow_outside, .. } = settings;
    Declared { link, target, kind, on_conflict, parents, allow_dangling, allow_outside, label, at }
}

/// Whether a path is left out, or a directory above it.
fn is_left_out(path: &Path, exclude: Option<&Pattern>) -> bool {
    exclude.is_some_and(|exclude| path.ancestors().any(|dir| !dir.as_os_str().is_empty() && exclude.matches(dir)))
}
