//! What an attacker can do between two calls of the executor.

macro_rules! actions {
    ($($action:ident,)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) enum Action { $($action,)* }
        pub(crate) const ACTIONS: &[Action] = &[$(Action::$action,)*];
    };
}

actions! {
    // The name of the link.
    NameFile, NameDir, NameFullDir, NameFifo, NameLinkOther, NameLinkOld, NameLinkNew, NameRemoved, NameStolen,
    NameHardLinked, NameExchangedWithFile, NameExchangedWithDir, NameSecondOfOther,
    // The second name of an exchange.
    SecondFile, SecondDir, SecondLinkOther, SecondRemoved, SecondStolen, SecondExchangedWithFirst,
    // What the executor staged or moved aside, where it can be reached.
    StagedRemoved, StagedStolen, StagedHardLinked, StagedFile, StagedDir, StagedLinkNew, StagedLinkOther,
    StagedExchangedWithName, StagedOverName, NameOverStaged, BackupNameTaken,
    // The link's directory.
    ParentExchangedWithLinkOutside, ParentExchangedWithLinkInside, ParentMovedInside, ParentMovedOutside,
    ParentRemoved, ParentTwinOld, ParentTwinNew, ParentTwinEmpty, ParentFile, ParentSealed, ParentUnsealed,
    SecondParentMovedInside, SecondParentMovedOutside,
    // The directory above, and the root.
    GrandMovedInside, GrandMovedOutside, GrandExchangedWithLink, RootMoved, RootReplaced,
    // What the link is to lead to.
    TargetOutside, TargetStolen, TargetFile,
    // Directories that are missing or were just made.
    MissingDir, MissingLinkOutside, MissingLinkInside, MissingFile, MadeExchangedWithLink, MadeRemoved, MadeMovedAway,
    // The lock and the state directory.
    LockTaken, LockReleased, StateMoved, StateReplaced, StateLink, StateTaken,
    // Everything back where it was.
    PutBack,
}
