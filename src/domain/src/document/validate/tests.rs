use proptest::prelude::*;

use super::validate;
use crate::document::read::{Format, read};
use crate::program::Program;

const EXAMPLES: [&str; 4] = [
    include_str!("../../../../../examples/programs/reseller-tiers.yaml"),
    include_str!("../../../../../examples/programs/quarterly-rebates.yaml"),
    include_str!("../../../../../examples/programs/people-and-badges.yaml"),
    include_str!("../../../../../examples/adventureworks/program.yaml"),
];

const HEAD: &str = "guerdon: 1\nprogram: {code: P, name: P, currency: USD}\nversion: {effectiveOn: 2026-01-01}\n";

pub(super) fn found(body: &str) -> Vec<(String, String)> {
    let text = if body.contains("guerdon:") { body.to_owned() } else { format!("{HEAD}{body}") };
    let document = read(&text, Format::Yaml).unwrap_or_else(|faults| panic!("{faults}"));
    validate(&document).0.into_iter().map(|fault| (fault.code, fault.path)).collect()
}

pub(super) fn expect(body: &str, expected: &[(&str, &str)]) {
    let found = found(body);
    let found: Vec<(&str, &str)> = found.iter().map(|(code, path)| (code.as_str(), path.as_str())).collect();
    assert_eq!(found, expected, "{body}");
}

#[test]
fn examples_are_valid() {
    for text in EXAMPLES {
        let document = read(text, Format::Yaml).unwrap_or_else(|faults| panic!("{faults}"));
        Program::compile(document).unwrap_or_else(|faults| panic!("{faults}"));
    }
}

#[test]
fn the_header_is_judged() {
    let text = "guerdon: 2\nprogram: {code: 'P Q', name: ' ', currency: USD, fiscalYearStart: 02-30, timeZone: Mars/Olympus}\nversion: {effectiveOn: 2026-01-01, enforcedOn: 2025-12-31}\n";
    let expected = [
        ("UNSUPPORTED_FORMAT", "guerdon"),
        ("INVALID_KEY", "program.code"),
        ("INVALID_TEXT", "program.name"),
        ("INVALID_FISCAL_YEAR", "program.fiscalYearStart"),
        ("UNKNOWN_TIME_ZONE", "program.timeZone"),
        ("EMPTY_SPAN", "version.enforcedOn"),
    ];
    expect(text, &expected);
}

#[test]
fn names_hide_nothing() {
    let text = "guerdon: 1\nprogram: {code: P, name: \"ok\\u202eko\", currency: USD}\nversion: {label: \"a\\0b\", effectiveOn: 2026-01-01}\n\
                benefits: [{key: b, kind: ACCESS, name: Überblick, description: \"two\\nlines\"}]\n";
    expect(text, &[("INVALID_TEXT", "program.name"), ("INVALID_TEXT", "version.label")]);
}

#[test]
fn a_name_of_a_period_means_the_same_days_everywhere() {
    let body = "
rebateSchedules:
  - {key: a, period: {quarter: {}}, method: {flat: {rate: 1 %}}}
  - {key: b, period: {custom: [{name: 2026-Q1, from: 2026-03-01, until: 2026-05-01}, {name: spring, from: 2026-05-01, until: 2026-06-01}]}, method: {flat: {rate: 1 %}}}
  - {key: c, period: {custom: [{name: spring, from: 2026-05-01, until: 2026-06-01}, {name: 2026-Q3, from: 2026-07-01, until: 2026-10-01}]}, method: {flat: {rate: 1 %}}}
  - {key: d, period: {custom: [{name: spring, from: 2026-05-01, until: 2026-06-02}]}, method: {flat: {rate: 1 %}}}
";
    expect(body, &[("DUPLICATE", "rebateSchedules[1].period.custom[0].name"), ("DUPLICATE", "rebateSchedules[3].period.custom[0].name")]);
}

#[test]
fn keys_name_one_thing() {
    let body = "
regions: [{key: EMEA, regions: [{key: DE}, {key: emea}]}]
regionGroups: [{key: DE, regions: [FR, DE, DE]}]
metrics:
  - {key: a, unit: COUNT, formula: {sum: {terms: [{value: {constant: 1}}]}}}
  - {key: A, unit: COUNT, formula: {sum: {terms: [{value: {constant: 1}}]}}}
  - {key: 'a b', unit: COUNT, formula: {sum: {terms: [{value: {constant: 1}}]}}}
";
    let expected = [
        ("DUPLICATE_KEY", "regions[0].regions[1].key"),
        ("DUPLICATE_KEY", "regionGroups[0].key"),
        ("DUPLICATE_KEY", "metrics[1].key"),
        ("INVALID_KEY", "metrics[2].key"),
        ("UNKNOWN_KEY", "regionGroups[0].regions[0]"),
        ("DUPLICATE", "regionGroups[0].regions[2]"),
    ];
    expect(body, &expected);
}

