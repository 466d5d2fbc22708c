//! Files of a review over HTTP: rights, headers, columns, and that nothing in them can do harm.

use guerdon::cli::serve::serve_on;
use guerdon::config::HttpConfig;
use guerdon::jobs::run_due;
use guerdon_domain::access::Role;
use serde_json::json;
use tokio::net::TcpListener;

use crate::api::{Api, admin, auditor, designer};
use crate::served::{jwt, token, token_of};
use guerdon::app::auth::RoleClaim;

/// What a request for a file was answered.
pub struct File {
    /// The status.
    pub status: u16,
    headers: reqwest::header::HeaderMap,
    /// The body.
    pub text: String,
}

impl File {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// Serves over HTTP; answers the address.
pub async fn served(api: &Api) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = api.app.clone();
    tokio::spawn(async move { serve_on(listener, app, Some(jwt()), HttpConfig::default(), None, std::future::pending()).await });
    format!("http://{address}")
}

/// Asks for a file.
pub async fn get(url: &str, token: Option<&str>) -> File {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = token.into_iter().fold(client.get(url), |request, token| request.bearer_auth(token));
    let answer = request.send().await.unwrap();
    File { status: answer.status().as_u16(), headers: answer.headers().clone(), text: answer.text().await.unwrap() }
}

/// A review of three partners, one of which tries to be a formula and a script. Answers its id.
async fn reviewed(api: &Api) -> String {
    let partner = json!({"code": "=1+1", "name": "<script>alert(1)</script>", "from": "2018-01-01", "type": "VAR", "region": "DE"});
    api.mutate(admin(), "partnerUpsert", "PartnerUpsertInput", "results { outcome }", json!({"partners": [partner], "idempotencyKey": "p"})).await;
    let enroll = json!({"partner": "=1+1", "program": "P", "since": "2018-01-01", "idempotencyKey": "e"});
    api.mutate(admin(), "partnerEnroll", "PartnerEnrollInput", "enrollment { since }", enroll).await;
    let begun =
        api.mutate(designer(), "reviewStart", "ReviewStartInput", "review { id }", json!({"program": "P", "asOf": "2020-06-01", "idempotencyKey": "r"})).await;
    run_due(&api.app).await.unwrap();
    begun["review"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn files_have_the_rights_of_the_interface_and_headers_that_keep_them_in() {
    let api = Api::furnished().await;
    let id = reviewed(&api).await;
    let base = format!("{}/exports/reviews/{id}", served(&api).await);
    let staff = token(Role::Auditor);
    let csv = get(&format!("{base}/standings.csv"), Some(&staff)).await;
    assert_eq!((csv.status, csv.header("content-type")), (200, "text/csv; charset=utf-8; header=present"));
    assert_eq!(csv.header("content-disposition"), "attachment; filename=\"review-P-2020-06-01.csv\"");
    assert_eq!((csv.header("cache-control"), csv.header("x-content-type-options")), ("private, no-store", "nosniff"));
    let lines: Vec<&str> = csv.text.split("\r\n").collect();
    assert_eq!(lines.len(), 6, "a header, four partners, and the end of the last line");
    assert_eq!(lines[0], guerdon::app::exports::STANDING_COLUMNS.join(","));
    assert!(lines[1].starts_with("2020-06-01,P,1,'=1+1,MAIN,,,REGISTERED,ENTERED,REGISTERED,"), "{}", lines[1]);
    assert!(lines[2].starts_with("2020-06-01,P,1,A,MAIN,,,SILVER,ENTERED,SILVER,,GOLD,0,"), "{}", lines[2]);

    let page = get(&format!("{base}/report.html"), Some(&staff)).await;
    assert_eq!((page.status, page.header("content-disposition")), (200, "inline; filename=\"compliance-P-2020-06-01.html\""));
    let policy = page.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    assert!(!page.text.contains("<script") && page.text.contains("@page") && page.text.contains("digest"));
    let one = get(&format!("{base}/partners/%3D1%2B1.html"), Some(&staff)).await;
    assert_eq!(one.status, 200);
    assert!(one.text.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !one.text.contains("<script"));
    let known = get(&format!("{base}/partners/A.html"), Some(&staff)).await;
    for piece in ["SILVER", "required", "actual", "missing", "digest", "GOLD"] {
        assert!(known.text.contains(piece), "{piece}");
    }

    let own = token_of(&[RoleClaim { partners: vec!["B".to_owned()], ..RoleClaim::new(Role::PartnerAdmin) }]);
    let mine = get(&format!("{base}/standings.csv"), Some(&own)).await;
    assert_eq!(mine.text.lines().filter(|line| line.contains(",P,1,")).count(), 1);
    assert_eq!(get(&format!("{base}/partners/B.html"), Some(&own)).await.status, 200);
    assert_eq!(get(&format!("{base}/partners/A.html"), Some(&own)).await.status, 404, "out of scope is not found");
    assert!(get(&format!("{base}/report.html"), Some(&own)).await.text.contains("the partners that you may see"));
    for (path, token, status) in [
        ("standings.csv", None, 401),
        ("standings.csv", Some("nonsense"), 401),
        ("standings.csv", Some(token(Role::ImportService).as_str()), 403),
        ("partners/Z.html", Some(staff.as_str()), 404),
        ("partners/A", Some(staff.as_str()), 404),
    ] {
        assert_eq!(get(&format!("{base}/{path}"), token).await.status, status, "{path}");
    }
    let unknown = get(&base.replace(&id, "nonsense").replace("reviews/nonsense", "reviews/nonsense/report.html"), Some(&staff)).await;
    assert_eq!(unknown.status, 404);
    assert!(api.ask(auditor(), &format!("{{ review(id: \"{id}\") {{ state }} }}")).await.at("/review/state") == "DONE");
}

#[tokio::test]
async fn the_command_writes_the_same_files() {
    let api = Api::furnished().await;
    reviewed(&api).await;
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_guerdon"))
            .args(["export", "review", "--database-url", &api.database.url])
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (good, csv, error) = run(&[]);
    assert!(good && csv.lines().count() == 5 && csv.contains("'=1+1"), "{error}");
    let (good, _, error) = run(&["--format", "html", "--output", "report.html"]);
    assert!(good, "{error}");
    assert!(std::fs::read_to_string(folder.path().join("report.html")).unwrap().contains("Compliance review"));
    let (good, page, _) = run(&["--format", "html", "--partner", "A", "--program", "P", "--as-of", "2020-06-01"]);
    assert!(good && page.contains("Partner A"));
    for (arguments, said) in [
        (&["--partner", "A"][..], "--format html"),
        (&["--format", "html", "--partner", "Z"][..], "judged no partner"),
        (&["--as-of", "2019-01-01"][..], "reviewStart"),
    ] {
        let (good, _, error) = run(arguments);
        assert!(!good && error.contains(said), "{error}");
    }
}
