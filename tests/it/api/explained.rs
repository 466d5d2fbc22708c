//! Everything that an explanation knows is to be had over the interface.

use serde_json::{Value, json};

use super::{Api, document, importer, of_partner};

/// GOLD by one of two ways, with a scorecard, a share, a subset, groups, a streak and a day in a window.
fn explained() -> Value {
    let metric = |key: &str, least: &str| json!({"metric": {"metric": key, "atLeast": least}});
    let sales = |aggregate: &str| json!({"source": "TRANSACTIONS", "window": {"rolling": {"months": 12}}, "aggregate": aggregate});
    let mut document = document();
    let metrics = document["metrics"].as_array_mut().unwrap();
    let mut bikes = sales("SHARE");
    bikes["share"] = json!({"test": {"field": "category", "under": "BIKES"}});
    metrics.push(json!({"key": "bikes", "name": "Share of bikes", "unit": "PERCENT", "measure": bikes}));
    metrics.push(json!({"key": "score", "unit": "POINTS", "formula": {"sum": {"terms": [
        {"value": {"metric": "revenue"}, "per": 1000, "cap": 5},
        {"value": {"measure": sales("COUNT")}, "points": 2, "gates": [{"value": {"metric": "bikes"}, "atLeast": "0.9"}]},
    ]}}}));
    let holding = |kind: &str| json!({"holding": {"kind": kind}});
    let groups = json!({"source": "TRANSACTIONS", "window": {"rolling": {"months": 12}}, "aggregate": "SUM", "groupBy": ["category"]});
    let certified = json!({"metric": {"label": "certificates", "value": {"measure": {"source": "HOLDINGS", "window": {"onDay": {}}, "aggregate": "COUNT", "filter": {"test": {"field": "category", "equals": "$area"}}}}, "atLeast": 1}});
    document["ladders"][0]["tiers"][2]["requirement"] = json!({"allOf": [
        {"anyOf": [{"labelled": {"label": "by revenue", "requirement": metric("revenue", "8000")}}, {"labelled": {"label": "by bikes", "requirement": metric("bikes", "80 %")}}]},
        metric("score", "10"),
        {"atLeast": {"n": 2, "of": [holding("PLAN"), holding("CERTIFICATION"), metric("revenue", "1")], "including": {"m": 1, "items": [0, 1]}}},
        {"forEach": {"as": "area", "groups": groups, "requirement": certified}},
        {"streak": {"unit": "QUARTER", "periods": 3, "requirement": {"metric": {"value": {"measure": {"source": "TRANSACTIONS", "window": {"calendar": {"unit": "QUARTER"}}, "aggregate": "COUNT"}}, "atLeast": 1}}}},
        {"onAnyDay": {"window": {"rolling": {"months": 6}}, "requirement": metric("revenue", "7000")}},
        {"not": holding("WARNING")},
    ]});
    document
}

const QUERY: &str = "{ partner(by: {code: \"A\"}) { standing { ladders { tiers { tier shareMet gap { met missing { key by ratio { missingNumerator } sentenceData { form pieces { name value } } } alternatives { missing { key } } } \
    requirement { index parent type met shareMet label required actual missing cheapest day sentence { text form } gap { missing { key missing } } including { required actual missing nodes } periods { met period { from until } } \
    window { from } leaf { key group required actual missing facts window { from until } noun ratio { numerator denominator missingNumerator missingIfAdded } \
    parts { index parent role kind value part whole total terms { label value points beforeLimits capped gates { required actual open } } } sentenceData { text form } } } } } } } }";