#[test]
fn lists_that_rules_lean_on() {
    let body = "
versionLists: [{key: v, versions: [{name: '17', releasedOn: 2025-01-01}, {name: '17', releasedOn: 2024-01-01}]}]
unitTables: [{key: u, rows: [{units: {}}, {units: {USD: 0}}]}]
customYears: [{key: y, years: [{name: a, from: 2025-02-01, until: 2026-02-01}, {name: b, from: 2026-03-01, until: 2026-03-01}, {name: c, from: 2026-02-15, until: 2027-01-01}]}]
";
    let expected = [
        ("DUPLICATE", "versionLists[0].versions[1]"),
        ("OUT_OF_ORDER", "versionLists[0].versions[1].releasedOn"),
        ("EMPTY_LIST", "unitTables[0].rows[0].units"),
        ("MISSING_MEMBER", "unitTables[0].rows[1].from"),
        ("OUT_OF_RANGE", "unitTables[0].rows[1].units.USD"),
        ("EMPTY_SPAN", "customYears[0].years[1].until"),
        ("OVERLAP", "customYears[0].years[2].from"),
        ("GAP", "customYears[0].years[1].from"),
    ];
    expect(body, &expected);
}

#[test]
fn measures_and_windows() {
    let body = "
metrics:
  - {key: none, unit: COUNT}
  - {key: two, unit: COUNT, measure: {source: TRANSACTIONS, aggregate: COUNT, window: {lifetime: {}}}, formula: {sum: {terms: []}}}
  - {key: roll, unit: MONEY, measure: {source: TRANSACTIONS, aggregate: SUM, of: custmer, window: {rolling: {days: 30, months: 1, alignment: ALIGNED}}}}
  - {key: zero, unit: MONEY, measure: {source: TRANSACTIONS, aggregate: SUM, of: customer, window: {rolling: {months: 0, includeCurrent: true}}}}
  - {key: date, unit: COUNT, measure: {source: HOLDINGS, aggregate: DISTINCT, dateField: CLOSED, having: [{aggregate: COUNT}], window: {calendar: {unit: YEAR, count: 2}}}}
  - {key: share, unit: PERCENT, measure: {source: ACTIVITIES, aggregate: SHARE, hysteresis: {enterAt: 1, leaveBelow: 2}, window: {customYear: {calendar: fy}}}}
  - {key: net, unit: COUNT, measure: {source: TRANSACTIONS, aggregate: NET_ADDITIONS, unitTable: t, exchange: {}, window: {onDay: {}}}}
";
    let expected = [
        ("NOT_EXACTLY_ONE", "metrics[0]"),
        ("NOT_EXACTLY_ONE", "metrics[1]"),
        ("EMPTY_LIST", "metrics[1].formula.sum.terms"),
        ("NOT_EXACTLY_ONE", "metrics[2].measure.window.rolling"),
        ("WINDOW_MISFIT", "metrics[2].measure.window.rolling.alignment"),
        ("UNKNOWN_FIELD", "metrics[2].measure.of"),
        ("OUT_OF_RANGE", "metrics[3].measure.window.rolling.months"),
        ("OUT_OF_PLACE", "metrics[3].measure.window.rolling.includeCurrent"),
        ("NOT_A_NUMBER", "metrics[3].measure.of"),
        ("OUT_OF_PLACE", "metrics[4].measure.window.calendar.count"),
        ("MISSING_MEMBER", "metrics[4].measure.of"),
        ("OUT_OF_PLACE", "metrics[4].measure.having"),
        ("NOT_EXACTLY_ONE", "metrics[4].measure.having[0]"),
        ("OUT_OF_PLACE", "metrics[4].measure.dateField"),
        ("UNKNOWN_KEY", "metrics[5].measure.window.customYear.calendar"),
        ("MISSING_MEMBER", "metrics[5].measure.share"),
        ("OUT_OF_PLACE", "metrics[5].measure.hysteresis"),
        ("OUT_OF_RANGE", "metrics[5].measure.hysteresis.leaveBelow"),
        ("MISSING_MEMBER", "metrics[6].measure.hysteresis"),
        ("EMPTY_LIST", "metrics[6].measure.groupBy"),
        ("WINDOW_MISFIT", "metrics[6].measure.window"),
        ("UNKNOWN_KEY", "metrics[6].measure.unitTable"),
        ("NOT_BOTH", "metrics[6].measure"),
    ];
    expect(body, &expected);
}

const METRICS: &str = "
regions: [{key: EMEA, regions: [{key: DE}, {key: FR}]}, {key: BR}]
regionGroups: [{key: GROWTH, regions: [BR, FR]}, {key: LATIN, regions: [BR]}, {key: SOUTH, regions: [FR]}]
partnerTypes: [{key: VAR}, {key: MSP}]
categories: [{key: HW}]
metrics:
  - {key: revenue, unit: MONEY, measure: {source: TRANSACTIONS, aggregate: SUM, window: {lifetime: {}}}}
  - {key: csat, unit: PERCENT, measure: {source: ACTIVITIES, aggregate: SHARE, share: {test: {field: value, atLeast: 4}}, window: {lifetime: {}}}}
";

