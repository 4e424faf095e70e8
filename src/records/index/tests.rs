//! However many entries are taken at a time, the index comes to what one reading of the log comes to.

use cap_std::ambient_authority;
use cap_tempfile::TempDir;

use super::INDEX_NAME;
use crate::model::{Edit, LinkPath, Policy, Target};
use crate::records::{Author, Group, Mutation, Query, Records, Settings};
use crate::root::Root;

/// A root with records, and the groups that were carried out.
struct Ground {
    dir: TempDir,
    root: Root,
    records: Records,
    groups: Vec<String>,
}

impl Ground {
    fn new() -> Ground {
        let dir = cap_tempfile::tempdir(ambient_authority()).unwrap();
        for target in ["v1", "v2"] {
            dir.create_dir(target).unwrap();
        }
        let root = Root::from_dir(dir.try_clone().unwrap(), Policy::default()).unwrap();
        let (records, _) = Records::init(&root, Settings::default(), &Author::default()).unwrap();
        Ground { dir, root, records, groups: Vec::new() }
    }

    /// A group for one of two manifests, some longer than what is taken at a time; one that is taken back now and then.
    fn change(&mut self, round: usize) {
        let verb = if round % 5 == 4 { "unapply" } else { "apply" };
        let mut group = Group::new(verb).owned_by(["one", "two"][round % 2]);
        for number in 0..round * 7 % 60 + 30 {
            let path = LinkPath::new(format!("l{}-{number}", round % 2)).unwrap();
            let target = Target::relative(["v1", "v2"][round / 2 % 2]);
            match verb {
                "unapply" => group.push(Edit::remove(path).missing_ok(true)),
                _ => group.push(Edit::ensure(path, target)),
            }
        }
        self.carry_out(&group);
        if round % 4 == 3 {
            let undoing = self.records.undoing(self.groups.last().unwrap()).unwrap();
            self.carry_out(&undoing);
        }
    }

    fn carry_out(&mut self, group: &Group) {
        let report = self.root.apply_group(&self.records, &Author::default(), group).unwrap();
        assert!(report.stands);
        self.groups.extend(Some(report.group).filter(|id| !id.is_empty()));
    }

    fn index(&self) -> std::path::PathBuf {
        std::path::Path::new(".caplink").join(INDEX_NAME)
    }

    /// All that the records are asked for by an index, where there is one.
    fn answers(&self) -> Vec<String> {
        let link = |glob: &str| Query::default().link(glob).unwrap();
        let queries = [Query::default().limit(100_000), link("l0-7"), link("*"), link("l1-?")];
        let groups = self.groups.iter().map(|group| Query::default().group(group.as_str()));
        let mut answers = vec![format!("{:?}", self.records.owned().unwrap())];
        for query in queries.into_iter().chain(groups) {
            let mut found: Vec<Mutation> = Vec::new();
            let entries = self.records.mutations(&query, &mut |mutation| {
                found.push(mutation);
                true
            });
            answers.push(format!("{} {found:?}", entries.unwrap()));
        }
        let checkpoint = self.records.checkpoint().unwrap();
        answers.push(format!("{checkpoint:?}"));
        answers
    }
}

#[test]
fn what_is_taken_in_small_pieces_is_what_the_log_says() {
    let mut ground = Ground::new();
    for round in 0..12 {
        ground.change(round);
        if round % 3 == 0 {
            let _brought_up = ground.records.owned().unwrap();
        }
    }
    let brought_up = ground.answers();
    ground.dir.remove_file(ground.index()).unwrap();
    let at_once = ground.answers();
    ground.dir.remove_file(ground.index()).unwrap();
    // A directory has the index's name.
    ground.dir.create_dir(ground.index()).unwrap();
    let of_the_log = ground.answers();
    assert_eq!(brought_up.len(), ground.groups.len() + 6);
    for (at, expected) in of_the_log.iter().enumerate() {
        assert!(expected.len() > 20, "{expected}");
        assert_eq!(&brought_up[at], expected, "{at}");
        assert_eq!(&at_once[at], expected, "{at}");
    }
}
