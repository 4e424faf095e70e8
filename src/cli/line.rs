//! A line of arguments as programs write it, and how options are read from it without a grammar.
//!
//! To build clap's grammar takes a process several times as long as the edit of a link. A *plain* line has one verb, each
//! option at most once and written out, and each value as a word of its own that neither is empty nor begins with `-`.
//! [`options!`] makes both of one list of fields: the struct that clap derives its grammar from, and what reads the same
//! struct from a plain line. Whatever is not plain, or is a mistake, is left to the grammar, which alone has words for it.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::ValueEnum;

/// An option as it is written.
pub(crate) struct Spelled {
    pub(crate) long: &'static str,
    /// None or one.
    pub(crate) short: &'static [char],
    pub(crate) takes_value: bool,
}

impl Spelled {
    fn is(&self, word: &str) -> bool {
        match word.strip_prefix("--") {
            Some(long) => long == self.long,
            None => self.short.iter().any(|short| word[1..].chars().eq([*short])),
        }
    }
}

/// The options of one struct, and of those that it contains.
pub(crate) type Options = &'static [&'static [Spelled]];

/// Options that are read from a plain line.
pub(crate) trait Plain: Sized {
    const OPTIONS: Options;

    /// Takes its options and operands out of the line; none where the grammar has to judge it.
    fn read(line: &mut Line<'_>) -> Option<Self>;
}

/// Defines a struct of options, for clap and for plain lines.
///
/// A field is an option where `= "long" / 's'` follows its type (`/ 's'` may be missing), else an operand; `..name: Type;`
/// before the fields contains the options of another struct. Attributes are those of clap's derive.
macro_rules! options {
    ($(#[$of_struct:meta])* $vis:vis struct $name:ident {
        $(.. $inner:ident: $inner_type:ty;)?
        $($(#[$of_field:meta])* $field_vis:vis $field:ident: $type:ty $(= $long:literal $(/ $short:literal)?)?,)*
    }) => {
        #[derive(Clone, Debug, clap::Args)]
        $(#[$of_struct])*
        $vis struct $name {
            $(#[command(flatten)] pub(crate) $inner: $inner_type,)?
            $($(#[$of_field])* $(#[arg(long = $long $(, short = $short)?)])? $field_vis $field: $type,)*
        }

        impl $crate::cli::line::Plain for $name {
            const OPTIONS: $crate::cli::line::Options = &[
                $(<$inner_type as $crate::cli::line::Plain>::OPTIONS[0],)?
                &[$($($crate::cli::line::Spelled {
                    long: $long,
                    short: &[$($short)?],
                    takes_value: <$type as $crate::cli::line::Value>::FOLLOWS,
                },)?)*],
            ];

            fn read(line: &mut $crate::cli::line::Line<'_>) -> Option<Self> {
                Some($name {
                    $($inner: $crate::cli::line::Plain::read(line)?,)?
                    $($field: $crate::cli::line::field!(line $($long)?)?,)*
                })
            }
        }
    };
}

/// Reads an option, or an operand where there is no name.
macro_rules! field {
    ($line:ident) => {
        $crate::cli::line::Operand::take($line)
    };
    ($line:ident $long:literal) => {
        $crate::cli::line::Value::of($line.option($long))
    };
}

pub(crate) use {field, options};

/// What an option can be: there or not, or a value.
pub(crate) trait Value: Sized {
    /// Whether the value follows as the next word.
    const FOLLOWS: bool = true;

    /// What is meant by the word, or by its absence.
    fn of(word: Option<&OsStr>) -> Option<Self>;
}

impl Value for bool {
    const FOLLOWS: bool = false;

    fn of(word: Option<&OsStr>) -> Option<bool> {
        Some(word.is_some())
    }
}

/// An option that counts.
impl Value for u8 {
    const FOLLOWS: bool = false;

    fn of(word: Option<&OsStr>) -> Option<u8> {
        Some(word.is_some().into())
    }
}

impl Value for OsString {
    fn of(word: Option<&OsStr>) -> Option<OsString> {
        word.map(OsStr::to_os_string)
    }
}

impl Value for PathBuf {
    fn of(word: Option<&OsStr>) -> Option<PathBuf> {
        word.map(PathBuf::from)
    }
}

impl<T: Value> Value for Option<T> {
    fn of(word: Option<&OsStr>) -> Option<Option<T>> {
        match word {
            Some(word) => T::of(Some(word)).map(Some),
            None => Some(None),
        }
    }
}

/// A value that is one of a few words.
pub(crate) trait Choice: ValueEnum {
    /// What is meant where it is not given.
    const DEFAULT: Option<Self> = None;
}

impl<T: Choice> Value for T {
    fn of(word: Option<&OsStr>) -> Option<T> {
        match word {
            Some(word) => T::from_str(word.to_str()?, false).ok(),
            None => T::DEFAULT,
        }
    }
}

/// What stands without an option.
pub(crate) trait Operand: Sized {
    fn take(line: &mut Line<'_>) -> Option<Self>;
}

/// Exactly one.
impl Operand for OsString {
    fn take(line: &mut Line<'_>) -> Option<OsString> {
        if line.operands.len() == 1 { line.operands.pop() } else { None }
    }
}

/// At least one.
impl Operand for Vec<OsString> {
    fn take(line: &mut Line<'_>) -> Option<Vec<OsString>> {
        Some(std::mem::take(&mut line.operands)).filter(|operands| !operands.is_empty())
    }
}

/// A plain line taken apart.
pub(crate) struct Line<'a> {
    pub(crate) verb: &'a str,
    operands: Vec<OsString>,
    options: Vec<(&'static str, &'a OsStr)>,
}

impl<'a> Line<'a> {
    /// Takes a line apart; `of_verb` knows the options that may stand behind a verb.
    pub(crate) fn read(
        arguments: &'a [OsString],
        global: Options,
        of_verb: impl Fn(&str) -> Option<Options>,
    ) -> Option<Line<'a>> {
        let mut verb = None;
        let mut known = [global, &[]];
        let (mut operands, mut options) = (Vec::new(), Vec::<(&'static str, &'a OsStr)>::new());
        let mut words = arguments.iter().skip(1);
        while let Some(word) = words.next() {
            let text = word.to_str().filter(|text| !text.is_empty())?;
            if !text.starts_with('-') {
                match verb {
                    Some(_) => operands.push(word.clone()),
                    None => (verb, known[1]) = (Some(text), of_verb(text)?),
                }
                continue;
            }
            let spelled = known.into_iter().flatten().copied().flatten().find(|spelled| spelled.is(text))?;
            if options.iter().any(|(given, _)| *given == spelled.long) {
                return None;
            }
            let value = if spelled.takes_value { words.next()? } else { OsStr::new("") };
            let is_plain = value.is_empty() != spelled.takes_value && !value.as_encoded_bytes().starts_with(b"-");
            options.push(is_plain.then_some((spelled.long, value))?);
        }
        Some(Line { verb: verb?, operands, options })
    }

    /// Takes an option out of the line.
    pub(crate) fn option(&mut self, long: &str) -> Option<&'a OsStr> {
        let at = self.options.iter().position(|(given, _)| *given == long)?;
        Some(self.options.swap_remove(at).1)
    }
}
