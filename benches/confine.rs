//! What it costs to hand edits to a confined thread, beside the same edits of an unconfined root.
//!
//!     cargo bench --bench confine
//!
//! Three ways take turns in rounds: an unconfined root; the same under Landlock, on a thread that was confined before,
//! which tells what the kernel's own checks cost; and a confined root. What is printed is the median of an edit, and
//! the median over the rounds of what the hand-over adds to the kernel's checks.
//!
//! "Alone" hands over one edit at a time, right after the other or after a pause in which the thread has gone to sleep,
//! and is measured on the clock. "In a batch" hands over a thousand, and is measured in processor time of all threads, and
//! once more on the clock.
//! Each is measured on a tmpfs (`/dev/shm`) and in the directory for temporary files, on one processor and on all.

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    // Only Linux has Landlock.
}

#[cfg(target_os = "linux")]
mod linux {
    use std::path::Path;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::time::{Duration, Instant};

    use cap_std::ambient_authority;
    use caplink::{Edit, Enforcement, LinkPath, Policy, Root, Target};
    use landlock::{
        ABI, Access as _, AccessFs, AccessNet, PathBeneath, PathFd, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _,
        Scope,
    };
    use rustix::thread::CpuSet;
    use rustix::time::ClockId;

    type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

    const ROUNDS: usize = 200;
    const BATCH: usize = 1000;
    const BATCH_ROUNDS: usize = 40;
    /// Longer than a thread waits awake.
    const PAUSE: Duration = Duration::from_micros(300);

    /// What the hand-over may cost: of an edit alone, and of one in a batch as a part of the edit.
    const ALONE: f64 = 15_000.0;
    const IN_BATCH: f64 = 0.05;

    /// How much longer a confined batch may take on the clock, what the kernel checks included.
    const WAITED: f64 = 1.05;

