//! Whole programs, one phase after the other.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Result;
use crate::ground::{Ground, SIDES};
use crate::place::Place;

/// A program that takes longer for one phase is stopped, and left out from there.
const LONGEST: Duration = Duration::from_secs(120);

/// How much faster than Stow caplink should be.
const STOW_GOAL: f64 = 10.0;

/// What is done with links, in this order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    First,
    Again,
    /// Again, where what the program keeps of the first time is up to date.
    Settled,
    Flip,
    Back,
}

const PHASES: [(Phase, &str); 5] = [
    (Phase::First, "first"),
    (Phase::Again, "nothing to do"),
    (Phase::Settled, "once more"),
    (Phase::Flip, "all flip"),
    (Phase::Back, "taken away"),
];

/// How long a phase took, in seconds.
#[derive(Clone, Copy)]
enum Took {
    Exactly(f64),
    /// It was stopped then.
    Longer(f64),
}

/// A way to make links.
pub(super) struct Peer {
    pub(super) name: &'static str,
    /// What has to be installed for it.
    pub(super) program: &'static str,
    /// Writes what the program reads, before the clock runs.
    pub(super) prepare: fn(&Ground) -> Result<()>,
    /// The program of a phase; none where it has no such thing.
    pub(super) command: fn(&Ground, Phase) -> Option<Command>,
}

pub(super) fn measure(place: &Place, links: usize, peers: &[Peer]) -> Result<()> {
    print!("\nprograms, {links} links, milliseconds{:>7}", "");
    PHASES.iter().for_each(|(_, name)| print!("{name:>15}"));
    println!();
    let mut table: Vec<(&str, Vec<Option<Took>>)> = Vec::new();
    for peer in peers {
        if !is_installed(peer.program) {
            println!("  SKIPPED: {}: `{}` is not installed", peer.name, peer.program);
            continue;
        }
        let ground = Ground::new(place.room("peer")?, links)?;
        (peer.prepare)(&ground)?;
        let (mut took, mut said) = (Vec::new(), Vec::new());
        for (phase, name) in PHASES {
            let Some(command) = (peer.command)(&ground, phase) else {
                took.push(None);
                continue;
            };
            match run(command)? {
                Ok(Took::Longer(seconds)) => {
                    took.push(Some(Took::Longer(seconds)));
                    said.push(format!("{name}: it was stopped after {seconds} s"));
                }
                Ok(exactly) if is_right(&ground, phase) => took.push(Some(exactly)),
                Ok(_) => said.push(format!("{name}: the links are not as they should be")),
                Err(why) => said.push(format!("{name}: {why}")),
            }
            if !said.is_empty() {
                break;
            }
        }
        print!("  {:<42}", peer.name);
        took.iter().for_each(|took| match took {
            Some(Took::Exactly(seconds)) => print!("{:15.1}", seconds * 1e3),
            Some(Took::Longer(seconds)) => print!("{:>15}", format!("> {:.0}", seconds * 1e3)),
            None => print!("{:>15}", "-"),
        });
        println!();
        said.iter().for_each(|said| println!("  SKIPPED: {}: {said}", peer.name));
        table.push((peer.name, took));
    }
    let of = |name: &str| table.iter().find(|(peer, _)| *peer == name).map(|(_, took)| took);
    if let (Some(own), Some(stow)) = (of("caplink"), of("stow")) {
        let ratios: Vec<String> = own
            .iter()
            .zip(stow)
            .filter_map(|(own, stow)| {
                let Some(Took::Exactly(own)) = own else { return None };
                let (than, ratio) = match (*stow)? {
                    Took::Exactly(stow) => ("", stow / own),
                    Took::Longer(stow) => ("> ", stow / own),
                };
                Some(format!("{than}{ratio:.1}x {}", if ratio >= STOW_GOAL { "reached" } else { "MISSED" }))
            })
            .collect();
        println!("  faster than stow, goal {STOW_GOAL}x at 100,000: {}", ratios.join(", "));
    }
    Ok(())
}

fn is_installed(program: &str) -> bool {
    program.contains('/') || Command::new("which").arg(program).output().is_ok_and(|output| output.status.success())
}

/// Whether every link leads where it should after a phase.
fn is_right(ground: &Ground, phase: Phase) -> bool {
    let count = ground.names().count();
    match phase {
        Phase::First | Phase::Again | Phase::Settled => ground.leading_to(SIDES[0]).0 == count,
        Phase::Flip => ground.leading_to(SIDES[1]).0 == count,
        Phase::Back => ground.leading_to(SIDES[1]).1 == 0,
    }
}

/// Runs a program; how many seconds it took, or why it did not do it.
fn run(mut command: Command) -> Result<std::result::Result<Took, String>> {
    let began = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let Some(success) = ended(&mut child, began)? else {
        child.kill()?;
        child.wait()?;
        return Ok(Ok(Took::Longer(LONGEST.as_secs_f64())));
    };
    let took = began.elapsed().as_secs_f64();
    Ok(if success { Ok(Took::Exactly(took)) } else { Err("it failed".to_owned()) })
}

/// Whether it ended well; none where it is still at work.
fn ended(child: &mut Child, began: Instant) -> Result<Option<bool>> {
    while began.elapsed() < LONGEST {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.success()));
        }
        // Programs that end at once are not measured by this.
        let pause = began.elapsed() / 200;
        std::thread::sleep(pause.clamp(Duration::from_micros(50), Duration::from_millis(20)));
    }
    Ok(None)
}
