//! Carries out plans.

use std::mem;

use super::recorded::recorded;
use crate::error::Result;
use crate::exec::{self, Previews, previewed, sync_batch};
use crate::model::{Edit, Effect, OnError, Outcome, Plan};
use crate::recorder::Recorder;
use crate::resolve::Planned;
use crate::root::Root;

/// What plans that were previewed would leave, for those that come after them. By default it is the tree as it is.
#[derive(Debug)]
pub struct Foreseen(Planned);

impl Default for Foreseen {
    fn default() -> Foreseen {
        Foreseen(Planned::new())
    }
}

impl Root {
    /// Carries out a plan and returns what each of its edits came to, in their order.
    ///
    /// The recorders of the root and `recorder` are asked before the changes and informed after them; `&()` records
    /// nothing. An edit that was not tried is [`Skipped`](Effect::Skipped).
    ///
    /// # Durability
    ///
    /// That of the plan is reached once, behind the last edit; where a recorder asks, behind the edits that it is asked about
    /// together. The outcomes say what was reached; where a sync failed, they have it among their shortfalls.
    ///
    /// # Errors
    ///
    /// Those of [`apply`](Root::apply), for each edit; those of the recorders that refuse.
    pub fn apply_plan(&self, plan: &Plan, recorder: &dyn Recorder) -> Vec<Result<Outcome>> {
        let go_on = goes_on(plan.on_error);
        let batch = self.in_batch(plan.durability);
        // Who writes results down writes what they came to on the medium.
        let asks = recorder.asks() || self.recorders().iter().any(|recorder| recorder.asks());
        let carry = |edits: &[Edit]| {
            let mut results = exec::carry_out(&batch, edits, go_on);
            if asks {
                sync_batch(&batch, &mut results);
            }
            results
        };
        let mut results = recorded(self, &[recorder], &plan.edits, go_on, carry);
        sync_batch(&batch, &mut results);
        skip_rest(plan, &mut results);
        results
    }

    /// Decides everything and changes nothing: what [`apply_plan`](Root::apply_plan) would report, as the tree is now.
    /// Each edit is judged as those before it would leave the tree.
    ///
    /// # Errors
    ///
    /// Those of [`preview`](Root::preview), for each edit.
    pub fn preview_plan(&self, plan: &Plan) -> Vec<Result<Outcome>> {
        self.preview_plan_after(plan, &mut Foreseen::default())
    }

    /// Decides a plan as [`preview_plan`](Root::preview_plan) does, on a tree as the plans before it would leave it, and adds to
    /// `foreseen` what this one would leave.
    ///
    /// # Errors
    ///
    /// Those of [`preview`](Root::preview), for each edit.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let dir = cap_tempfile::tempdir(cap_std::ambient_authority())?;
    /// # dir.create_dir("v1")?;
    /// use caplink::{Edit, Foreseen, LinkPath, Plan, Policy, Root, Target};
    ///
    /// let root = Root::from_dir(dir.try_clone()?, Policy::default())?;
    /// let create = |link, target| LinkPath::new(link).map(|path| Edit::create(path, Target::relative(target)));
    /// let (first, second) = (Plan::new([create("current", "v1")?]), Plan::new([create("latest", "current")?]));
    /// let mut foreseen = Foreseen::default();
    /// assert!(root.preview_plan_after(&first, &mut foreseen)[0].is_ok());
    /// assert!(root.preview_plan_after(&second, &mut foreseen)[0].is_ok());
    /// assert!(root.preview_plan(&second)[0].is_err(), "`current` is not there");
    /// # Ok(())
    /// # }
    /// ```
    pub fn preview_plan_after(&self, plan: &Plan, foreseen: &mut Foreseen) -> Vec<Result<Outcome>> {
        let go_on = goes_on(plan.on_error);
        let preview = |previews: &mut Previews<'_>| {
            let mut results: Vec<Result<Outcome>> = Vec::with_capacity(plan.edits.len());
            while let Some(next) = previews.first_of(plan.edits[results.len()..].iter()) {
                results.push(next);
                if results.last().is_some_and(|last| !go_on(last)) {
                    break;
                }
            }
            (results, previews.take_planned())
        };
        // What shares directories may have to begin anew.
        let (mut results, planned) = match mem::replace(&mut foreseen.0, Planned::new()) {
            before if before.is_empty() => previewed(self, preview),
            before => preview(&mut Previews::after(self, before)),
        };
        foreseen.0 = planned;
        skip_rest(plan, &mut results);
        for outcome in results.iter_mut().flatten() {
            outcome.for_each_mut(&mut |outcome| {
                if outcome.effect.is_change() {
                    outcome.durability = outcome.durability.max(plan.durability);
                }
            });
        }
        results
    }
}

fn goes_on(on_error: OnError) -> fn(&Result<Outcome>) -> bool {
    match on_error {
        OnError::Stop => Result::is_ok,
        OnError::KeepGoing => |_| true,
    }
}

/// Adds the edits that were not tried.
fn skip_rest(plan: &Plan, results: &mut Vec<Result<Outcome>>) {
    let rest = &plan.edits[results.len()..];
    results.extend(rest.iter().map(|edit| Ok(Outcome::of(edit.path.clone(), Effect::Skipped))));
}
