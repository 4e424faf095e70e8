//! What is asked of the executor in a scenario.

use caplink::adversary::World;
use caplink::{Abilities, Edit, Enforcement, Error, Exchange, LinkPath, Outcome, Repair, Root, ScanOptions, Target};

use crate::answers::Answers;
use crate::scene::{NEW, OLD, ROOT, Scenario, Verb};

impl Scenario {
    pub(crate) fn root(self, world: &World) -> Root {
        let abilities = Abilities { exchange: self.exchange, no_replace: self.no_replace, ..Abilities::ALL };
        let root = Root::in_memory(world, &format!("/{ROOT}"), self.executor(), abilities, self.policy()).unwrap();
        if self.confined { root.confined(Enforcement::Require).unwrap() } else { root }
    }

    /// Carries out what is asked for.
    pub(crate) fn run(self, root: &Root) -> Answers {
        self.ask(root, Root::apply, Root::apply_exchange)
    }

    /// Asks what one edit would come to.
    pub(crate) fn preview(self, root: &Root) -> Answers {
        self.ask(root, Root::preview, Root::preview_exchange)
    }

    fn ask(
        self,
        root: &Root,
        apply: fn(&Root, &Edit) -> Result<Outcome, Error>,
        apply_exchange: fn(&Root, &Exchange) -> Result<[Outcome; 2], Error>,
    ) -> Answers {
        let link = |index: usize| LinkPath::new(self.links()[index]).unwrap();
        let target = || Target::relative("q/t2");
        let mut answers = Answers::default();
        let mut one = |edit: Edit| answers.add(self, apply(root, &edit.durability(self.durability)));
        match self.verb {
            Verb::Create => one(Edit::create(link(0), target())),
            Verb::EnsureNew | Verb::EnsureOld | Verb::EnsureSame => one(Edit::ensure(link(0), target())),
            Verb::Swap => one(Edit::swap(link(0), target(), OLD)),
            Verb::SwapStale => one(Edit::swap(link(0), target(), "../stale")),
            Verb::Remove => one(Edit::remove(link(0))),
            Verb::RemoveExpected => one(Edit::remove(link(0)).expect(OLD)),
            Verb::RemoveMaybe => one(Edit::remove(link(0)).missing_ok(true)),
            Verb::BackupFile | Verb::BackupDir => one(Edit::ensure(link(0), target()).backup(true)),
            Verb::Parents => one(Edit::create(link(0), target()).parents(true)),
            Verb::Exchange | Verb::ExchangeAcross => {
                let exchange = Exchange::new(link(0), link(1)).durability(self.durability);
                match apply_exchange(root, &exchange) {
                    Ok(outcomes) => outcomes.into_iter().for_each(|outcome| answers.add(self, Ok(outcome))),
                    Err(error) => answers.errors.push(error),
                }
            }
            Verb::Plan => {
                let edits = [
                    Edit::ensure(link(0), target()),
                    Edit::create(link(1), target()),
                    Edit::swap(link(2), target(), OLD),
                    Edit::remove(link(3)),
                ];
                let results = root.apply_durably(&edits, self.durability);
                results.into_iter().for_each(|result| answers.add(self, result));
            }
            Verb::Repair => {
                let repair = Repair::default().retarget(OLD, NEW).remove_dangling(true).remove_leftovers(true);
                self.repair(root, "q", &repair, &mut answers);
            }
        }
        answers
    }

    /// Scans a directory, and mends what is found.
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
        let results = root.apply_durably(&edits, self.durability);
        results.into_iter().for_each(|result| answers.add(self, result));
    }
}