#[test]
fn filters_name_what_there_is() {
    let body = format!(
        "{METRICS}
  - key: f
    unit: COUNT
    measure:
      source: TRANSACTIONS
      aggregate: COUNT
      window: {{lifetime: {{}}}}
      filter:
        allOf:
          - test: {{field: category, under: SW}}
          - test: {{field: region, equals: DEE, inGroup: GROWHT}}
          - test: {{field: kind, in: [SALE, RETURNS]}}
          - test: {{field: amount}}
          - test: {{field: customer, equals: $area}}
          - not: {{lastVersions: {{attribute: v, list: odoo, n: 0}}}}
          - anyOf: []
          - firstFact: {{per: [customers]}}
"
    );
    let expected = [
        ("UNKNOWN_KEY", "metrics[2].measure.filter.allOf[0].test.under"),
        ("UNKNOWN_KEY", "metrics[2].measure.filter.allOf[1].test.equals"),
        ("UNKNOWN_KEY", "metrics[2].measure.filter.allOf[1].test.inGroup"),
        ("UNKNOWN_KEY", "metrics[2].measure.filter.allOf[2].test.in[1]"),
        ("NOT_EXACTLY_ONE", "metrics[2].measure.filter.allOf[3].test"),
        ("UNBOUND_NAME", "metrics[2].measure.filter.allOf[4].test.equals"),
        ("UNKNOWN_KEY", "metrics[2].measure.filter.allOf[5].not.lastVersions.list"),
        ("OUT_OF_RANGE", "metrics[2].measure.filter.allOf[5].not.lastVersions.n"),
        ("EMPTY_LIST", "metrics[2].measure.filter.allOf[6].anyOf"),
        ("UNKNOWN_FIELD", "metrics[2].measure.filter.allOf[7].firstFact.per[0]"),
        ("NOT_EXACTLY_ONE", "metrics[2].measure.filter.allOf[7].firstFact"),
    ];
    expect(&body, &expected);
}

#[test]
fn thresholds_have_the_unit_of_their_metric_and_one_most_specific_row() {
    let body = format!(
        "{METRICS}
requirements:
  - {{key: units, requirement: {{allOf: [{{metric: {{metric: revenue, atLeast: 5 %}}}}, {{metric: {{metric: csat, atLeast: 80}}}}, {{metric: {{metric: csat, above: 1.5}}}}]}}}}
  - key: rows
    requirement:
      metric:
        metric: revenue
        atLeast:
          rows:
            - {{region: DE, value: 1}}
            - {{region: DE, partnerTypes: [VAR], value: 2}}
            - {{region: DE, partnerTypes: [MSP, VAR], value: 3}}
            - {{regionGroup: GROWTH, value: 4}}
            - {{regionGroup: LATIN, value: 5}}
            - {{regionGroup: SOUTH, partnerTypes: [VAR], value: 6}}
            - {{value: 7}}
            - {{region: ASIA, regionGroup: LATIN, partnerTypes: [VARR], value: 8}}
  - {{key: both, requirement: {{metric: {{metric: csat, value: {{constant: 1}}, atLeast: 1, atMost: 2}}}}}}
  - {{key: unknown, requirement: {{metric: {{metric: revenu, atLeast: {{}}}}}}}}
"
    );
    let expected = [
        ("UNIT_MISMATCH", "requirements[0].requirement.allOf[0].metric.atLeast"),
        ("UNIT_MISMATCH", "requirements[0].requirement.allOf[1].metric.atLeast"),
        ("UNIT_MISMATCH", "requirements[0].requirement.allOf[2].metric.above"),
        ("EQUALLY_SPECIFIC", "requirements[1].requirement.metric.atLeast.rows[2]"),
        ("EQUALLY_SPECIFIC", "requirements[1].requirement.metric.atLeast.rows[4]"),
        ("NO_SCOPE", "requirements[1].requirement.metric.atLeast.rows[6]"),
        ("UNKNOWN_KEY", "requirements[1].requirement.metric.atLeast.rows[7].region"),
        ("NOT_BOTH", "requirements[1].requirement.metric.atLeast.rows[7]"),
        ("UNKNOWN_KEY", "requirements[1].requirement.metric.atLeast.rows[7].partnerTypes[0]"),
        ("NOT_EXACTLY_ONE", "requirements[2].requirement.metric"),
        ("NOT_EXACTLY_ONE", "requirements[2].requirement.metric"),
        ("UNKNOWN_KEY", "requirements[3].requirement.metric.metric"),
        ("EMPTY_LIST", "requirements[3].requirement.metric.atLeast"),
    ];
    expect(&body, &expected);
}

#[test]
fn requirements_can_be_met() {
    let body = "
ladders:
  - key: MAIN
    main: true
    tiers:
      - key: A
        requirement:
          allOf:
            - anyOf: []
            - atLeast: {n: 3, of: [{contract: {template: none}}, {holding: {kind: ''}}], including: {m: 2, items: [2]}}
            - tier: {ladder: SPECIAL, tier: GOLD}
            - tier: {ladder: SPEC, tier: GOLD}
            - ladders: {ladders: [SPEC], rankAtLeast: 1, tier: PLATINUM, atLeast: 1}
            - tenure: {tier: B, months: 0}
            - partner: {}
            - partner: {regions: [DE], equals: 1}
            - forEach: {groups: {source: TRANSACTIONS, aggregate: COUNT, window: {lifetime: {}}}, as: area, requirement: {holding: {kind: X, filter: {test: {field: type, equals: $area}}}}}
            - shared: nothing
  - {key: SPEC, tiers: [{key: SILVER}]}
";
    let at = |index: u32, rest: &str| format!("ladders[0].tiers[0].requirement.allOf[{index}].{rest}");
    let expected = [
        ("EMPTY_LIST", at(0, "anyOf")),
        ("OUT_OF_RANGE", at(1, "atLeast.n")),
        ("UNKNOWN_KEY", at(1, "atLeast.of[0].contract.template")),
        ("INVALID_TEXT", at(1, "atLeast.of[1].holding.kind")),
        ("OUT_OF_RANGE", at(1, "atLeast.including.m")),
        ("OUT_OF_RANGE", at(1, "atLeast.including.items[0]")),
        ("UNKNOWN_KEY", at(2, "tier.ladder")),
        ("UNKNOWN_KEY", at(3, "tier.tier")),
        ("NOT_EXACTLY_ONE", at(4, "ladders")),
        ("UNKNOWN_KEY", at(4, "ladders.tier")),
        ("UNKNOWN_KEY", at(5, "tenure.tier")),
        ("OUT_OF_RANGE", at(5, "tenure.months")),
        ("EMPTY_LIST", at(6, "partner")),
        ("UNKNOWN_KEY", at(7, "partner.regions[0]")),
        ("OUT_OF_PLACE", at(7, "partner.equals")),
        ("NOT_EXACTLY_ONE", at(8, "forEach.groups.groupBy")),
        ("UNKNOWN_KEY", at(9, "shared")),
    ];
    let expected: Vec<(&str, &str)> = expected.iter().map(|(code, path)| (*code, path.as_str())).collect();
    expect(body, &expected);
}

