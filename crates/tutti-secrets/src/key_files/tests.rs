//! Keys that change, and changes that are given up.

use std::fs;

use super::*;

/// A data directory as stores began: the master key seals.
fn early(directory: &Path) -> KeyFiles {
    let files = KeyFiles::in_directory(directory);
    let key = MasterKey::from_bytes([7; 32]);
    key_file::write(&files.master, &key_file::text_of(&key, Use::Seals)).expect("it is written");
    files
}

fn made(directory: &Path) -> KeyFiles {
    let files = KeyFiles::in_directory(directory);
    files.open_or_create().expect("they are drawn");
    files
}

fn rekey(files: &KeyFiles, steps: usize) {
    let mut rekey = files.rekey().expect("it begins");
    for _ in 0..steps {
        rekey.step().expect("it can be written");
    }
}

#[test]
fn what_was_sealed_opens_after_every_step_of_a_change_that_is_given_up() {
    for begin in [early, made] {
        for steps in 0..=4 {
            let directory = tempfile::tempdir().expect("a temporary directory can be made");
            let files = begin(directory.path());
            let mut sealed = vec![files.open().expect("they open").seal(b"first")];
            // Given up twice, then done.
            for steps in [steps, steps, 4] {
                rekey(&files, steps);
                let ring = files.open().expect("they open");
                for sealed in &sealed {
                    assert_eq!(ring.open(sealed).as_deref(), Ok(&b"first"[..]), "{steps} steps");
                }
                sealed.push(ring.seal(b"first"));
            }
        }
    }
}

#[test]
fn a_change_takes_all_its_steps_and_leaves_nothing_of_the_old_key() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let files = made(directory.path());
    let old = fs::read(&files.master).expect("it is there");
    let old_keys = files.lines().expect("they can be read");
    let mut rekey = files.rekey().expect("it begins");
    let mut steps = 1;
    while rekey.step().expect("it can be written") {
        steps += 1;
    }
    assert_eq!(steps, 4);
    assert_ne!(fs::read(&files.master).expect("it is there"), old);
    let keys = files.lines().expect("they can be read");
    assert_eq!(keys.len(), 2);
    assert!(!keys.iter().any(|line| old_keys.contains(line)));
    let mut names: Vec<_> = fs::read_dir(directory.path())
        .expect("it can be listed")
        .map(|file| file.expect("it is there").file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["data.keys", "master.key"]);
}

#[test]
fn what_is_sealed_after_a_change_does_not_open_with_the_keys_before() {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let files = made(directory.path());
    let before = files.open().expect("they open");
    rekey(&files, 4);
    let sealed = files.open().expect("they open").seal(b"later");
    assert_eq!(before.open(&sealed), Err(OpenError::UnknownKey));
}

#[test]
fn what_holds_no_keys_is_refused() {
    let check = |master: Option<&str>, data: Option<&str>| {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let files = made(directory.path());
        for (path, text) in [(&files.master, master), (&files.data, data)] {
            if let Some(text) = text {
                key_file::write(path, text).expect("it can be written");
            }
        }
        assert!(files.open().is_err(), "{master:?} {data:?}");
    };
    check(Some(""), None);
    check(Some("tutti-key-2 short\n"), None);
    check(Some("tutti-key-3 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"), None);
    check(Some("tutti-key-2 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"), None);
    check(None, Some(""));
    check(None, Some("\n"));
    check(None, Some("tutti-data-key-1 AAAA\n"));
    check(None, Some("tutti-data-key-1 A\n"));
}

#[test]
#[cfg(unix)]
fn only_the_owner_may_read_keys() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let files = made(directory.path());
    rekey(&files, 4);
    for path in [&files.master, &files.data] {
        let mode = fs::metadata(path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).expect("it is ours");
        assert!(matches!(files.open(), Err(KeyFileError::Readable { .. })));
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("it is ours");
    }
}
