use super::*;
use crate::document::read::{Format, read};

const EXAMPLES: [&str; 4] = [
    include_str!("../../../../examples/programs/reseller-tiers.yaml"),
    include_str!("../../../../examples/programs/quarterly-rebates.yaml"),
    include_str!("../../../../examples/programs/people-and-badges.yaml"),
    include_str!("../../../../examples/adventureworks/program.yaml"),
];

fn program(text: &str) -> Program {
    Program::compile(read(text, Format::Yaml).unwrap_or_else(|faults| panic!("{faults}"))).unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn the_scenarios_of_the_examples_pass() {
    for text in EXAMPLES {
        for result in run_scenarios(&program(text)) {
            assert!(result.passed(), "{:?}: {:#?}", result.scenario, result.failures);
            assert!(result.checks > 0, "{:?} expects nothing", result.scenario);
        }
    }
}

const FAILING: &str = "
guerdon: 1
program: {code: P, name: P, currency: USD}
version: {effectiveOn: 2026-01-01}
metrics: [{key: revenue, unit: MONEY, measure: {source: TRANSACTIONS, aggregate: SUM, window: {rolling: {months: 12}}}}]
ladders: [{key: L, tiers: [{key: BASE}, {key: GOLD, requirement: {metric: {metric: revenue, atLeast: 100}}}]}]
benefits: [{key: portal, kind: ACCESS}]
grants: [{benefit: portal, tier: GOLD, value: {access: true}}]
rebateSchedules: [{key: flat, period: {quarter: {}}, method: {flat: {rate: 1 %}}}]
scenarios:
  - name: everything is wrong
    asOf: 2026-03-31
    facts: {partners: [{code: A, transactions: [{id: '1', date: 2026-02-01, amount: '99.00'}]}]}
    expect:
      - ladders: [{tier: GOLD, qualified: GOLD, next: NONE, missing: {revenue: 2}, met: {GOLD: true, BASE: true}}]
        metrics: {revenue: null}
        entitlements: {portal: {status: GRANTED, value: {access: true}, unlock: tier SILVER}}
        rebates: [{schedule: flat, period: 2026-Q1, amount: 1, exact: 99/1}]
        runs: [{period: 2026-Q1, runOn: 2026-04-15, entitled: '0.98', postedNow: '0.99', postedTotal: 5}]
";

#[test]
fn every_difference_is_shown_with_its_reason() {
    let results = run_scenarios(&program(FAILING));
    let failures: Vec<(&str, &str, &str)> =
        results[0].failures.iter().map(|failure| (failure.at.as_str(), failure.expected.as_str(), failure.actual.as_str())).collect();
    let expected = [
        ("ladders.L.tier", "GOLD", "BASE"),
        ("ladders.L.qualified", "GOLD", "BASE"),
        ("ladders.L.next", "NONE", "GOLD"),
        ("ladders.L.missing", "revenue: 2", "revenue: 1"),
        ("ladders.L.met.GOLD", "met", "not met"),
        ("metrics.revenue", "no data", "99"),
        ("entitlements.portal.status", "\"GRANTED\"", "\"NOT_OFFERED\""),
        ("entitlements.portal.value", "{\"access\":true}", "none"),
        ("entitlements.portal.unlock", "tier SILVER", "tier GOLD"),
        ("rebates.flat.2026-Q1.amount", "1.00 USD", "0.99 USD"),
        ("rebates.flat.2026-Q1.exact", "99", "0.99"),
        ("runs.all.2026-Q1 on 2026-04-15.entitled", "0.98 USD", "0.99 USD"),
        ("runs.all.2026-Q1 on 2026-04-15.postedTotal", "5.00 USD", "0.99 USD"),
    ];
    assert_eq!(failures, expected);
    assert_eq!(results[0].checks, 15);
    let because = &results[0].failures[0].because;
    assert!(because.iter().any(|reason| reason.contains("GOLD is not met")), "{because:?}");
}

/// Rebates and entitlements go by one tier (decision 5): that on record where anything is on record, else the evaluated one.
const BY_RECORD: &str = "
guerdon: 1
program: {code: X, name: X, currency: USD}
version: {effectiveOn: 2015-01-01}
metrics: [{key: rev, unit: MONEY, measure: {source: TRANSACTIONS, aggregate: SUM, window: {lifetime: {}}}}]
ladders:
  - {key: L, main: true, tiers: [{key: A}, {key: B, requirement: {metric: {metric: rev, atLeast: 100}}}]}
  - {key: M, tiers: [{key: C, requirement: {metric: {metric: rev, atLeast: 100}}}]}
benefits: [{key: b, kind: ACCESS}, {key: c, kind: ACCESS}]
grants: [{benefit: b, tier: B, value: {access: true}}, {benefit: c, ladder: M, tier: C, value: {access: true}}]
rebateSchedules: [{key: r, period: {quarter: {}}, method: {flat: {rate: 1 %}}, scope: {tiers: [B]}}]
scenarios:
  - name: A is on record where B is met; the other ladder has no record
    asOf: 2025-06-15
    facts: {partners: [{code: P, assignments: [{tier: A, from: 2025-01-01}], transactions: [{id: t, date: 2025-06-15, amount: 1000}]}]}
    expect: [{entitlements: {b: {status: NOT_OFFERED}, c: {status: GRANTED}}, rebates: [{schedule: r, period: 2025-Q2, amount: 0}]}]
  - name: B is on record where A is met
    asOf: 2025-06-15
    facts: {partners: [{code: P, assignments: [{tier: B, from: 2025-01-01}], transactions: [{id: t, date: 2025-06-15, amount: 50}]}]}
    expect: [{entitlements: {b: {status: GRANTED}, c: {status: NOT_OFFERED}}, rebates: [{schedule: r, period: 2025-Q2, amount: '0.50'}]}]
  - name: the record begins later
    asOf: 2025-06-15
    facts: {partners: [{code: P, assignments: [{tier: B, from: 2025-07-01}], transactions: [{id: t, date: 2025-06-15, amount: 1000}]}]}
    expect: [{entitlements: {b: {status: NOT_OFFERED}}, rebates: [{schedule: r, period: 2025-Q2, amount: 0}]}]
  - name: an override over the record
    asOf: 2025-06-15
    facts: {partners: [{code: P, assignments: [{tier: A, from: 2025-01-01}], overrides: [{kind: FLOOR, tier: B, from: 2025-06-01, reason: x}]}]}
    expect: [{entitlements: {b: {status: GRANTED}}}]
  - name: nothing is on record
    asOf: 2025-06-15
    facts: {partners: [{code: P, transactions: [{id: t, date: 2025-06-15, amount: 1000}]}]}
    expect: [{entitlements: {b: {status: GRANTED}, c: {status: GRANTED}}, rebates: [{schedule: r, period: 2025-Q2, amount: 10}]}]
  - name: an override holds where nobody is enrolled, and nothing is on record
    asOf: 2025-06-15
    facts: {partners: [{code: P, enrollments: [{since: 2026-01-01}], overrides: [{kind: PIN, tier: B, from: 2025-04-01, reason: x}], transactions: [{id: t, date: 2025-06-15, amount: 1000}]}]}
    expect: [{rebates: [{schedule: r, period: 2025-Q2, amount: 10}]}]
";

#[test]
fn entitlements_go_by_the_tier_on_record_as_rebates_do() {
    for result in run_scenarios(&program(BY_RECORD)) {
        assert!(result.passed(), "{:?}: {:#?}", result.scenario, result.failures);
    }
}
