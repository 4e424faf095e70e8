//! What interrupted deploys and removals left, for `recover`.

use caplink::Root;
use caplink::manage::Releases;

use super::problems::problem;
use super::show::SettledItem;
use crate::cli::context::Context;
use crate::cli::report::Report;

/// Settles what interrupted deploys and removals left of every app, and adds it.
pub(crate) fn recover(context: &Context, root: &Root, report: &mut Report) {
    let author = match context.author() {
        Ok(author) => author,
        Err(refused) => return report.errors.push(*refused),
    };
    let settled = context.confined(root).and_then(|root| Releases::recover(&root, &author, context.global.dry_run));
    match settled {
        Ok(settled) => {
            for settled in settled {
                match settled {
                    Ok(settled) => {
                        report.changed = true;
                        report.news(&SettledItem::of(&settled));
                        report.recovered_item(&SettledItem::of(&settled));
                    }
                    Err(error) => problem(report, "default", None, &error),
                }
            }
        }
        Err(error) => problem(report, "default", None, &error),
    }
}
