//! The library beside its own edits, and beside the bare calls.

use std::fs;
use std::time::Instant;

use caplink::manage::{Facts, Manifest, Manifests, PlanOptions};
use caplink::records::{Author, Records, Settings};
use caplink::{Durability, Edit, LinkPath, Plan, Target};
use rustix::fs::{Mode, OFlags, open, readlinkat};

use crate::Result;
use crate::ground::{Ground, SIDES, median};
use crate::place::Place;

/// The most that applying should take, as a multiple of the same edits without a manifest and without records.
const APPLY_GOAL: f64 = 1.3;

/// The most that finding nothing to do should take, as a multiple of parsing and one `readlinkat` a link.
const REST_GOAL: f64 = 1.5;

fn parse(ground: &Ground) -> Result<Manifest> {
    let text = fs::read(ground.dir.join("caplink.toml"))?;
    Manifest::parse(&text, &Facts::default()).map_err(|problems| format!("{problems:?}").into())
}

fn options() -> PlanOptions {
    let mut options = PlanOptions::default();
    options.states = false;
    options
}

/// Reads the manifest, plans, and carries out what is to be done.
fn apply(ground: &Ground) -> Result<()> {
    let (manifest, root) = (parse(ground)?, ground.root()?);
    let manifests = Manifests::open(&root)?;
    let planned = manifests.plan_once(manifest, &options())?;
    let applied = manifests.apply(&planned, &Author::default())?;
    if applied.stands { Ok(()) } else { Err("it does not stand".into()) }
}

/// Makes the same links by edits of their own.
fn edit(ground: &Ground) -> Result<()> {
    let mut edits = Vec::new();
    for name in ground.names() {
        let target = Target::relative(format!("src/{}/{name}", SIDES[0]));
        edits.push(Edit::create(LinkPath::new(format!("out/{name}"))?, target).parents(true));
    }
    let outcomes = ground.root()?.apply_plan(&Plan::new(edits).durability(Durability::Dir), &());
    match outcomes.into_iter().find_map(std::result::Result::err) {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}

/// Reads the manifest, and every link by one call.
fn read(ground: &Ground) -> Result<()> {
    let manifest = parse(ground)?;
    let (mut dir, mut last) = (None, String::new());
    for name in ground.names() {
        let (parent, file) = name.split_once('/').unwrap_or(("", &name));
        if parent != last {
            last = parent.to_owned();
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            dir = Some(open(ground.dir.join("out").join(parent), flags, Mode::empty())?);
        }
        if let Some(dir) = &dir {
            std::hint::black_box(readlinkat(dir, file, Vec::new())?);
        }
    }
    std::hint::black_box(manifest);
    Ok(())
}

fn timed(run: impl FnOnce() -> Result<()>) -> Result<f64> {
    let began = Instant::now();
    run()?;
    Ok(began.elapsed().as_secs_f64())
}

fn told(what: &str, links: usize, base: Vec<f64>, with: Vec<f64>, goal: f64) {
    let ratio = median(base.iter().zip(&with).map(|(base, with)| with / base).collect());
    let verdict = if ratio <= goal { "reached" } else { "MISSED" };
    let each = |samples| median(samples) * 1e6 / links as f64;
    println!("  {what:<70} {:8.2} {:8.2} us a link {ratio:6.2}x, goal {goal}x {verdict}", each(base), each(with));
}

pub(super) fn measure(place: &Place, links: usize, rounds: usize) -> Result<()> {
    println!("\nthe library, {links} links");
    let (mut edits, mut firsts, mut with_records) = (Vec::new(), Vec::new(), Vec::new());
    let (mut bare, mut rests, mut after) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let ground = Ground::new(place.room("edits")?, links)?;
        edits.push(timed(|| edit(&ground))?);
        let ground = Ground::new(place.room("recorded")?, links)?;
        let (_records, _) = Records::init(&ground.root()?, Settings::default(), &Author::default())?;
        with_records.push(timed(|| apply(&ground))?);
        let ground = Ground::new(place.room("manifest")?, links)?;
        firsts.push(timed(|| apply(&ground))?);
        // It takes what the log tells of the first one into the index.
        after.push(timed(|| apply(&ground))?);
        // Whoever comes first finds colder caches: each does in turn.
        let mut both = [(read as fn(&Ground) -> Result<()>, &mut bare), (apply, &mut rests)];
        if round % 2 == 1 {
            both.reverse();
        }
        for (run, samples) in both {
            samples.push(timed(|| run(&ground))?);
        }
    }
    told("the same edits as a plan, apply with records", links, edits.clone(), with_records, APPLY_GOAL);
    told("the same edits as a plan, first apply of a root", links, edits, firsts, APPLY_GOAL);
    told(
        "parsing and a bare readlinkat a link, nothing to do, index to be made",
        links,
        bare.clone(),
        after,
        REST_GOAL,
    );
    told("parsing and a bare readlinkat a link, nothing to do, index standing", links, bare, rests, REST_GOAL);
    Ok(())
}
