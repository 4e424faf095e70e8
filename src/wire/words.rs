//! The words of the contract, as strings.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{FileKind, Kind};
use crate::model::{Confinement, Durability, Effect, Guarantee, OnError, Staging, Status, Style, Trait, Traits};

macro_rules! strings {
    ($($type:ty)*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        read!($type);
    )*};
}

macro_rules! read {
    ($type:ty) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                let word = String::deserialize(deserializer)?;
                word.parse().map_err(D::Error::custom)
            }
        }
    };
}

strings!(Durability Effect FileKind Guarantee Kind OnError Staging Status Style Trait);
read!(Confinement);

impl Serialize for Confinement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Traits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Traits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Traits, D::Error> {
        Vec::<Trait>::deserialize(deserializer).map(|traits| traits.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::{Debug, Display};
    use std::str::FromStr;

    use serde::de::DeserializeOwned;

    use super::*;

    fn holds<T>(words: &[T])
    where
        T: Copy + Debug + Display + FromStr + PartialEq + Serialize + DeserializeOwned,
    {
        for word in words {
            let json = serde_json::to_string(word).unwrap();
            assert_eq!(json, format!("\"{word}\""));
            assert_eq!(serde_json::from_str::<T>(&json).unwrap(), *word);
            assert_eq!(word.to_string().parse::<T>().ok(), Some(*word));
        }
        for other in ["\"\"", "\"x\"", "1", "null", &format!("\"{}\"", words[0]).to_uppercase()] {
            assert!(serde_json::from_str::<T>(other).is_err(), "{other}");
        }
    }

    #[test]
    fn every_word_is_a_string_and_comes_back() {
        holds(Kind::ALL);
        holds(FileKind::ALL);
        holds(Status::ALL);
        holds(Trait::ALL);
        holds(Effect::ALL);
        holds(Guarantee::ALL);
        holds(Durability::ALL);
        holds(OnError::ALL);
        holds(Staging::ALL);
        holds(Style::ALL);
        holds(&[Confinement::None, Confinement::Landlock(7)]);
    }

    #[test]
    fn traits_are_a_list_in_the_order_of_reports() {
        let traits: Traits = [Trait::Chain, Trait::Absolute].into_iter().collect();
        assert_eq!(serde_json::to_string(&traits).unwrap(), r#"["absolute","chain"]"#);
        assert_eq!(serde_json::from_str::<Traits>(r#"["chain","absolute"]"#).unwrap(), traits);
    }
}
