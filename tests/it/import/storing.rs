//! The import use case on a database.

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::TimeDelta;
use guerdon::app::App;
use guerdon::app::imports::{ImportFile, ImportReport, ImportRequest, import_file};
use guerdon::clock::StandingClock;
use guerdon::error::AppError;
use guerdon::import::mapping::read_mapping;
use guerdon_domain::access::Scope;
use guerdon_domain::facts::Transaction;
use guerdon_store::{NewBatch, WriteContext};
use sha2::{Digest, Sha256};

use crate::harness::{TestDatabase, fresh};

struct Bench {
    app: App,
    _database: TestDatabase,
    folder: tempfile::TempDir,
}

async fn bench() -> Bench {
    let database = fresh().await;
    let clock = StandingClock::on("2020-06-01".parse().unwrap());
    let app = App::new(database.store.clone()).with_clock(Arc::new(clock));
    let bench = Bench { app, _database: database, folder: tempfile::tempdir().unwrap() };
    bench.import(PARTNERS, "code,type,region\nA,VAR,US\nB,VAR,DE\n").await;
    bench.import(PRODUCTS, "code,category\np,BIKES\nq,GLOVES\n").await;
    bench
}

const PARTNERS: &str = "kind: PARTNERS\nmembers: {code: code, type: type, region: region}\n";
const PRODUCTS: &str = "kind: PRODUCTS\nmembers: {code: code, category: category}\n";
const SALES: &str = "kind: TRANSACTIONS\nsource: erp\nmembers: {id: id, partner: who, date: day, product: what, amount: amount, currency: {constant: USD}}\n";
const RATES: &str = "kind: EXCHANGE_RATES\nmembers: {from: from, to: {constant: USD}, date: day, rate: rate}\n";

impl Bench {
    fn rejects(&self) -> PathBuf {
        self.folder.path().join("rejected.csv")
    }

    async fn run(&self, mapping: &str, text: &str, skip_invalid: bool) -> ImportReport {
        self.try_run(mapping, text, skip_invalid).await.unwrap()
    }

    async fn try_run(&self, mapping: &str, text: &str, skip_invalid: bool) -> Result<ImportReport, AppError> {
        let content = text.to_owned().into_bytes();
        let bytes = content.len() as u64;
        let open = Box::new(move || -> std::io::Result<Box<dyn std::io::Read + Send>> { Ok(Box::new(Cursor::new(content.clone()))) });
        let request = ImportRequest {
            file: Arc::new(ImportFile { name: "test.csv".to_owned(), bytes, open }),
            mapping: Arc::new(read_mapping(mapping).unwrap()),
            skip_invalid,
            rejects: Some(self.rejects()),
        };
        import_file(&self.app, &self.app.system("test"), &request, &|_| {}).await
    }

    async fn import(&self, mapping: &str, text: &str) -> ImportReport {
        self.run(mapping, text, false).await
    }

    async fn facts(&self, table: &str) -> i64 {
        self.app.store.read(async |tx| tx.count_facts().await).await.map_err(|error: guerdon_store::StoreError| error).unwrap()[table]
    }
}

fn counts(report: &ImportReport) -> (bool, u64, u64, u64, u64) {
    (report.refused, report.lines, report.new, report.unchanged, report.rejected)
}

fn codes(report: &ImportReport) -> Vec<(&str, &str)> {
    report.faults.iter().map(|fault| (fault.code.as_str(), fault.path.as_str())).collect()
}

const TWO_SALES: &str = "id,who,day,what,amount\n1,A,2020-01-01,p,10\n2,B,2020-01-02,q,20.50\n";

