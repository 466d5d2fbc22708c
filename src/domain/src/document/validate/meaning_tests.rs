//! What is well formed, and cannot be meant.

use super::validate;
use crate::document::read::{Format, read};

const HEAD: &str = "guerdon: 1
program: {code: P, name: P, currency: USD}
version: {effectiveOn: 2026-01-01}
regions: [{key: DE}, {key: FR}]
metrics:
  - {key: rev, unit: MONEY, measure: {source: TRANSACTIONS, aggregate: SUM, window: {rolling: {months: 12}}}}
  - {key: eng, unit: COUNT, measure: {source: HOLDINGS, aggregate: DISTINCT, of: holder, window: {onDay: {}}}}
  - {key: csat, unit: PERCENT, measure: {source: ACTIVITIES, aggregate: SHARE, share: {test: {field: value, atLeast: 4}}, window: {rolling: {months: 12}}}}
  - {key: days, unit: DURATION, measure: {source: ACTIVITIES, aggregate: AVERAGE, of: value, window: {rolling: {months: 12}}}}
  - {key: score, unit: SCORE, measure: {source: ACTIVITIES, aggregate: AVERAGE, of: value, window: {rolling: {months: 12}}}}
";

/// The faults of a document with further metrics, and with further lists.
fn found(metrics: &str, rest: &str) -> Vec<(String, String, String)> {
    let document = read(&format!("{HEAD}{metrics}{rest}"), Format::Yaml).unwrap_or_else(|faults| panic!("{faults}"));
    validate(&document).0.into_iter().map(|fault| (fault.code, fault.path, fault.message)).collect()
}

fn expect(metrics: &str, rest: &str, expected: &[(&str, &str)]) {
    let found = found(metrics, rest);
    let found: Vec<(&str, &str)> = found.iter().map(|(code, path, _)| (code.as_str(), path.as_str())).collect();
    assert_eq!(found, expected, "{metrics}{rest}");
}

fn ladder(requirement: &str) -> String {
    format!("ladders: [{{key: L, tiers: [{{key: A}}, {{key: B, requirement: {requirement}}}]}}]\n")
}

#[test]
fn gates_and_units_of_terms_are_written_in_the_unit_of_their_value() {
    let card = |term: &str| format!("  - {{key: card, unit: POINTS, formula: {{sum: {{terms: [{{value: {{metric: rev}}, {term}}}]}}}}}}\n");
    let gate = |figure: &str| card(&format!("gates: [{{value: {{metric: csat}}, atLeast: {figure}}}]"));
    expect(&gate("150 %"), "", &[("NEVER_MET", "metrics[5].formula.sum.terms[0].gates[0].atLeast")]);
    for fits in ["80 %", "0.8", "1"] {
        expect(&gate(fits), "", &[]);
    }
    expect(&gate("80"), "", &[("UNIT_MISMATCH", "metrics[5].formula.sum.terms[0].gates[0].atLeast")]);
    assert_eq!(found(&gate("80"), "")[0].2, "the value is in PERCENT, and 80 would be 80 times a hundred: write \"80 %\"");
    expect(&card("per: 10 %"), "", &[("UNIT_MISMATCH", "metrics[5].formula.sum.terms[0].per")]);
    let of_share = |per: &str| format!("  - {{key: card, unit: POINTS, formula: {{sum: {{terms: [{{value: {{metric: csat}}, per: {per}}}]}}}}}}\n");
    expect(&of_share("1 %"), "", &[]);
    expect(&of_share("5"), "", &[("UNIT_MISMATCH", "metrics[5].formula.sum.terms[0].per")]);
}

#[test]
fn edges_are_written_in_the_unit_of_the_qualifier() {
    let schedule =
        |qualifier: &str, method: &str| format!("rebateSchedules: [{{key: r, period: {{quarter: {{}}}}, qualifier: {qualifier}, method: {method}}}]\n");
    let bands = |edge: &str| format!("{{bands: {{scope: RETROACTIVE, bands: [{{from: 0, to: {edge}, rate: 1 %}}, {{from: {edge}, rate: 2 %}}]}}}}");
    let lump = |edge: &str| format!("{{lumpSum: {{targets: [{{at: {{default: {edge}, tiers: {{}}}}, amount: 5}}]}}}}");
    expect("", &schedule("{metric: {metric: csat}}", &bands("80 %")), &[]);
    expect("", &schedule("{metric: {metric: csat}}", &lump("80 %")), &[]);
    expect("", &schedule("amount", &bands("80")), &[]);
    // What is attained of a target may be more than the whole.
    let attained = "{metric: {formula: {growth: {of: {metric: rev}, monthsEarlier: 12, mode: PERCENT, withoutHistory: ZERO}}}}";
    expect("", &schedule(attained, &bands("1.1")), &[]);
    expect("", &schedule(attained, &bands("110 %")), &[]);
    let edges = [("UNIT_MISMATCH", "rebateSchedules[0].method.bands.bands[0].to"), ("UNIT_MISMATCH", "rebateSchedules[0].method.bands.bands[1].from")];
    expect("", &schedule("{metric: {metric: csat}}", &bands("80")), &edges);
    expect("", &schedule("amount", &bands("80 %")), &edges);
    expect("", &schedule("quantity", &lump("80 %")), &[("UNIT_MISMATCH", "rebateSchedules[0].method.lumpSum.targets[0].at")]);
}

