//! of several contenders that swap the same text at the same moment, exactly one wins.
//!
//! In each round all contenders meet, read the link, meet again, and swap what they read for a text of their own. The
//! text names the round and the contender, so that a loser can be asked who it was that won.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use caplink::{Abilities, Edit, Kind, LinkPath, Policy, Root, Target};

use super::arena::{Arena, WAYS, naive, patience, race, report, rounds};
use super::support::table::Row;

/// The link that all contenders swap.
const NAME: &str = "a/b/current";

/// A barrier for threads and processes: a file to which each appends a byte.
struct Meeting {
    file: File,
    of: u64,
    met: u64,
    deadline: Instant,
}

impl Meeting {
    fn at(path: &Path, of: u64) -> Meeting {
        let file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        Meeting { file, of, met: 0, deadline: Instant::now() + patience() }
    }

    /// Returns when all have arrived as often as this one.
    fn wait(&mut self) {
        self.file.write_all(b".").unwrap();
        self.met += self.of;
        while self.file.metadata().unwrap().len() < self.met {
            assert!(Instant::now() < self.deadline, "a contender did not come");
            thread::yield_now();
        }
    }
}

/// What a contender learned in one round: whether it won, and who did.
type Learned = (bool, u64);

/// One contender. `attempt` swaps a text for another, or returns the text that it found instead.
fn contend(
    arena: &Path,
    who: u64,
    of: u64,
    rounds: usize,
    attempt: impl Fn(&str, &str) -> Result<(), String>,
) -> Vec<Learned> {
    let mut meeting = Meeting::at(&arena.join("meeting"), of);
    let mut learned = Vec::new();
    for round in 1..=rounds {
        meeting.wait();
        let expected = fs::read_link(arena.join("root").join(NAME)).unwrap().into_os_string().into_string().unwrap();
        meeting.wait();
        learned.push(match attempt(&expected, &format!("{round}-{who}")) {
            Ok(()) => (true, who),
            Err(found) => {
                // The loser is given a text of this very round.
                let (of_round, winner) = found.split_once('-').unwrap();
                assert_eq!(of_round, round.to_string(), "it found {found} where {expected} was");
                (false, winner.parse().unwrap())
            }
        });
    }
    learned
}

/// A swap by the library.
fn swap(root: &Root, expected: &str, new: &str) -> Result<(), String> {
    let edit = Edit::swap(LinkPath::new(NAME).unwrap(), Target::verbatim(new), expected).allow_dangling(true);
    match root.apply(&edit) {
        Ok(outcome) => {
            assert_eq!(outcome.previous, Some(expected.into()), "{outcome:?}");
            assert!(outcome.shortfalls.is_empty(), "{outcome:?}");
            Ok(())
        }
        Err(error) => {
            assert_eq!(error.kind(), Kind::Mismatch, "{error:?}");
            Err(error.found().and_then(|found| found.text()).unwrap().to_str().unwrap().to_owned())
        }
    }
}

fn arena(shared: bool) -> Arena {
    let arena = Arena::new();
    symlink("0-0", arena.at("root").join(NAME)).unwrap();
    if shared {
        // Others can write there: links are staged, and the lock is taken, in the private state directory.
        fs::set_permissions(arena.at("root/a/b"), fs::Permissions::from_mode(0o777)).unwrap();
    }
    arena
}

/// How many rounds had another number of winners than one.
fn not_won_once(contenders: &[Vec<Learned>]) -> usize {
    let rounds = contenders[0].len();
    (0..rounds).filter(|round| contenders.iter().filter(|learned| learned[*round].0).count() != 1).count()
}

fn each_was_won_once(row: Row<'_>, race: &str, contenders: &[Vec<Learned>]) {
    assert_eq!(not_won_once(contenders), 0, "{race}");
    let rounds = contenders[0].len();
    for round in 0..rounds {
        let reported: Vec<u64> = contenders.iter().map(|learned| learned[round].1).collect();
        assert!(reported.windows(2).all(|two| two[0] == two[1]), "{race}, round {round}: {reported:?}");
    }
    let shares: Vec<usize> = contenders.iter().map(|learned| learned.iter().filter(|(won, _)| *won).count()).collect();
    let counted = format!("{rounds} rounds with one winner each, in shares of {shares:?}");
    report(&format!("{race}: {counted}"));
    row.held(&counted);
}

