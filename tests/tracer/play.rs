//! One run of the program: a schedule of deeds, of a call that fails and of a kill, played while it works.

use std::ffi::OsString;

use nix::errno::Errno;

use crate::answer::Answer;
use crate::books::Books;
use crate::calls::{Named, Sort, named};
use crate::deeds::{Deed, does};
use crate::scene::{Host, Scenario, Scene, is_about};
use crate::tracee::{Call, End, Memory, Verdict, Watch, trace};

/// What is done, each before the call of this number. Counted are the calls that concern the file system, from the one
/// that opens the root.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schedule {
    pub(crate) deeds: Vec<(usize, Deed)>,
    pub(crate) fault: Option<(usize, Errno)>,
    pub(crate) kill: Option<usize>,
}

/// What came of a run.
pub(crate) struct Played {
    pub(crate) scene: Scene,
    pub(crate) books: Books,
    pub(crate) points: Vec<Named>,
    pub(crate) end: End,
    /// None where it was killed, or answered what cannot be understood.
    pub(crate) answer: Option<Answer>,
    /// Whether each deed had an effect, and the call was made to fail.
    pub(crate) effects: Vec<bool>,
    pub(crate) failed: bool,
}

struct Player {
    scene: Scene,
    schedule: Schedule,
    books: Books,
    points: Vec<Named>,
    effects: Vec<bool>,
    failed: bool,
    made: usize,
    begun: bool,
}

impl Player {
    fn looked(&mut self) -> crate::view::View {
        let view = self.scene.view();
        self.scene.hold(&view);
        view
    }

    fn act(&mut self, point: usize) {
        let deeds: Vec<Deed> =
            self.schedule.deeds.iter().filter(|(at, _)| *at == point).map(|(_, deed)| *deed).collect();
        for deed in deeds {
            // Which root is meant is settled when it is opened, and not before.
            if point == 0 && deed == Deed::RootReplaced {
                self.effects.push(false);
                continue;
            }
            let done = does(&self.scene, &self.books.live, deed, &mut self.made);
            self.effects.push(done);
            let view = self.looked();
            // One that fails half-way may have made something in its own yard.
            if done || !self.books.live.differences(&view).is_empty() {
                self.books.others(view, matches!(deed, Deed::NameHardLinked | Deed::StagedHardLinked));
            }
        }
    }
}

/// What this host does not have.
fn is_missing(host: Host, name: &str) -> bool {
    name == "openat2" && !host.openat2 || name == "renameat2" && !host.renameat2
}

impl Watch for Player {
    fn before(&mut self, call: &Call, memory: &Memory) -> Verdict {
        let Some(named) = named(call, memory) else { return Verdict::Go };
        let base = self.scene.base();
        self.begun = self.begun || named.texts.iter().any(|text| is_about(text, &base));
        if !self.begun {
            return Verdict::Go;
        }
        self.books.before();
        let point = self.points.len();
        let missing = is_missing(self.scene.scenario.host, named.name);
        self.points.push(named);
        self.act(point);
        if self.schedule.kill == Some(point) {
            return Verdict::Kill;
        }
        match self.schedule.fault {
            Some((at, errno)) if at == point => {
                self.failed = true;
                Verdict::Fail(errno)
            }
            _ if missing => Verdict::Fail(Errno::ENOSYS),
            _ => Verdict::Go,
        }
    }

    fn after(&mut self, call: &Call, result: i64) {
        let changes = crate::calls::is_change(call.number);
        if self.begun
            && result >= 0
            && let Some(name) = changes
        {
            let view = self.looked();
            self.books.program(view, name);
        }
    }
}

/// Plays a schedule on fresh ground.
pub(crate) fn play(scenario: Scenario, schedule: &Schedule) -> Played {
    let scene = Scene::new(scenario);
    let command = scene.command();
    play_command(scene, &command, schedule)
}

pub(crate) fn play_command(scene: Scene, command: &[OsString], schedule: &Schedule) -> Played {
    let books = Books::of(scene.scenario, scene.places, &scene.first);
    let mut player = Player {
        scene,
        schedule: schedule.clone(),
        books,
        points: Vec::new(),
        effects: Vec::new(),
        failed: false,
        made: 0,
        begun: false,
    };
    let end = trace(command, &mut player).expect("what can be traced once can be traced again");
    let Player { scene, books, points, effects, failed, .. } = player;
    let answer = Answer::of(&end);
    let mut played = Played { scene, books, points, end, answer: None, effects, failed };
    match answer {
        Ok(answer) => played.answer = Some(answer),
        Err(wrong) if schedule.kill.is_none() => played.books.wrong("no_panic", wrong),
        Err(_) => {}
    }
    played
}

impl Played {
    /// Holds the laws over what came of it.
    pub(crate) fn judge(&mut self) {
        let view = self.scene.view();
        if !self.books.live.differences(&view).is_empty() {
            self.books.wrong("traced", "something changed between two calls");
        }
        self.books.live = view;
        if let Some(answer) = &self.answer {
            self.books.verdict(&self.scene.first, answer, self.failed);
        }
    }

    /// How often the program changed a name.
    pub(crate) fn changes(&self) -> usize {
        self.points.iter().filter(|point| point.sort == Sort::Change).count()
    }
}
