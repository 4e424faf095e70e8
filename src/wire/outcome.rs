//! What one edit came to, as an item of a document.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::text::Text;
use crate::model::{Confinement, Durability, Effect, Guarantee, LinkPath, Outcome, Staging};

#[derive(Serialize, Deserialize)]
struct Item {
    link: Text,
    target: Option<Text>,
    outcome: Effect,
    previous: Option<Text>,
    guarantee: Guarantee,
    durability: Durability,
    confinement: Confinement,
    #[serde(default = "no_staging")]
    staging: Staging,
    #[serde(default)]
    verified: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    physical: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    backup: Option<Text>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    made: Vec<Text>,
}

fn no_staging() -> Staging {
    Staging::None
}

/// As an item of a document: without shortfalls, and without the counterpart.
impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let item = Item {
            link: Text::new(self.link.as_path()),
            target: self.target.as_ref().map(Text::new),
            outcome: self.effect,
            previous: self.previous.as_ref().map(Text::new),
            guarantee: self.guarantee,
            durability: self.durability,
            confinement: self.confinement,
            staging: self.staging,
            verified: self.verified,
            physical: self.physical.as_deref().map(Text::path),
            backup: self.backup.as_ref().map(Text::new),
            made: self.made.iter().map(|path| Text::path(path)).collect(),
        };
        item.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Outcome {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Outcome, D::Error> {
        let item = Item::deserialize(deserializer)?;
        let link = LinkPath::new(&item.link).map_err(serde::de::Error::custom)?;
        Ok(Outcome {
            physical: item.physical.map(Text::into_path),
            target: item.target.map(|text| text.0),
            previous: item.previous.map(|text| text.0),
            guarantee: item.guarantee,
            durability: item.durability,
            confinement: item.confinement,
            staging: item.staging,
            verified: item.verified,
            backup: item.backup.map(Text::into_path),
            made: item.made.into_iter().map(Text::into_path).collect(),
            ..Outcome::of(link, item.outcome)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_an_item_of_the_contract_and_comes_back() {
        let mut outcome = Outcome::of(LinkPath::new("a/current").unwrap(), Effect::Replaced);
        outcome.target = Some("releases/42".into());
        outcome.previous = Some("releases/41".into());
        outcome.confinement = Confinement::Landlock(7);
        let json = serde_json::to_string(&outcome).unwrap();
        assert_eq!(
            json,
            r#"{"link":"a/current","target":"releases/42","outcome":"replaced","previous":"releases/41","#.to_owned()
                + r#""guarantee":"atomic","durability":"none","confinement":"landlock-7","staging":"none","verified":false}"#
        );
        outcome.staging = Staging::Private;
        outcome.verified = true;
        outcome.physical = Some("b/current".into());
        outcome.backup = Some("a/current.backup".into());
        outcome.made = vec!["a".into()];
        let back: Outcome = serde_json::from_str(&serde_json::to_string(&outcome).unwrap()).unwrap();
        assert_eq!(format!("{back:?}"), format!("{outcome:?}"));
    }
}
