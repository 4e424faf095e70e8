//! The line of an entry as it is written: what all lines of one append have in common is made once.

use std::io::Write as _;

use super::head::Head;
use super::time::Time;

/// When the entries of one append are written.
pub(super) struct Stamp {
    time: Time,
    /// The same as their lines have it.
    text: String,
}

impl Stamp {
    pub(super) fn now() -> Stamp {
        Stamp::at(Time::now())
    }

    fn at(time: Time) -> Stamp {
        Stamp { time, text: time.to_string() }
    }

    pub(super) fn time(&self) -> Time {
        self.time
    }

    /// Writes a line, with its newline, behind others. What the entry says is the object that `write` writes.
    ///
    /// It is that of [`Head::line`], without a look at each key.
    pub(super) fn write(&self, head: &Head, to: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        const FITS: &str = "BUG: memory cannot be written";
        let Head { seq, entry, prev, time, base, settings_at } = head;
        debug_assert_eq!(*time, self.time, "the entry is of another append");
        let (entry, time) = (entry.name(), &self.text);
        write!(to, r#"{{"seq":{seq},"entry":"{entry}","prev":"{prev}","time":"{time}","base":{base}"#).expect(FITS);
        if *settings_at != 0 {
            write!(to, r#","settings_at":{settings_at}"#).expect(FITS);
        }
        // Both are objects, and no key is in both.
        let joint = to.len();
        write(to);
        to[joint] = b',';
        to.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::entry::{Body, EntryKind, Group, Run, Torn};
    use crate::records::tree::Hash;
    use std::sync::Arc;

    #[test]
    fn a_line_is_that_of_its_head() {
        let group = Group { group: "00ff".into(), verb: "apply".into(), count: 3, run: Run(7, 8) };
        let bodies = [Body::Group(Arc::new(group)), Body::Torn(Torn { torn: 5, leaf: Hash::of_leaf(b"x") })];
        for time in ["2026-11-28T06:05:04Z", "2026-11-28T06:05:04.123456789Z", "-009999-01-02T01:59:59Z"] {
            let stamp = Stamp::at(time.parse().unwrap());
            for (body, place) in bodies.iter().flat_map(|body| [0, 1, u64::MAX].map(|place| (body, place))) {
                let (prev, time) = (Hash::of_leaf(&place.to_le_bytes()), stamp.time());
                let head = Head { seq: place, entry: body.kind(), prev, time, base: place, settings_at: place };
                let mut lines = b"before\n".to_vec();
                stamp.write(&head, &mut lines, |line| body.write_json(line).unwrap());
                assert_eq!(lines.strip_prefix(b"before\n").unwrap(), head.line(body));
            }
        }
    }

    #[test]
    fn every_kind_has_the_name_that_it_is_read_by() {
        use EntryKind::{Fact, Group, GroupEnd, Intent, Open, Records, Result, Settings, Torn};
        for kind in [Records, Intent, Result, Settings, Group, GroupEnd, Fact, Torn, Open] {
            assert_eq!(EntryKind::named(kind.name()), Some(kind));
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{}\"", kind.name()));
        }
    }
}
