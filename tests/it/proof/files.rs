use guerdon::app::exports::{ExportKind, JOURNAL_COLUMNS, LINE_COLUMNS, RunRows, STATEMENT_COLUMNS, export_run, export_statement};
use guerdon::graphql::node::{NodeKind, encode};
use serde_json::Value;

use super::{ctx, posted, preparer, service, statement, statements, text_of};
use crate::api::of_partner;

#[tokio::test]
async fn a_run_goes_out_as_csv_and_as_one_object_a_line() {
    let api = service().await;
    let run = posted(&api, "2020-Q1").await;
    let who = ctx(&api, preparer());
    for (rows, columns) in [(RunRows::Statements, STATEMENT_COLUMNS), (RunRows::Lines, LINE_COLUMNS), (RunRows::Journal, JOURNAL_COLUMNS)] {
        let csv = text_of(export_run(&api.app, &who, run.id, rows, ExportKind::Csv).await.unwrap()).await;
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), columns);
        let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let lines = text_of(export_run(&api.app, &who, run.id, rows, ExportKind::NdJson).await.unwrap()).await;
        let objects: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(!records.is_empty() && records.len() == objects.len());
        // Both say the same, and nothing is a float.
        for (record, object) in records.iter().zip(&objects) {
            assert_eq!(object.as_object().unwrap().keys().collect::<Vec<_>>(), columns);
            for (cell, value) in record.iter().zip(object.as_object().unwrap().values()) {
                let text = match value {
                    Value::String(text) => text.clone(),
                    Value::Number(number) => number.as_i64().expect("whole").to_string(),
                    Value::Null => String::new(),
                    other => panic!("{other}"),
                };
                assert_eq!(cell, text);
            }
        }
        let cents = |object: &Value, name: &str| object[name].as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
        if rows == RunRows::Journal {
            assert_eq!(objects.iter().map(|object| cents(object, "debit") - cents(object, "credit")).sum::<i64>(), 0);
        } else {
            let expected: i64 = statements(&api, run.id).await.iter().map(|one| one.amount.minor).sum();
            assert_eq!(objects.iter().map(|object| cents(object, "amount")).sum::<i64>(), expected);
        }
    }
    let refused = export_run(&api.app, &ctx(&api, of_partner("A")), run.id, RunRows::Statements, ExportKind::Csv).await;
    assert!(refused.is_err());
}

/// What a file says of a run and a statement is taken where their ids are asked for.
#[tokio::test]
async fn the_ids_of_a_file_lead_back_to_the_service() {
    let api = service().await;
    let run = posted(&api, "2020-Q1").await;
    let csv = text_of(export_run(&api.app, &ctx(&api, preparer()), run.id, RunRows::Statements, ExportKind::Csv).await.unwrap()).await;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let row = reader.records().next().unwrap().unwrap();
    let (statement, of_run) = (row.get(0).unwrap(), row.get(1).unwrap());
    let base = crate::exports::served(&api).await;
    let staff = crate::served::token(guerdon_domain::access::Role::Auditor);
    for path in [
        format!("statements/{statement}/derivation.json"),
        format!("statements/{statement}/statement.html"),
        format!("runs/{of_run}/statements.csv"),
        format!("runs/{}/statements.csv", encode(NodeKind::RebateRun, run.id).as_str()),
    ] {
        assert_eq!(crate::exports::get(&format!("{base}/exports/{path}"), Some(&staff)).await.status, 200, "{path}");
    }
    for path in [format!("runs/{statement}/statements.csv"), format!("statements/{}/statement.html", statement.to_uppercase())] {
        assert_eq!(crate::exports::get(&format!("{base}/exports/{path}"), Some(&staff)).await.status, 404, "{path}");
    }
    let listed = api.ask(preparer(), &format!("{{ statements(filter: {{run: \"{of_run}\"}}, first: 1) {{ totalCount }} }}")).await;
    assert_eq!(listed.at("/statements/totalCount").as_u64().unwrap() as usize, statements(&api, run.id).await.len());
    let input = serde_json::json!({"statementId": statement, "claimed": {"amount": "1.00", "currency": "USD"}, "reason": "less", "idempotencyKey": "d"});
    let owner = row.get(6).unwrap();
    let opened = api.try_mutate(of_partner(owner), "disputeOpen", "DisputeOpenInput", "dispute { state }", input).await;
    assert_eq!(opened.at("/payload/dispute/state"), "OPEN");
}

#[tokio::test]
async fn a_statement_reads_well_and_names_its_hash() {
    let api = service().await;
    let run = posted(&api, "2020-Q1").await;
    let own = statement(&api, run.id, "A", "volume", "2020-Q1").await;
    let html = text_of(export_statement(&api.app, &ctx(&api, of_partner("A")), own.id).await.unwrap()).await;
    for part in ["Rebate statement", "Volume rebate", "3.333 %", "99.99", "erp A-1", own.content_hash.as_str(), "guerdon verify statement"] {
        assert!(html.contains(part), "{part}");
    }
    assert!(!html.contains("<script"));
    assert!(export_statement(&api.app, &ctx(&api, of_partner("B")), own.id).await.is_err());
    if let Ok(path) = std::env::var("WRITE_STATEMENT") {
        std::fs::write(path, html).unwrap();
    }
}
