//! What-if, end to end: nothing is stored, no change is no difference, and a change is what publishing and reviewing would do.

use std::collections::BTreeMap;

use guerdon_domain::access::{Role, RoleScope};
use serde_json::{Value, json};

use super::{Api, actor, admin, auditor, designer, document, importer, of_partner};
use crate::harness::build::products;
use crate::harness::is_postgres;

const FIELDS: &str = "programVersion asOf partners up down aside matrix { ladder from to partners } rules { path kind before after } \
    moves(first: 100) { nodes { partnerCode ladder from to direction onRecord text leaves { tier key before { met required actual } after { met required actual } sentence } } pageInfo { hasNextPage endCursor } } \
    nearCounts { tier side partners } near { nodes { partnerCode tier side distance missing } } benefitCounts { benefit tier kind partners } \
    benefitChanges { nodes { partnerCode benefit kind } } rebates { period schedule before { amount } after { amount } difference { amount currency } changed } \
    rebateChanges(first: 100) { nodes { partnerCode schedule before { amount } after { amount } } } failed warnings { partnerCode code }";

/// The answer of a simulation as somebody, whatever it is.
async fn asked(api: &Api, actor: guerdon_domain::access::Actor, input: Value) -> super::Answer {
    let query = format!("query($input: SimulationInput!) {{ simulation(input: $input) {{ {FIELDS} }} }}");
    api.execute(actor, &query, json!({"input": input})).await
}

async fn simulated(api: &Api, input: Value) -> Value {
    asked(api, designer(), input).await.at("/simulation").clone()
}

/// Every row of every table.
async fn everything(api: &Api) -> BTreeMap<String, Vec<String>> {
    let database = &api.database;
    let tables = if is_postgres() {
        database.texts("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'").await
    } else {
        database.texts("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").await
    };
    let mut all = BTreeMap::new();
    for table in tables {
        let row = if is_postgres() {
            format!("SELECT CAST(t.* AS TEXT) FROM {table} t ORDER BY 1")
        } else {
            let columns = database.texts(&format!("SELECT 'quote(' || name || ')' FROM pragma_table_info('{table}')")).await;
            format!("SELECT {} FROM {table} ORDER BY 1", columns.join(" || ',' || "))
        };
        all.insert(table, database.texts(&row).await);
    }
    all
}

