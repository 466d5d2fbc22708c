//! `guerdon import` as it is run: what it prints, and how it ends.

use std::path::Path;
use std::process::{Command, Output};

use crate::harness::{TestDatabase, fresh};

fn import(database: &TestDatabase, folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_guerdon")).arg("import").args(arguments).args(["--database-url", &database.url]).current_dir(folder).output().unwrap()
}

fn last_line(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).lines().last().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn it_ends_with_one_line_of_counts_and_a_code() {
    let (database, folder) = (fresh().await, tempfile::tempdir().unwrap());
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("partners.yaml", "kind: PARTNERS\nmembers: {code: code, status: {column: status, aliases: {on: ACTIVE}}}\n");
    write("good.csv", "code,status\nA,on\nB,SUSPENDED\n");
    write("bad.csv", "code,status\nC,on\nD,off\n");
    let output = import(&database, folder.path(), &["partners", "good.csv", "--mapping", "partners.yaml"]);
    assert_eq!((output.status.code(), last_line(&output).as_str()), (Some(0), "PARTNERS: 2 lines, 2 new, 0 unchanged, 0 rejected"));
    let output = import(&database, folder.path(), &["partners", "good.csv", "--mapping", "partners.yaml"]);
    assert_eq!((output.status.code(), last_line(&output).as_str()), (Some(0), "PARTNERS: 2 lines, 0 new, 2 unchanged, 0 rejected; nothing changed"));
    let output = import(&database, folder.path(), &["partners", "bad.csv", "--mapping", "partners.yaml"]);
    assert_eq!((output.status.code(), last_line(&output).as_str()), (Some(1), "PARTNERS: 2 lines, 0 new, 0 unchanged, 1 rejected; nothing was imported"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("line 3, column status") && said.contains("bad.csv.rejected.csv"), "{said}");
    let output = import(&database, folder.path(), &["partners", "bad.csv", "--mapping", "partners.yaml", "--skip-invalid", "--json", "--rejects", "r.csv"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &report["new"], &report["rejected"], &report["refused"]), (Some(0), &1.into(), &1.into(), &false.into()));
    assert_eq!(std::fs::read_to_string(folder.path().join("r.csv")).unwrap().lines().count(), 2);
}

#[tokio::test]
async fn what_is_wrong_with_the_call_is_said_without_a_trace() {
    let (database, folder) = (fresh().await, tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("m.yaml"), "kind: PARTNERS\nmembers: {code: code}\n").unwrap();
    std::fs::write(folder.path().join("f.csv"), "id\nA\n").unwrap();
    for (arguments, said) in [
        (vec!["products", "f.csv", "--mapping", "m.yaml"], "OTHER_KIND"),
        (vec!["partners", "none.csv", "--mapping", "m.yaml"], "UNREADABLE_FILE"),
        (vec!["partners", "f.csv", "--mapping", "none.yaml"], "UNREADABLE_FILE"),
        (vec!["partners", "f.csv", "--mapping", "m.yaml"], "MISSING_COLUMN"),
    ] {
        let output = import(&database, folder.path(), &arguments);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && error.contains(said) && !error.contains("panicked"), "{arguments:?}: {error}");
    }
    let schema = Command::new(env!("CARGO_BIN_EXE_guerdon")).args(["import", "schema"]).output().unwrap();
    let schema: serde_json::Value = serde_json::from_slice(&schema.stdout).unwrap();
    assert_eq!(schema["title"], "Guerdon import mapping");
}
