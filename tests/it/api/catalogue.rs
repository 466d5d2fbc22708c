//! The viewer and objects by id.

use serde_json::json;

use super::{Api, auditor, nobody, of_partner};

#[tokio::test]
async fn the_viewer_is_whoever_asks() {
    let api = Api::new().await;
    let answer = api.ask(of_partner("A"), "{ viewer { person kind now roles { role everywhere partners } } }").await;
    assert_eq!(answer.at("/viewer/roles"), &json!([{"role": "PARTNER_ADMIN", "everywhere": false, "partners": ["A"]}]));
    assert_eq!(answer.at("/viewer/now"), "2020-06-01T12:00:00.000Z");
    assert_eq!(api.ask(nobody(), "{ viewer { roles { role } } }").await.at("/viewer/roles"), &json!([]));
}

#[tokio::test]
async fn nodes_come_in_the_order_of_their_ids_and_unknown_foreign_and_malformed_ones_are_null() {
    let api = Api::furnished().await;
    let ids = api
        .ask(auditor(), "{ a: partner(by: {code: \"A\"}) { id } b: partner(by: {code: \"B\"}) { id } program(by: {code: \"P\"}) { id version { id } } }")
        .await;
    let list = json!([ids.at("/b/id"), "nonsense", ids.at("/program/id"), ids.at("/a/id"), ids.at("/program/version/id")]);
    let query = "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Partner { code } ... on Program { code } ... on ProgramVersion { number } } }";
    let all = api.execute(auditor(), query, json!({"ids": list})).await;
    let codes: Vec<_> = all.at("/nodes").as_array().unwrap().iter().map(|node| node["code"].clone()).collect();
    assert_eq!(codes, [json!("B"), json!(null), json!("P"), json!("A"), json!(null)]);
    let own = api.execute(of_partner("A"), query, json!({"ids": list})).await;
    assert_eq!((own.at("/nodes/0"), own.at("/nodes/1"), &own.at("/nodes/3")["code"]), (&json!(null), &json!(null), &json!("A")));
    let many: Vec<&str> = vec!["x"; 101];
    assert_eq!(api.execute(auditor(), query, json!({"ids": many})).await.codes(), ["TOO_MANY"]);
}
