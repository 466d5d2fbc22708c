//! One query about many partners sends as many statements as about one.

use async_graphql::Variables;
use guerdon::graphql::gate::{Gate, Sent};
use guerdon::graphql::limits::DocumentLimits;
use serde_json::json;

use crate::api::{Api, auditor, document, of_partner};

const QUERY: &str = "query($first: Int!) { partners(first: $first) { nodes { code tier { tier } standing { ladders { tier next { gap { missing { key missing } } } } atRisk(months: 2) { failsOn } } \
    entitlements { benefit status } rebateEstimate { totals { amount } schedules { lineCount } } transactions(first: 5) { nodes { externalId } } older: transactions(first: 5, until: \"2020-05-01\") { nodes { externalId } } } } }";

#[tokio::test]
async fn statements_are_equal_for_1_10_and_100_partners() {
    let api = Api::new().await;
    api.publish(&document()).await;
    let codes: Vec<String> = (0..100).map(|at| format!("P{at:03}")).collect();
    api.furnish(&codes.iter().map(String::as_str).collect::<Vec<_>>()).await;
    api.execute(auditor(), QUERY, json!({"first": 1})).await;
    let mut counts = Vec::new();
    for first in [1, 10, 100] {
        let before = api.database.store.statements();
        let answer = api.execute(auditor(), QUERY, json!({"first": first})).await;
        let nodes = answer.at("/partners/nodes").as_array().unwrap();
        assert_eq!(nodes.len(), first);
        assert!(nodes.iter().all(|node| node["standing"]["ladders"][0]["tier"] == "SILVER" && node["transactions"]["nodes"].as_array().unwrap().len() == 5));
        assert!(nodes.iter().all(|node| node["rebateEstimate"]["totals"][0]["amount"] == "40.00"));
        counts.push(api.database.store.statements() - before);
    }
    assert!(counts.windows(2).all(|pair| pair[0] == pair[1]), "{counts:?}");
    assert!(counts[0] <= 15, "{counts:?}");
}

#[tokio::test]
async fn one_question_about_one_partner_is_three_statements() {
    let api = Api::furnished().await;
    let query = "{ partner(by: {code: \"A\"}) { name entitlements { benefit status value { access } } } }";
    for _ in 0..2 {
        let before = api.database.store.statements();
        api.execute(of_partner("A"), query, json!({})).await.at("/partner/entitlements/0");
        let sent = api.database.store.statements() - before;
        // The partner, the program with its versions, the partner's state; and once the version, to be compiled.
        assert!(sent <= 4, "{sent}");
    }
    let before = api.database.store.statements();
    api.execute(of_partner("A"), query, json!({})).await.at("/partner/entitlements/0");
    assert_eq!(api.database.store.statements() - before, 3);
}

#[tokio::test]
async fn the_questions_of_a_portal_pass_the_gate() {
    let gate = Gate::new(&guerdon::graphql::sdl(), DocumentLimits::default()).unwrap();
    let full = "{ partner(by: {code: \"A\"}) { tier { tier } tierHistory { nodes { tier from until } } standing { ladders { tier next { gap { missing { key missing sentence } } } \
        tiers { tier met requirement { index parent type leaf { key required actual missing sentence } } } } atRisk { tier failsOn leaves { key } } } \
        entitlements { benefit status value { rate { rows { rate } } } sources { kind outcome } unlocks { text steps { kind } } } \
        rebateEstimate { totals { amount } schedules { amount { amount } bands { rate } steps { step } lines { externalId amount { amount } } nextBand { worth { amount } } } } \
        transactions(first: 100) { nodes { externalId amount { amount } } pageInfo { hasNextPage } } } }";
    for (query, variables) in [(full, json!({})), (QUERY, json!({"first": 100}))] {
        let sent = Sent { query: query.into(), operation: None, variables: Variables::from_json(variables) };
        let refused = gate.admit(sent, false).err().unwrap_or_default();
        assert!(refused.is_empty(), "{refused:?}");
    }
}
