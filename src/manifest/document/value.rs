//! Tables, arrays and scalars, and where they stand.

use std::borrow::Cow;
use std::collections::HashMap;

use toml_parser::decoder::{Encoding, ScalarKind};
use toml_parser::{Raw, Span};

/// Where something stands in the text, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::manifest) struct Spot {
    start: u32,
    end: u32,
}

impl Spot {
    /// The text is shorter than 4 GiB.
    pub(in crate::manifest) fn new(start: usize, end: usize) -> Spot {
        let cut = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Spot { start: cut(start), end: cut(end.max(start)) }
    }

    pub(in crate::manifest) fn start(self) -> usize {
        self.start as usize
    }

    pub(in crate::manifest) fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    pub(super) fn to(self, end: Spot) -> Spot {
        Spot { start: self.start, end: end.end.max(self.start) }
    }
}

impl From<Span> for Spot {
    fn from(span: Span) -> Spot {
        Spot::new(span.start(), span.end())
    }
}

#[derive(Debug)]
pub(in crate::manifest) struct Key<'a> {
    pub(in crate::manifest) text: Cow<'a, str>,
    pub(in crate::manifest) at: Spot,
}

#[derive(Debug)]
pub(in crate::manifest) enum Value<'a> {
    Scalar(Scalar),
    Array(Box<Array<'a>>),
    Table(Box<Table<'a>>),
}

#[derive(Debug)]
pub(in crate::manifest) struct Scalar {
    pub(in crate::manifest) at: Spot,
    pub(in crate::manifest) kind: ScalarKind,
    pub(super) encoding: Option<Encoding>,
}

#[derive(Debug)]
pub(in crate::manifest) struct Array<'a> {
    pub(in crate::manifest) at: Spot,
    pub(in crate::manifest) items: Vec<Value<'a>>,
    /// It was made by headers of the form `[[x]]`.
    pub(super) of_tables: bool,
}

/// How a table came to be, which says who may add to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// By the header of a table in it.
    Implicit,
    Header,
    /// By a key with dots.
    Dotted,
    Inline,
}

#[derive(Debug)]
pub(in crate::manifest) struct Table<'a> {
    pub(in crate::manifest) at: Spot,
    pub(super) origin: Origin,
    pairs: Vec<(Key<'a>, Value<'a>)>,
    /// Where each key is, in a table that is not small.
    #[expect(clippy::box_collection, reason = "there can be a million tables, and nearly all are small")]
    index: Option<Box<HashMap<Cow<'a, str>, u32>>>,
}

/// From this many pairs on a table has an index.
const SMALL: usize = 8;

impl Scalar {
    /// The text of a string; of a number its digits with the sign.
    pub(in crate::manifest) fn decode<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let span = Span::new_unchecked(self.at.start(), self.at.start() + self.at.len());
        let raw = text.get(span.start()..span.end()).unwrap_or_default();
        let mut decoded = Cow::Borrowed("");
        // What is wrong with it was told when it was read.
        let _ = Raw::new_unchecked(raw, self.encoding, span).decode_scalar(&mut decoded, &mut ());
        decoded
    }
}

impl Value<'_> {
    pub(in crate::manifest) fn at(&self) -> Spot {
        match self {
            Value::Scalar(scalar) => scalar.at,
            Value::Array(array) => array.at,
            Value::Table(table) => table.at,
        }
    }

    /// What it is, with an article.
    pub(in crate::manifest) fn what(&self) -> &'static str {
        match self {
            Value::Scalar(scalar) => match scalar.kind {
                ScalarKind::String => "a string",
                ScalarKind::Boolean(_) => "a boolean",
                ScalarKind::DateTime => "a date or time",
                ScalarKind::Float => "a float",
                ScalarKind::Integer(_) => "an integer",
            },
            Value::Array(_) => "an array",
            Value::Table(_) => "a table",
        }
    }
}

impl<'a> Table<'a> {
    pub(super) fn new(origin: Origin, at: Spot) -> Table<'a> {
        Table { at, origin, pairs: Vec::new(), index: None }
    }

    /// Every key with its value, in the order of the text.
    pub(in crate::manifest) fn pairs(&self) -> impl ExactSizeIterator<Item = (&Key<'a>, &Value<'a>)> {
        self.pairs.iter().map(|(key, value)| (key, value))
    }

    pub(in crate::manifest) fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.find(key).map(|index| &self.pairs[index].1)
    }

    pub(super) fn find(&self, key: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(key).map(|at| *at as usize),
            None => self.pairs.iter().position(|(known, _)| known.text == key),
        }
    }

    pub(super) fn key(&self, index: usize) -> &Key<'a> {
        &self.pairs[index].0
    }

    pub(super) fn value(&mut self, index: usize) -> &mut Value<'a> {
        &mut self.pairs[index].1
    }

    /// Adds a pair whose key is not there; returns where it is.
    pub(super) fn push(&mut self, key: Key<'a>, value: Value<'a>) -> usize {
        let at = self.pairs.len();
        let number = u32::try_from(at).expect("BUG: a text of 16 MiB has fewer keys");
        if let Some(index) = &mut self.index {
            index.insert(key.text.clone(), number);
        } else if at == SMALL {
            let known = self.pairs.iter().map(|(key, _)| key.text.clone()).zip(0..);
            self.index = Some(Box::new(known.chain([(key.text.clone(), number)]).collect()));
        }
        self.pairs.push((key, value));
        at
    }
}