#[tokio::test]
async fn the_same_file_again_changes_nothing() {
    let bench = bench().await;
    let first = bench.import(SALES, TWO_SALES).await;
    assert_eq!(counts(&first), (false, 2, 2, 0, 0));
    assert!(first.batch.is_some());
    let again = bench.import(SALES, TWO_SALES).await;
    assert_eq!((counts(&again), again.batch), ((false, 2, 0, 2, 0), None));
    let longer = bench.import(SALES, &format!("{TWO_SALES}3,A,2020-01-03,p,1\n")).await;
    assert_eq!(counts(&longer), (false, 3, 1, 2, 0));
    assert_eq!(bench.facts("transactions").await, 3);
    let partners = bench.import(PARTNERS, "code,type,region\nA,VAR,US\nB,VAR,DE\n").await;
    assert_eq!(counts(&partners), (false, 2, 0, 2, 0));
    let products = bench.import(PRODUCTS, "code,category\np,BIKES\nq,GLOVES\n").await;
    assert_eq!(counts(&products), (false, 2, 0, 2, 0));
}

#[tokio::test]
async fn one_bad_line_imports_nothing() {
    let bench = bench().await;
    // One line cannot be read, the others could.
    let unread = bench.import(SALES, &format!("{TWO_SALES}3,A,2020-01-03,p,1.005\n")).await;
    assert_eq!(counts(&unread), (true, 3, 0, 0, 1));
    assert_eq!(codes(&unread), [("TOO_MANY_DECIMALS", "line 4, column amount")]);
    // All can be read, and the database knows neither the partner nor the product.
    let unknown = bench.import(SALES, &format!("{TWO_SALES}3,NOBODY,2020-01-03,p,1\n4,A,2020-01-03,x,1\n")).await;
    assert_eq!(counts(&unknown), (true, 4, 0, 0, 2));
    assert_eq!(codes(&unknown), [("UNKNOWN_PARTNER", "line 4"), ("UNKNOWN_PRODUCT", "line 5")]);
    assert_eq!(bench.facts("transactions").await, 0);
    let rejected = std::fs::read_to_string(bench.rejects()).unwrap();
    assert!(rejected.lines().count() == 3 && rejected.contains("3,NOBODY,2020-01-03,p,1,4,"), "{rejected}");
}

#[tokio::test]
async fn the_rest_is_imported_when_asked_and_the_mended_rejects_after_it() {
    let bench = bench().await;
    let file = format!("{TWO_SALES}3,NOBODY,2020-01-03,p,1\n4,A,yesterday,p,1\n");
    let report = bench.run(SALES, &file, true).await;
    assert_eq!(counts(&report), (false, 4, 2, 0, 2));
    let mended = std::fs::read_to_string(bench.rejects()).unwrap().replace("NOBODY", "A").replacen("yesterday", "2020-01-04", 1);
    let report = bench.import(SALES, &mended).await;
    assert_eq!(counts(&report), (false, 2, 2, 0, 0), "{report:?}");
    assert_eq!(bench.facts("transactions").await, 4);
}

#[tokio::test]
async fn a_conflict_is_refused_and_listed() {
    let bench = bench().await;
    bench.import(SALES, TWO_SALES).await;
    let file = "id,who,day,what,amount\n2,B,2020-01-02,q,20.51\n5,A,2020-01-05,p,5\n";
    let report = bench.import(SALES, file).await;
    assert_eq!((counts(&report), codes(&report)), ((true, 2, 0, 0, 1), vec![("CONFLICT", "line 2")]));
    assert_eq!(bench.facts("transactions").await, 2);
    let report = bench.run(SALES, file, true).await;
    assert_eq!(counts(&report), (false, 2, 1, 0, 1));
    assert_eq!(bench.facts("transactions").await, 3);
    // Two lines of one file that contradict each other.
    let report = bench.import(SALES, "id,who,day,what,amount\n9,A,2020-01-02,q,1\n9,A,2020-01-02,q,2\n").await;
    assert_eq!((report.refused, report.new, codes(&report)), (true, 0, vec![("CONFLICT", "line 3")]));
    assert_eq!(bench.facts("transactions").await, 3);
}

