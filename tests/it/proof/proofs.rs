use guerdon::app::rebates::proof::find_derivation;
use guerdon::app::rebates::runs::verify_run;
use guerdon_domain::rebate::proof::verify;
use std::process::Command;

use super::{calculated, ctx, go_to, posted, preparer, service, statement, statements};
use crate::api::{admin, of_partner};

#[tokio::test]
async fn every_statement_of_every_run_proves_itself() {
    let api = service().await;
    let first = posted(&api, "2020-Q1").await;
    go_to(&api, "2020-07-10");
    let second = calculated(&api, "2020-Q2").await;
    for run in [&first, &second] {
        let all = statements(&api, run.id).await;
        assert!(all.len() >= 9, "{}", all.len());
        for one in all {
            let (_, text) = find_derivation(&api.app, &ctx(&api, preparer()), one.id).await.unwrap_or_else(|error| panic!("{one:?}: {error:?}")).unwrap();
            let proof = verify(&text).unwrap_or_else(|faults| panic!("{faults}"));
            assert_eq!((proof.posted, proof.content_hash, proof.statement.id), (one.amount.amount(), one.content_hash, Some(one.id.to_string())));
        }
    }
    let shared = statement(&api, first.id, "A", "pool", "2020-Q1").await;
    let (_, text) = find_derivation(&api.app, &ctx(&api, preparer()), shared.id).await.unwrap().unwrap();
    assert!(text.contains("\"earnedByAll\": \"450.00\"") && text.contains("\"share\": \"33.3"), "{text}");
    // By a process that has nothing but the file.
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &text).unwrap();
    let run = |arguments: &[&str]| Command::new(env!("CARGO_BIN_EXE_guerdon")).args(["verify", "statement"]).args(arguments).output().unwrap();
    let output = run(&[file.path().to_str().unwrap()]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && told.contains("proven") && told.contains(&shared.content_hash), "{told}");
    std::fs::write(file.path(), text.replacen("\"amount\": \"1000.00\"", "\"amount\": \"1001.00\"", 1)).unwrap();
    let output = run(&["--json", file.path().to_str().unwrap()]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.code() == Some(1) && told.contains("\"proven\":false") && told.contains("DIFFERENT"), "{told}");
}

#[tokio::test]
async fn partners_derive_their_own_posted_statements_only() {
    let api = service().await;
    let run = calculated(&api, "2020-Q1").await;
    let own = statement(&api, run.id, "A", "volume", "2020-Q1").await;
    let seen = |actor| async { find_derivation(&api.app, &ctx(&api, actor), own.id).await.map(|found| found.is_some()) };
    assert!(!seen(of_partner("A")).await.unwrap(), "not posted yet");
    super::post(&api, &run).await;
    assert!(seen(of_partner("A")).await.unwrap());
    assert!(!seen(of_partner("B")).await.unwrap());
    assert!(seen(admin()).await.is_err());
}

#[tokio::test]
async fn a_posted_run_computes_the_same_whatever_the_chunk() {
    let api = service().await;
    let first = posted(&api, "2020-Q1").await;
    go_to(&api, "2020-07-10");
    let second = posted(&api, "2020-Q2").await;
    for run in [&first, &second] {
        for chunk in [1, 2, 1_000] {
            let proof = verify_run(&api.app, &ctx(&api, preparer()), run.id, chunk).await.unwrap();
            assert!(proof.holds(), "{proof:?}");
            assert_eq!((proof.statements, Some(proof.content_hash)), (u64::try_from(run.statements).unwrap(), run.content_hash.clone()));
        }
    }
    assert!(verify_run(&api.app, &ctx(&api, of_partner("A")), first.id, 10).await.is_err());
}
