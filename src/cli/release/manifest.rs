//! What the manifest says of an app.

use std::path::Path;

use caplink::Root;
use caplink::manage::App;

use crate::cli::context::Context;
use crate::cli::manifests::read;
use crate::cli::problem::Problem;

/// What the manifest says of an app, with what is to be said of the file; none where there is no manifest, or no such app.
pub(crate) fn settings(
    context: &Context,
    root: &Root,
    named: Option<&Path>,
    app: &str,
) -> Result<(Option<App>, Option<String>), Vec<Problem>> {
    let read = read(context, root, named)?;
    Ok(read.map_or((None, None), |read| (read.manifest.apps().get(app).cloned(), read.source.warning)))
}
