//! The operations on many links, and what is kept of them.

use std::ffi::OsString;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyAny;

use super::Root;
use crate::adopt;
use crate::arguments;
use crate::batch::{self, Together};
use crate::changing::Call;
use crate::failure;
use crate::given::Given;
use crate::manifests::Manifests;
use crate::records::Records;
use crate::releases::Releases;
use crate::repair;

#[pymethods]
impl Root {
    /// Repairs the links below a directory, or one link, and returns a list of what each edit came to: outcomes and errors.
    ///
    /// Each action is asked for by its keyword, is decided from a fresh look and carried out as compare-and-swap. `rebase`,
    /// `retarget` and `moved` are pairs of old and new, or a dict of them.
    #[pyo3(signature = (path=None, *, make_relative=false, tidy=false, shorten=false, shorten_chains=false, rebase=None, retarget=None, moved=None, fallback=None, remove_dangling=false, remove_leftovers=false, durability=None, reason=None, dry_run=false))]
    #[expect(clippy::too_many_arguments, clippy::fn_params_excessive_bools, reason = "they are keywords")]
    fn repair<'py>(
        &self,
        py: Python<'py>,
        path: Option<Given<'py>>,
        make_relative: bool,
        tidy: bool,
        shorten: bool,
        shorten_chains: bool,
        rebase: Option<&Bound<'py, PyAny>>,
        retarget: Option<&Bound<'py, PyAny>>,
        moved: Option<&Bound<'py, PyAny>>,
        fallback: Option<Given<'py>>,
        remove_dangling: bool,
        remove_leftovers: bool,
        durability: Option<&str>,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let call = Call { durability: arguments::durability(py, durability)?, reason, dry_run };
        let switches = caplink::Repair::default()
            .make_relative(make_relative)
            .tidy(tidy)
            .shorten(shorten)
            .shorten_chains(shorten_chains)
            .remove_dangling(remove_dangling)
            .remove_leftovers(remove_leftovers);
        let pairs = repair::Pairs { rebase, retarget, moved, fallback };
        let path = path.unwrap_or_else(Given::here);
        let holder = self.to_look(py, &path)?;
        let repair = repair::of(py, &self.0, &holder, switches, pairs)?;
        self.audited(py, &call, intern!(py, "caplink.repair"), &path, None)?;
        repair::repair(py, &holder, &path.text, &repair, &call)
    }

    /// Carries out edits in order: dicts with the keys of the command line's batch lines, `verb` among them.
    ///
    /// Returns what each came to. The first that fails stops the rest and is raised, with `line` (from 1) and `results`; with
    /// `keep_going` the others are carried out, and the list has the errors in their places. With `all_or_nothing`, which needs
    /// records, all stand or none.
    ///
    /// >>> import caplink, os, tempfile
    /// >>> base = tempfile.mkdtemp(); os.mkdir(os.path.join(base, "v1"))
    /// >>> edits = [{"verb": "ensure", "link": name, "to": "v1"} for name in ("blue", "green")]
    /// >>> [outcome.outcome for outcome in caplink.Root(base).batch(edits)]
    /// ['created', 'created']
    #[pyo3(signature = (edits, *, all_or_nothing=false, keep_going=false, durability=None, reason=None, dry_run=false))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn batch<'py>(
        &self,
        py: Python<'py>,
        edits: &Bound<'py, PyAny>,
        all_or_nothing: bool,
        keep_going: bool,
        durability: Option<&str>,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let call = Call { durability: arguments::durability(py, durability)?, reason, dry_run };
        let together = match (all_or_nothing, keep_going) {
            (true, true) => return Err(failure::usage(py, "all_or_nothing and keep_going contradict each other")),
            (true, false) => Together::AllOrNothing,
            (false, true) => Together::KeepGoing,
            (false, false) => Together::Stop,
        };
        batch::batch(py, self, edits, together, &call)
    }

    /// The records of this root: the log of every change, and what follows from it.
    fn records(&self, py: Python<'_>) -> PyResult<Records> {
        Records::of(py, &self.0)
    }

    /// The manifests of this root: the links that it is to have, declared in a file.
    fn manifests(&self, py: Python<'_>) -> PyResult<Manifests> {
        Manifests::of(py, &self.0)
    }

    /// Brings the tree to what a manifest declares, all of it or nothing: ``root.manifests().apply(...)``.
    ///
    /// >>> import caplink, os, tempfile
    /// >>> base = tempfile.mkdtemp(); open(os.path.join(base, "vimrc"), "w").close()
    /// >>> applied = caplink.Root(base).apply('version = 1\nname = "vim"\n[links]\n".vimrc" = "vimrc"\n')
    /// >>> [(outcome.link, outcome.target) for outcome in applied.results]
    /// [('.vimrc', 'vimrc')]
    #[pyo3(signature = (manifest=None, *, tags=None, prune=true, backup=false, keep_going=false, durability=None, reason=None, dry_run=false))]
    #[expect(clippy::too_many_arguments, clippy::fn_params_excessive_bools, reason = "they are keywords")]
    fn apply<'py>(
        &self,
        py: Python<'py>,
        manifest: Option<&Bound<'py, PyAny>>,
        tags: Option<Vec<String>>,
        prune: bool,
        backup: bool,
        keep_going: bool,
        durability: Option<&str>,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let manifests = Manifests::of(py, &self.0)?;
        manifests.apply(py, manifest, tags, prune, backup, keep_going, durability, reason, dry_run)
    }

    /// Moves files and directories below the directory `into`, and puts a link in the place of each, all or nothing.
    ///
    /// No name is absent for a moment: each is exchanged with its link in one call. With `parents` the directory is made. Returns
    /// a :class:`caplink.Applied` with what each path came to.
    ///
    /// >>> import caplink, os, tempfile
    /// >>> base = tempfile.mkdtemp(); open(os.path.join(base, ".vimrc"), "w").close()
    /// >>> adopted = caplink.Root(base).adopt(".vimrc", into="dotfiles", parents=True)
    /// >>> [(outcome.link, outcome.target) for outcome in adopted.results], adopted.made
    /// ([('.vimrc', 'dotfiles/.vimrc')], ('dotfiles',))
    #[pyo3(signature = (*paths, into, parents=false, durability=None, reason=None, dry_run=false))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn adopt<'py>(
        &self,
        py: Python<'py>,
        paths: Vec<Given<'py>>,
        into: Given<'py>,
        parents: bool,
        durability: Option<&str>,
        reason: Option<&str>,
        dry_run: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let call = Call { durability: arguments::durability(py, durability)?, reason, dry_run };
        if paths.is_empty() {
            return Err(failure::usage(py, "nothing is named that is to be adopted"));
        }
        let mut holder = self.to_look(py, &into)?;
        for path in &paths {
            holder = self.to_change(py, &call, intern!(py, "caplink.adopt"), path, Some(&into))?;
        }
        let paths: Vec<OsString> = paths.into_iter().map(|path| path.text).collect();
        adopt::adopt(py, &holder, &paths, &into.text, parents, &call)
    }

    /// The releases of an app: a link to the active one of several directories.
    ///
    /// `app` names it; `current` is the link and `releases` the directory, where they are called otherwise.
    #[pyo3(signature = (app="default", *, current=None, releases=None))]
    fn releases<'py>(
        &self,
        py: Python<'py>,
        app: &str,
        current: Option<Given<'py>>,
        releases: Option<Given<'py>>,
    ) -> PyResult<Releases> {
        for path in [&current, &releases].into_iter().flatten() {
            path.is_of(py, &self.0)?;
        }
        Releases::open(py, &self.0, app, current.map(|path| path.text), releases.map(|path| path.text))
    }
}