#[test]
fn formulas_hold_like_against_like() {
    let metric = |unit: &str, formula: &str| format!("  - {{key: z, unit: {unit}, formula: {{{formula}}}}}\n");
    let refused = [
        ("MONEY", "maximum: [{metric: rev}, {metric: eng}]", "formula.maximum[1]"),
        ("MONEY", "minimum: [{constant: 5}, {metric: rev}, {formula: {average: [{metric: csat}]}}]", "formula.minimum[2]"),
        ("MONEY", "difference: {from: {metric: rev}, subtract: {metric: csat}}", "formula.difference.subtract"),
        ("MONEY", "choice: {when: {partner: {attribute: x}}, then: {metric: rev}, otherwise: {metric: eng}}", "formula.choice.otherwise"),
        ("COUNT", "maximum: [{metric: rev}]", "unit"),
        ("PERCENT", "growth: {of: {metric: rev}, monthsEarlier: 12, mode: ABSOLUTE, withoutHistory: ZERO}", "unit"),
        ("PERCENT", "ratio: {numerator: {metric: rev}, denominator: {metric: eng}}", "unit"),
        ("MONEY", "ratio: {numerator: {metric: rev}, denominator: {metric: rev}}", "unit"),
        ("PERCENT", "maximum: [{metric: days}]", "unit"),
    ];
    for (unit, formula, at) in refused {
        expect(&metric(unit, formula), "", &[("UNIT_MISMATCH", &format!("metrics[5].{at}"))]);
    }
    let meant = [
        ("MONEY", "maximum: [{metric: rev}, {constant: 5}]"),
        ("MONEY", "ratio: {numerator: {metric: rev}, denominator: {metric: eng}}"),
        ("PERCENT", "ratio: {numerator: {metric: rev}, denominator: {metric: rev}}"),
        ("COUNT", "ratio: {numerator: {metric: eng}, denominator: {metric: eng}}"),
        ("SCORE", "maximum: [{metric: score}, {metric: csat}]"),
        ("POINTS", "difference: {from: {metric: rev}, subtract: {constant: 5}}"),
        ("PERCENT", "growth: {of: {metric: rev}, monthsEarlier: 12, mode: PERCENT, withoutHistory: ZERO}"),
        ("MONEY", "growth: {of: {metric: rev}, monthsEarlier: 12, mode: ABSOLUTE, withoutHistory: ZERO}"),
    ];
    for (unit, formula) in meant {
        expect(&metric(unit, formula), "", &[]);
    }
    let in_place = ladder("{metric: {value: {formula: {maximum: [{metric: rev}, {metric: rev}]}}, atLeast: 5 %}}");
    expect("", &in_place, &[("UNIT_MISMATCH", "ladders[0].tiers[1].requirement.metric.atLeast")]);
}

#[test]
fn what_nobody_can_meet_is_refused() {
    let card = "  - {key: card, unit: POINTS, formula: {sum: {cap: 50, terms: [{value: {metric: eng}, points: 10}]}}}\n";
    let terms = "  - {key: card, unit: POINTS, formula: {sum: {terms: [{value: {metric: eng}, cap: 20}, {value: {metric: rev}, cap: 30}]}}}\n";
    let at = |member: &str| format!("ladders[0].tiers[1].requirement.metric.{member}");
    for metrics in [card, terms] {
        expect(metrics, &ladder("{metric: {metric: card, atLeast: 50}}"), &[]);
        expect(metrics, &ladder("{metric: {metric: card, atLeast: 60}}"), &[("NEVER_MET", &at("atLeast"))]);
        expect(metrics, &ladder("{metric: {metric: card, above: 50}}"), &[("NEVER_MET", &at("above"))]);
        let rows = ladder("{metric: {metric: card, atLeast: {default: 40, rows: [{region: DE, value: 70}]}}}");
        expect(metrics, &rows, &[("NEVER_MET", &at("atLeast.rows[0].value"))]);
    }
    expect("", &ladder("{metric: {metric: csat, atLeast: 150 %}}"), &[("NEVER_MET", &at("atLeast"))]);
    let share = found("", &ladder("{metric: {metric: csat, atLeast: 150 %}}"));
    assert_eq!(share[0].2, "what is compared is never more than 100 %: nobody could meet this");
    expect("", &ladder("{metric: {metric: eng, below: 0}}"), &[("NEVER_MET", &at("below"))]);
    // Beside returns, a part of amounts may be more than the whole.
    let share = "{measure: {source: TRANSACTIONS, aggregate: SHARE, share: {test: {field: category, exists: true}}, window: {lifetime: {}}}}";
    expect("", &ladder(&format!("{{metric: {{value: {share}, atLeast: 150 %}}}}")), &[]);
}

