//! GraphQL over HTTP on a real socket: methods, types, statuses, bounds.

use std::time::{Duration, Instant};

use guerdon::config::HttpConfig;
use guerdon_domain::access::Role;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::served::{Served, jwt, token};

const QUERY: &str = r#"{"query":"{ __typename }"}"#;

#[tokio::test]
async fn an_answer_has_data_and_the_type_that_was_asked_for() {
    let served = Served::start().await;
    let auditor = token(Role::Auditor);
    let answer = served.query(&auditor, "{ __typename }").await;
    assert_eq!((answer.status, answer.json()), (200, json!({"data": {"__typename": "Query"}})));
    assert_eq!(answer.header("content-type"), "application/graphql-response+json; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    for (accept, expected) in [("application/json", "application/json; charset=utf-8"), ("*/*", "application/json; charset=utf-8")] {
        let answer = served.send(served.post(&auditor).header("accept", accept).body(QUERY)).await;
        // reqwest adds a second header: both are read, the better one wins.
        assert!(answer.header("content-type") == expected || answer.header("content-type").starts_with("application/graphql-response+json"));
    }
    let raw = served.raw(format!("POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {auditor}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{QUERY}", QUERY.len()).as_bytes()).await;
    assert!(raw.contains("200 OK") && raw.contains("content-type: application/json; charset=utf-8"), "{raw}");
}

#[tokio::test]
async fn what_is_no_graphql_request_is_refused_with_its_own_status() {
    let served = Served::start().await;
    let auditor = token(Role::Auditor);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let request = client
            .request(method.parse().unwrap(), served.url("/graphql?query=mutation%7Ba%7D"))
            .bearer_auth(&auditor)
            .header("content-type", "application/json");
        let answer = served.send(request.body(QUERY)).await;
        assert_eq!((answer.status, answer.header("allow")), (405, "POST"), "{method}");
    }
    for content_type in
        ["text/plain", "application/xml", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "application/json; charset=latin1"]
    {
        let answer = served.send(client.post(served.url("/graphql")).bearer_auth(&auditor).header("content-type", content_type).body(QUERY)).await;
        assert_eq!(answer.status, 415, "{content_type}");
    }
    let answer = served.send(client.post(served.url("/graphql")).bearer_auth(&auditor).body(QUERY)).await;
    assert_eq!(answer.status, 415);
    let answer = served
        .send(client.post(served.url("/graphql")).bearer_auth(&auditor).header("content-type", "application/json").header("accept", "text/html").body(QUERY))
        .await;
    assert_eq!((answer.status, answer.codes()), (406, vec!["NOT_ACCEPTABLE".to_owned()]));
    for bad in [
        "",
        "{",
        "nonsense",
        "[]",
        "[{\"query\":\"{ __typename }\"}]",
        "null",
        "1",
        "{}",
        r#"{"query":1}"#,
        r#"{"query":"{ __typename }","variables":[]}"#,
        r#"{"query":"{ __typename }","variables":"x"}"#,
        r#"{"query":"{ __typename }","operationName":1}"#,
        r#"{"query":"{ __typename }","extensions":[]}"#,
    ] {
        let answer = served.send(served.post(&auditor).body(bad)).await;
        assert_eq!(answer.status, 400, "{bad}");
        assert!(answer.json().get("data").is_none() && answer.codes().iter().all(|code| code.starts_with("INVALID_")), "{bad}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_text_with_the_null_character_is_refused_alike_on_every_database() {
    let served = Served::start().await;
    let auditor = token(Role::Auditor);
    for body in [
        json!({"query": "query($c: String!) { partner(by: {code: $c}) { code } }", "variables": {"c": "a\0b"}}),
        json!({"query": "query($c: String!) { partners(filter: {search: $c}) { nodes { code } } }", "variables": {"c": "\0"}}),
        json!({"query": "{ program(by: {code: \"a\\u0000\"}) { code } }"}),
    ] {
        let answer = served.send(served.post(&auditor).body(body.to_string())).await;
        assert_eq!(answer.codes(), ["INVALID_TEXT"], "{body}");
    }
}

#[tokio::test]
async fn further_members_of_a_request_are_ignored() {
    let served = Served::start().await;
    let answer = served
        .send(served.post(&token(Role::Auditor)).body(r#"{"query":"{ __typename }","variables":null,"operationName":null,"extensions":{"a":1},"other":true}"#))
        .await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_document_that_is_not_executed_has_no_data() {
    let served = Served::start().await;
    let auditor = token(Role::Auditor);
    for (query, code) in [
        ("{", "SYNTAX_ERROR"),
        ("{ nothing }", "VALIDATION_FAILED"),
        ("{ __schema { types { name } } }", "INTROSPECTION_DISABLED"),
        ("query A { __typename } query B { __typename }", "TOO_MANY_OPERATIONS"),
    ] {
        let answer = served.query(&auditor, query).await;
        assert_eq!((answer.status, answer.codes()), (400, vec![code.to_owned()]), "{query}: {}", answer.text);
        assert!(answer.json().get("data").is_none());
        let error = &answer.json()["errors"][0];
        assert_eq!(error["extensions"]["requestId"], answer.header("x-request-id"));
        for leak in ["Error(", "-->", "sea_orm", "SELECT", "panicked", "src/"] {
            assert!(!answer.text.contains(leak), "{}", answer.text);
        }
    }
}

#[tokio::test]
async fn suggestions_and_hundreds_of_errors_are_not_given() {
    let served = Served::start().await;
    let auditor = token(Role::Auditor);
    let answer = served.query(&auditor, "{ __typenam }").await;
    assert!(!answer.text.contains("Did you mean"), "{}", answer.text);
    let many: String = (0..25).map(|at| format!("nothing{at} ")).collect();
    assert_eq!(served.query(&auditor, &format!("{{ {many} }}")).await.codes().len(), 20);
}

#[tokio::test]
async fn an_admin_may_ask_for_the_schema() {
    let served = Served::start().await;
    let answer = served.query(&token(Role::Admin), "{ __schema { queryType { name } } }").await;
    assert_eq!(answer.json()["data"]["__schema"]["queryType"]["name"], "Query");
}

#[tokio::test]
async fn bodies_are_bounded_in_size() {
    let served = Served::start().await;
    let auditor = token(Role::Auditor);
    let max = HttpConfig::default().body_bytes_max;
    let padded = |bytes: usize| format!("{QUERY}{}", " ".repeat(bytes - QUERY.len()));
    assert_eq!(served.send(served.post(&auditor).body(padded(max))).await.status, 200);
    let answer = served.send(served.post(&auditor).body(padded(max + 1))).await;
    assert_eq!((answer.status, answer.codes()), (413, vec!["BODY_TOO_LARGE".to_owned()]));
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let http = HttpConfig { body_timeout: Duration::from_millis(300), ..HttpConfig::default() };
    let served = Served::start_with(http, jwt()).await;
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: 100\r\nconnection: close\r\n\r\n{{",
        token(Role::Auditor)
    );
    let started = Instant::now();
    let raw = served.raw(head.as_bytes()).await;
    assert!(raw.starts_with("HTTP/1.1 408") && raw.contains("REQUEST_TIMEOUT"), "{raw}");
    assert!(started.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn headers_are_bounded_in_time_and_size() {
    let http = HttpConfig { header_timeout: Duration::from_millis(300), ..HttpConfig::default() };
    let served = Served::start_with(http, jwt()).await;
    let started = Instant::now();
    served.raw(b"POST /graphql HTTP/1.1\r\nhost: x\r\n").await;
    assert!(started.elapsed() < Duration::from_secs(3), "the half-open head was kept");
    let huge = format!("GET /healthz HTTP/1.1\r\nhost: x\r\nx-much: {}\r\nconnection: close\r\n\r\n", "a".repeat(20_000));
    assert!(served.raw(huge.as_bytes()).await.starts_with("HTTP/1.1 431"));
    let fits = format!("GET /healthz HTTP/1.1\r\nhost: x\r\nx-much: {}\r\nconnection: close\r\n\r\n", "a".repeat(12_000));
    assert!(served.raw(fits.as_bytes()).await.starts_with("HTTP/1.1 200"));
    let many: String = (0..150).map(|at| format!("x-h{at}: 1\r\n")).collect();
    assert!(served.raw(format!("GET /healthz HTTP/1.1\r\nhost: x\r\n{many}connection: close\r\n\r\n").as_bytes()).await.starts_with("HTTP/1.1 431"));
    assert_eq!(served.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn open_connections_are_bounded_and_the_next_one_waits() {
    let http = HttpConfig { connections_max: 2, header_timeout: Duration::from_millis(700), ..HttpConfig::default() };
    let served = Served::start_with(http, jwt()).await;
    let mut idle = Vec::new();
    for _ in 0..2 {
        let mut socket = TcpStream::connect(served.address).await.unwrap();
        socket.write_all(b"GET /healthz HTTP/1.1\r\n").await.unwrap();
        idle.push(socket);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut third = TcpStream::connect(served.address).await.unwrap();
    third.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut read = Vec::new();
    assert!(tokio::time::timeout(Duration::from_millis(200), third.read_to_end(&mut read)).await.is_err(), "it did not wait");
    tokio::time::timeout(Duration::from_secs(5), third.read_to_end(&mut read)).await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&read).starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_request_keeps_its_id_if_it_is_well_formed() {
    let served = Served::start().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = served.send(client.get(served.url("/healthz")).header("x-request-id", "abc-123_x.y")).await;
    assert_eq!(answer.header("x-request-id"), "abc-123_x.y");
    for bad in ["a b", "<script>", &"a".repeat(65)] {
        let answer = served.send(client.get(served.url("/healthz")).header("x-request-id", bad)).await;
        assert!(answer.header("x-request-id") != bad && !answer.header("x-request-id").is_empty());
    }
}

#[tokio::test]
async fn health_readiness_counters_page_and_schema_are_open() {
    let served = Served::start().await;
    served.query(&token(Role::Auditor), "{ __typename }").await;
    assert_eq!(served.get("/healthz").await.status, 200);
    assert_eq!(served.get("/readyz").await.status, 200);
    let metrics = served.get("/metrics").await.text;
    for name in ["guerdon_http_requests_total", "guerdon_graphql_operations_total", "guerdon_store_statements_total"] {
        assert!(metrics.contains(name), "{name} is missing in {metrics}");
    }
    let page = served.get("/").await;
    assert_eq!((page.status, page.header("x-frame-options"), page.header("x-content-type-options")), (200, "DENY", "nosniff"));
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    assert!(!page.text.contains("http://") && !page.text.contains("https://"), "the page fetches from elsewhere");
    for line in page.text.lines().filter(|line| line.contains("src=\"") || line.contains("href=\"/")) {
        let path = line.split('"').find(|part| part.starts_with('/')).unwrap();
        assert_eq!(served.get(path).await.status, 200, "{path}");
    }
    assert_eq!(served.get("/graphiql/nothing.js").await.status, 404);
    assert_eq!(served.get("/schema.graphql").await.text, guerdon::graphql::sdl());
    assert_eq!(served.get("/nowhere").await.status, 404);
}

#[tokio::test]
async fn a_database_without_the_schema_is_not_ready() {
    let mut served = Served::start().await;
    served.app = served.app.clone().requiring(["m99999999_000001_later".to_owned()]);
    assert!(served.app.ready().await.is_err());
}

#[tokio::test]
async fn at_shutdown_open_requests_end_and_new_ones_are_refused() {
    let mut served = Served::start().await;
    let mut socket = TcpStream::connect(served.address).await.unwrap();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        token(Role::Auditor),
        QUERY.len()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let address = served.address;
    let finishing = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let refused = TcpStream::connect(address).await.is_err();
        socket.write_all(QUERY.as_bytes()).await.unwrap();
        let mut read = Vec::new();
        socket.read_to_end(&mut read).await.unwrap();
        (refused, String::from_utf8_lossy(&read).into_owned())
    });
    served.stop().await;
    let (refused, raw) = finishing.await.unwrap();
    assert!(refused && raw.starts_with("HTTP/1.1 200"), "{refused} {raw}");
}
