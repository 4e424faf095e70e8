//! Targets: where the library says a text leads, on a random tree, against the plainest walk there is.

#![no_main]

use caplink::{Edit, LinkPath, Target};
use libfuzzer_sys::fuzz_target;

#[path = "../../tests/model/mod.rs"]
#[expect(dead_code, reason = "this target takes a part of the model")]
mod model;

use model::dice::Dice;
use model::walk::{Stop, walk};
use model::world::{World, text};

fuzz_target!(|bytes: &[u8]| {
    let ground = tempfile::tempdir_in(model::ground()).expect("there is room");
    let root = ground.path().canonicalize().expect("the ground is there");
    let mut dice = Dice::new(bytes);
    let world = World::grown(&root, &mut dice);
    model::real::build(&world);
    for (confined_open, exchange) in model::WAYS {
        let holder = model::operations::Holder {
            confined_open,
            exchange,
            no_replace: exchange,
            follow: false,
            create: true,
            replace: true,
            remove: true,
            dangling: true,
            outside: true,
        };
        let opened = model::real::open(&root, holder);
        let mut dice = Dice::new(bytes);
        for _ in 0..8 {
            let text = text(&mut dice, &root);
            let new = vec!["new".to_owned()];
            let (end, _) = walk(&world, &[], &text, 1, &[(&new, &text)]);
            let edit = Edit::create(LinkPath::new("new").expect("it is a name"), Target::verbatim(&text));
            let said = opened.preview(&edit).map(|outcome| outcome.target).map_err(|error| error.kind().as_str());
            let owed = match end {
                Ok(_) => Ok(Some(text.clone().into())),
                Err(Stop::Missing) => Err("dangling"),
                Err(stop) => Err(stop.kind()),
            };
            assert_eq!(said, owed, "{text:?} {holder:?} on {world:#?}");
        }
    }
});
