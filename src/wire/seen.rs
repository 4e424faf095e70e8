//! What was inspected, and the hops of a path. They are written only.

use serde::{Serialize, Serializer};

use super::text::Text;
use crate::error::FileKind;
use crate::inspect::Inspected;
use crate::model::{Status, Traits};
use crate::resolve::Hop;

#[derive(Serialize)]
struct Item {
    path: Text,
    kind: &'static str,
    uid: Option<u32>,
    mode: Option<String>,
    #[serde(flatten)]
    link: Option<Link>,
}

#[derive(Serialize)]
struct Link {
    target: Text,
    status: Status,
    traits: Traits,
    hops: usize,
    resolved: Option<Text>,
    resolved_kind: Option<FileKind>,
}

impl Serialize for Inspected {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let item = Item {
            path: Text::path(&self.path),
            kind: self.kind.map_or("missing", FileKind::as_str),
            uid: self.uid,
            mode: self.mode.map(octal),
            link: self.link.as_ref().map(|link| Link {
                target: Text::new(&link.target),
                status: link.status,
                traits: link.traits,
                hops: link.hops,
                resolved: link.resolved.as_deref().map(Text::path),
                resolved_kind: link.resolved_kind,
            }),
        };
        item.serialize(serializer)
    }
}

#[derive(Serialize)]
struct Step {
    component: Text,
    link: bool,
    target: Option<Text>,
    uid: Option<u32>,
    mode: Option<String>,
    at: Text,
}

impl Serialize for Hop {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let step = Step {
            component: Text::new(&self.component),
            link: self.kind == Some(FileKind::Symlink),
            target: self.target.as_ref().map(Text::new),
            uid: self.uid,
            mode: self.mode.map(octal),
            at: Text::path(&self.at),
        };
        step.serialize(serializer)
    }
}

/// Permission bits as `chmod` takes them.
fn octal(mode: u32) -> String {
    format!("{mode:04o}")
}
