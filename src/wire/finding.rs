//! What a scan says of a link, and of all of them together.

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::text::{Borrowed, Text};
use crate::model::{Finding, Status, Summary, Trait, Traits};

#[derive(Serialize)]
struct Shown<'a> {
    link: Borrowed<'a>,
    target: Option<Borrowed<'a>>,
    status: Status,
    traits: Traits,
    hops: usize,
    resolved: Option<Borrowed<'a>>,
    #[serde(skip_serializing_if = "is_false")]
    clamped: bool,
    #[serde(skip_serializing_if = "is_false")]
    not_a_directory: bool,
}

#[derive(Deserialize)]
struct Item {
    link: Text,
    target: Option<Text>,
    status: Status,
    traits: Traits,
    hops: usize,
    resolved: Option<Text>,
    #[serde(default)]
    clamped: bool,
    #[serde(default)]
    not_a_directory: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = Shown {
            link: Borrowed(self.link.as_os_str()),
            target: self.target.as_deref().map(Borrowed),
            status: self.status,
            traits: self.traits,
            hops: self.hops,
            resolved: self.resolved.as_deref().map(Borrowed::path),
            clamped: self.clamped,
            not_a_directory: self.not_a_directory,
        };
        shown.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Finding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Finding, D::Error> {
        let item = Item::deserialize(deserializer)?;
        Ok(Finding {
            link: item.link.into_path(),
            target: item.target.map(|text| text.0),
            status: item.status,
            traits: item.traits,
            hops: item.hops,
            resolved: item.resolved.map(Text::into_path),
            clamped: item.clamped,
            not_a_directory: item.not_a_directory,
        })
    }
}

/// A flat object: one key for each status and each trait with its count, then what else was counted.
impl Serialize for Summary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for status in Status::ALL {
            map.serialize_entry(status, &self.with_status(*status))?;
        }
        for of in Trait::ALL {
            map.serialize_entry(of, &self.with_trait(*of))?;
        }
        map.serialize_entry("links", &self.links)?;
        map.serialize_entry("entries", &self.entries)?;
        map.serialize_entry("dirs", &self.dirs)?;
        map.serialize_entry("dirs_unread", &self.dirs_unread)?;
        map.serialize_entry("mounts", &self.mounts)?;
        map.serialize_entry("complete", &self.complete)?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_an_item_of_the_contract_and_comes_back() {
        let finding = Finding {
            link: "a/l".into(),
            target: Some("..".into()),
            status: Status::Ok,
            traits: [Trait::Lengthy].into_iter().collect(),
            hops: 1,
            resolved: Some("".into()),
            clamped: false,
            not_a_directory: false,
        };
        let json = serde_json::to_string(&finding).unwrap();
        let expected = r#"{"link":"a/l","target":"..","status":"ok","traits":["lengthy"],"hops":1,"resolved":"."}"#;
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_str::<Finding>(&json).unwrap(), finding);
        let odd = Finding { target: None, status: Status::Denied, resolved: None, clamped: true, ..finding };
        assert_eq!(serde_json::from_value::<Finding>(serde_json::to_value(&odd).unwrap()).unwrap(), odd);
    }

    #[test]
    fn a_summary_is_flat() {
        let json = serde_json::to_value(Summary::default()).unwrap();
        let keys = Status::ALL.len() + Trait::ALL.len() + 6;
        assert_eq!(
            (json.as_object().unwrap().len(), &json["other_fs"], &json["complete"]),
            (keys, &0.into(), &false.into())
        );
    }
}
