//! Laws of simulations: a changed rule is what publishing it and reviewing everybody on a copy does, also where ladders are held per
//! region, overrides hold tiers, and grace periods run.

use std::collections::BTreeMap;

use guerdon_domain::access::{Role, RoleScope};
use serde_json::{Value, json};

use super::{Api, actor, admin, approver, designer, document, importer};

const DAY: &str = "2020-06-01";

/// A main ladder with grace, a ladder per region, and a ladder by application.
fn rules(silver: &str, local: &str) -> Value {
    let least = |metric: &str, least: &str| json!({"metric": {"metric": metric, "atLeast": least}});
    let mut document = document();
    document["metrics"].as_array_mut().unwrap().push(
        json!({"key": "regional", "unit": "MONEY", "measure": {"source": "TRANSACTIONS", "window": {"rolling": {"months": 12}}, "aggregate": "SUM", "scope": "REGION"}}),
    );
    document["ladders"][0]["review"] = json!({"grace": {"days": 30}});
    document["ladders"][0]["tiers"][1]["requirement"] = least("revenue", silver);
    let ladders = document["ladders"].as_array_mut().unwrap();
    ladders
        .push(json!({"key": "LOCAL", "scope": "PARTNER_IN_REGION", "tiers": [{"key": "PRESENT"}, {"key": "STRONG", "requirement": least("regional", local)}]}));
    ladders.push(json!({"key": "STEPS", "review": {"maxStepsDown": 1}, "tiers": [
        {"key": "ONE", "requirement": least("revenue", "1000")}, {"key": "TWO", "requirement": least("revenue", silver)}, {"key": "THREE", "requirement": least("revenue", silver)},
    ]}));
    document
}

/// Partners with different sales in two regions, levelled a month ago; one is held up by a floor, one pinned down.
async fn levelled() -> Api {
    let api = Api::new().await;
    api.publish(&rules("3000", "2000")).await;
    api.clock.set("2020-05-01T12:00:00Z".parse().unwrap());
    let codes: Vec<String> = (0..8).map(|at| format!("P{at}")).collect();
    let partners: Vec<Value> = codes.iter().map(|code| json!({"code": code, "name": code, "from": "2018-01-01", "type": "VAR", "region": "DE"})).collect();
    let input = json!({"partners": partners, "idempotencyKey": api.key()});
    api.mutate(admin(), "partnerUpsert", "PartnerUpsertInput", "results { outcome }", input).await;
    for code in &codes {
        for region in ["DE", "FR"] {
            let input = json!({"partner": code, "program": "P", "since": "2018-01-01", "region": region, "idempotencyKey": api.key()});
            api.mutate(admin(), "partnerEnroll", "PartnerEnrollInput", "enrollment { since }", input).await;
        }
    }
    let sale = |at: usize, region: &str, each: usize| {
        json!({"externalId": format!("{at}{region}"), "partner": format!("P{at}"), "date": "2020-04-20", "region": region,
               "amount": {"amount": format!("{}.00", at * each + 1), "currency": "USD"}})
    };
    let sales: Vec<Value> = (0..8).flat_map(|at| [sale(at, "DE", 900), sale(at, "FR", 500)]).collect();
    let input = json!({"source": "erp", "transactions": sales, "idempotencyKey": api.key()});
    api.mutate(importer(), "transactionsRecord", "TransactionsRecordInput", "result { recorded }", input).await;
    for (code, kind, tier) in [("P4", "FLOOR", "SILVER"), ("P7", "PIN", "REGISTERED")] {
        let manager = actor(Role::ChannelManager, RoleScope::Regions(vec!["DE".into()]));
        let input = json!({"partner": code, "program": "P", "kind": kind, "tier": tier, "from": "2020-05-01", "until": "2020-12-01", "reason": "law", "idempotencyKey": api.key()});
        let proposed = api.mutate(manager, "tierOverridePropose", "TierOverrideProposeInput", "tierOverride { id }", input).await;
        let input = json!({"id": proposed["tierOverride"]["id"], "idempotencyKey": api.key()});
        api.mutate(approver(), "tierOverrideApprove", "TierOverrideApproveInput", "tierOverride { id }", input).await;
    }
    evaluate(&api, "2020-05-01").await;
    api.clock.set("2020-06-01T12:00:00Z".parse().unwrap());
    api
}