#[test]
fn a_test_of_a_number_can_be_passed() {
    let metric = |bounds: &str| {
        format!(
            "  - {{key: z, unit: MONEY, measure: {{source: TRANSACTIONS, filter: {{test: {{field: amount, {bounds}}}}}, aggregate: SUM, window: {{lifetime: {{}}}}}}}}\n"
        )
    };
    expect(&metric("atLeast: 100, below: 50"), "", &[("NEVER_MET", "metrics[5].measure.filter.test.below")]);
    expect(&metric("above: 100, atMost: 100"), "", &[("NEVER_MET", "metrics[5].measure.filter.test.atMost")]);
    expect(&metric("atLeast: 50, atMost: 50"), "", &[]);
}

#[test]
fn what_must_be_met_together_can_be() {
    let all =
        |first: &str, second: &str| ladder(&format!("{{allOf: [{{metric: {{metric: rev, {first}}}}}, {{allOf: [{{metric: {{metric: rev, {second}}}}}]}}]}}"));
    let at = |member: &str| format!("ladders[0].tiers[1].requirement.allOf[1].allOf[0].metric.{member}");
    expect("", &all("atLeast: 100", "below: 50"), &[("NEVER_MET", &at("below"))]);
    expect("", &all("atLeast: 100", "below: 100"), &[("NEVER_MET", &at("below"))]);
    expect("", &all("equals: 100", "equals: 50"), &[("NEVER_MET", &at("equals"))]);
    expect("", &all("atLeast: 100", "atMost: 100"), &[]);
    expect("", &all("atLeast: 50", "below: 100"), &[]);
    expect("", &ladder("{anyOf: [{metric: {metric: rev, atLeast: 100}}, {metric: {metric: rev, below: 50}}]}"), &[]);
}

#[test]
fn a_ladder_of_partners_has_no_region() {
    let measure = "{source: TRANSACTIONS, aggregate: SUM, window: {lifetime: {}}, scope: REGION}";
    let metric = format!("  - {{key: here, unit: MONEY, measure: {measure}}}\n");
    let leaf = ladder("{labelled: {label: x, requirement: {metric: {metric: here, atLeast: 5}}}}");
    expect(&metric, &leaf, &[("OUT_OF_PLACE", "ladders[0].tiers[1].requirement")]);
    expect(&metric, &leaf.replace("key: L,", "key: L, scope: PARTNER_IN_REGION,"), &[]);
    let in_place = ladder(&format!("{{metric: {{value: {{formula: {{average: [{{measure: {measure}}}]}}}}, atLeast: 5}}}}"));
    expect("", &in_place, &[("OUT_OF_PLACE", "ladders[0].tiers[1].requirement")]);
}

#[test]
fn a_scenario_can_fail() {
    let scenario = |as_of: &str, expect: &str| format!("scenarios: [{{name: s, asOf: {as_of}, facts: {{partners: [{{code: A}}]}}, expect: [{expect}]}}]\n");
    expect("", &scenario("2026-01-01", "{metrics: {rev: null}}"), &[]);
    expect("", &scenario("2025-12-31", "{metrics: {rev: null}}"), &[("OUT_OF_RANGE", "scenarios[0].asOf")]);
    expect("", &scenario("2026-01-01", "{}"), &[("EMPTY", "scenarios[0].expect[0]")]);
}