/// Thirty partners with sales from 0 to 8,700 a month over the year, levelled on 2020-05-01.
async fn levelled() -> Api {
    let api = Api::new().await;
    api.publish(&document()).await;
    let codes: Vec<String> = (0..30).map(|at| format!("P{at:02}")).collect();
    api.furnish(&codes.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let sale = |(at, code): (usize, &String)| json!({"externalId": format!("more-{code}"), "partner": code, "date": "2020-04-20", "category": "BIKES", "amount": {"amount": format!("{}.00", at * 2_000), "currency": "USD"}});
    let sales: Vec<Value> = codes.iter().enumerate().map(sale).collect();
    let input = json!({"source": "crm", "transactions": sales, "idempotencyKey": "more"});
    api.mutate(importer(), "transactionsRecord", "TransactionsRecordInput", "result { recorded }", input).await;
    let certificate = |code: &String| json!({"externalId": format!("c-{code}"), "partner": code, "kind": "CERTIFICATION", "since": "2020-01-01"});
    let input = json!({"source": "lms", "holdings": codes.iter().skip(20).map(certificate).collect::<Vec<_>>(), "idempotencyKey": "certificates"});
    api.mutate(importer(), "holdingsRecord", "HoldingsRecordInput", "result { recorded }", input).await;
    evaluate(&api, "2020-05-01", "first").await;
    api
}

async fn evaluate(api: &Api, as_of: &str, key: &str) -> Value {
    let input = json!({"program": "P", "asOf": as_of, "reviewDue": true, "idempotencyKey": key});
    api.mutate(designer(), "tiersEvaluate", "TiersEvaluateInput", "judged movedCount moved { partnerCode from to }", input).await
}

async fn tiers(api: &Api, as_of: &str) -> BTreeMap<String, Option<String>> {
    let query = format!("{{ partners(first: 100) {{ nodes {{ code tier(asOf: \"{as_of}\") {{ tier }} }} }} }}");
    let answer = api.ask(auditor(), &query).await;
    let of = |node: &Value| (node["code"].as_str().unwrap().to_owned(), node["tier"]["tier"].as_str().map(str::to_owned));
    answer.at("/partners/nodes").as_array().unwrap().iter().map(of).collect()
}

const SILVER: &str = "ladders[MAIN].tiers[SILVER].requirement.metric.atLeast";

fn silver_at(least: u32) -> Value {
    json!({"changes": [{"path": SILVER, "value": least.to_string()}]})
}

#[tokio::test]
async fn without_a_change_there_is_no_difference_and_nothing_is_ever_stored() {
    let api = levelled().await;
    let before = everything(&api).await;
    let draft = json!({"document": document().to_string()});
    for rules in [Value::Null, draft, json!({"changes": []}), silver_at(5_000)] {
        let found = simulated(&api, json!({"asOf": "2020-06-01", "rules": rules, "rebatePeriods": ["2020-Q2", "2020-Q1"]})).await;
        assert_eq!((&found["partners"], &found["up"], &found["down"]), (&json!(30), &json!(0), &json!(0)), "{rules}");
        for list in ["moves", "benefitChanges", "rebateChanges"] {
            assert_eq!(found[list]["nodes"], json!([]), "{rules} {list}");
        }
        assert!(found["matrix"].as_array().unwrap().iter().all(|cell| cell["from"] == cell["to"]));
        assert!(found["rebates"].as_array().unwrap().iter().all(|sum| sum["difference"]["amount"] == "0.00" && sum["before"]["amount"] != "0.00"));
    }
    simulated(&api, json!({"asOf": "2020-06-01", "rules": silver_at(9_000), "rebatePeriods": ["2020-Q2"]})).await;
    assert_eq!(everything(&api).await, before, "not a row is another one");
}

#[tokio::test]
async fn a_changed_threshold_is_what_publishing_it_and_reviewing_everybody_does() {
    let (reality, copy) = (levelled().await, levelled().await);
    let found = simulated(&reality, json!({"asOf": "2020-06-01", "rules": silver_at(31_000)})).await;
    assert!(found["down"].as_i64().unwrap() > 5, "{found}");
    assert_eq!(found["rules"], json!([{"path": SILVER, "kind": "CHANGED", "before": "5000", "after": "31000"}]));
    // The draft of the same rules says the same, as of a day before it takes effect too.
    let mut later = document();
    later["ladders"][0]["tiers"][1]["requirement"]["metric"]["atLeast"] = json!("31000");
    later["version"] = json!({"label": "later", "effectiveOn": "2021-01-01"});
    let draft = reality.apply(&later).await;
    let by_draft = simulated(&reality, json!({"asOf": "2020-06-01", "rules": {"version": draft["version"]["id"]}})).await;
    assert_eq!((&by_draft["moves"]["nodes"], &by_draft["matrix"]), (&found["moves"]["nodes"], &found["matrix"]));
    // Reality, reviewed on the day, and the copy under the changed document.
    evaluate(&reality, "2020-06-01", "second").await;
    let mut changed = document();
    changed["version"] = json!({"label": "changed", "effectiveOn": "2020-06-01"});
    changed["ladders"][0]["tiers"][1]["requirement"]["metric"]["atLeast"] = json!("31000");
    copy.publish(&changed).await;
    evaluate(&copy, "2020-06-01", "second").await;
    let (then, now) = (tiers(&reality, "2020-06-01").await, tiers(&copy, "2020-06-01").await);
    let moved: BTreeMap<&str, (&Value, &Value)> =
        found["moves"]["nodes"].as_array().unwrap().iter().map(|moved| (moved["partnerCode"].as_str().unwrap(), (&moved["from"], &moved["to"]))).collect();
    for (code, tier) in &then {
        let expected = moved.get(code.as_str()).map_or((json!(tier), json!(tier)), |(from, to)| ((*from).clone(), (*to).clone()));
        assert_eq!(expected, (json!(tier), json!(now[code])), "{code}");
    }
    let why = &found["moves"]["nodes"][0];
    assert_eq!(
        (&why["direction"], &why["leaves"][0]["before"]["required"], &why["leaves"][0]["after"]["required"]),
        (&json!("DOWN"), &json!("5000"), &json!("31000"))
    );
    assert!(why["text"].as_str().unwrap().contains("5000 was asked before"), "{why}");
}

#[tokio::test]
async fn benefits_and_rebates_follow_the_move_and_rates_move_nobody() {
    let api = levelled().await;
    let found = simulated(&api, json!({"asOf": "2020-06-01", "rules": silver_at(9_000), "rebatePeriods": ["2020-Q2"]})).await;
    let lost = found["benefitCounts"].as_array().unwrap().iter().find(|count| count["benefit"] == "hours").unwrap();
    assert_eq!((&lost["kind"], &lost["tier"], &lost["partners"]), (&json!("LOST"), &json!("REGISTERED"), &found["down"]));
    assert_eq!(found["rebateChanges"]["nodes"], json!([]), "these rates do not ask for tiers");
    let rate = json!({"changes": [{"path": "rebateSchedules[quarterly].method.bands.bands[0].rate", "value": "2 %"}]});
    let found = simulated(&api, json!({"asOf": "2020-06-01", "rules": rate, "rebatePeriods": ["2020-Q2"]})).await;
    assert_eq!(found["moves"]["nodes"], json!([]));
    // P00 sold 4,000 in the quarter: 40.00 become 80.00.
    let of = |code: &str| found["rebateChanges"]["nodes"].as_array().unwrap().iter().find(|change| change["partnerCode"] == code).cloned().unwrap();
    assert_eq!((of("P00")["before"]["amount"].clone(), of("P00")["after"]["amount"].clone()), (json!("40.00"), json!("80.00")));
    let query = "{ partners(first: 100) { nodes { rebateEstimate(period: \"2020-Q2\", asOf: \"2020-06-01\") { totals { amount } } } } }";
    let real = api.ask(auditor(), query).await;
    let cents = |text: &str| text.replace('.', "").parse::<i64>().unwrap();
    let total: i64 =
        real.at("/partners/nodes").as_array().unwrap().iter().map(|node| cents(node["rebateEstimate"]["totals"][0]["amount"].as_str().unwrap())).sum();
    assert_eq!(cents(found["rebates"][0]["before"]["amount"].as_str().unwrap()), total, "the figure before is the real one");
    assert_eq!(found["rebates"][0]["changed"], 30);
}

#[tokio::test]
async fn whom_it_is_about_and_who_may_ask() {
    let api = levelled().await;
    let ask = |slice: Value| json!({"asOf": "2020-06-01", "rules": silver_at(9_000), "slice": slice});
    for (slice, partners) in [
        (json!({"partners": ["P03", "P04"]}), 2),
        (json!({"regions": ["EMEA"]}), 30),
        (json!({"regions": ["US"]}), 0),
        (json!({"types": ["VAR"], "tiers": ["GOLD"]}), 7),
    ] {
        assert_eq!(simulated(&api, ask(slice.clone())).await["partners"], partners, "{slice}");
    }
    let manager = |region: &str| actor(Role::ChannelManager, RoleScope::Regions(vec![region.into()]));
    assert_eq!(asked(&api, manager("DE"), ask(json!({}))).await.at("/simulation/partners"), &json!(30));
    assert_eq!(asked(&api, manager("US"), ask(json!({}))).await.at("/simulation/partners"), &json!(0));
    let refused = [(of_partner("P03"), "FORBIDDEN"), (admin(), "FORBIDDEN"), (importer(), "FORBIDDEN"), (manager("US"), "UNKNOWN_PARTNER")];
    for (who, code) in refused {
        assert_eq!(asked(&api, who, ask(json!({"partners": ["P03"]}))).await.codes(), [code]);
    }
    let mut secret = document();
    secret["version"]["label"] = json!("secret");
    let rules = json!({"version": api.apply(&secret).await["version"]["id"]});
    assert_eq!(
        asked(&api, manager("DE"), json!({"asOf": "2020-06-01", "rules": rules})).await.codes(),
        ["NOT_FOUND"],
        "drafts are for those who may read them"
    );
}

#[tokio::test]
async fn every_fault_of_a_hypothesis_is_told_at_once() {
    let api = levelled().await;
    let faults = |answer: &super::Answer| {
        let listed = answer.errors[0]["extensions"]["faults"].as_array().unwrap().clone();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        listed.iter().map(|fault| (text(&fault["code"]), text(&fault["path"]))).collect::<Vec<_>>()
    };
    let changes = json!({"changes": [{"path": "ladders[MAIN].tiers[SILVR].entry", "value": "AUTOMATIC"}, {"path": "metrics[nothing]"}]});
    let answer = asked(&api, designer(), json!({"rules": changes})).await;
    let expected = [("UNKNOWN_PATH", "rules.changes[0].path"), ("UNKNOWN_PATH", "rules.changes[1].path")];
    assert_eq!(faults(&answer), expected.map(|(code, path)| (code.to_owned(), path.to_owned())));
    let shape = json!({"changes": [{"path": "metrics[revenue].unit", "value": "COUNTS"}, {"path": "ladders[MAIN].tiers[GOLD].key", "value": "7 8"}]});
    assert!(faults(&asked(&api, designer(), json!({"rules": shape})).await).len() >= 2);
    for (input, code) in [
        (json!({"asOf": "2017-01-01"}), "NO_VERSION_IN_FORCE"),
        (json!({"asOf": "2020-06-01", "rebatePeriods": ["2020-Q9"]}), "UNKNOWN_PERIOD"),
        (json!({"asOf": "2020-06-01", "rebatePeriods": ["2020-Q3"]}), "PERIOD_NOT_BEGUN"),
        (json!({"near": "1.5"}), "OUT_OF_RANGE"),
        (json!({"slice": {"regions": ["MARS"]}}), "UNKNOWN_KEY"),
        (json!({"rebatePeriods": (1..=13).map(|month| format!("2019-{month:02}")).collect::<Vec<_>>()}), "TOO_MANY"),
        (json!({"facts": [{"partner": "P03", "facts": {"holdings": [{"kind": "CERTIFICATION", "times": 101}]}}]}), "OUT_OF_RANGE"),
    ] {
        assert_eq!(asked(&api, designer(), input.clone()).await.codes(), [code], "{input}");
    }
    // One spelling of places, whoever finds the fault.
    let one = json!({"amount": {"amount": "1.00", "currency": "USD"}});
    let of = |facts: Value| json!({"facts": [{"partner": "P03", "facts": {}}, {"partner": "P04", "facts": facts}]});
    for (input, code, path) in [
        (json!({"slice": {"regions": ["DE", "MARS"]}}), "UNKNOWN_KEY", "slice.regions[1]"),
        (json!({"slice": {"types": ["NONE"]}}), "UNKNOWN_KEY", "slice.types[0]"),
        (json!({"slice": {"partners": ["P03", "NONE"]}}), "UNKNOWN_PARTNER", "slice.partners[1]"),
        (json!({"slice": {"regions": vec!["DE"; 51]}}), "TOO_MANY", "slice.regions"),
        (json!({"near": "1.5"}), "OUT_OF_RANGE", "near"),
        (json!({"facts": [{"partner": "P03", "facts": {}}, {"partner": "NONE", "facts": {}}]}), "UNKNOWN_PARTNER", "facts[1].partner"),
        (
            of(json!({"transactions": [one, {"amount": {"amount": "1.001", "currency": "USD"}}]})),
            "TOO_MANY_DECIMALS",
            "facts[1].facts.transactions[1].amount.amount",
        ),
        (of(json!({"transactions": [one, {"amount": one["amount"], "product": "NONE"}]})), "UNKNOWN_PRODUCT", "facts[1].facts.transactions[1].product"),
        (of(json!({"holdings": [{"kind": "CERTIFICATION", "product": "NONE", "times": 2}]})), "UNKNOWN_PRODUCT", "facts[1].facts.holdings[0].product"),
        (of(json!({"admissions": [{"tier": "NONE"}]})), "UNKNOWN_TIER", "facts[1].facts.admissions[0].tier"),
        (of(json!({"region": "MARS"})), "UNKNOWN_KEY", "facts[1].facts.region"),
        (of(json!({"type": "NONE"})), "UNKNOWN_KEY", "facts[1].facts.type"),
        (of(json!({"transactions": [one, {"amount": one["amount"], "category": "BIKE"}]})), "UNKNOWN_KEY", "facts[1].facts.transactions[1].category"),
        (of(json!({"holdings": [{"kind": "CERTIFICATION", "category": "BIKE"}]})), "UNKNOWN_KEY", "facts[1].facts.holdings[0].category"),
    ] {
        assert_eq!(faults(&asked(&api, designer(), input.clone()).await), [(code.to_owned(), path.to_owned())], "{input}");
    }
    for (facts, code, path) in [
        ("region: \"MARS\"", "UNKNOWN_KEY", "facts.region"),
        ("type: \"NONE\"", "UNKNOWN_KEY", "facts.type"),
        ("holdings: [{kind: \"C\", category: \"NONE\"}]", "UNKNOWN_KEY", "facts.holdings[0].category"),
        ("holdings: [{kind: \"C\"}, {kind: \"C\", product: \"NONE\"}]", "UNKNOWN_PRODUCT", "facts.holdings[1].product"),
        ("holdings: [{kind: \"C\", times: 0}]", "OUT_OF_RANGE", "facts.holdings[0].times"),
    ] {
        let answer = api.ask(of_partner("P03"), &format!("{{ partner(by: {{code: \"P03\"}}) {{ whatIf(facts: {{{facts}}}) {{ asOf }} }} }}")).await;
        assert_eq!(faults(&answer), [(code.to_owned(), path.to_owned())], "{facts}");
    }
    let mut small = api.app.clone();
    small.limits.simulate_max = 29;
    let ctx = guerdon::app::Ctx::new(designer(), "request", guerdon::clock::Clock::now(&api.clock));
    let order = guerdon::app::simulation::Simulate::of(guerdon::app::simulation::SimulatedRules::AsTheyAre);
    let refused = guerdon::app::simulation::simulate(&small, &ctx, &order).await.unwrap_err();
    assert_eq!(refused.faults().unwrap().0[0].code, "TOO_MANY");
    small.limits.simulate_max = 30;
    guerdon::app::simulation::simulate(&small, &ctx, &order).await.unwrap();
}

#[tokio::test]
async fn hypothetical_facts_change_the_partner_that_they_are_of() {
    let api = levelled().await;
    let facts = json!([{"partner": "P00", "facts": {"holdings": [{"kind": "CERTIFICATION"}], "transactions": [{"amount": {"amount": "15000.00", "currency": "USD"}, "times": 3}]}}]);
    let found = simulated(&api, json!({"asOf": "2020-06-01", "facts": facts, "rebatePeriods": ["2020-Q2"]})).await;
    assert_eq!(found["moves"]["nodes"].as_array().unwrap().len(), 1);
    assert_eq!((&found["moves"]["nodes"][0]["partnerCode"], &found["moves"]["nodes"][0]["to"]), (&json!("P00"), &json!("GOLD")));
    assert_eq!(found["rebateChanges"]["nodes"].as_array().unwrap().len(), 1, "{found}");
    let without = json!([{"partner": "P29", "facts": {"without": [{"source": "lms", "externalId": "c-P29"}, {"source": "lms", "externalId": "none"}]}}]);
    let found = simulated(&api, json!({"asOf": "2020-06-01", "facts": without})).await;
    assert_eq!((&found["moves"]["nodes"][0]["from"], &found["moves"]["nodes"][0]["to"]), (&json!("GOLD"), &json!("SILVER")));
    assert_eq!(found["warnings"], json!([{"partnerCode": null, "code": "UNKNOWN_FACT"}]));
}

const WHAT_IF: &str = "whatIf(facts: {holdings: [{kind: \"CERTIFICATION\", times: 3}], transactions: [{amount: {amount: \"50000.00\", currency: \"USD\"}}]}, asOf: \"2020-06-01\", rebatePeriods: [\"2020-Q2\"]) \
    { asOf programVersion before { tier next { gap { missing { key } } } } after { ladder tier } moves { from to text } benefitChanges { benefit kind } rebates { before { amount } after { amount } } warnings { code } }";

#[tokio::test]
async fn a_partner_may_ask_about_itself() {
    let api = levelled().await;
    let before = everything(&api).await;
    let answer =
        api.ask(of_partner("P00"), &format!("{{ partner(by: {{code: \"P00\"}}) {{ {WHAT_IF} }} other: partner(by: {{code: \"P01\"}}) {{ code }} }}")).await;
    let found = answer.at("/partner/whatIf");
    assert_eq!((&found["before"][0]["tier"], &found["after"][0]["tier"]), (&json!("SILVER"), &json!("GOLD")));
    assert_eq!(found["moves"].as_array().unwrap().len(), 1);
    assert_eq!(found["benefitChanges"], json!([{"benefit": "support", "kind": "GAINED"}]));
    assert_eq!((&found["rebates"][0]["before"]["amount"], &found["rebates"][0]["after"]["amount"]), (&json!("40.00"), &json!("980.00")));
    assert_eq!(answer.at("/other"), &json!(null));
    assert_eq!(everything(&api).await, before);
    let mut counts = Vec::new();
    for first in [1, 10, 30] {
        let earlier = api.database.store.statements();
        let answer = api.ask(auditor(), &format!("{{ partners(first: {first}) {{ nodes {{ {WHAT_IF} }} }} }}")).await;
        let nodes = answer.at("/partners/nodes").as_array().unwrap();
        assert!(nodes.len() == first && nodes.iter().all(|node| node["whatIf"]["after"][0]["tier"] == "GOLD"));
        counts.push(api.database.store.statements() - earlier);
    }
    assert!(counts.windows(2).all(|pair| pair[0] == pair[1]), "{counts:?}");
}

#[tokio::test]
async fn what_has_no_date_is_supposed_on_the_day_that_is_asked_about() {
    let api = levelled().await;
    let mut document = document();
    document["program"]["timeZone"] = json!("Pacific/Kiritimati");
    document["version"] = json!({"label": "East", "effectiveOn": "2020-05-01"});
    document["categories"] = json!([{"key": "BIKES"}, {"key": "PARTS"}]);
    document["rebateSchedules"] = json!([{"key": "bikes", "period": {"month": {}}, "scope": {"categories": ["BIKES"]}, "method": {"flat": {"rate": "10 %"}}}]);
    api.publish(&document).await;
    products(&api.database.store, &[("bike", "BIKES")]).await;
    // It is the first of July there already.
    api.clock.set("2020-06-30T12:00:00Z".parse().unwrap());
    let supposed = "transactions: [{amount: {amount: \"100.00\", currency: \"USD\"}, product: \"bike\"}]";
    let asked = |as_of: &str, supposed: &str| {
        format!(
            "whatIf(facts: {{{supposed}}}{as_of}, rebatePeriods: [\"2020-06\", \"2020-07\"]) {{ asOf rebates {{ period before {{ amount }} after {{ amount }} }} }}"
        )
    };
    let more = |answer: &Value| -> Vec<(String, String)> {
        let rebates = answer["rebates"].as_array().unwrap().iter();
        rebates.map(|one| (one["period"].as_str().unwrap().to_owned(), one["after"]["amount"].as_str().unwrap().to_owned())).collect()
    };
    let mut counts = Vec::new();
    for first in [1, 10] {
        let earlier = api.database.store.statements();
        let answer = api.ask(auditor(), &format!("{{ partners(first: {first}) {{ nodes {{ {} }} }} }}", asked("", supposed))).await;
        counts.push(api.database.store.statements() - earlier);
        let found = answer.at("/partners/nodes/0/whatIf");
        let expected = vec![("2020-06".into(), "0.00".into()), ("2020-07".into(), "10.00".into())];
        assert_eq!((&found["asOf"], more(found)), (&json!("2020-07-01"), expected), "today in the program's time zone");
    }
    assert_eq!(counts[0], counts[1], "however many partners");
    let facts = json!([{"partner": "P00", "facts": {"transactions": [{"amount": {"amount": "100.00", "currency": "USD"}, "product": "bike"}]}}]);
    let query = "query($input: SimulationInput!) { simulation(input: $input) { asOf rebateChanges { nodes { partnerCode period after { amount } } } } }";
    let answer = api.execute(designer(), query, json!({"input": {"facts": facts, "rebatePeriods": ["2020-06", "2020-07"]}})).await;
    let expected = json!([{"partnerCode": "P00", "period": "2020-07", "after": {"amount": "10.00"}}]);
    assert_eq!((answer.at("/simulation/asOf"), answer.at("/simulation/rebateChanges/nodes")), (&json!("2020-07-01"), &expected));
    // A product that nobody knows is refused, as it is when the line is recorded.
    let unknown = asked(", asOf: \"2020-07-01\"", &supposed.replace("\"bike\"", "\"boat\""));
    let answer = api.ask(of_partner("P00"), &format!("{{ partner(by: {{code: \"P00\"}}) {{ {unknown} }} }}")).await;
    assert_eq!(answer.codes(), ["UNKNOWN_PRODUCT"]);
    let answer = api.execute(designer(), query, json!({"input": {"rebatePeriods": ["2020-Q3"]}})).await;
    assert_eq!(answer.codes(), ["UNKNOWN_PERIOD"]);
    let fault = &answer.errors[0]["extensions"]["faults"][0];
    assert!(fault["message"].as_str().unwrap().contains("`2020-07`") && fault["path"] == "rebatePeriods[0]", "{fault}");
}

#[tokio::test]
async fn statements_do_not_depend_on_the_partners_of_a_part() {
    let api = levelled().await;
    let mut counts = Vec::new();
    for partners in [json!(["P03"]), json!(["P03", "P07", "P08", "P11"]), json!((0..30).map(|at| format!("P{at:02}")).collect::<Vec<_>>())] {
        let before = api.database.store.statements();
        simulated(&api, json!({"asOf": "2020-06-01", "rules": silver_at(9_000), "slice": {"partners": partners}, "rebatePeriods": ["2020-Q2"]})).await;
        counts.push(api.database.store.statements() - before);
    }
    assert!(counts.windows(2).all(|pair| pair[0] == pair[1]), "{counts:?}");
    assert!(counts[0] <= 20, "{counts:?}");
}

#[tokio::test]
async fn lists_are_paged() {
    let api = levelled().await;
    let query = "query($input: SimulationInput!, $after: String) { simulation(input: $input) { moves(first: 4, after: $after, direction: DOWN) { nodes { partnerCode } pageInfo { hasNextPage endCursor } } up: moves(direction: UP) { nodes { partnerCode } } } }";
    let input = json!({"asOf": "2020-06-01", "rules": silver_at(31_000)});
    let (mut after, mut codes) = (Value::Null, Vec::new());
    loop {
        let answer = api.execute(designer(), query, json!({"input": input, "after": after})).await;
        assert_eq!(answer.at("/simulation/up/nodes"), &json!([]));
        let page = answer.at("/simulation/moves");
        codes.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["partnerCode"].clone()));
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == json!(false) {
            break;
        }
    }
    let all = simulated(&api, input).await;
    let whole: Vec<Value> = all["moves"]["nodes"].as_array().unwrap().iter().map(|node| node["partnerCode"].clone()).collect();
    assert_eq!(codes, whole);
    assert!(whole.len() > 8);
}

