//! The scan: an iterator that lets go of the interpreter, and can be broken off.
//!
//! Findings are taken many at a time, for at most so long, and then handed over one by one. In between signals are
//! handled, so that a `KeyboardInterrupt` is raised also where there is no link for a long time.
//!
//! One thread at a time walks, and no lock is held meanwhile: callables are asked by it and by the threads of the walk, and
//! may look at the scan, or close it.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use caplink::{ScanOptions, Status, Trait};
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use pyo3::{PyTraverseError, PyVisit};

use crate::changing::Holder;
use crate::detached::detached;
use crate::ending;
use crate::exclude::{self, Asked as Callable};
use crate::failure::{self, OrRaise as _};
use crate::finding::{Finding, Summary};
use crate::fork::Generation;

/// How many findings are taken at a time, and for how long at most.
const TAKEN_MAX: usize = 256;
const SLICE: Duration = Duration::from_millis(50);

/// How many errors are kept; every one is handed to `onerror`.
const ERRORS_MAX: usize = 1000;

/// A scan under way: an iterator of :class:`caplink.Finding`.
///
/// Nothing is scanned faster than it is taken. Leaving a ``with`` block, :meth:`close`, dropping it and the end of the program
/// break it off; a closed one is used no more, as a closed file. It belongs to the process that began it, not to one that was
/// forked meanwhile.
///
/// >>> import caplink, tempfile
/// >>> with caplink.Root(tempfile.mkdtemp()).scan() as scan:
/// ...     list(scan)
/// []
/// >>> next(scan)
/// Traceback (most recent call last):
/// ...
/// caplink.InvalidError: the scan is closed
#[pyclass(module = "caplink", frozen, weakref, name = "Scan")]
pub(crate) struct Scan {
    /// Locked for an instant, and only by a thread that has the interpreter.
    state: Mutex<State>,
    /// Signalled whenever a thread has walked.
    walked: Condvar,
    only: Only,
    callable: Callable,
    onerror: Mutex<Option<Py<PyAny>>>,
    made: Generation,
}

struct State {
    walk: Walk,
    taken: VecDeque<caplink::Result<caplink::Finding>>,
    errors: Vec<caplink::Error>,
    summary: caplink::Summary,
    closed: bool,
}

enum Walk {
    Waiting(Box<caplink::Scan>),
    /// A thread walks, and has it.
    UnderWay,
    Over,
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
pub(crate) fn start<'py>(
    py: Python<'py>,
    holder: &Holder,
    dir: &OsStr,
    asked: Asked<'_, 'py>,
) -> PyResult<Bound<'py, Scan>> {
    let only = Only::read(py, asked.only)?;
    let callable = Callable::default();
    let mut options = ScanOptions::default().jobs(asked.jobs).sorted(asked.jobs == 1);
    if let Some(depth) = asked.max_depth {
        options = options.max_depth(depth);
    }
    if let Some(given) = asked.exclude {
        options = options.exclude(exclude::exclude(py, given, &callable)?);
    }
    if let Some(onerror) = asked.onerror.as_ref().filter(|onerror| !onerror.bind(py).is_callable()) {
        let found = onerror.bind(py).get_type().name()?;
        return Err(PyTypeError::new_err(format!("onerror is a callable, not {found}")));
    }
    let scan = detached(py, || holder.root().scan(dir, options))?.or_raise(py)?;
    let (summary, walk) = (scan.summary(), Walk::Waiting(Box::new(scan)));
    let state = State { walk, taken: VecDeque::new(), errors: Vec::new(), summary, closed: false };
    let (state, walked, onerror) = (Mutex::new(state), Condvar::new(), Mutex::new(asked.onerror));
    let scan = Bound::new(py, Scan { state, walked, only, callable, onerror, made: Generation::now() })?;
    ending::ends(&scan)?;
    Ok(scan)
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
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyTuple>) {
        self.close(py);
    }

    /// Breaks it off, and ends its threads. Where another thread takes from it at that moment, that ends it.
    pub(crate) fn close(&self, py: Python<'_>) {
        let mut state = self.state();
        state.closed = true;
        state.taken.clear();
        let scan = state.take_out(Walk::Over);
        drop(state);
        self.let_go(py, scan);
        self.forget_callables();
    }

    /// Whether it is closed.
    #[getter]
    fn closed(&self) -> bool {
        self.state().closed
    }

    /// What was found so far, counted.
    #[getter]
    fn summary(&self) -> Summary {
        let state = self.state();
        Summary(match &state.walk {
            Walk::Waiting(scan) => scan.summary(),
            _ => state.summary.clone(),
        })
    }

    /// The first 1000 errors: directories that could not be read, entries that could not be looked at.
    #[getter]
    fn errors<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let errors = self.state().errors.clone();
        let errors = errors.iter().map(|error| failure::exception(py, error));
        PyTuple::new(py, errors.collect::<PyResult<Vec<_>>>()?)
    }

    fn __repr__(&self) -> String {
        let summary = self.summary().0;
        let closed = if self.closed() { "closed " } else { "" };
        format!("<{closed}caplink.Scan: {} links among {} entries so far>", summary.links, summary.entries)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        if let Ok(onerror) = self.onerror.try_lock() {
            visit.call(&*onerror)?;
        }
        self.callable.traverse(&visit)
    }

    fn __clear__(&self) {
        self.forget_callables();
    }
}