/// Faults in the facts of scenarios, and units of what was read, are told with all others.
#[test]
fn no_fault_hides_another() {
    let codes = |text: &str| match read(text, Format::Yaml) {
        Ok(document) => validate(&document).0.into_iter().map(|fault| (fault.code, fault.path)).collect::<Vec<_>>(),
        Err(faults) => faults.0.into_iter().map(|fault| (fault.code, fault.path)).collect(),
    };
    let named = |code: &str, path: &str| (code.to_owned(), path.to_owned());
    let scenario = "scenarios: [{name: s, asOf: 2026-01-01, facts: {partners: [{code: A, transactions: [{id: '1', date: 2026-01-01, amount: '1e3'}]}]}, \
                    expect: [{ladders: [{tier: C}]}]}]\n";
    let rest = format!("{}grants: [{{benefit: none, value: {{access: true}}}}]\n{scenario}", ladder("{metric: {metric: csat, atLeast: 80}}"));
    let found = codes(&format!("{HEAD}{rest}"));
    let own = [
        named("UNIT_MISMATCH", "ladders[0].tiers[1].requirement.metric.atLeast"),
        named("UNKNOWN_KEY", "grants[0].benefit"),
        named("INVALID_DECIMAL", "scenarios[0].facts.partners[0].transactions[0].amount"),
        named("UNKNOWN_KEY", "scenarios[0].expect[0].ladders[0].tier"),
    ];
    assert_eq!(found, own);
    // A unit that could not be read says nothing of what it is the unit of, and hides nothing of the others.
    let slip = "  - {key: x, unit: MONY, measure: {source: TRANSACTIONS, aggregate: COUNT, window: {lifetime: {}}}}\n";
    let leans = "  - {key: y, unit: MONEY, formula: {maximum: [{metric: x}, {metric: rev}]}}\n";
    let found = codes(&format!("{HEAD}{slip}{leans}{rest}"));
    assert_eq!(found[0], named("UNKNOWN_VALUE", "metrics[5].unit"));
    assert_eq!(found[1..], own);
    // The cap that could not be read is no cap.
    let card = "  - {key: card, unit: POINTS, formula: {sum: {cap: x, terms: [{value: {metric: eng}}]}}}\n";
    let found = codes(&format!("{HEAD}{card}{}", ladder("{metric: {metric: card, atLeast: 60}}")));
    assert_eq!(found, [named("INVALID_VALUE", "metrics[5].formula.sum.cap")]);
}

#[test]
fn places_and_means_are_among_known_cohorts() {
    let metric = |unit: &str, formula: &str| format!("  - {{key: z, unit: {unit}, formula: {{{formula}}}}}\n");
    expect(&metric("COUNT", "rank: {of: {metric: score}, cohort: [region, attribute.zone]}"), "", &[]);
    expect(&metric("SCORE", "cohortMean: {of: {metric: score}}"), "", &[]);
    expect(
        &metric("COUNT", "rank: {of: {metric: nothing}, cohort: [zone]}"),
        "",
        &[("UNKNOWN_KEY", "metrics[5].formula.rank.of.metric"), ("UNKNOWN_FIELD", "metrics[5].formula.rank.cohort[0]")],
    );
    expect(&metric("PERCENT", "rank: {of: {metric: score}}"), "", &[("UNIT_MISMATCH", "metrics[5].unit")]);
    expect(&metric("COUNT", "cohortMean: {of: {metric: rev}}"), "", &[("UNIT_MISMATCH", "metrics[5].unit")]);
    expect(&metric("COUNT", "rank: {of: {metric: z}}"), "", &[("CYCLE", "metrics[5]")]);
    let first = ladder("{metric: {metric: z, atMost: 0}}");
    expect(&metric("COUNT", "rank: {of: {metric: score}}"), &first, &[("NEVER_MET", "ladders[0].tiers[1].requirement.metric.atMost")]);
}

#[test]
fn messages_name_the_place() {
    let tier = ladder("{tier: {ladder: L, tier: GOLD}}").replace("key: A", "key: GLOD");
    assert_eq!(found("", &tier)[0].2, "there is no tier `GOLD` in the ladder `L`: did you mean `GLOD`?");
    let text = format!("{HEAD}{}", ladder("{holding: {}}"));
    let faults = read(&text, Format::Yaml).unwrap_err();
    assert_eq!(faults.0[0].message, "`kind` is missing; it is its kind: CERTIFICATION, ATTESTATION, ...");
}

#[test]
fn a_cohort_by_no_attribute_is_told_how_to_name_one() {
    let cohort = "  - {key: rank, unit: COUNT, formula: {rank: {of: {metric: rev}, cohort: [attribute.]}}}\n";
    let found = found(cohort, "");
    assert_eq!(
        found.iter().map(|(.., message)| message.as_str()).collect::<Vec<_>>(),
        ["cohorts are not formed by `attribute.`: write `region`, `type` or `attribute.NAME`"]
    );
}

/// Several members of one expectation need the ladder.
#[test]
fn a_ladder_that_is_not_named_is_told_once() {
    let several = "ladders: [{key: A, tiers: [{key: T}]}, {key: B, tiers: [{key: T}]}]
scenarios: [{name: s, asOf: 2026-02-01, facts: {partners: [{code: P}]}, expect: [{ladders: [{tier: T, qualified: T, met: {T: true}}]}]}]
";
    expect("", several, &[("NO_MAIN_LADDER", "ladders"), ("MISSING_MEMBER", "scenarios[0].expect[0].ladders[0].ladder")]);
}
