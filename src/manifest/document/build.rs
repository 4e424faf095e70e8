//! Puts one expression after the other into its table.
//!
//! Who may add to a table follows TOML: a header makes a table once; a key with dots adds to what keys with dots made in the
//! same section; nothing adds to an inline table or array.

use std::borrow::Cow;

use toml_parser::decoder::Encoding;
use toml_parser::parser::{Event, EventKind, ValidateWhitespace, parse_document};
use toml_parser::{Expected, ParseError, Raw, Source, Span};

use super::super::problem::{Problems, shown};
use super::expression::{DEPTH_MAX, Expressions, TooMuch};
use super::value::{Array, Key, Origin, Scalar, Spot, Table, Value};

/// How many parts a key with dots may have.
const PARTS_MAX: usize = 16;

/// Reads the text; what cannot be read is told and left out.
pub(in crate::manifest) fn document<'a>(text: &'a str, problems: &mut Problems) -> Table<'a> {
    let root = Table::new(Origin::Header, Spot::default());
    let mut builder = Builder { text, root, section: Some(Vec::new()), problems };
    let mut expressions = Expressions::new(text);
    let mut events: Vec<Event> = Vec::new();
    let mut errors: Vec<ParseError> = Vec::new();
    while !builder.problems.is_full() {
        match expressions.next() {
            Ok(None) => break,
            Ok(Some(tokens)) => {
                events.clear();
                let source = Source::new(text);
                parse_document(tokens, &mut ValidateWhitespace::new(&mut events, source), &mut errors);
                builder.expression(&events, &mut errors);
            }
            Err(TooMuch::Nested(at)) => {
                builder.problems.add(at, format!("values are nested more than {DEPTH_MAX} deep; the rest is not read"));
                break;
            }
            Err(TooMuch::Long(at)) => {
                builder.problems.add(at, "this value is too long to be written as one; the rest is not read");
                break;
            }
        }
    }
    builder.root
}

struct Builder<'a, 'p> {
    text: &'a str,
    root: Table<'a>,
    /// Where the table of the last header is: the pair to go to in each table. None after a header that was bad.
    section: Option<Vec<usize>>,
    problems: &'p mut Problems,
}

/// The events of an expression that mean something, one after the other.
struct Events<'e>(std::iter::Peekable<std::slice::Iter<'e, Event>>);

impl Events<'_> {
    fn peek(&mut self) -> Option<EventKind> {
        use EventKind::{Comment, Error, Newline, Whitespace};
        while self.0.next_if(|event| matches!(event.kind(), Whitespace | Comment | Newline | Error)).is_some() {}
        self.0.peek().map(|event| event.kind())
    }

    fn next(&mut self) -> Option<Event> {
        self.peek()?;
        self.0.next().copied()
    }

    fn next_if(&mut self, kind: EventKind) -> Option<Event> {
        if self.peek() == Some(kind) { self.next() } else { None }
    }
}

