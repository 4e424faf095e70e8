//! Carries out plans.

use super::recorded::recorded;
use crate::error::{Error, Kind, Result};
use crate::exec::{self, Previews, sync_batch};
use crate::model::{Edit, Effect, OnError, Outcome, Plan};
use crate::recorder::Recorder;
use crate::root::Root;

/// How often an edit is tried that is refused for where its text leads: no path leads over more links.
const ROUNDS: usize = 40;

impl Root {
    /// Carries out a plan and returns what each of its edits came to, in their order.
    ///
    /// The recorders of the root and `recorder` are asked before the changes and informed after them; `&()` records
    /// nothing. An edit that was not tried is [`Skipped`](Effect::Skipped).
    ///
    /// # Durability
    ///
    /// That of the plan is reached once, behind the last edit. The outcomes say what was reached; where a sync failed,
    /// they have it among their shortfalls.
    ///
    /// # Errors
    ///
    /// Those of [`apply`](Root::apply), for each edit; those of the recorders that refuse.
    pub fn apply_plan(&self, plan: &Plan, recorder: &dyn Recorder) -> Vec<Result<Outcome>> {
        let go_on = goes_on(plan.on_error);
        let batch = self.in_batch(plan.durability);
        let carry = |edits: &[Edit]| exec::carry_out(&batch, edits, go_on);
        let mut results = in_rounds(plan, |_, edits| recorded(self, &[recorder], edits, go_on, carry));
        sync_batch(&batch, &mut results);
        results
    }

    /// Decides everything and changes nothing: what [`apply_plan`](Root::apply_plan) would report, as the tree is now.
    /// Each edit is judged as those before it would leave the tree.
    ///
    /// # Errors
    ///
    /// Those of [`preview`](Root::preview), for each edit.
    pub fn preview_plan(&self, plan: &Plan) -> Vec<Result<Outcome>> {
        let go_on = goes_on(plan.on_error);
        let mut results = in_rounds(plan, |done, edits| {
            let mut previews = Previews::new(self);
            for edit in done {
                // It was previewed before, and came to the same.
                let _known = previews.next(edit);
            }
            let mut results: Vec<Result<Outcome>> = Vec::with_capacity(edits.len());
            for edit in edits {
                results.push(previews.next(edit));
                if results.last().is_some_and(|last| !go_on(last)) {
                    break;
                }
            }
            results
        });
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
        OnError::KeepGoing | OnError::Retry => |_| true,
    }
}

/// Carries out the edits of a plan by `carry`, which is given the edits that succeeded in earlier rounds, and those of
/// this round. Edits that it does not come to are skipped.
fn in_rounds(plan: &Plan, mut carry: impl FnMut(&[Edit], &[Edit]) -> Vec<Result<Outcome>>) -> Vec<Result<Outcome>> {
    let rounds = if plan.on_error == OnError::Retry { ROUNDS } else { 1 };
    let mut results = carry(&[], &plan.edits);
    let skipped = |edit: &Edit| Ok(Outcome::of(edit.path.clone(), Effect::Skipped));
    results.extend(plan.edits[results.len()..].iter().map(skipped));
    let mut done: Vec<Edit> = Vec::new();
    let mut tried: Vec<usize> = (0..results.len()).collect();
    for _ in 1..rounds {
        let changed = |at: &usize| results[*at].as_ref().is_ok_and(|outcome| outcome.effect.is_change());
        if !tried.iter().any(changed) {
            break;
        }
        done.extend(tried.iter().filter(|at| results[**at].is_ok()).map(|at| plan.edits[*at].clone()));
        tried.retain(|at| results[*at].as_ref().is_err_and(is_about_where_it_leads));
        if tried.is_empty() {
            break;
        }
        let again: Vec<Edit> = tried.iter().map(|at| plan.edits[*at].clone()).collect();
        for (at, result) in tried.iter().zip(carry(&done, &again)) {
            results[*at] = result;
        }
    }
    results
}

/// Whether a text was refused for where it leads.
fn is_about_where_it_leads(error: &Error) -> bool {
    matches!(error.kind(), Kind::Dangling | Kind::Escape | Kind::Loop)
}