#[test]
fn nothing_leans_on_itself() {
    let body = "
metrics:
  - {key: a, unit: COUNT, formula: {ratio: {numerator: {metric: b}, denominator: {constant: 1}}}}
  - {key: b, unit: COUNT, formula: {difference: {from: {metric: a}, subtract: {constant: 1}}}}
requirements:
  - {key: x, requirement: {not: {shared: x}}}
ladders:
  - {key: MAIN, main: true, tiers: [{key: S}, {key: G, requirement: {tier: {ladder: MAIN, tier: S}}}]}
  - {key: ONE, tiers: [{key: T, requirement: {tier: {ladder: TWO, tier: T}}}]}
  - {key: TWO, tiers: [{key: T, requirement: {ladders: {ladders: [ONE], rankAtLeast: 1, atLeast: 1}}}]}
  - {key: FREE, tiers: [{key: T, requirement: {tier: {ladder: FREE, tier: T, state: RECORDED}}}]}
";
    expect(body, &[("CYCLE", "ladders[0]"), ("CYCLE", "ladders[1]"), ("CYCLE", "metrics[0]"), ("CYCLE", "requirements[0]")]);
}

#[test]
fn ladders_and_their_reviews() {
    let body = "
ladders:
  - {key: A, main: true, tiers: []}
  - {key: B, main: true, review: {grace: {days: 1, months: 1}, maxStepsDown: 0, protectedUntil: 2026-01-01}, tiers: [{key: None}, {key: T, homeRegionRequirement: {allOf: []}}, {key: t}]}
";
    let expected = [
        ("TWO_MAIN_LADDERS", "ladders[1].main"),
        ("EMPTY_LIST", "ladders[0].tiers"),
        ("DUPLICATE_KEY", "ladders[1].tiers[2].key"),
        ("NOT_EXACTLY_ONE", "ladders[1].review.grace"),
        ("OUT_OF_RANGE", "ladders[1].review.maxStepsDown"),
        ("EMPTY_SPAN", "ladders[1].review.protectedUntil"),
        ("INVALID_KEY", "ladders[1].tiers[0].key"),
        ("OUT_OF_PLACE", "ladders[1].tiers[1].homeRegionRequirement"),
    ];
    expect(body, &expected);
    expect("ladders: [{key: A, tiers: [{key: T}]}, {key: B, tiers: [{key: T}]}]", &[("NO_MAIN_LADDER", "ladders")]);
}

#[test]
fn benefits_and_grants() {
    let body = "
regions: [{key: DE}]
partnerTypes: [{key: VAR}]
ladders: [{key: L, tiers: [{key: S}, {key: G}]}]
benefits:
  - {key: portal, kind: ACCESS, levels: [A], overagePrice: 1}
  - {key: support, kind: LEVEL, merge: SUM}
  - {key: fund, kind: MONEY}
  - {key: rate, kind: RATE}
grants:
  - {benefit: portl, value: {access: true}}
  - {benefit: portal, tier: P, value: {allowance: 3}}
  - {benefit: support, tier: S, value: {level: GOLD}}
  - {benefit: fund, tier: S, value: {money: 1.005}}
  - {benefit: fund, tier: S, region: DE, value: {money: 1}}
  - {benefit: fund, tier: S, region: DE, until: 2026-06-01, value: {money: 2}}
  - {benefit: fund, tier: S, region: DE, from: 2026-06-01, partnerTypes: [VAR], value: {money: 3}}
  - {benefit: rate, tier: S, from: 2026-02-01, until: 2026-02-01, value: {rate: {capPer: YEAR, rows: [{rate: 1 %}]}}}
  - {benefit: rate, tier: G, value: {rate: {rate: 1 %}}, condition: {benefit: fund}}
  - {benefit: fund, tier: G, value: {money: 1}, condition: {benefit: rate}}
";
    let expected = [
        ("OUT_OF_PLACE", "benefits[0].overagePrice"),
        ("OUT_OF_PLACE", "benefits[0].levels"),
        ("EMPTY_LIST", "benefits[1].levels"),
        ("OUT_OF_PLACE", "benefits[1].merge"),
        ("UNKNOWN_KEY", "grants[0].benefit"),
        ("UNKNOWN_KEY", "grants[1].tier"),
        ("WRONG_KIND", "grants[1].value"),
        ("UNKNOWN_KEY", "grants[2].value.level"),
        ("TOO_MANY_DECIMALS", "grants[3].value.money"),
        ("EMPTY_SPAN", "grants[7].until"),
        ("OUT_OF_PLACE", "grants[7].value.rate.capPer"),
        ("NO_SCOPE", "grants[7].value.rate.rows[0]"),
        ("EQUALLY_SPECIFIC", "grants[5]"),
        ("CYCLE", "grants[9].condition.benefit"),
    ];
    expect(body, &expected);
}

