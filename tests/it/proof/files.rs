use guerdon::app::exports::{ExportKind, JOURNAL_COLUMNS, LINE_COLUMNS, RunRows, STATEMENT_COLUMNS, export_run, export_statement};
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