enum Taken {
    Found(caplink::Finding),
    Failed(caplink::Error),
    Nothing,
    End,
}

impl Scan {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what is there, or goes on for a while.
    fn take(&self, py: Python<'_>) -> PyResult<Taken> {
        if self.made.is_over() {
            return Err(failure::usage(py, "the scan belongs to the process that this one was forked from"));
        }
        if self.callable.is_asked_here() {
            return Err(PyRuntimeError::new_err("the scan cannot go on before its own `exclude` has answered"));
        }
        let mut state = self.state();
        if state.closed {
            return Err(failure::usage(py, "the scan is closed"));
        }
        match state.taken.pop_front() {
            Some(Ok(finding)) => return Ok(Taken::Found(finding)),
            Some(Err(error)) => return Ok(Taken::Failed(error)),
            None => {}
        }
        if matches!(state.walk, Walk::Over) {
            drop(state);
            self.forget_callables();
            return Ok(Taken::End);
        }
        let scan = state.take_out(Walk::UnderWay);
        drop(state);
        match scan {
            Some(scan) => self.go_on(py, scan)?,
            None => self.wait(py),
        }
        py.check_signals()?;
        Ok(Taken::Nothing)
    }

    /// Walks on for a while.
    fn go_on(&self, py: Python<'_>, mut scan: Box<caplink::Scan>) -> PyResult<()> {
        let walked = detached(py, || walk(&mut scan, &self.only));
        let (walked, failed) = match (walked, self.callable.raised()) {
            (Ok(walked), None) => (walked, None),
            (_, Some(raised)) => (Walked::default(), Some(raised)),
            (Err(panic), None) => (Walked::default(), Some(panic)),
        };
        let mut state = self.state();
        state.summary = scan.summary();
        if !state.closed {
            state.taken.extend(walked.found);
        }
        let over = if walked.ended || failed.is_some() || state.closed {
            state.walk = Walk::Over;
            Some(scan)
        } else {
            state.walk = Walk::Waiting(scan);
            None
        };
        drop(state);
        self.walked.notify_all();
        self.let_go(py, over);
        failed.map_or(Ok(()), Err)
    }

    /// Waits for the thread that walks.
    fn wait(&self, py: Python<'_>) {
        py.detach(|| {
            let is_under_way = |state: &mut State| matches!(state.walk, Walk::UnderWay);
            let _waited = self.walked.wait_timeout_while(self.state(), SLICE, is_under_way);
        });
    }

    /// Gives back what a scan that is over needs no more: its threads end, which may wait for the interpreter.
    fn let_go(&self, py: Python<'_>, scan: Option<Box<caplink::Scan>>) {
        let Some(scan) = scan else { return };
        // They would ask about the rest of their directories.
        self.callable.forget();
        match self.made.is_over() {
            // Its threads stayed in the process that this one was forked from, and cannot be waited for.
            true => mem::forget(scan),
            false => py.detach(|| drop(scan)),
        }
    }

    fn forget_callables(&self) {
        let onerror = self.onerror.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(onerror);
        self.callable.forget();
    }

    fn failed(&self, py: Python<'_>, error: &caplink::Error) -> PyResult<()> {
        let mut state = self.state();
        if state.errors.len() < ERRORS_MAX {
            state.errors.push(error.clone());
        }
        drop(state);
        let onerror = self.onerror.lock().unwrap_or_else(PoisonError::into_inner);
        let onerror = onerror.as_ref().map(|onerror| onerror.clone_ref(py));
        match onerror {
            Some(onerror) => onerror.bind(py).call1((failure::exception(py, error)?,)).map(drop),
            None => Ok(()),
        }
    }
}

/// What was found, and whether that was all.
#[derive(Default)]
struct Walked {
    found: Vec<caplink::Result<caplink::Finding>>,
    ended: bool,
}

/// Takes as many as there are room and time for.
fn walk(scan: &mut caplink::Scan, only: &Only) -> Walked {
    let mut walked = Walked::default();
    let until = Instant::now() + SLICE;
    while walked.found.len() < TAKEN_MAX {
        match scan.poll_within(until.saturating_duration_since(Instant::now())) {
            Poll::Ready(Some(Ok(finding))) if !only.wants(&finding) => {}
            Poll::Ready(Some(found)) => walked.found.push(found),
            Poll::Ready(None) => {
                walked.ended = true;
                break;
            }
            Poll::Pending => break,
        }
    }
    walked
}

impl State {
    /// Takes the scan out, if nobody walks and it is not over, and says what becomes of it. One under way stays so.
    fn take_out(&mut self, next: Walk) -> Option<Box<caplink::Scan>> {
        match mem::replace(&mut self.walk, next) {
            Walk::Waiting(scan) => {
                self.summary = scan.summary();
                Some(scan)
            }
            walk => {
                self.walk = walk;
                None
            }
        }
    }
}

impl Drop for Scan {
    /// Its threads may wait for the interpreter, which an interpreter that ends gives to none: they end with the process.
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Some(scan) = state.take_out(Walk::Over) else { return };
        self.callable.forget();
        let mut scan = Some(scan);
        if !self.made.is_over() && !ending::has_begun() {
            Python::try_attach(|py| py.detach(|| drop(scan.take())));
        }
        mem::forget(scan);
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