#[test]
fn schedules_name_what_there_is() {
    let body = "
ladders: [{key: L, tiers: [{key: S}]}]
rebateSchedules:
  - {key: a, scope: {categories: [HW], tiers: [P]}, period: {quarter: {}}, method: {flat: {rate: {default: 1 %, tiers: {GOLD: 2 %}}}}}
  - {key: b, ladder: M, period: {custom: []}, method: {freeGoods: {buy: 10, get: 1}}}
stacking: [{bestOf: {schedules: [a, a]}}, {netOf: {schedule: c, of: [b]}}]
";
    let found = found(body);
    let expected = [
        ("UNKNOWN_KEY", "rebateSchedules[0].scope.categories[0]"),
        ("UNKNOWN_KEY", "rebateSchedules[0].scope.tiers[0]"),
        ("UNKNOWN_KEY", "rebateSchedules[0].method.flat.rate.tiers.GOLD"),
        ("UNKNOWN_KEY", "rebateSchedules[1].ladder"),
        ("EMPTY_LIST", "rebateSchedules[1].period.custom"),
        ("FREE_GOODS", "rebateSchedules[1].method.freeGoods"),
        ("DUPLICATE", "stacking[0].bestOf.schedules[1]"),
        ("UNKNOWN_KEY", "stacking[1].netOf.schedule"),
    ];
    for (code, path) in expected {
        assert!(found.contains(&(code.to_owned(), path.to_owned())), "{code} {path}: {found:?}");
    }
}

#[test]
fn scenarios_can_be_run() {
    let body = "
ladders: [{key: L, tiers: [{key: S}]}]
rebateSchedules: [{key: r, period: {quarter: {}}, method: {flat: {rate: 1 %}}}]
scenarios:
  - {name: one, asOf: 2026-01-01, facts: {partners: [{code: A}, {code: B, transactions: [{id: '1', date: 2026-01-01, amount: '1.005'}]}]}, expect: [{partner: C}, {metrics: {m: 1/3}}]}
  - {name: one, asOf: 2026-01-01, facts: {partners: [{code: A}]}, expect: [{ladders: [{tier: GOLD, missing: {x: 1/0}}], entitlements: {b: {}}, rebates: [{period: 2026-Q5, amount: 1e3}]}]}
  - {name: empty, asOf: 2026-01-01, facts: {}, expect: []}
";
    let expected = [
        ("DUPLICATE_KEY", "scenarios[1].name"),
        ("TOO_MANY_DECIMALS", "scenarios[0].facts.partners[1].transactions[0].amount"),
        ("UNKNOWN_KEY", "scenarios[0].expect[0].partner"),
        ("EMPTY", "scenarios[0].expect[0]"),
        ("MISSING_MEMBER", "scenarios[0].expect[1].partner"),
        ("UNKNOWN_KEY", "scenarios[0].expect[1].metrics.m"),
        ("UNKNOWN_KEY", "scenarios[1].expect[0].ladders[0].tier"),
        ("INVALID_DECIMAL", "scenarios[1].expect[0].ladders[0].missing.x"),
        ("UNKNOWN_KEY", "scenarios[1].expect[0].entitlements.b"),
        ("UNKNOWN_PERIOD", "scenarios[1].expect[0].rebates[0].period"),
        ("EMPTY_LIST", "scenarios[2].expect"),
    ];
    let body = body.replace("amount: 1e3", "amount: 1");
    expect(&body, &expected);
}

#[test]
fn deep_trees_are_refused() {
    let nest = |open: &str, close: &str, inner: &str, times: usize| format!("{}{inner}{}", open.repeat(times), close.repeat(times));
    let requirement = nest("{not: ", "}", "{allOf: []}", 30);
    let body = format!("requirements: [{{key: r, requirement: {requirement}}}]\n");
    let found = found(&body);
    assert_eq!((found.len(), found[0].0.as_str()), (1, "TOO_DEEP"), "{found:?}");
}

