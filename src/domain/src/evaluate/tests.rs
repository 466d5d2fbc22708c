use serde_json::{Value, json};

use super::*;
use crate::document::read::{Format, read_document, read_value};

const PROGRAM: &str = include_str!("../../../../examples/programs/reseller-tiers.yaml");
const REBATES: &str = include_str!("../../../../examples/programs/quarterly-rebates.yaml");

fn compiled(text: &str) -> CaseProgram {
    CaseProgram::compile(read_document(read_value(text, Format::Yaml).unwrap()).unwrap()).unwrap()
}

fn answered(program: &str, case: Value) -> Result<Value, Vec<(String, String)>> {
    let pairs = |faults: Faults| faults.0.into_iter().map(|fault| (fault.code, fault.path)).collect::<Vec<_>>();
    let case = CaseInput::read(case).map_err(pairs)?;
    evaluate(&case, &compiled(program)).map(|answer| serde_json::to_value(answer).unwrap()).map_err(pairs)
}

fn partner() -> Value {
    json!({"code": "NORD", "attributes": [{"region": "NO", "type": "VAR"}], "transactions": [{"id": "1", "date": "2026-03-01", "amount": "100000.00"}]})
}

#[test]
fn every_question_is_answered_per_partner() {
    let case = json!({
        "id": 7,
        "program": "p.yaml",
        "facts": {"partners": [partner(), {"code": "OTHER"}]},
        "asOf": "2026-06-30",
        "partners": ["NORD"],
        "ask": ["standing", {"metrics": ["revenue"]}, {"entitlements": {"benefits": ["portal", "support"]}}, "risk"]
    });
    let answer = answered(PROGRAM, case).unwrap();
    assert_eq!((&answer["id"], &answer["asOf"], &answer["program"]["code"]), (&json!(7), &json!("2026-06-30"), &json!("RESELLER")));
    assert_eq!(answer["program"]["digest"].as_str().map(str::len), Some(64));
    let partners = answer["partners"].as_object().unwrap();
    assert_eq!(partners.keys().collect::<Vec<_>>(), ["NORD"]);
    let nord = &partners["NORD"];
    assert_eq!(nord.as_object().unwrap().keys().collect::<Vec<_>>(), ["standing", "metrics", "entitlements", "risk"]);
    assert_eq!(nord["standing"]["ladders"][0]["tier"], "REGISTERED");
    assert_eq!(nord["metrics"]["revenue"]["value"], "100000");
    assert_eq!(nord["entitlements"][0]["status"], "GRANTED");
    assert_eq!(nord["entitlements"][1]["value"], json!({"level": "BASIC"}));
}

#[test]
fn rebates_runs_and_estimates() {
    let line =
        |id: &str, date: &str, recorded: &str, amount: &str| json!({"id": id, "date": date, "recordedOn": recorded, "category": "SERVERS", "amount": amount});
    let lines = [line("1", "2025-07-10", "2025-07-10", "100000.00"), line("2", "2025-09-30", "2025-11-01", "10000.00")];
    let case = json!({
        "program": "p",
        "facts": {"partners": [{"code": "P", "assignments": [{"tier": "SILVER", "from": "2025-07-01"}], "transactions": lines}]},
        "asOf": "2025-09-30",
        "ask": [
            {"rebates": {"periods": ["FY2026-Q1"], "schedules": ["volume"]}},
            {"rebates": {"periods": ["FY2026-Q1"], "schedules": ["volume"], "knownOn": "2025-10-15"}},
            {"runs": [{"period": "FY2026-Q1", "runOn": "2025-10-15"}, {"period": "FY2026-Q2", "runOn": "2026-01-15"}]},
            {"estimate": {"schedules": ["volume"], "order": [{"id": "x", "date": "2025-09-30", "category": "SERVERS", "amount": "1000.00"}]}}
        ]
    });
    let answer = answered(REBATES, case).unwrap();
    let partner = &answer["partners"]["P"];
    assert_eq!(partner["rebates"][0]["totals"], json!({"USD": "2000.00"}));
    assert_eq!(partner["rebates"][1]["totals"], json!({"USD": "1500.00"}));
    let volume = |run: usize| partner["runs"][run]["schedules"].as_array().unwrap().iter().find(|run| run["schedule"] == "volume").unwrap().clone();
    assert_eq!((volume(0)["postedNow"].clone(), volume(0)["postedTotal"].clone()), (json!("1500.00"), json!("1500.00")));
    assert_eq!((volume(1)["postedNow"].clone(), volume(1)["postedTotal"].clone()), (json!("500.00"), json!("2000.00")));
    assert_eq!(partner["estimates"][0]["schedule"], "volume");
    assert_eq!(partner["estimates"][0]["hypothetical"]["adds"], "50.00");
}

