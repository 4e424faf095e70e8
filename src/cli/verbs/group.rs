//! What the verbs share that carry out a group, and the lines of a batch as one.

use std::collections::HashMap;

use caplink::records::{Author, Group, GroupReport, Records};
use caplink::{Durability, Edit, Kind, Root};

use super::lines::{add, skip};
use super::records::no_records;
use crate::cli::batch_lines::Numbered;
use crate::cli::context::Context;
use crate::cli::items::Items;
use crate::cli::problem::Problem;
use crate::cli::recording::{could_record, refused};
use crate::cli::report::Report;

/// Carries out a group, or previews it, and says in the report which one it was and what was settled before it.
pub(super) fn apply(
    root: &Root,
    context: &Context,
    records: &Records,
    author: &Author,
    group: Group,
    report: &mut Report,
) -> Result<GroupReport, Box<Problem>> {
    let group = group.durability(context.durability(root, Durability::Dir));
    if context.global.dry_run {
        return Ok(root.preview_group(&group));
    }
    let came = root.apply_group(records, author, &group).map_err(refused)?;
    if !came.group.is_empty() {
        report.group(&came.group);
    }
    report.recovered(&came.recovered);
    Ok(came)
}

/// The lines of a batch, of which all stand or none.
pub(super) fn carry_out(root: &Root, context: &Context, lines: &[Numbered], report: &mut Report, items: &mut Items) {
    if let Err(problem) = carried_out(root, context, lines, report, items) {
        report.errors.push(*problem);
    }
}

fn carried_out(
    root: &Root,
    context: &Context,
    lines: &[Numbered],
    report: &mut Report,
    items: &mut Items,
) -> Result<(), Box<Problem>> {
    let root = context.confined(root).map_err(refused)?;
    let wait = context.lock_timeout()?;
    let records = Records::open_for_mutation(&root).map_err(refused)?.ok_or_else(|| no_records(&root))?.waiting(wait);
    let author = context.author()?;
    let edits: Vec<Result<Edit, caplink::Error>> = lines.iter().map(|numbered| numbered.line.edit()).collect();
    // What makes no sense as a group is told together, before anything is looked at.
    if let problems @ [_, ..] = &senseless(lines, &edits)[..] {
        problems.iter().for_each(|(line, reason)| report.errors.push(of_line(*line, reason)));
        return Ok(());
    }
    let mut group = Group::new("batch");
    let mut misspelled = None;
    for (numbered, edit) in lines.iter().zip(edits) {
        match (edit, numbered.line.reason()) {
            (Ok(edit), Some(reason)) => group.push_because(edit, reason),
            (Ok(edit), None) => group.push(edit),
            (Err(error), _) => {
                misspelled = Some(error);
                break;
            }
        }
    }
    let Some(error) = misspelled else {
        let came = apply(&root, context, &records, &author, group, report)?;
        if context.global.dry_run && came.stands {
            let changes =
                |result: &caplink::Result<caplink::Outcome>| result.as_ref().is_ok_and(|of| of.effect.is_change());
            let mut changing = lines.iter().zip(&came.results).filter(|(_, result)| changes(result));
            let is_given = author.reason().is_some() || changing.all(|(numbered, _)| numbered.line.reason().is_some());
            could_record(&root, Some(&records), is_given)?;
        }
        for (numbered, result) in lines.iter().zip(came.results) {
            add(report, items, context, numbered, result);
        }
        return Ok(());
    };
    // Nothing is done; what is wrong with a line before it comes first.
    let failed =
        root.preview_group(&group).results.into_iter().enumerate().find_map(|(at, result)| Some((at, result.err()?)));
    let (at, error) = failed.unwrap_or((group.steps().len(), error));
    for (number, numbered) in lines.iter().enumerate() {
        match number == at {
            true => add(report, items, context, numbered, Err(error.clone())),
            false => skip(report, items, numbered),
        }
    }
    Ok(())
}

/// The lines that make no sense in a group: exchanges, and all but the first that are about one link.
fn senseless(lines: &[Numbered], edits: &[Result<Edit, caplink::Error>]) -> Vec<(u64, String)> {
    let mut seen = HashMap::new();
    let of = |(numbered, edit): (&Numbered, &Result<Edit, caplink::Error>)| {
        if numbered.line.second().is_some() {
            return Some((
                numbered.number,
                "an exchange cannot be one of those that stand or fall together".to_owned(),
            ));
        }
        let path = edit.as_ref().ok()?.path().clone();
        let reason = seen.get(&path).map(|first| format!("line {first} is about the same link"));
        seen.entry(path).or_insert(numbered.number);
        Some((numbered.number, reason?))
    };
    lines.iter().zip(edits).filter_map(of).collect()
}

fn of_line(number: u64, reason: &str) -> Problem {
    let mut problem = Problem::new(Kind::Usage, format!("line {number}: {reason}")).hinted(None);
    problem.reported.line = Some(number);
    problem
}
