//! What is asked of the executor in a scenario.

use caplink::adversary::World;
use caplink::{
    Abilities, Edit, Enforcement, Error, LinkPath, OnError, Outcome, Plan, Repair, Root, ScanOptions, Target,
};

use crate::answers::Answers;
use crate::built;
use crate::scene::{NEW, OLD, ROOT, Scenario, Verb};
use crate::support::scenario::OTHER;

impl Scenario {
    pub(crate) fn root(self, world: &World) -> Root {
        let abilities = Abilities { exchange: self.exchange, no_replace: self.no_replace, ..Abilities::ALL };
        let root = Root::in_memory(world, &format!("/{ROOT}"), self.executor(), abilities, self.policy()).unwrap();
        if self.confined { root.confined(Enforcement::Require).unwrap() } else { root }
    }

    /// Carries out what is asked for.
    pub(crate) fn run(self, root: &Root) -> Answers {
        self.ask(root, Root::apply)
    }

    /// Asks what one edit would come to.
    pub(crate) fn preview(self, root: &Root) -> Answers {
        self.ask(root, Root::preview)
    }

    fn ask(self, root: &Root, apply: fn(&Root, &Edit) -> Result<Outcome, Error>) -> Answers {
        let link = |index: usize| LinkPath::new(self.links()[index]).unwrap();
        let target = || Target::relative("q/t2");
        let mut answers = Answers::default();
        let mut one = |edit: Edit| match apply(root, &edit.durability(self.durability)) {
            Ok(outcome) => outcome.each().for_each(|outcome| answers.add(self, Ok(outcome.clone()))),
            Err(error) => answers.errors.push(error),
        };
        match self.verb {
            Verb::Create => one(Edit::create(link(0), target()).into()),
            Verb::EnsureNew | Verb::EnsureOld | Verb::EnsureSame => one(Edit::ensure(link(0), target()).into()),
            Verb::Swap => one(Edit::swap(link(0), target(), OLD).into()),
            Verb::SwapStale => one(Edit::swap(link(0), target(), OTHER).into()),
            Verb::Remove => one(Edit::remove(link(0)).into()),
            Verb::RemoveExpected => one(Edit::remove(link(0)).expect(OLD).into()),
            Verb::RemoveMaybe => one(Edit::remove(link(0)).missing_ok(true).into()),
            Verb::BackupFile | Verb::BackupDir => one(Edit::ensure(link(0), target()).backup(true).into()),
            Verb::Parents => one(Edit::create(link(0), target()).parents(true).into()),
            Verb::Exchange | Verb::ExchangeAcross => one(Edit::exchange(link(0), link(1)).into()),
            Verb::Plan => {
                let edits: [Edit; 4] = [
                    Edit::ensure(link(0), target()).into(),
                    Edit::create(link(1), target()).into(),
                    Edit::swap(link(2), target(), OLD).into(),
                    Edit::remove(link(3)).into(),
                ];
                let plan = Plan::new(edits).on_error(OnError::KeepGoing).durability(self.durability);
                let results = root.apply_plan(&plan, &());
                results.into_iter().for_each(|result| answers.add(self, result));
            }
            Verb::Series => {
                let swaps: [Edit; 3] = [0, 1, 2].map(|index| Edit::swap(link(index), target(), OLD).into());
                let plan = Plan::new(swaps).on_error(OnError::KeepGoing).durability(self.durability);
                let results = root.apply_plan(&plan, &());
                results.into_iter().for_each(|result| answers.add(self, result));
            }
            Verb::Repair => {
                let repair = Repair::default().retarget(OLD, NEW).remove_dangling(true).remove_leftovers(true);
                self.repair(root, "q", &repair, &mut answers);
            }
            Verb::Built(built) => one(built::edit(built)),
            Verb::Retarget => self.repair(root, "q", &Repair::default().retarget(OLD, NEW), &mut answers),
        }
        answers
    }

    /// Scans a directory, and repairs what is found.
    pub(crate) fn repair(self, root: &Root, dir: &str, repair: &Repair, answers: &mut Answers) {
        let scan = match root.scan(dir, ScanOptions::default().sorted(true).jobs(1)) {
            Ok(scan) => scan,
            Err(error) => return answers.errors.push(error),
        };
        let mut edits = Vec::new();
        for found in scan {
            match found {
                Ok(found) => edits.extend(repair.plan(&found, root.physical_path())),
                Err(error) => answers.errors.push(error),
            }
        }
        let plan = Plan::new(edits).on_error(OnError::KeepGoing).durability(self.durability);
        let results = root.apply_plan(&plan, &());
        results.into_iter().for_each(|result| answers.add(self, result));
    }
}