#[test]
fn all_faults_of_a_case_come_at_once() {
    let facts =
        json!({"partners": [{"code": "A", "attributes": [{"region": "MARS"}], "transactions": [{"id": "1", "date": "2026-01-01", "amount": "1_000"}]}]});
    let ask = json!(["standings", {"standing": ["LEVL"]}, {"metrics": {"metric": ["x"]}}, {"rebates": ["2026-Q1"]}, {"entitlements": ["portal"]}, "entitlements", 5, {}]);
    let found = answered(PROGRAM, json!({"program": "p", "facts": facts, "partners": ["B"], "ask": ask})).unwrap_err();
    let found: Vec<(&str, &str)> = found.iter().map(|(code, path)| (code.as_str(), path.as_str())).collect();
    let expected = [
        ("UNKNOWN_KEY", "facts.partners[0].attributes[0].region"),
        ("INVALID_DECIMAL", "facts.partners[0].transactions[0].amount"),
        ("UNKNOWN_QUESTION", "ask[0]"),
        ("UNKNOWN_KEY", "ask[1].standing.ladders[0]"),
        ("MISSING_MEMBER", "asOf"),
        ("UNKNOWN_MEMBER", "ask[2].metrics.metric"),
        ("UNKNOWN_PERIOD", "ask[3].rebates.periods[0]"),
        ("DUPLICATE", "ask[5]"),
        ("WRONG_TYPE", "ask[6]"),
        ("EMPTY_LIST", "ask[7]"),
        ("UNKNOWN_PARTNER", "partners[0]"),
    ];
    assert_eq!(found, expected);
}

/// All facts of a case are known, so that gaps are told by any day: here the end of an override.
#[test]
fn a_gap_is_told_by_the_end_of_an_override() {
    let text = "guerdon: 1\nprogram: {code: X, name: X, currency: USD}\nversion: {effectiveOn: 2020-01-01}\n\
        metrics: [{key: rev, unit: MONEY, measure: {source: TRANSACTIONS, aggregate: SUM, window: {rolling: {months: 12}}}}]\n\
        ladders: [{key: L, review: {cadenceDown: MONTHLY}, tiers: [{key: A}, {key: B, requirement: {metric: {metric: rev, atLeast: 1000}}}]}]\n";
    let floor = json!([{"kind": "FLOOR", "tier": "B", "from": "2026-06-01", "until": "2026-11-10", "reason": "r"}]);
    let facts = json!({"partners": [{"code": "P", "assignments": [{"tier": "B", "from": "2026-05-20"}], "overrides": floor}]});
    let answer = answered(text, json!({"program": "p", "facts": facts, "asOf": "2026-06-15", "ask": ["standing", "risk"]})).unwrap();
    let partner = &answer["partners"]["P"];
    assert_eq!(partner["standing"]["ladders"][0]["keep"]["missing"][0]["by"], "2026-11-10");
    assert_eq!(partner["risk"], json!([]));
}