impl<'a> Builder<'a, '_> {
    fn expression(&mut self, events: &[Event], errors: &mut Vec<ParseError>) {
        let mut events = Events(events.iter().peekable());
        let opening = events.peek();
        let is_header = matches!(opening, Some(EventKind::StdTableOpen | EventKind::ArrayTableOpen));
        if !errors.is_empty() {
            errors.drain(..).for_each(|error| self.syntax(&error));
            if is_header {
                self.section = None;
            }
            return;
        }
        if is_header {
            let open = events.next().map_or_else(Spot::default, |event| event.span().into());
            self.section = None;
            let Some(keys) = self.keys(&mut events) else { return };
            let at = open.to(events.next().map_or(open, |event| event.span().into()));
            self.section = self.header(keys, opening == Some(EventKind::ArrayTableOpen), at);
        } else if opening.is_some() {
            self.pair(&mut events);
        }
    }

    fn syntax(&mut self, error: &ParseError) {
        let at = error.unexpected().or(error.context()).unwrap_or_default();
        let expected: Vec<String> = error.expected().unwrap_or_default().iter().map(said).collect();
        match expected.split_last() {
            None => self.problems.add(at.into(), error.description()),
            Some((last, [])) => self.problems.add_expecting(at.into(), error.description(), last),
            Some((last, others)) => {
                self.problems.add_expecting(at.into(), error.description(), format!("{} or {last}", others.join(", ")));
            }
        }
    }

    /// A key with its parts; none where one is bad.
    fn keys(&mut self, events: &mut Events<'_>) -> Option<Vec<Key<'a>>> {
        let mut keys = Vec::new();
        let mut good = true;
        while let Some(event) = events.next_if(EventKind::SimpleKey) {
            if keys.len() == PARTS_MAX {
                self.problems.add(event.span().into(), format!("a key has more than {PARTS_MAX} parts"));
                return None;
            }
            let mut text = Cow::Borrowed("");
            let mut failed = Vec::new();
            self.raw(event.span(), event.encoding()).decode_key(&mut text, &mut failed);
            failed.iter().for_each(|error| self.syntax(error));
            good &= failed.is_empty();
            keys.push(Key { text, at: event.span().into() });
            events.next_if(EventKind::KeySep);
        }
        (good && !keys.is_empty()).then_some(keys)
    }

    fn raw(&self, span: Span, encoding: Option<Encoding>) -> Raw<'a> {
        Raw::new_unchecked(self.text.get(span.start()..span.end()).unwrap_or_default(), encoding, span)
    }

    /// Goes to the table of a header, and makes it.
    fn header(&mut self, mut keys: Vec<Key<'a>>, array: bool, at: Spot) -> Option<Vec<usize>> {
        let last = keys.pop()?;
        let mut path = Vec::with_capacity(keys.len() + 1);
        let mut table = &mut self.root;
        for key in keys {
            let index = match table.find(&key.text) {
                Some(index) => index,
                None => {
                    let made = Table::new(Origin::Implicit, at);
                    table.push(Key { text: key.text.clone(), at: key.at }, Value::Table(Box::new(made)))
                }
            };
            path.push(index);
            let Some(next) = entered(table.value(index)) else {
                self.problems.add(key.at, format!("{} is no table that a header can add to", shown(&key.text)));
                return None;
            };
            table = next;
        }
        let new = || Value::Table(Box::new(Table::new(Origin::Header, at)));
        let Some(index) = table.find(&last.text) else {
            let value = match array {
                true => Value::Array(Box::new(Array { at, items: vec![new()], of_tables: true })),
                false => new(),
            };
            path.push(table.push(last, value));
            return Some(path);
        };
        path.push(index);
        match table.value(index) {
            Value::Array(items) if array && items.of_tables => items.items.push(new()),
            Value::Table(known) if !array && known.origin == Origin::Implicit => {
                known.origin = Origin::Header;
                known.at = at;
            }
            _ => {
                self.problems.add(last.at, format!("{} stands here twice", shown(&last.text)));
                return None;
            }
        }
        Some(path)
    }

    fn pair(&mut self, events: &mut Events<'_>) {
        let Some(keys) = self.keys(events) else { return };
        events.next_if(EventKind::KeyValSep);
        let Some(value) = self.value(events) else { return };
        let Some(section) = &self.section else { return };
        let mut table = &mut self.root;
        for index in section {
            table = entered(table.value(*index)).expect("BUG: a section is a table");
        }
        if let Err((at, message)) = insert(table, keys, value) {
            self.problems.add(at, message);
        }
    }

    /// A value; none where it is bad. It is nested no deeper than [`DEPTH_MAX`].
    fn value(&mut self, events: &mut Events<'_>) -> Option<Value<'a>> {
        let event = events.next()?;
        let at = Spot::from(event.span());
        match event.kind() {
            EventKind::Scalar => {
                let mut failed = Vec::new();
                let kind = self.raw(event.span(), event.encoding()).decode_scalar(&mut (), &mut failed);
                failed.iter().for_each(|error| self.syntax(error));
                failed.is_empty().then(|| Value::Scalar(Scalar { at, kind, encoding: event.encoding() }))
            }
            EventKind::ArrayOpen => {
                let (mut items, mut good) = (Vec::new(), true);
                loop {
                    if let Some(close) = events.next_if(EventKind::ArrayClose) {
                        let at = at.to(close.span().into());
                        return good.then(|| Value::Array(Box::new(Array { at, items, of_tables: false })));
                    }
                    events.peek()?;
                    match self.value(events) {
                        Some(item) => items.push(item),
                        None => good = false,
                    }
                    events.next_if(EventKind::ValueSep);
                }
            }
            EventKind::InlineTableOpen => {
                let (mut table, mut good) = (Table::new(Origin::Inline, at), true);
                loop {
                    if let Some(close) = events.next_if(EventKind::InlineTableClose) {
                        table.at = at.to(close.span().into());
                        return good.then(|| Value::Table(Box::new(table)));
                    }
                    events.peek()?;
                    let keys = self.keys(events);
                    events.next_if(EventKind::KeyValSep)?;
                    match (keys, self.value(events)) {
                        (Some(keys), Some(value)) => {
                            if let Err((at, message)) = insert(&mut table, keys, value) {
                                self.problems.add(at, message);
                                good = false;
                            }
                        }
                        _ => good = false,
                    }
                    events.next_if(EventKind::ValueSep);
                }
            }
            _ => None,
        }
    }
}

/// The table that a header or its pairs can add to.
fn entered<'t, 'a>(value: &'t mut Value<'a>) -> Option<&'t mut Table<'a>> {
    match value {
        Value::Table(table) if table.origin != Origin::Inline => Some(table),
        Value::Array(array) if array.of_tables => match array.items.last_mut() {
            Some(Value::Table(table)) => Some(table),
            _ => None,
        },
        _ => None,
    }
}

/// Puts a value under its key, which may have dots.
fn insert<'a>(mut table: &mut Table<'a>, mut keys: Vec<Key<'a>>, value: Value<'a>) -> Result<(), (Spot, String)> {
    let Some(last) = keys.pop() else { return Ok(()) };
    for key in keys {
        let at = key.at;
        let index = match table.find(&key.text) {
            Some(index) => index,
            None => {
                let made = Value::Table(Box::new(Table::new(Origin::Dotted, at)));
                table.push(key, made)
            }
        };
        let name = shown(&table.key(index).text);
        table = match table.value(index) {
            // One that a header only named on the way to another is defined by this key.
            Value::Table(next) if matches!(next.origin, Origin::Dotted | Origin::Implicit) => {
                next.origin = Origin::Dotted;
                next
            }
            _ => return Err((at, format!("{name} is no table that a key with dots can add to"))),
        };
    }
    if table.find(&last.text).is_some() {
        return Err((last.at, format!("{} stands here twice", shown(&last.text))));
    }
    table.push(last, value);
    Ok(())
}

fn said(expected: &Expected) -> String {
    match expected {
        Expected::Literal("\n") => "the end of the line".to_owned(),
        Expected::Literal(text) => shown(text),
        Expected::Description(text) => (*text).to_owned(),
        _ => "something else".to_owned(),
    }
}