#[test]
fn messages_say_what_to_do() {
    let text = format!("{HEAD}{}", "metrics: [{key: revenue, unit: MONEY, formula: {ratio: {numerator: {metric: revenu}, denominator: {metric: x}}}}]");
    let faults = validate(&read(&text, Format::Yaml).unwrap());
    let messages: Vec<&str> = faults.0.iter().map(|fault| fault.message.as_str()).collect();
    assert_eq!(messages, ["there is no metric `revenu`: did you mean `revenue`?", "there is no metric `x`: write one of `revenue`"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A reference to nothing is found wherever it stands: every key that is defined may be renamed, and somebody notices.
    #[test]
    fn a_renamed_definition_is_missed(example in 0_usize..4, which in any::<prop::sample::Index>()) {
        let mut document = read(EXAMPLES[example], Format::Yaml).unwrap();
        document.scenarios.clear();
        let all = serde_json::to_string(&document).unwrap();
        let tiers: Vec<String> = document.ladders.iter().flat_map(|ladder| &ladder.tiers).map(|tier| tier.key.clone()).collect();
        let tier = which.get(&tiers).clone();
        // The scope of a ladder is written with the same word.
        prop_assume!(tier != "PARTNER");
        let used = all.matches(&format!("{tier:?}")).count();
        for named in document.ladders.iter_mut().flat_map(|ladder| &mut ladder.tiers).filter(|named| named.key == tier) {
            named.key = "RENAMED".to_owned();
        }
        let ladders = document.ladders.iter().flat_map(|ladder| &ladder.tiers).filter(|named| named.key == "RENAMED").count();
        prop_assert_eq!(used > ladders, !validate(&document).is_empty(), "{} {} {}", tier, used, ladders);
    }

    #[test]
    fn validation_never_fails_badly(example in 0_usize..4, which in any::<prop::sample::Index>(), put in "[a-zA-Z0-9_.$%-]{0,6}") {
        let mut value = crate::document::read::read_value(EXAMPLES[example], Format::Yaml).unwrap();
        let mut texts = Vec::new();
        texts_of(&value, String::new(), &mut texts);
        let place = which.get(&texts).clone();
        *value.pointer_mut(&place).unwrap() = put.into();
        if let Ok(document) = crate::document::read::read_document(value) {
            let _ = validate(&document);
        }
    }
}

fn texts_of(value: &serde_json::Value, at: String, all: &mut Vec<String>) {
    match value {
        serde_json::Value::String(_) => all.push(at),
        serde_json::Value::Array(list) => list.iter().enumerate().for_each(|(index, inner)| texts_of(inner, format!("{at}/{index}"), all)),
        serde_json::Value::Object(object) => {
            object.iter().for_each(|(name, inner)| texts_of(inner, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), all));
        }
        _ => {}
    }
}

/// An amount that a metric measures is in the program's currency: nothing would convert it for a schedule in another one.
#[test]
fn metrics_of_money_are_of_one_currency() {
    let body = "
metrics:
  - {key: rev, unit: MONEY, measure: {source: TRANSACTIONS, aggregate: SUM, window: {lifetime: {}}}}
  - {key: lines, unit: COUNT, measure: {source: TRANSACTIONS, aggregate: COUNT, window: {lifetime: {}}}}
rebateSchedules:
  - {key: a, currency: EUR, period: {quarter: {}}, basis: {metric: {metric: rev}}, method: {flat: {rate: 1 %}}}
  - {key: b, currency: EUR, period: {quarter: {}}, qualifier: {metric: {formula: {maximum: [{constant: 0}, {metric: rev}]}}}, method: {flat: {rate: 1 %}}}
  - {key: c, currency: EUR, period: {quarter: {}}, method: {flat: {rate: 1 %}}, cap: {share: 1 %, of: {metric: rev}}}
  - {key: d, currency: EUR, period: {quarter: {}}, method: {growth: {baseline: {metric: {metric: rev}}, payOn: INCREMENT, bands: [{from: 1, rate: 1 %}]}}}
  - {key: e, currency: EUR, period: {quarter: {}}, method: {target: {history: {metric: {measure: {source: TRANSACTIONS, aggregate: SUM, window: {lifetime: {}}}}}, pays: {lumpSum: 5}}}}
  - {key: f, currency: EUR, period: {quarter: {}}, method: {flat: {rate: 1 %}}, basis: {metric: {metric: lines}}, condition: {metric: {metric: rev, atLeast: 5}}}
  - {key: g, currency: USD, period: {quarter: {}}, basis: {metric: {metric: rev}}, method: {flat: {rate: 1 %}}}
";
    let expected = [
        ("CURRENCY_MISMATCH", "rebateSchedules[0].basis.metric"),
        ("CURRENCY_MISMATCH", "rebateSchedules[1].qualifier.metric"),
        ("CURRENCY_MISMATCH", "rebateSchedules[2].cap.of"),
        ("CURRENCY_MISMATCH", "rebateSchedules[3].method.growth.baseline.metric"),
        ("CURRENCY_MISMATCH", "rebateSchedules[4].method.target.history.metric"),
    ];
    expect(body, &expected);
}

/// What is measured to date may stand beside another way: reviews take that, and days between them this.
#[test]
fn windows_to_date_fit_beside_another_way() {
    let found_in = |metric: &str, requirement: &str, review: &str| {
        let measure = |which: &str| format!("measure: {{source: TRANSACTIONS, aggregate: SUM, window: {{calendar: {{unit: YEAR{which}}}}}}}");
        let body = format!(
            "metrics:\n  - {{key: ytd, unit: MONEY, {}}}\n  - {{key: prev, unit: MONEY, {}}}\n  - {{key: m, unit: POINTS, formula: {metric}}}\n\
             ladders: [{{key: L, review: {review}, tiers: [{{key: A, requirement: {requirement}}}]}}]\n",
            measure(""),
            measure(", which: PREVIOUS")
        );
        found(&body).into_iter().map(|(code, _)| code).collect::<Vec<_>>()
    };
    let annual = "{cadenceUp: CONTINUOUS, cadenceDown: ANNUAL}";
    let plain = "{minimum: [{metric: prev}, {constant: 1}]}";
    let (ytd, prev) = ("{metric: {metric: ytd, atLeast: 100}}", "{metric: {metric: prev, atLeast: 100}}");
    let fits = [
        format!("{{anyOf: [{prev}, {ytd}]}}"),
        format!("{{atLeast: {{n: 1, of: [{ytd}, {prev}]}}}}"),
        format!("{{atLeast: {{n: 1, of: [{ytd}, {prev}], including: {{m: 1, items: [1]}}}}}}"),
        format!("{{anyOf: [{{allOf: [{ytd}, {prev}]}}, {prev}]}}"),
    ];
    for requirement in fits {
        assert_eq!(found_in(plain, &requirement, annual), Vec::<String>::new(), "{requirement}");
    }
    let misfits = [
        format!("{{allOf: [{prev}, {ytd}]}}"),
        format!("{{anyOf: [{ytd}, {{allOf: [{prev}, {ytd}]}}]}}"),
        format!("{{atLeast: {{n: 2, of: [{ytd}, {prev}]}}}}"),
        format!("{{atLeast: {{n: 1, of: [{ytd}, {prev}], including: {{m: 1, items: [0]}}}}}}"),
    ];
    for requirement in misfits {
        assert_eq!(found_in(plain, &requirement, annual), ["WINDOW_MISFIT"], "{requirement}");
        assert_eq!(found_in(plain, &requirement, "{cadenceUp: CONTINUOUS, cadenceDown: NEVER}"), Vec::<String>::new(), "{requirement}");
    }
    let of_m = "{metric: {metric: m, atLeast: 100}}";
    for metric in [
        "{maximum: [{metric: prev}, {metric: ytd}]}",
        "{sum: {terms: [{value: {metric: prev}}, {value: {metric: ytd}}]}}",
        "{difference: {from: {metric: prev}, subtract: {metric: ytd}}}",
        "{average: [{metric: prev}, {metric: ytd}]}",
    ] {
        assert_eq!(found_in(metric, of_m, annual), Vec::<String>::new(), "{metric}");
    }
    for metric in [
        "{minimum: [{metric: prev}, {metric: ytd}]}",
        "{sum: {terms: [{value: {constant: 10}}, {value: {metric: ytd}}]}}",
        "{ratio: {numerator: {metric: ytd}, denominator: {metric: prev}}}",
    ] {
        assert_eq!(found_in(metric, of_m, annual), ["WINDOW_MISFIT"], "{metric}");
    }
}

/// A literal that a date's field could never equal is refused, with how to write it.
/// A number of ladders that nobody could hold is refused, as a number of conditions is.
#[test]
fn so_many_ladders_there_must_be() {
    let found_in = |rule: &str| {
        let text = format!(
            "guerdon: 1\nprogram: {{code: X, name: X, currency: USD}}\nversion: {{effectiveOn: 2015-01-01}}\nregions: [{{key: DE}}]\n\
             requirements: [{{key: it, requirement: {{ladders: {rule}}}}}]\nladders: [{{key: MAIN, main: true, tiers: [{{key: A}}, {{key: B}}, {{key: C}}]}}, \
             {{key: X, tiers: [{{key: HELD}}, {{key: MORE}}]}}, {{key: Y, tiers: [{{key: HELD}}]}}]\n"
        );
        let document = read(&text, Format::Yaml).unwrap_or_else(|faults| panic!("{faults}"));
        let path = |path: String| path.trim_start_matches("requirements[0].requirement.ladders.").to_owned();
        Program::compile(document).err().map(|faults| faults.0.into_iter().map(|fault| (fault.code, path(fault.path))).collect::<Vec<_>>()).unwrap_or_default()
    };
    let fits = [
        "{tier: HELD, atLeast: 2}",
        "{rankAtLeast: 2, atLeast: 1}",
        "{ladders: [MAIN, X], rankAtLeast: 2, atLeast: 2}",
        "{ladders: [MAIN, X], rankAtLeast: 3, atLeast: 1}",
        "{tier: HELD, atLeast: {default: 1, rows: [{region: DE, value: 2}]}}",
    ];
    for rule in fits {
        assert_eq!(found_in(rule), [], "{rule}");
    }
    let refused = [
        ("{tier: HELD, atLeast: 3}", "OUT_OF_RANGE", "atLeast"),
        ("{tier: MORE, atLeast: 2}", "OUT_OF_RANGE", "atLeast"),
        ("{rankAtLeast: 2, atLeast: 2}", "OUT_OF_RANGE", "atLeast"),
        ("{rankAtLeast: 3, atLeast: 1}", "OUT_OF_RANGE", "rankAtLeast"),
        ("{rankAtLeast: 1, atLeast: 1.5}", "OUT_OF_RANGE", "atLeast"),
        ("{ladders: [X], tier: HELD, atLeast: {default: 1, rows: [{region: DE, value: 2}]}}", "OUT_OF_RANGE", "atLeast.rows[0].value"),
        ("{ladders: [Z], tier: HELD, atLeast: 2}", "UNKNOWN_KEY", "ladders[0]"),
        ("{tier: NOTHING, atLeast: 1}", "UNKNOWN_KEY", "tier"),
    ];
    for (rule, code, path) in refused {
        assert_eq!(found_in(rule), [(code.to_owned(), path.to_owned())], "{rule}");
    }
}

/// What no number and no yes or no could ever equal is refused; attributes may be anything.
#[test]
fn numbers_and_yes_or_no_are_compared_with_what_they_may_be() {
    let found_in = |source: &str, test: &str| {
        let text = format!(
            "guerdon: 1\nprogram: {{code: X, name: X, currency: USD}}\nversion: {{effectiveOn: 2015-01-01}}\nmetrics: [{{key: a, unit: COUNT, measure: {{source: {source}, \
             aggregate: COUNT, window: {{lifetime: {{}}}}, filter: {{test: {test}}}}}}}]\nladders: [{{key: L, tiers: [{{key: A}}]}}]\n"
        );
        let document = read(&text, Format::Yaml).unwrap_or_else(|faults| panic!("{faults}"));
        Program::compile(document)
            .err()
            .map(|faults| faults.0.into_iter().map(|fault| (fault.code, fault.path, fault.message)).collect::<Vec<_>>())
            .unwrap_or_default()
    };
    let fits = [
        ("TRANSACTIONS", "{field: amount, equals: '1.50'}"),
        ("TRANSACTIONS", "{field: quantity, in: [1, '2.0'], above: '1'}"),
        ("HOLDINGS", "{field: active, equals: true}"),
        ("HOLDINGS", "{field: active, equals: 'false'}"),
        ("ACTIVITIES", "{field: attribute.size, equals: large}"),
        ("DEALS", "{field: attribute.active, atLeast: 'yes'}"),
    ];
    for (source, test) in fits {
        assert_eq!(found_in(source, test), [], "{test}");
    }
    let refused = [
        ("TRANSACTIONS", "{field: amount, equals: much}", "equals", "`amount` is a number: write it as 1500 or \"1500.50\""),
        ("TRANSACTIONS", "{field: quantity, notIn: [1, two]}", "notIn[1]", "`quantity` is a number: write it as 1500 or \"1500.50\""),
        ("ACTIVITIES", "{field: value, atLeast: '1,000'}", "atLeast", "`value` is a number: write it as 1500 or \"1500.50\""),
        ("DEALS", "{field: cycleDays, below: true}", "below", "`cycleDays` is a number: write it as 1500 or \"1500.50\""),
        ("HOLDINGS", "{field: active, equals: 'yes'}", "equals", "`active` is yes or no: write true or false"),
        ("HOLDINGS", "{field: startedInWindow, in: [1]}", "in[0]", "`startedInWindow` is yes or no: write true or false"),
        (
            "HOLDINGS",
            "{field: endedInWindow, atLeast: true}",
            "atLeast",
            "`endedInWindow` is yes or no, which has no order: write `equals: true` or `equals: false`",
        ),
    ];
    for (source, test, at, message) in refused {
        let path = format!("metrics[0].measure.filter.test.{at}");
        assert_eq!(found_in(source, test), [("WRONG_KIND".to_owned(), path, message.to_owned())], "{test}");
    }
}

#[test]
fn fields_of_a_date_are_compared_with_what_they_may_be() {
    let found_in = |fiscal: &str, test: &str| {
        let text = format!(
            "guerdon: 1\nprogram: {{code: X, name: X, currency: USD{fiscal}}}\nversion: {{effectiveOn: 2015-01-01}}\nmetrics: [{{key: a, unit: COUNT, measure: {{source: HOLDINGS, \
             aggregate: COUNT, window: {{lifetime: {{}}}}, filter: {{test: {test}}}}}}}]\nladders: [{{key: L, tiers: [{{key: A}}]}}]\n"
        );
        let document = read(&text, Format::Yaml).unwrap_or_else(|faults| panic!("{faults}"));
        Program::compile(document).err().map(|faults| faults.0.into_iter().map(|fault| (fault.code, fault.message)).collect::<Vec<_>>()).unwrap_or_default()
    };
    let (calendar, fiscal) = ("", ", fiscalYearStart: 02-01");
    let fits = [
        (calendar, "{field: month, equals: 2025-06}"),
        (calendar, "{field: month, atLeast: '2025'}"),
        (calendar, "{field: quarter, in: [2025-Q2, 2025-Q3]}"),
        (calendar, "{field: year, equals: 2025}"),
        (calendar, "{field: year, equals: '2025'}"),
        (calendar, "{field: fiscalYear, equals: '2026'}"),
        (calendar, "{field: since, below: 2025-06-30}"),
        (fiscal, "{field: fiscalYear, equals: FY2026}"),
        (fiscal, "{field: fiscalQuarter, notIn: [FY2026-Q2]}"),
        (fiscal, "{field: fiscalQuarter, above: FY2026}"),
    ];
    for (fiscal, test) in fits {
        assert_eq!(found_in(fiscal, test), [], "{test}");
    }
    let refused = [
        (calendar, "{field: month, equals: 6}", "`month` would never be `6`: 10 June 2025 lies in `2025-06`, write it so"),
        (calendar, "{field: month, equals: 2025-13}", "`month` would never be `2025-13`: 10 June 2025 lies in `2025-06`, write it so"),
        (calendar, "{field: quarter, equals: 2025-Q5}", "`quarter` would never be `2025-Q5`: 10 June 2025 lies in `2025-Q2`, write it so"),
        (calendar, "{field: year, above: 25}", "`year` would never be `25`: 10 June 2025 lies in `2025`, write it so"),
        (calendar, "{field: fiscalYear, equals: FY2026}", "`fiscalYear` would never be `FY2026`: 10 June 2025 lies in `2025`, write it so"),
        (fiscal, "{field: fiscalYear, equals: FY26}", "`fiscalYear` would never be `FY26`: 10 June 2025 lies in `FY2026`, write it so"),
        (fiscal, "{field: fiscalQuarter, in: [2025-05-01]}", "`fiscalQuarter` would never be `2025-05-01`: 10 June 2025 lies in `FY2026-Q2`, write it so"),
        (calendar, "{field: until, atLeast: 2025}", "`until` is a date: write it as 2025-06-30"),
    ];
    for (fiscal, test, message) in refused {
        assert_eq!(found_in(fiscal, test), [("WRONG_KIND".to_owned(), message.to_owned())], "{test}");
    }
}