/// No fault hides another: neither one of the shape of a fact, nor one of the program.
#[test]
fn nothing_that_cannot_be_read_hides_other_faults() {
    let head = json!({"guerdon": 1, "program": {"code": "X", "name": "X", "currency": "USD"}, "version": {"effectiveOn": "2020-01-01"}});
    let with = |unit: &str, metric: &str| {
        let mut document = head.clone();
        document["metrics"] = json!([{"key": "rev", "unit": unit, "measure": {"source": "TRANSACTIONS", "aggregate": "SUM", "window": {"lifetime": {}}}}]);
        document["ladders"] = json!([{"key": "L", "tiers": [{"key": "T0"}, {"key": "T1", "requirement": {"metric": {"metric": metric, "atLeast": 1}}}]}]);
        document
    };
    let (good, shape, rule) = (with("MONEY", "rev"), with("NOPE", "rev"), with("MONEY", "zzz"));
    let (of_shape, of_rule) = (("UNKNOWN_VALUE", "program.metrics[0].unit"), ("UNKNOWN_KEY", "program.ladders[0].tiers[1].requirement.metric.metric"));
    let line = |date: &str, amount: &str| json!({"id": format!("{date} {amount}"), "date": date, "amount": amount});
    let (date, spelled) = (json!([line("x", "5")]), json!([line("2026-01-01", "1e3")]));
    let (of_date, of_amount) = (("INVALID_VALUE", "facts.partners[0].transactions[0].date"), ("INVALID_DECIMAL", "facts.partners[0].transactions[0].amount"));
    let (of_ask, of_as_of) = (("UNKNOWN_QUESTION", "ask[1]"), ("MISSING_MEMBER", "asOf"));
    let unknown_tier = json!([{"tier": "Q", "from": "2026-01-01"}]);
    let (day, none, ask, bad_ask) = (json!("2026-06-30"), json!(null), json!(["standing"]), json!(["standing", "nope"]));
    let cases = [
        (&shape, json!({"transactions": date}), &day, &ask, vec![of_date, of_shape]),
        (&shape, json!({"transactions": spelled}), &day, &ask, vec![of_shape, of_amount]),
        (&shape, json!({}), &day, &bad_ask, vec![of_shape, of_ask]),
        (&rule, json!({"transactions": spelled}), &day, &ask, vec![of_rule, of_amount]),
        (&rule, json!({"assignments": unknown_tier}), &none, &bad_ask, vec![of_rule, of_as_of, of_ask]),
        (
            &good,
            json!({"transactions": [line("x", "5"), line("2026-01-01", "1e3")]}),
            &day,
            &ask,
            vec![of_date, ("INVALID_DECIMAL", "facts.partners[0].transactions[1].amount")],
        ),
        (
            &good,
            json!({"transactions": date, "assignments": unknown_tier}),
            &day,
            &ask,
            vec![of_date, ("UNKNOWN_KEY", "facts.partners[0].assignments[0].tier")],
        ),
        (&good, json!({"transactions": date}), &none, &bad_ask, vec![of_date, of_as_of, of_ask]),
        // What follows from what could not be read is not told.
        (
            &good,
            json!({"assignments": [{"tier": "T0", "from": "x"}, {"tier": "T1", "from": "y"}]}),
            &day,
            &ask,
            vec![("INVALID_VALUE", "facts.partners[0].assignments[0].from"), ("INVALID_VALUE", "facts.partners[0].assignments[1].from")],
        ),
    ];
    let of = |document: &Value| read_document(document.clone()).and_then(CaseProgram::compile).map(std::sync::Arc::new);
    for (document, mut partner, as_of, ask, expected) in cases {
        partner["code"] = json!("P");
        let case = json!({"id": 1, "program": document, "facts": {"partners": [partner]}, "asOf": as_of, "ask": ask});
        let faults = evaluate_written(case.clone(), of).unwrap_err();
        let found: Vec<(&str, &str)> = faults.0.iter().map(|fault| (fault.code.as_str(), fault.path.as_str())).collect();
        assert_eq!(found, expected, "{case}");
    }
    // A case in order is answered as by its parts; what is no case is refused.
    let case = json!({"program": good, "facts": {"partners": [partner()]}, "asOf": "2026-06-30", "ask": ["standing"]});
    let apart = evaluate(&CaseInput::read(case.clone()).unwrap(), &of(&good).unwrap()).unwrap();
    assert_eq!(serde_json::to_value(evaluate_written(case, of).unwrap()).unwrap(), serde_json::to_value(apart).unwrap());
    for nothing in [json!(null), json!([1]), json!({}), json!({"ask": ["standing"]}), json!({"program": 5, "ask": []})] {
        assert!(evaluate_written(nothing.clone(), of).is_err(), "{nothing}");
    }
}

