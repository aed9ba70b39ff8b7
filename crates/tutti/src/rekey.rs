//! `tutti store rekey`

use tutti_auth::Action;
use tutti_secrets::{KeyFileError, KeyFiles};
use tutti_store::{Commit, SqliteStore, Store as _};

use crate::{
    command_line::StoreRekeyArguments,
    console::Console,
    exit::{Exit, Failure, causes},
    export,
    run::cannot_open,
    server::fact,
};

/// Changes the master key of a store that nobody uses.
pub(crate) fn rekey(arguments: &StoreRekeyArguments, console: &Console) -> Result<Exit, Failure> {
    // Held to the end: nobody seals or opens meanwhile.
    let directory = export::place(Some(&arguments.store), None)?;
    let store = SqliteStore::open(&directory).map_err(|error| cannot_open(&directory, &error))?;
    export::block_on(store.check_end())?
        .map_err(|error| export::of_open_store(&directory, &store, &error))?;
    change(&KeyFiles::in_directory(&directory)).map_err(|error| {
        Failure::usage(causes(&error))
            .hint("what is sealed does not open without it: put it back from a copy of the directory, or do it again")
    })?;
    let audit = vec![fact(Action::KeyChange, "master.key")];
    export::block_on(store.commit(Commit { audit, ..Commit::default() }))?.map_err(|error| {
        Failure::of("the key is changed, but the audit trail does not say so", &error)
    })?;
    console.line("the master key is a new one: keep copies of master.key and data.keys together");
    Ok(Exit::Completed)
}

fn change(files: &KeyFiles) -> Result<(), KeyFileError> {
    let mut rekey = files.rekey()?;
    while rekey.step()? {}
    Ok(())
}