async fn evaluate(api: &Api, day: &str) {
    let input = json!({"program": "P", "asOf": day, "reviewDue": true, "idempotencyKey": api.key()});
    api.mutate(designer(), "tiersEvaluate", "TiersEvaluateInput", "judged", input).await;
}

type Held = BTreeMap<(String, String, String), String>;

/// What everybody holds on the day: by partner, ladder and region.
async fn held(api: &Api) -> Held {
    let sql = format!(
        "SELECT p.code || ' ' || a.ladder || ' ' || a.region_key || ' ' || COALESCE(a.tier, '-') FROM tier_assignment a JOIN partner p ON p.id = a.partner_id \
         WHERE a.from_on <= '{DAY}' AND (a.until_on IS NULL OR a.until_on > '{DAY}') ORDER BY 1"
    );
    let rows = api.database.texts(&sql).await;
    let part = |row: &str, at: usize| row.split(' ').nth(at).unwrap().to_owned();
    rows.iter().map(|row| ((part(row, 0), part(row, 1), part(row, 2)), part(row, 3))).collect()
}

/// The moves that a simulation tells, by partner, ladder and region.
async fn moves(api: &Api, rules: Value) -> BTreeMap<(String, String, String), (String, String)> {
    let query =
        "query($input: SimulationInput!) { simulation(input: $input) { partners failed moves(first: 100) { nodes { partnerCode ladder region from to } } } }";
    let answer = api.execute(designer(), query, json!({"input": {"asOf": DAY, "rules": rules}})).await;
    assert_eq!((answer.at("/simulation/partners"), answer.at("/simulation/failed")), (&json!(8), &json!(0)));
    let text = |value: &Value, none: &str| value.as_str().unwrap_or(none).to_owned();
    let nodes = answer.at("/simulation/moves/nodes").as_array().unwrap().clone();
    let key = |node: &Value| (text(&node["partnerCode"], ""), text(&node["ladder"], ""), text(&node["region"], ""));
    nodes.iter().map(|node| (key(node), (text(&node["from"], "-"), text(&node["to"], "-")))).collect()
}

#[tokio::test]
async fn a_changed_threshold_with_regions_overrides_and_grace_is_what_publishing_and_reviewing_does() {
    for (silver, local) in [("4000", "2000"), ("3000", "3000"), ("2000", "1000"), ("9000", "9000")] {
        let (reality, copy) = (levelled().await, levelled().await);
        let changed = rules(silver, local);
        let paths = [
            ("ladders[MAIN].tiers[SILVER].requirement.metric.atLeast", silver),
            ("ladders[LOCAL].tiers[STRONG].requirement.metric.atLeast", local),
            ("ladders[STEPS].tiers[TWO].requirement.metric.atLeast", silver),
            ("ladders[STEPS].tiers[THREE].requirement.metric.atLeast", silver),
        ];
        let changes: Vec<Value> = paths.iter().map(|(path, value)| json!({"path": path, "value": value})).collect();
        let found = moves(&reality, json!({"changes": changes})).await;
        evaluate(&reality, DAY).await;
        let mut document = changed;
        document["version"] = json!({"label": "changed", "effectiveOn": DAY});
        copy.publish(&document).await;
        evaluate(&copy, DAY).await;
        let (then, now) = (held(&reality).await, held(&copy).await);
        assert_eq!(then.keys().collect::<Vec<_>>(), now.keys().collect::<Vec<_>>());
        let differing: BTreeMap<_, _> =
            then.iter().filter(|(key, tier)| now[*key] != **tier).map(|(key, tier)| (key.clone(), (tier.clone(), now[key].clone()))).collect();
        assert_eq!(found, differing, "{silver} {local}");
        assert_eq!(found.keys().any(|key| key.1 == "LOCAL"), local != "2000", "the ladder per region is in it: {found:?}");
        assert!(found.keys().all(|(code, ladder, _)| code != "P7" || ladder != "MAIN"), "who is pinned moves nowhere: {found:?}");
    }
}
