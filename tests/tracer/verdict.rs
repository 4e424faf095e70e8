//! What only the compiled program can be held to: its exit code, the canary to the nanosecond, the files' content.

use caplink::Kind;

use crate::answer::Answer;
use crate::play::Played;
use crate::scene::Verb;
use crate::support::view::{Actor, View as _};
use crate::view::{Id, KernelTree, Slot};

impl Played {
    /// Holds the laws over what came of the run.
    pub(crate) fn judge(&mut self) {
        let now = self.scene.view();
        if !self.live.differences(&now).is_empty() {
            self.ledger.violation("traced", "something changed between two calls");
        }
        self.live.become_now(now, Actor::Executor);
        let Some(answer) = self.answer.clone() else { return };
        self.canary();
        self.inventory();
        self.exit_code(&answer);
        self.ledger.judge(&self.live, &answer.report, self.failed);
    }

    /// The tree outside is the same to the nanosecond.
    fn canary(&mut self) {
        let out = self.scene.places.out;
        let outside = |view: &KernelTree| -> Vec<(Slot, Id)> {
            let below = |slot: &Slot| view.is_below(slot.0, out);
            view.rows.iter().filter(|(slot, _)| below(slot)).map(|(slot, id)| (slot.clone(), *id)).collect()
        };
        let first = &self.scene.first;
        let (had, has) = (outside(first), outside(&self.live));
        let ids = had.iter().map(|(_, id)| *id).chain([out]);
        let same = had == has && ids.into_iter().all(|id| first.node(id) == self.live.node(id));
        if !same {
            self.ledger.violation("nothing_outside", "the canary was touched");
        }
    }

    /// Whatever is no link and not the program's own is still there, with its content.
    fn inventory(&mut self) {
        let mut others: Vec<Id> = self.ledger.ever.iter().map(|(.., id)| *id).collect();
        others.sort_unstable();
        others.dedup();
        for id in others.into_iter().filter(|id| !self.live.is_link(*id) && self.live.maker(*id) == Actor::Others) {
            let removed = self.ledger.taken.iter().any(|(.., object)| *object == id);
            let lost = self.live.node(id).is_none();
            if lost && !removed && !self.ledger.excused.contains(&id) {
                self.ledger.violation("only_links", "something that is no link is gone");
            }
            let content = |tree: &KernelTree| tree.node(id).map(|node| node.content.clone());
            let before = content(&self.scene.first);
            if !lost && before.is_some() && before != content(&self.live) {
                self.ledger.violation("only_links", "a file was written to");
            }
        }
    }

    fn exit_code(&mut self, answer: &Answer) {
        let Answer { code, changed, refused, report } = answer;
        if *code != answer.code_of_kinds() {
            self.ledger.violation("exit_code", format!("{code} for {:?}", report.kinds));
        }
        // Whatever these classes say of an edit, it changed nothing.
        let verb = self.scene.scenario.verb;
        if (3..=6).contains(code) && *changed && *refused && verb != Verb::Series {
            self.ledger.violation("exit_code", format!("{:?} though the change stands", report.kinds));
        }
        // A scan that finds nothing to repair succeeds without items.
        let scans = matches!(verb, Verb::Retarget | Verb::Series);
        if *code == 0 && report.items.is_empty() && !scans {
            self.ledger.violation("exit_code", "a success without an answer");
        }
        if report.kinds.contains(&Kind::Usage) {
            self.ledger.violation("exit_code", "the command was not understood");
        }
    }
}