    pub(super) fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
        let all = rustix::thread::sched_getaffinity(None)?;
        let mut one = CpuSet::new();
        one.set(rustix::thread::sched_getcpu());
        println!(
            "{:<50} {:>10} {:>10} {:>10} {:>10}",
            "nanoseconds an edit", "unconfined", "Landlock", "confined", "hand-over"
        );
        for place in [Path::new("/dev/shm"), &std::env::temp_dir()] {
            for (processors, set) in [("one processor", &one), ("all processors", &all)] {
                rustix::thread::sched_setaffinity(None, set)?;
                let dir = tempfile::TempDir::new_in(place)?;
                measure(&format!("{}, {processors}", place.display()), dir.path())
                    .map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }

    fn measure(at: &str, dir: &Path) -> Result<()> {
        std::fs::create_dir(dir.join("a"))?;
        let free = Root::open_ambient(dir, Policy::default(), ambient_authority())?;
        let held = match free.confined(Enforcement::Require) {
            Ok(held) => held,
            Err(error) => {
                println!("{at}: {error}");
                return Ok(());
            }
        };
        let _ = free.apply(&Edit::create(LinkPath::new("a/l")?, Target::verbatim("two")).allow_dangling(true))?;
        std::thread::scope(|scope| {
            let (ask, asked) = channel();
            let (answer, answers) = channel();
            let on_thread = free.clone();
            scope.spawn(move || under_landlock(dir, &on_thread, &asked, &answer));
            let under_landlock = |ask_for: Measured| -> Result<f64> {
                ask.send(ask_for)?;
                answers.recv()?
            };
            for (how, pause) in [("alone, one after the other", Duration::ZERO), ("alone, after a pause", PAUSE)] {
                let kind = Measured::Alone(pause);
                let rounds = rounds(ROUNDS, || Ok([kind.of(&free)?, under_landlock(kind)?, kind.of(&held)?]))?;
                let [.., hand_over] = report(&format!("{at}: {how}"), &rounds);
                println!("{}", goal(hand_over <= ALONE));
            }
            let kind = Measured::Batch;
            let rounds = rounds(BATCH_ROUNDS, || Ok([kind.of(&free)?, under_landlock(kind)?, kind.of(&held)?]))?;
            let [unconfined, hand_over] = report(&format!("{at}: in a batch of {BATCH}"), &rounds);
            let part = hand_over / unconfined;
            println!("  {:+.1} %{}", part * 100.0, goal(part < IN_BATCH));
            let waited = rounds_waited(&free, &held)?;
            let what = format!("{at}: clock of a batch, by unconfined");
            println!("{what:<50} {waited:>32.2}{}", goal(waited <= WAITED));
            Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
        })?;
        let starts = (0..ROUNDS).map(|_| start(&free)).collect::<Result<Vec<_>>>()?;
        println!("{:<50} {:>32.0}", format!("{at}: start and end a thread"), median(starts));
        Ok(())
    }

    /// What is measured of a root.
    #[derive(Clone, Copy)]
    enum Measured {
        Alone(Duration),
        Batch,
    }

    impl Measured {
        fn of(self, root: &Root) -> Result<f64> {
            let swaps = swaps(BATCH)?;
            match self {
                // Two edits, so that the link is as it was.
                Measured::Alone(pause) => {
                    let mut spent = 0.0;
                    for swap in &swaps[..2] {
                        std::thread::sleep(pause);
                        let begin = Instant::now();
                        let _ = root.apply(swap)?;
                        spent += begin.elapsed().as_secs_f64() * 1e9;
                    }
                    Ok(spent / 2.0)
                }
                Measured::Batch => {
                    let begin = processor_time();
                    for outcome in root.apply_all(&swaps) {
                        let _ = outcome?;
                    }
                    Ok((processor_time() - begin) / BATCH as f64)
                }
            }
        }
    }

    /// Measures on a thread that is held to the rules of a confined root.
    fn under_landlock(dir: &Path, root: &Root, asked: &Receiver<Measured>, answer: &Sender<Result<f64>>) {
        let enter = || -> Result<()> {
            let links = AccessFs::MakeSym | AccessFs::RemoveFile | AccessFs::Refer | AccessFs::ReadDir;
            Ruleset::default()
                .handle_access(AccessFs::from_all(ABI::V7))?
                .handle_access(AccessNet::from_all(ABI::V7))?
                .scope(Scope::from_all(ABI::V7))?
                .create()?
                .add_rule(PathBeneath::new(PathFd::new(dir)?, links))?
                .restrict_self()?;
            Ok(())
        };
        let entered = enter().map_err(|error| error.to_string());
        for measured in asked {
            let result = entered.clone().map_err(Into::into).and_then(|()| measured.of(root));
            if answer.send(result).is_err() {
                return;
            }
        }
    }

    fn start(root: &Root) -> Result<f64> {
        let begin = Instant::now();
        drop(root.confined(Enforcement::Require)?);
        Ok(begin.elapsed().as_secs_f64() * 1e9)
    }

    /// Swaps of one link from `two` to `one` and back.
    fn swaps(count: usize) -> Result<Vec<Edit>> {
        let path = LinkPath::new("a/l")?;
        let swap = |new: &str, old: &str| Edit::swap(path.clone(), Target::verbatim(new), old).allow_dangling(true);
        Ok((0..count)
            .map(|turn| if turn % 2 == 0 { swap("one", "two").into() } else { swap("two", "one").into() })
            .collect())
    }

    fn rounds(count: usize, mut round: impl FnMut() -> Result<[f64; 3]>) -> Result<Vec<[f64; 3]>> {
        for _ in 0..count / 10 {
            round()?;
        }
        (0..count).map(|_| round()).collect()
    }

    /// How many times as long as for an unconfined batch one waits for a confined one, on the clock.
    fn rounds_waited(free: &Root, held: &Root) -> Result<f64> {
        let swaps = swaps(BATCH)?;
        let waited = |root: &Root| -> Result<f64> {
            let begin = Instant::now();
            for outcome in root.apply_all(&swaps) {
                let _ = outcome?;
            }
            Ok(begin.elapsed().as_secs_f64())
        };
        let ratios = (0..BATCH_ROUNDS).map(|_| Ok(1.0 / (waited(free)? / waited(held)?)));
        Ok(median(ratios.collect::<Result<Vec<f64>>>()?))
    }

    /// Prints a line; returns the unconfined edit and what the hand-over adds.
    fn report(what: &str, rounds: &[[f64; 3]]) -> [f64; 2] {
        print!("{what:<50}");
        for way in 0..3 {
            print!(" {:>10.0}", median(rounds.iter().map(|round| round[way])));
        }
        let hand_over = median(rounds.iter().map(|round| round[2] - round[1]));
        print!(" {hand_over:>10.0}");
        [median(rounds.iter().map(|round| round[0])), hand_over]
    }

    fn goal(met: bool) -> &'static str {
        if met { "" } else { "  MISSED" }
    }

    /// Of all threads: what other programs take meanwhile does not count.
    fn processor_time() -> f64 {
        let time = rustix::time::clock_gettime(ClockId::ProcessCPUTime);
        time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
    }

    fn median(values: impl IntoIterator<Item = f64>) -> f64 {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }
}
