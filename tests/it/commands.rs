//! Commands that have no database to work on say so, and what to do.

use std::path::Path;
use std::process::Command;

fn told(folder: &Path, url: &str, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_guerdon")).args(arguments).args(["--database-url", url]).current_dir(folder).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

const COMMANDS: [&[&str]; 6] = [
    &["verify", "ledger"],
    &["verify", "run", "2020-Q1"],
    &["export", "run", "2020-Q1"],
    &["export", "review"],
    &["program", "export", "P"],
    &["token", "key", "list"],
];

#[test]
fn a_misspelled_file_is_named_and_not_made() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in COMMANDS {
        let (code, text) = told(folder.path(), "sqlite://nowhere.db", arguments);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("nowhere.db") && text.contains("guerdon migrate") && text.contains("NO_DATABASE"), "{arguments:?}: {text}");
        assert!(!folder.path().join("nowhere.db").exists(), "{arguments:?}");
    }
}

#[test]
fn a_database_without_the_schema_is_to_be_migrated() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("empty.db"), "").unwrap();
    for arguments in COMMANDS {
        let (code, text) = told(folder.path(), "sqlite://empty.db", arguments);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains("guerdon migrate") && text.contains("NOT_MIGRATED") && !text.contains("no such table"), "{arguments:?}: {text}");
    }
}

#[test]
fn what_cannot_be_opened_says_why() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("text.db"), "this is no database, however long it is. ".repeat(100)).unwrap();
    let (code, text) = told(folder.path(), "sqlite://text.db", &["verify", "ledger"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("NO_DATABASE") && text.contains("not a database") && !text.contains("internal fault"), "{text}");
}

#[test]
fn a_name_that_nothing_has_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let (code, text) = told(folder.path(), "sqlite://made.db", &["migrate"]);
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = told(folder.path(), "sqlite://made.db", &["verify", "run", "2020-Q1", "--program", "NOPE"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("--program") && text.contains("NOT_FOUND"), "{text}");
}
