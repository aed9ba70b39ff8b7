//! `tutti store rekey`

use tutti_secrets::{KeyFileError, KeyFiles};

use crate::{
    command_line::StoreRekeyArguments,
    console::Console,
    exit::{Exit, Failure, causes},
    export,
};

/// Changes the master key of a store that nobody uses.
pub(crate) fn rekey(arguments: &StoreRekeyArguments, console: &Console) -> Result<Exit, Failure> {
    // Held to the end: nobody seals or opens meanwhile.
    let directory = export::place(Some(&arguments.store), None)?;
    let store = export::open(&directory)?;
    export::block_on(store.check_end())?
        .map_err(|error| export::of_open_store(&directory, &store, &error))?;
    let changed = change(&KeyFiles::in_directory(&directory));
    drop(store);
    changed.map_err(|error| {
        Failure::usage(causes(&error))
            .hint("what is sealed does not open without it: put it back from a copy of the directory, or do it again")
    })?;
    console.line("the master key is a new one: keep copies of master.key and data.keys together");
    Ok(Exit::Completed)
}

fn change(files: &KeyFiles) -> Result<(), KeyFileError> {
    let mut rekey = files.rekey()?;
    while rekey.step()? {}
    Ok(())
}
