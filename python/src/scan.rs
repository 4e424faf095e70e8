//! The scan: an iterator that lets go of the interpreter, and can be broken off.
//!
//! Findings are taken many at a time, for at most so long, and then handed over one by one. In between signals are
//! handled, so that a `KeyboardInterrupt` is raised also where there is no link for a long time.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use caplink::{ScanOptions, Status, Trait};
use pyo3::prelude::*;
use pyo3::sync::MutexExt as _;
use pyo3::types::PyTuple;

use crate::changing::Holder;
use crate::detached::detached;
use crate::exclude::{self, Raised};
use crate::failure::{self, OrRaise as _};
use crate::finding::{Finding, Summary};
use crate::text::Text;

/// How many findings are taken at a time, and for how long at most.
const TAKEN_MAX: usize = 256;
const SLICE: Duration = Duration::from_millis(50);

/// How many errors are kept; every one is handed to `onerror`.
const ERRORS_MAX: usize = 1000;

/// A scan under way: an iterator of :class:`caplink.Finding`.
///
/// Nothing is scanned faster than it is taken. Leaving a ``with`` block, :meth:`close` and dropping it break it off.
#[pyclass(module = "caplink", frozen, name = "Scan")]
pub(crate) struct Scan {
    state: Mutex<State>,
    only: Only,
    raised: Raised,
    onerror: Option<Py<PyAny>>,
}

struct State {
    /// `None` once it is broken off.
    scan: Option<caplink::Scan>,
    taken: VecDeque<caplink::Result<caplink::Finding>>,
    ended: bool,
    errors: Vec<caplink::Error>,
    summary: caplink::Summary,
}

/// What is asked of a scan.
pub(crate) struct Asked<'a, 'py> {
    pub(crate) only: Option<&'a Bound<'py, PyAny>>,
    pub(crate) exclude: Option<&'a Bound<'py, PyAny>>,
    pub(crate) max_depth: Option<usize>,
    pub(crate) jobs: usize,
    pub(crate) onerror: Option<Py<PyAny>>,
}

/// Begins a scan.
pub(crate) fn start(py: Python<'_>, holder: &Holder, dir: Option<Text>, asked: Asked<'_, '_>) -> PyResult<Scan> {
    let only = Only::read(py, asked.only)?;
    let raised = Raised::default();
    let mut options = ScanOptions::default().jobs(asked.jobs).sorted(asked.jobs == 1);
    if let Some(depth) = asked.max_depth {
        options = options.max_depth(depth);
    }
    if let Some(given) = asked.exclude {
        options = options.exclude(exclude::exclude(py, given, &raised)?);
    }
    let dir = dir.unwrap_or_else(|| Text(".".into()));
    let scan = detached(py, || holder.root().scan(&dir.0, options))?.or_raise(py)?;
    let summary = scan.summary();
    let state = State { scan: Some(scan), taken: VecDeque::new(), ended: false, errors: Vec::new(), summary };
    Ok(Scan { state: Mutex::new(state), only, raised, onerror: asked.onerror })
}

#[pymethods]
impl Scan {
    fn __iter__(scan: PyRef<'_, Scan>) -> PyRef<'_, Scan> {
        scan
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Finding>> {
        loop {
            match self.take(py)? {
                Taken::Found(finding) => return Ok(Some(Finding(finding))),
                Taken::Failed(error) => self.failed(py, &error)?,
                Taken::Nothing => {}
                Taken::End => return Ok(None),
            }
        }
    }

    fn __enter__(scan: PyRef<'_, Scan>) -> PyRef<'_, Scan> {
        scan
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.close(py)
    }

    /// Breaks it off, and ends its threads.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let scan = {
            let mut state = self.state.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
            state.taken.clear();
            state.end()
        };
        // Its threads may ask a callable.
        detached(py, || drop(scan))
    }

    /// What was found so far, counted.
    #[getter]
    fn summary(&self, py: Python<'_>) -> Summary {
        let state = self.state.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        Summary(state.scan.as_ref().map_or_else(|| state.summary.clone(), caplink::Scan::summary))
    }

    /// The first 1000 errors: directories that could not be read, entries that could not be looked at.
    #[getter]
    fn errors<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let errors = self.state.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner).errors.clone();
        let errors = errors.iter().map(|error| failure::exception(py, error));
        PyTuple::new(py, errors.collect::<PyResult<Vec<_>>>()?)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let summary = self.summary(py).0;
        format!("<caplink.Scan: {} links among {} entries so far>", summary.links, summary.entries)
    }
}