#[tokio::test]
async fn exchange_rates_are_all_or_nothing_too() {
    let bench = bench().await;
    let file = "from,day,rate\nEUR,2020-01-01,1.1\nGBP,2020-01-01,1.3\n";
    assert_eq!(counts(&bench.import(RATES, file).await), (false, 2, 2, 0, 0));
    assert_eq!(counts(&bench.import(RATES, file).await), (false, 2, 0, 2, 0));
    let other = "from,day,rate\nEUR,2020-01-01,1.2\nGBP,2020-01-08,1.3\n";
    let report = bench.import(RATES, other).await;
    assert_eq!((counts(&report), codes(&report)), ((true, 2, 0, 0, 1), vec![("CONFLICT", "line 2")]));
    assert_eq!(counts(&bench.run(RATES, other, true).await), (false, 2, 1, 0, 1));
}

#[tokio::test]
async fn partners_may_name_parents_of_the_same_file_and_no_others() {
    let bench = bench().await;
    let mapping = "kind: PARTNERS\nmembers: {code: code, type: type, region: region, parent: parent}\n";
    let report = bench.import(mapping, "code,type,region,parent\nC,VAR,US,D\nD,VAR,US,\n").await;
    assert_eq!(counts(&report), (false, 2, 2, 0, 0));
    let file = "code,type,region,parent\nE,VAR,US,F\nF,VAR,US,NOBODY\nG,VAR,US,\n";
    let report = bench.import(mapping, file).await;
    assert_eq!((report.refused, report.new), (true, 0));
    let report = bench.run(mapping, file, true).await;
    assert_eq!(counts(&report), (false, 3, 1, 0, 2), "{report:?}");
}

#[tokio::test]
async fn holdings_activities_and_deals_are_imported_with_their_dates() {
    let bench = bench().await;
    let holdings = "kind: HOLDINGS\nsource: lms\nmembers: {id: id, partner: p, kind: {constant: CERTIFICATION}, person: who, since: from, until: {column: to, inclusiveExpiry: true}}\n";
    assert_eq!(counts(&bench.import(holdings, "id,p,who,from,to\n1,A,ann,2020-01-01,2020-12-31\n").await), (false, 1, 1, 0, 0));
    let activities = "kind: ACTIVITIES\nsource: crm\nmembers: {id: id, partner: p, date: day, kind: {constant: CSAT}, value: v}\n";
    assert_eq!(counts(&bench.import(activities, "id,p,day,v\n1,A,2020-01-01,4.5\n2,B,2020-01-01,\n").await), (false, 2, 2, 0, 0));
    let deals = "kind: DEALS\nsource: crm\nmembers: {id: id, partner: p, openedOn: day, value: v, currency: {constant: USD}}\n";
    assert_eq!(counts(&bench.import(deals, "id,p,day,v\n1,A,2020-01-01,4.5\n2,B,2020-01-01,\n").await), (false, 2, 2, 0, 0));
    assert_eq!((bench.facts("holding").await, bench.facts("activity").await, bench.facts("deal").await), (1, 2, 2));
}

/// A file whose import was cut off a moment ago says so, and goes in once the first one is given up.
#[tokio::test]
async fn an_import_that_was_just_cut_off_is_in_progress() {
    let bench = bench().await;
    let hashed = Sha256::new().chain_update(format!("{:?}", read_mapping(SALES).unwrap())).chain_update(TWO_SALES);
    let digest: String = hashed.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let batch = NewBatch { source: "erp".to_owned(), file_name: Some("test.csv".to_owned()), file_digest: Some(digest) };
    let context = |seconds| WriteContext::new("test", "r", "import", bench.app.clock.now() + TimeDelta::seconds(seconds));
    let start = bench.app.store.begin_import::<Transaction>(&context(-119), &Scope::All, &batch).await.unwrap();
    let refused = bench.try_run(SALES, TWO_SALES, false).await.unwrap_err();
    let fault = refused.faults().unwrap().0.remove(0);
    assert_eq!((refused.code(), fault.code.as_str(), fault.path.as_str()), ("CONFLICT", "IMPORT_IN_PROGRESS", "file"));
    start.import.discard(&context(0)).await.unwrap();
    assert_eq!(counts(&bench.import(SALES, TWO_SALES).await), (false, 2, 2, 0, 0));
}