/// One fact with several faults tells all of them: of its shape, and of members that can be read. What only follows from a fault of its shape is not told.
#[test]
fn a_fact_tells_all_its_faults() {
    let with_regions = "guerdon: 1\nprogram: {code: X, name: X, currency: USD}\nversion: {effectiveOn: 2020-01-01}\nregions: [{key: DE}]\ncategories: [{key: BIKES}]\n\
        partnerTypes: [{key: VAR}]\nbenefits: [{key: b, kind: ALLOWANCE}]\nladders: [{key: L, main: true, tiers: [{key: T0}, {key: T1}]}, {key: R, scope: PARTNER_IN_REGION, tiers: [{key: T2}]}]\n\
        rebateSchedules: [{key: r, period: {quarter: {}}, method: {flat: {rate: 1 %}}}]\n";
    let found = |facts: Value, ask: Value| {
        let case = json!({"program": "p", "facts": facts, "asOf": "2026-06-30", "ask": ask});
        let faults = evaluate_written(case, |_| Ok(std::sync::Arc::new(compiled(with_regions)))).unwrap_err();
        faults.0.into_iter().map(|fault| format!("{} {}", fault.code, fault.path)).collect::<Vec<_>>()
    };
    let of = |member: &str, fact: Value| {
        let found = found(json!({"partners": [{"code": "P", member: [fact]}]}), json!(["standing"]));
        let place = format!("facts.partners[0].{member}[0]");
        found.into_iter().map(|fault| fault.replace(&place, "")).collect::<Vec<_>>()
    };
    let cases = [
        (
            "transactions",
            json!({"id": "", "date": "x", "amount": "1e3", "quantity": "1.0000001", "category": "BIKE", "region": "FR", "colour": 1, "kind": "SALES"}),
            vec![
                "INVALID_VALUE .date",
                "UNKNOWN_MEMBER .colour",
                "UNKNOWN_VALUE .kind",
                "UNKNOWN_KEY .region",
                "UNKNOWN_KEY .category",
                "INVALID_ID .id",
                "INVALID_DECIMAL .amount",
                "TOO_MANY_DECIMALS .quantity",
            ],
        ),
        // How many decimals an amount may have is not known without its currency.
        ("transactions", json!({"id": "1", "date": "2026-01-01", "amount": "1.005", "currency": "US"}), vec!["INVALID_VALUE .currency"]),
        ("transactions", json!({"id": "1", "date": "2026-01-01", "amount": "1.005", "curency": "KWD"}), vec!["UNKNOWN_MEMBER .curency"]),
        ("transactions", json!({"date": "2026-01-01", "amount": "1.005"}), vec!["MISSING_MEMBER .id", "TOO_MANY_DECIMALS .amount"]),
        // Nor whether an end lies before a beginning, or a ladder has a tier, without the one that is meant.
        ("assignments", json!({"tier": "Q", "from": "x", "until": "2020-01-01"}), vec!["INVALID_VALUE .from", "UNKNOWN_KEY .tier"]),
        ("assignments", json!({"tier": "T2", "from": "2026-01-01", "laddr": "R"}), vec!["UNKNOWN_MEMBER .laddr"]),
        ("assignments", json!({"ladder": "R", "tier": "T2", "from": "2026-01-01", "regoin": "DE"}), vec!["UNKNOWN_MEMBER .regoin"]),
        (
            "overrides",
            json!({"kind": "FLOOR", "ladder": "Q", "from": "2026-01-01", "until": "2026-01-01", "proposedBy": "a", "approvedBy": "a"}),
            vec!["MISSING_MEMBER .reason", "EMPTY_SPAN .until", "MISSING_MEMBER .tier", "SEGREGATION_OF_DUTIES .approvedBy", "UNKNOWN_KEY .ladder"],
        ),
        ("overrides", json!({"kind": "FLOR", "from": "2026-01-01", "reason": "r"}), vec!["UNKNOWN_VALUE .kind"]),
        ("attributes", json!({"from": 5, "type": "V", "region": "FR"}), vec!["WRONG_TYPE .from", "UNKNOWN_KEY .type", "UNKNOWN_KEY .region"]),
        ("enrollments", json!({"since": "2026-02-30", "until": "2020-01-01", "track": "V"}), vec!["INVALID_VALUE .since", "UNKNOWN_KEY .track"]),
        (
            "holdings",
            json!({"id": "h", "kind": " ", "holderKind": "PERSON", "value": "x", "since": 1, "until": "2020-01-01"}),
            vec!["WRONG_TYPE .since", "INVALID_CODE .kind", "INVALID_DECIMAL .value", "MISSING_HOLDER .person"],
        ),
        ("deals", json!({"id": 1, "openedOn": "2026-01-02", "closedOn": "2026-01-01"}), vec!["WRONG_TYPE .id", "DATES_OUT_OF_ORDER .closedOn"]),
        (
            "exceptions",
            json!({"grant": {"benefit": "c", "effect": "REMOVE"}, "from": "2026-01-02", "until": "2026-01-01"}),
            vec!["MISSING_MEMBER .reason", "UNKNOWN_KEY .grant.benefit", "DATES_OUT_OF_ORDER .until"],
        ),
    ];
    for (member, fact, expected) in cases {
        assert_eq!(of(member, fact.clone()), expected, "{member} {fact}");
    }
    let rate = json!({"exchangeRates": [{"from": "EUR", "to": "EUR", "date": "x", "rate": "0"}]});
    assert_eq!(
        found(rate, json!(["standing"])),
        ["INVALID_VALUE facts.exchangeRates[0].date", "OUT_OF_RANGE facts.exchangeRates[0].rate", "SAME_CURRENCY facts.exchangeRates[0].to"]
    );
    // A hypothetical order is made of facts.
    let order = json!([{"id": "1", "date": "x", "amount": "1e3", "category": "BIKE"}, {"id": "2", "date": "2026-05-01", "amount": "1.005", "region": "FR"}]);
    let facts = json!({"partners": [{"code": "P", "transactions": [{"id": "1", "date": "2026-01-01", "amount": "1e3"}]}]});
    assert_eq!(
        found(facts, json!([{"estimate": {"order": order}}])),
        [
            "INVALID_DECIMAL facts.partners[0].transactions[0].amount",
            "INVALID_VALUE ask[0].estimate.order[0].date",
            "UNKNOWN_KEY ask[0].estimate.order[0].category",
            "INVALID_DECIMAL ask[0].estimate.order[0].amount",
            "UNKNOWN_KEY ask[0].estimate.order[1].region",
            "TOO_MANY_DECIMALS ask[0].estimate.order[1].amount",
        ]
    );
}