#[test]
fn r_09_of_eight_threads_one_wins_each_round() {
    race(|| {
        for (way, abilities, _) in WAYS {
            for shared in [false, true] {
                let row = Row::begin("R-09", way);
                let arena = arena(shared);
                let contenders: Vec<_> = thread::scope(|scope| {
                    let contender = |who| {
                        let (arena, root) = (&arena, arena.root(*abilities));
                        let attempt = move |old: &str, new: &str| swap(&root, old, new);
                        move || contend(&arena.at(""), who, 8, rounds(1_000), attempt)
                    };
                    let threads: Vec<_> = (1..=8).map(|who| scope.spawn(contender(who))).collect();
                    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
                });
                each_was_won_once(row, &format!("R-09 8 threads, {way}, shared {shared}"), &contenders);
            }
        }
    });
}

#[test]
fn r_09_of_four_processes_one_wins_each_round() {
    race(|| {
        for (way, abilities, _) in WAYS {
            for shared in [false, true] {
                let row = Row::begin("R-09p", way);
                let arena = arena(shared);
                let processes: Vec<_> = (1..=4).map(|who| a_process(&arena, who, *abilities)).collect();
                let contenders: Vec<Vec<Learned>> = processes
                    .into_iter()
                    .map(|process| {
                        let output = process.wait_with_output().unwrap();
                        let said = String::from_utf8(output.stdout).unwrap();
                        assert!(output.status.success(), "{said}");
                        let learned = said.lines().find_map(|line| line.split_once("LEARNED ")).expect("it tells").1;
                        let each = learned.split_whitespace().map(|word| word.split_once(':').unwrap());
                        each.map(|(won, who)| (won == "true", who.parse().unwrap())).collect()
                    })
                    .collect();
                each_was_won_once(row, &format!("R-09 4 processes, {way}, shared {shared}"), &contenders);
            }
        }
    });
}

fn a_process(arena: &Arena, who: u64, abilities: Abilities) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "winners::a_contender", "--ignored", "--nocapture"])
        .env("CONTENDER_ARENA", arena.at(""))
        .env("CONTENDER", who.to_string())
        .env("CONTENDER_OPENS", abilities.confined_open.to_string())
        .env("CONTENDER_EXCHANGES", abilities.exchange.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
#[ignore = "is run by another test, as one of several processes"]
fn a_contender() {
    let variable = |name: &str| std::env::var(name).unwrap();
    let able = |name: &str| variable(name) == "true";
    let exchange = able("CONTENDER_EXCHANGES");
    let abilities = Abilities { confined_open: able("CONTENDER_OPENS"), exchange, no_replace: exchange };
    let (arena, who) = (variable("CONTENDER_ARENA"), variable("CONTENDER").parse().unwrap());
    let path = Path::new(&arena).join("root");
    let root = Root::open_ambient(path, Policy::default(), cap_std::ambient_authority()).unwrap();
    let root = root.with_abilities(abilities);
    let learned = contend(Path::new(&arena), who, 4, rounds(1_000), |old, new| swap(&root, old, new));
    let words: Vec<String> = learned.iter().map(|(won, who)| format!("{won}:{who}")).collect();
    println!("\nLEARNED {}", words.join(" "));
}

#[test]
fn r_09_with_plain_paths_several_win_one_round() {
    race(|| {
        naive("R-09", || {
            let arena = arena(false);
            let name = arena.at("root").join(NAME);
            let read = || fs::read_link(&name).unwrap().into_os_string().into_string().unwrap();
            let contenders: Vec<_> = thread::scope(|scope| {
                let contender = |who: u64| {
                    let (arena, name, read) = (&arena, &name, &read);
                    let attempt = move |old: &str, new: &str| {
                        let staged = arena.at(format!("root/staged{who}"));
                        symlink(new, &staged).unwrap();
                        let found = read();
                        if found != old {
                            fs::remove_file(&staged).unwrap();
                            return Err(found);
                        }
                        fs::rename(&staged, name).unwrap();
                        Ok(())
                    };
                    move || contend(&arena.at(""), who, 8, 50, attempt)
                };
                let threads: Vec<_> = (1..=8).map(|who| scope.spawn(contender(who))).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            not_won_once(&contenders)
        });
    });
}