/// GOLD by application from 6,000; nobody has been let in.
async fn by_application() -> Api {
    let api = Api::new().await;
    let mut document = document();
    document["ladders"][0]["tiers"][2] = json!({"key": "GOLD", "entry": "BY_APPLICATION", "requirement": {"metric": {"metric": "revenue", "atLeast": "6000"}}});
    api.publish(&document).await;
    api.furnish(&["A", "B", "C"]).await;
    evaluate(&api, "2020-06-01", "first").await;
    api
}

#[tokio::test]
async fn a_hypothetical_admission_is_what_accepting_the_application_does() {
    let (reality, copy) = (by_application().await, by_application().await);
    let supposed = json!([{"partner": "A", "facts": {"admissions": [{"tier": "GOLD"}]}}]);
    let stored = everything(&reality).await;
    let found = simulated(&reality, json!({"asOf": "2020-06-01", "facts": supposed})).await;
    let moved = &found["moves"]["nodes"];
    assert_eq!(
        (moved.as_array().unwrap().len(), &moved[0]["partnerCode"], &moved[0]["from"], &moved[0]["to"]),
        (1, &json!("A"), &json!("SILVER"), &json!("GOLD"))
    );
    assert_eq!(found["benefitChanges"]["nodes"], json!([{"partnerCode": "A", "benefit": "support", "kind": "GAINED"}]));
    let what_if = "{ partner(by: {code: \"A\"}) { whatIf(facts: {admissions: [{tier: \"GOLD\"}]}, asOf: \"2020-06-01\") { before { tier } after { tier } } } }";
    let answer = reality.ask(of_partner("A"), what_if).await;
    assert_eq!(answer.at("/partner/whatIf"), &json!({"before": [{"tier": "SILVER"}], "after": [{"tier": "GOLD"}]}));
    assert_eq!(everything(&reality).await, stored);
    // Applied for and accepted on the copy.
    let fields = "admissionRequest { id }";
    let input = json!({"partner": "A", "program": "P", "tier": "GOLD", "idempotencyKey": "apply"});
    let opened = copy.mutate(of_partner("A"), "tierApply", "TierApplyInput", fields, input).await;
    let input = json!({"id": opened["admissionRequest"]["id"], "idempotencyKey": "accept"});
    let manager = actor(Role::ChannelManager, RoleScope::Regions(vec!["DE".into()]));
    copy.mutate(manager, "admissionAccept", "AdmissionAcceptInput", fields, input).await;
    let expected: BTreeMap<String, Option<String>> =
        tiers(&reality, "2020-06-01").await.into_iter().map(|(code, tier)| if code == "A" { (code, Some("GOLD".to_owned())) } else { (code, tier) }).collect();
    assert_eq!(tiers(&copy, "2020-06-01").await, expected);
    for (admission, code) in [
        (json!({"tier": "NONE"}), "UNKNOWN_TIER"),
        (json!({"tier": "GOLD", "ladder": "OTHER"}), "UNKNOWN_LADDER"),
        (json!({"tier": "SILVER"}), "OTHER_ENTRY"),
        (json!({"tier": "GOLD", "region": "DE"}), "REGION_NOT_EXPECTED"),
    ] {
        let facts = json!([{"partner": "A", "facts": {"admissions": [admission]}}]);
        assert_eq!(asked(&reality, designer(), json!({"asOf": "2020-06-01", "facts": facts})).await.codes(), [code]);
    }
}
