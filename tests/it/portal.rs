//! The portal's view of one partner, as the page on tiers prints it: it works, it passes the gate, and it costs the same for many.

use async_graphql::Variables;
use guerdon::graphql::gate::{Gate, Sent};
use guerdon::graphql::limits::DocumentLimits;
use serde_json::json;

use crate::api::{Api, auditor, designer, document, of_partner};

const PAGE: &str = include_str!("../../docs/tiers.md");

/// The query of the page.
fn query() -> &'static str {
    let (_, rest) = PAGE.split_once("```graphql\n").unwrap();
    rest.split_once("```").unwrap().0
}

/// What it asks of the partner.
fn selection() -> &'static str {
    let (_, rest) = query().split_once("partner(by: {code: $code}) {").unwrap();
    rest.trim_end().strip_suffix('}').unwrap().trim_end().strip_suffix('}').unwrap()
}

async fn furnished(partners: u32) -> Api {
    let api = Api::new().await;
    api.publish(&document()).await;
    let codes: Vec<String> = (0..partners).map(|at| format!("P{at:03}")).collect();
    api.furnish(&codes.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let input = json!({"program": "P", "asOf": "2020-06-01", "idempotencyKey": "e"});
    api.mutate(designer(), "tiersEvaluate", "TiersEvaluateInput", "judged", input).await;
    api
}

#[tokio::test]
async fn the_query_on_the_page_answers_the_partner_itself() {
    let api = furnished(1).await;
    let answer = api.execute(of_partner("P000"), query(), json!({"code": "P000"})).await;
    let partner = answer.at("/partner");
    let ladder = &partner["standing"]["ladders"][0];
    assert_eq!((&partner["tier"]["tier"], &ladder["tier"], &ladder["next"]["tier"]), (&json!("SILVER"), &json!("SILVER"), &json!("GOLD")));
    let missing = ladder["next"]["gap"]["missing"].as_array().unwrap();
    assert!(missing.iter().any(|leaf| leaf["sentence"] == "revenue: USD 7,000 of USD 50,000; USD 43,000 more needed"), "{missing:?}");
    assert_eq!((&partner["standing"]["atRisk"][0]["tier"], &partner["entitlements"][0]["status"]), (&json!("SILVER"), &json!("GRANTED")));
    assert_eq!(partner["rebateEstimate"]["totals"][0]["amount"], "40.00");
    let gate = Gate::new(&guerdon::graphql::sdl(), DocumentLimits::default()).unwrap();
    let sent = Sent { query: query().into(), operation: None, variables: Variables::from_json(json!({"code": "P000"})) };
    let refused = gate.admit(sent, false).err().unwrap_or_default();
    assert!(refused.is_empty(), "{refused:?}");
}

#[tokio::test]
async fn it_sends_as_many_statements_for_1_10_and_100_partners() {
    let api = furnished(100).await;
    let many = format!("query($first: Int!) {{ partners(first: $first) {{ nodes {{ {} }} }} }}", selection());
    api.execute(auditor(), &many, json!({"first": 1})).await;
    let mut counts = Vec::new();
    for first in [1, 10, 100] {
        let before = api.database.store.statements();
        let answer = api.execute(auditor(), &many, json!({"first": first})).await;
        assert_eq!(answer.at("/partners/nodes").as_array().unwrap().len(), first);
        counts.push(api.database.store.statements() - before);
    }
    let before = api.database.store.statements();
    api.execute(of_partner("P007"), query(), json!({"code": "P007"})).await.at("/partner");
    let one = api.database.store.statements() - before;
    assert!(counts.windows(2).all(|pair| pair[0] == pair[1]), "{counts:?}");
    assert!(counts[0] <= 15 && one <= counts[0], "{counts:?} {one}");
}