#[test]
fn the_shape_of_a_case_is_judged_first() {
    let found = answered(PROGRAM, json!({"program": "p", "fact": {}, "asOf": "yesterday", "ask": "standing"})).unwrap_err();
    let found: Vec<(&str, &str)> = found.iter().map(|(code, path)| (code.as_str(), path.as_str())).collect();
    assert_eq!(found, [("UNKNOWN_MEMBER", "fact"), ("INVALID_VALUE", "asOf"), ("WRONG_TYPE", "ask")]);
}

#[test]
fn a_missing_exchange_rate_refuses_the_case() {
    let facts = json!({"partners": [{"code": "A", "transactions": [{"id": "1", "date": "2026-01-01", "amount": "1", "currency": "JPY"}]}]});
    let found = answered(PROGRAM, json!({"program": "p", "facts": facts, "asOf": "2026-06-30", "ask": ["standing"]})).unwrap_err();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].0.contains("EXCHANGE_RATE"), "{found:?}");
}

/// What an engine refuses is told with a path from the case's root as well.
#[test]
fn faults_of_engines_start_at_the_case() {
    const BUDGETED: &str = "
guerdon: 1
program: {code: T, name: T, currency: USD}
version: {effectiveOn: 2024-01-01}
rebateSchedules:
  - {key: other, period: {month: {}}, method: {flat: {rate: 1 %}}}
  - {key: f, period: {quarter: {}}, method: {flat: {rate: 10 %}}, budget: {amount: 5, whenExceeded: REFUSE}}
";
    let refused = |ask: Value| {
        let facts = json!({"partners": [{"code": "P", "transactions": [{"id": "1", "date": "2024-01-05", "amount": "100.00"}]}]});
        answered(BUDGETED, json!({"program": "p", "facts": facts, "asOf": "2024-01-31", "ask": ask})).unwrap_err()
    };
    let run = |period: &str, run_on: &str| json!([{"period": period, "runOn": run_on}]);
    let one = |code: &str, path: &str| vec![(code.to_owned(), path.to_owned())];
    let early = json!(["metrics", {"runs": run("2024-01", "2024-01-31")}, {"runs": run("2024-Q2", "2024-04-01")}]);
    assert_eq!(refused(early), one("PERIOD_NOT_OVER", "ask[2].runs[0].runOn"));
    assert_eq!(refused(json!([{"runs": {"runs": run("2024-Q2", "2024-04-01")}}])), one("PERIOD_NOT_OVER", "ask[0].runs.runs[0].runOn"));
    assert_eq!(refused(json!([{"runs": run("2024-Q2", "2024-06-31")}])), one("INVALID_VALUE", "ask[0].runs[0].runOn"));
    assert_eq!(refused(json!([{"runs": run("2024-Q9", "2024-06-30")}])), one("UNKNOWN_PERIOD", "ask[0].runs[0]"));
    assert_eq!(refused(json!([{"rebates": ["2024-Q1"]}])), one("BUDGET_EXCEEDED", "program.rebateSchedules[1].budget"));
    let order = json!([{"id": "o", "date": "2024-01-10", "amount": "1.234"}]);
    assert_eq!(refused(json!(["metrics", {"estimate": {"order": order}}])), one("TOO_MANY_DECIMALS", "ask[1].estimate.order[0].amount"));
}