#[tokio::test]
async fn every_node_and_leaf_tells_all_it_knows() {
    let api = Api::new().await;
    api.publish(&explained()).await;
    api.furnish(&["A"]).await;
    let holding = json!({"externalId": "h", "partner": "A", "kind": "CERTIFICATION", "since": "2020-01-01", "category": "BIKES"});
    api.mutate(
        importer(),
        "holdingsRecord",
        "HoldingsRecordInput",
        "result { recorded }",
        json!({"source": "erp", "holdings": [holding], "idempotencyKey": "h"}),
    )
    .await;
    let answer = api.ask(of_partner("A"), QUERY).await;
    let gold = &answer.at("/partner/standing/ladders/0/tiers")[2];
    let nodes = gold["requirement"].as_array().unwrap();
    let of_type = |kind: &str| nodes.iter().find(|node| node["type"] == kind).unwrap_or_else(|| panic!("{kind}"));
    let leaf = |key: &str| nodes.iter().map(|node| &node["leaf"]).find(|leaf| leaf["key"] == key).unwrap_or_else(|| panic!("{key}"));

    let any_of = of_type("ANY_OF");
    let paths: Vec<&Value> = nodes.iter().filter(|node| node["parent"] == any_of["index"]).collect();
    assert_eq!((any_of["cheapest"].clone(), paths.len()), (paths[0]["index"].clone(), 2));
    assert_eq!(paths[0]["gap"]["missing"], json!([{"key": "revenue", "missing": "1000"}]));
    assert_eq!(paths[1]["gap"]["missing"][0]["key"], "bikes");
    assert_eq!(any_of["sentence"]["text"], "none of 2 ways is met; the nearest is by revenue");

    let ratio = &leaf("bikes")["ratio"];
    assert_eq!((&ratio["numerator"], &ratio["denominator"], &ratio["missingNumerator"]), (&json!("3000"), &json!("7000"), &json!("2600")));
    assert_eq!(leaf("bikes")["parts"][0]["kind"], "SHARE");
    let score = leaf("score");
    assert_eq!((&score["actual"], &score["missing"], &score["parts"][0]["kind"]), (&json!("5"), &json!("5"), &json!("SUM")));
    let terms = &score["parts"][0]["terms"];
    assert_eq!((&terms[0]["points"], &terms[0]["beforeLimits"], &terms[0]["capped"]), (&json!("5"), &json!("7"), &json!(true)));
    assert_eq!((&terms[1]["points"], &terms[1]["gates"][0]["open"]), (&json!("0"), &json!(false)));

    let at_least = of_type("AT_LEAST");
    assert_eq!((&at_least["required"], &at_least["actual"], &at_least["missing"], &at_least["met"]), (&json!(2), &json!(2), &json!(0), &json!(true)));
    let subset = at_least["including"]["nodes"].as_array().unwrap();
    let named: Vec<&Value> = subset.iter().map(|place| &nodes[usize::try_from(place.as_i64().unwrap()).unwrap()]["leaf"]["key"]).collect();
    assert_eq!((named, &at_least["including"]["actual"]), (vec![&json!("PLAN"), &json!("CERTIFICATION")], &json!(1)));

    let for_each = of_type("FOR_EACH");
    assert_eq!((&for_each["required"], &for_each["actual"], &for_each["missing"]), (&json!(2), &json!(1), &json!(1)));
    assert_eq!(for_each["sentence"]["text"], "certificates: met for 1 of 2 areas");
    let streak = of_type("STREAK");
    assert_eq!((&streak["required"], &streak["actual"], streak["periods"].as_array().unwrap().len()), (&json!(3), &json!(1), 3));
    assert_eq!(streak["periods"][0]["period"], json!({"from": "2020-01-01", "until": "2020-04-01"}));
    assert_eq!(of_type("ON_ANY_DAY")["met"], true);
    assert!(of_type("ON_ANY_DAY")["day"].is_string());
    assert_eq!(of_type("NOT")["sentence"]["form"], "NOT");
    assert_eq!((&of_type("ALL_OF")["sentence"], &nodes[0]["shareMet"]), (&json!(null), &gold["shareMet"]));
    assert!(!gold["gap"]["met"].as_bool().unwrap() && !gold["gap"]["alternatives"].as_array().unwrap().is_empty());
    let pieces = gold["gap"]["missing"][0]["sentenceData"]["pieces"].as_array().unwrap();
    assert!(pieces.iter().any(|piece| piece["name"] == "missing" && piece["value"] == "1000"), "{pieces:?}");
}
