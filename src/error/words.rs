//! The words of the contract: each type that is one of a few words is defined, shown and read from one list.

use std::fmt;

/// Defines an enum whose variants have stable names, with what shows and reads them.
macro_rules! words {
    ($what:literal: $(#[$outer:meta])* $vis:vis enum $type:ident {
        $($(#[$of_variant:meta])* $variant:ident = $name:literal,)*
    }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        $vis enum $type {
            $($(#[$of_variant])* $variant,)*
        }

        impl $type {
            /// All of them, in the order of reports.
            pub const ALL: &[$type] = &[$($type::$variant),*];

            /// Returns the stable name that the command line prints.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($type::$variant => $name,)*
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::error::UnknownWord;

            fn from_str(word: &str) -> std::result::Result<$type, $crate::error::UnknownWord> {
                let known = $type::ALL.iter().copied().find(|known| known.as_str() == word);
                known.ok_or_else(|| $crate::error::UnknownWord::new($what, word))
            }
        }
    };
}

pub(crate) use words;

/// A text that is none of the words that were expected.
///
/// # Examples
///
/// ```
/// let error = "broken".parse::<caplink::Status>().unwrap_err();
/// assert_eq!(error.to_string(), "`broken` is no status");
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no {what}", super::printable(word))]
pub struct UnknownWord {
    what: &'static str,
    word: String,
}

impl UnknownWord {
    pub(crate) fn new(what: &'static str, word: &str) -> UnknownWord {
        UnknownWord { what, word: word.to_owned() }
    }
}

impl fmt::Debug for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::{Debug, Display};
    use std::str::FromStr;

    use super::super::{FileKind, Kind};
    use crate::state::StateCheck;

    fn holds<T: Copy + Debug + Display + FromStr + PartialEq>(all: &[T], text: fn(T) -> &'static str)
    where
        T::Err: Debug,
    {
        for word in all {
            assert_eq!(text(*word).parse::<T>().unwrap(), *word);
            assert_eq!(word.to_string(), text(*word));
        }
        for other in ["", "x", &text(all[0]).to_uppercase(), &format!("{} ", text(all[0]))] {
            assert!(other.parse::<T>().is_err(), "{other:?}");
        }
    }

    #[test]
    fn every_word_is_read_as_it_is_shown() {
        holds(Kind::ALL, Kind::as_str);
        holds(FileKind::ALL, FileKind::as_str);
        holds(StateCheck::ALL, StateCheck::as_str);
    }
}