/// A period that begins before the version takes effect has no rules (semantics 5): it is refused, or left out where none is named.
#[test]
fn a_period_before_the_version_is_refused() {
    const LATER: &str = "
guerdon: 1
program: {code: T, name: T, currency: USD}
version: {effectiveOn: 2024-01-02}
rebateSchedules: [{key: c, period: {quarter: {}}, method: {flat: {rate: 10 %}}, minimumPayout: {amount: 20, below: CARRY}}]
";
    let asked = |as_of: &str, ask: Value| {
        let facts = json!({"partners": [{"code": "P", "transactions": [{"id": "1", "date": "2024-02-05", "amount": "150.00"}, {"id": "2", "date": "2024-04-05", "amount": "300.00"}]}]});
        answered(LATER, json!({"program": "p", "facts": facts, "asOf": as_of, "ask": ask}))
    };
    let one = |path: &str| Err(vec![("NO_VERSION_IN_FORCE".to_owned(), path.to_owned())]);
    assert_eq!(asked("2024-02-01", json!([{"rebates": ["2024-Q2", "2024-Q1"]}])), one("ask[0].rebates.periods[1]"));
    assert_eq!(asked("2024-02-01", json!([{"estimate": ["2024-Q1"]}])), one("ask[0].estimate.periods[0]"));
    assert_eq!(asked("2024-02-01", json!([{"runs": [{"period": "2024-Q1", "runOn": "2024-04-01"}]}])), one("ask[0].runs[0]"));
    assert_eq!(asked("2024-02-01", json!(["rebates"])).unwrap()["partners"]["P"]["rebates"], json!([]));
    assert_eq!(asked("2024-05-01", json!(["rebates"])).unwrap()["partners"]["P"]["rebates"][0]["totals"]["USD"], "30.00");
}

