//! A seccomp filter for one thread and what it starts.

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

/// Runs on a thread to which this call is refused with this error.
pub(crate) fn denied<T: Send>(call: i64, errno: u32, run: impl FnOnce() -> T + Send) -> T {
    let filter = SeccompFilter::new(
        [(call, Vec::new())].into(),
        SeccompAction::Allow,
        SeccompAction::Errno(errno),
        std::env::consts::ARCH.try_into().unwrap(),
    );
    let program: BpfProgram = filter.unwrap().try_into().unwrap();
    std::thread::scope(|scope| {
        let filtered = scope.spawn(move || {
            seccompiler::apply_filter(&program).unwrap();
            run()
        });
        filtered.join().unwrap()
    })
}