enum Taken {
    Found(caplink::Finding),
    Failed(caplink::Error),
    Nothing,
    End,
}

impl Scan {
    /// Takes what is there, or goes on for a while.
    fn take(&self, py: Python<'_>) -> PyResult<Taken> {
        let mut state = self.state.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        if state.taken.is_empty() && state.scan.is_some() {
            let state = &mut *state;
            detached(py, || state.go_on(&self.only))?;
            py.check_signals()?;
            if let Some(error) = self.raised.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return Err(error);
            }
        }
        Ok(match state.taken.pop_front() {
            Some(Ok(finding)) => Taken::Found(finding),
            Some(Err(error)) => Taken::Failed(error),
            None if state.scan.is_none() => Taken::End,
            None => Taken::Nothing,
        })
    }

    fn failed(&self, py: Python<'_>, error: &caplink::Error) -> PyResult<()> {
        let mut state = self.state.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        if state.errors.len() < ERRORS_MAX {
            state.errors.push(error.clone());
        }
        drop(state);
        match &self.onerror {
            Some(onerror) => onerror.bind(py).call1((failure::exception(py, error)?,)).map(drop),
            None => Ok(()),
        }
    }
}

impl State {
    /// Takes as many as there are room and time for.
    fn go_on(&mut self, only: &Only) {
        let Some(scan) = &mut self.scan else { return };
        let until = Instant::now() + SLICE;
        while self.taken.len() < TAKEN_MAX {
            match scan.poll_within(until.saturating_duration_since(Instant::now())) {
                Poll::Ready(Some(Ok(finding))) if !only.wants(&finding) => {}
                Poll::Ready(Some(found)) => self.taken.push_back(found),
                Poll::Ready(None) => {
                    self.ended = true;
                    drop(self.end());
                    return;
                }
                Poll::Pending => return,
            }
        }
    }

    fn end(&mut self) -> Option<caplink::Scan> {
        let scan = self.scan.take()?;
        self.summary = scan.summary();
        Some(scan)
    }
}

impl Drop for Scan {
    /// Its threads may wait for the interpreter.
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Some(scan) = state.scan.take() else { return };
        let mut scan = Some(scan);
        Python::try_attach(|py| py.detach(|| drop(scan.take())));
    }
}

/// Which links are shown.
struct Only(Option<Vec<Wanted>>);

#[derive(Clone, Copy)]
enum Wanted {
    Status(Status),
    Trait(Trait),
    Broken,
}

impl Only {
    /// Statuses and traits: words with commas, or several words.
    fn read(py: Python<'_>, given: Option<&Bound<'_, PyAny>>) -> PyResult<Only> {
        let Some(given) = given else { return Ok(Only(None)) };
        let words: Vec<String> = match given.extract::<String>() {
            Ok(words) => words.split(',').map(|word| word.trim().to_owned()).collect(),
            Err(_) => given.try_iter()?.map(|word| word?.extract()).collect::<PyResult<_>>()?,
        };
        let wanted = |word: &String| {
            let status = word.parse().map(Wanted::Status).ok();
            let known = status.or_else(|| word.parse().map(Wanted::Trait).ok());
            let known = known.or_else(|| (word == "broken").then_some(Wanted::Broken));
            known.ok_or_else(|| failure::usage(py, &format!("`{word}` is no status and no trait of a link")))
        };
        words.iter().map(wanted).collect::<PyResult<Vec<Wanted>>>().map(|wanted| Only(Some(wanted)))
    }

    fn wants(&self, finding: &caplink::Finding) -> bool {
        let Some(wanted) = &self.0 else { return true };
        wanted.iter().any(|wanted| match wanted {
            Wanted::Status(status) => finding.status == *status,
            Wanted::Trait(of) => finding.traits.contains(*of),
            Wanted::Broken => finding.status != Status::Ok,
        })
    }
}