/// Rates of a contract are not passed over: whoever has them is told, and nobody else.
#[test]
fn rates_of_a_contract_are_told() {
    let program = |terms: Value| {
        json!({
            "guerdon": 1, "program": {"code": "C", "name": "c", "currency": "USD"}, "version": {"effectiveOn": "2026-01-01"},
            "rebateSchedules": [
                {"key": "s", "period": {"month": {}}, "method": {"flat": {"rate": "1 %"}}},
                {"key": "y", "period": {"year": {}}, "method": {"flat": {"rate": "1 %"}}}
            ],
            "contractTemplates": [{"key": "T", "terms": terms}],
        })
        .to_string()
    };
    let rates = |schedule: &str| json!({"rebateRates": [{"schedule": schedule, "rate": "5 %"}]});
    let asked = |template: Value, contract: Value, ask: Value| {
        let facts = json!({"partners": [{"code": "P", "contracts": [contract]}, {"code": "Q"}]});
        answered(&program(template), json!({"program": "c.yaml", "facts": facts, "asOf": "2026-02-10", "partners": ["P"], "ask": [ask]}))
    };
    let contract = |more: Value| {
        let mut contract = json!({"key": "K", "from": "2026-01-15", "until": "2026-02-11"});
        contract.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        contract
    };
    let months = json!({"rebates": {"periods": ["2026-02"]}});
    let told = vec![("CONTRACT_RATES".to_owned(), "program.rebateSchedules[0]".to_owned())];
    let own = contract(json!({"terms": rates("s")}));
    assert_eq!(asked(json!({}), own.clone(), months.clone()).unwrap_err(), told);
    assert_eq!(asked(json!({}), own.clone(), json!({"runs": [{"period": "2026-02", "runOn": "2026-03-01"}]})).unwrap_err(), told);
    assert_eq!(asked(json!({}), own.clone(), json!({"estimate": {"periods": ["2026-02"]}})).unwrap_err(), told);
    assert_eq!(asked(rates("s"), contract(json!({"template": "T"})), months.clone()).unwrap_err(), told, "of its template");
    for (contract, ask) in [
        (own.clone(), json!({"rebates": {"periods": ["2026-03"]}})),
        (contract(json!({"terms": rates("y")})), months.clone()),
        (contract(json!({"terms": rates("s"), "status": "DRAFT"})), months.clone()),
        (contract(json!({})), months),
    ] {
        assert!(asked(json!({}), contract.clone(), ask).is_ok(), "{contract}");
    }
}

/// What is asked for and not there is told with what is: keys of the program, and its own periods around the day.
#[test]
fn names_that_are_not_there_are_told_with_those_that_are() {
    let said = |ask: Value, program: &str| {
        let case = CaseInput::read(json!({"program": "p", "facts": {"partners": [{"code": "P"}]}, "asOf": "2026-02-10", "ask": [ask]})).unwrap();
        let faults = evaluate(&case, &compiled(program)).unwrap_err();
        faults.0.into_iter().map(|fault| fault.message).collect::<Vec<_>>()
    };
    let spelled = "no rebate schedule has such a period: they are spelled here as";
    assert_eq!(said(json!({"rebates": ["2026-H1"]}), REBATES), [format!("{spelled} `FY2026-Q3`, `FY2026`")]);
    assert_eq!(said(json!({"runs": [{"period": "2026-Q1", "runOn": "2025-12-01"}]}), REBATES), [format!("{spelled} `FY2026-Q2`, `FY2026`")]);
    assert_eq!(said(json!({"rebates": ["2026-Q1"]}), PROGRAM), ["the program has no rebate schedules, and so no periods"]);
    assert_eq!(said(json!({"rebates": {"schedules": ["volum"]}}), REBATES), ["the program has no rebate schedule `volum`: did you mean `volume`?"]);
    assert_eq!(
        said(json!({"rebates": {"schedules": ["Z"]}}), REBATES),
        ["the program has no rebate schedule `Z`: write one of `base`, `volume`, `attach`, `yearEnd`"]
    );
    assert_eq!(said(json!({"metrics": ["revenu"]}), PROGRAM), ["the program has no metric `revenu`: did you mean `revenue`?"]);
    // Three schedules, and one thing to say.
    let early = said(json!({"runs": [{"period": "FY2026-Q3", "runOn": "2026-02-10"}]}), REBATES);
    assert_eq!(early, ["FY2026-Q3 ends on 2026-03-31: run it on that day or later"]);
}
