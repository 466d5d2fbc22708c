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

/// What the evaluation of a day decides takes effect on it (semantics 6), for what a partner may do as for its tier; rebates of a
/// period go by what was on record in it (decision 5).
const BY_EVALUATION: &str = "
guerdon: 1
program: {code: X, name: X, currency: USD}
version: {effectiveOn: 2015-01-01}
metrics: [{key: rev, unit: MONEY, measure: {source: TRANSACTIONS, aggregate: SUM, window: {lifetime: {}}}}]
ladders:
  - {key: L, main: true, tiers: [{key: A}, {key: B, requirement: {metric: {metric: rev, atLeast: 100}}}]}
  - {key: M, review: {cadenceUp: ANNUAL}, tiers: [{key: A}, {key: C, requirement: {metric: {metric: rev, atLeast: 100}}}]}
benefits: [{key: b, kind: ACCESS}, {key: c, kind: ACCESS}]
grants: [{benefit: b, tier: B, value: {access: true}}, {benefit: c, ladder: M, tier: C, value: {access: true}}]
rebateSchedules: [{key: r, period: {quarter: {}}, method: {flat: {rate: 1 %}}, scope: {tiers: [B]}}]
scenarios:
  - name: A is on record where B is met and given today; the other ladder is not due
    asOf: 2025-06-15
    facts: {partners: [{code: P, assignments: [{tier: A, from: 2025-01-01}, {ladder: M, tier: A, from: 2025-01-01}], transactions: [{id: t, date: 2025-06-15, amount: 1000}]}]}
    expect: [{ladders: [{tier: B}, {ladder: M, tier: A}], entitlements: {b: {status: GRANTED}, c: {status: NOT_OFFERED}}, rebates: [{schedule: r, period: 2025-Q2, amount: 0}]}]
  - name: B is on record and lost today
    asOf: 2025-06-15
    facts: {partners: [{code: P, assignments: [{tier: B, from: 2025-01-01}], transactions: [{id: t, date: 2025-06-15, amount: 50}]}]}
    expect: [{ladders: [{tier: A}], entitlements: {b: {status: NOT_OFFERED}}, rebates: [{schedule: r, period: 2025-Q2, amount: '0.50'}]}]
  - name: an override over the record
    asOf: 2025-06-15
    facts: {partners: [{code: P, assignments: [{tier: A, from: 2025-01-01}], overrides: [{kind: FLOOR, tier: B, from: 2025-06-01, reason: x}]}]}
    expect: [{entitlements: {b: {status: GRANTED}}}]
  - name: nothing is on record
    asOf: 2025-06-15
    facts: {partners: [{code: P, transactions: [{id: t, date: 2025-06-15, amount: 1000}]}]}
    expect: [{entitlements: {b: {status: GRANTED}, c: {status: GRANTED}}, rebates: [{schedule: r, period: 2025-Q2, amount: 10}]}]
";

#[test]
fn entitlements_go_by_what_the_evaluation_gives() {
    for result in run_scenarios(&program(BY_EVALUATION)) {
        assert!(result.passed(), "{:?}: {:#?}", result.scenario, result.failures);
    }
}

/// Any way that is listed is one that a test may expect, of ANY_OF and of AT_LEAST.
#[test]
fn every_way_may_be_expected() {
    let text = "
guerdon: 1
program: {code: X, name: X, currency: USD}
version: {effectiveOn: 2015-01-01}
metrics: [{key: a, unit: COUNT, measure: {source: ACTIVITIES, aggregate: COUNT, window: {lifetime: {}}}}]
ladders:
  - {key: L, main: true, tiers: [{key: A}, {key: B, requirement: {atLeast: {n: 1, of: [{holding: {kind: PLAN}}, {metric: {metric: a, atLeast: 1}}]}}}]}
  - {key: M, tiers: [{key: A}, {key: B, requirement: {atLeast: {n: 2, of: [{holding: {kind: W}}, {holding: {kind: X}}, {holding: {kind: Y}}, {holding: {kind: Z}}], including: {m: 1, items: [2, 3]}}}}]}
scenarios:
  - name: ways
    asOf: 2026-01-01
    facts: {partners: [{code: P}]}
    expect:
      - ladders: [{missing: {PLAN: 1}}]
      - ladders: [{missing: {a: 1}}]
      - ladders: [{ladder: M, missing: {W: 1, Y: 1}}]
      - ladders: [{ladder: M, missing: {Y: 1, Z: 1}}]
      - ladders: [{ladder: M, missing: {X: 1, Z: 1}}]
      - ladders: [{ladder: M, missing: {W: 1, X: 1}}]
";
    let result = run_scenarios(&program(text)).remove(0);
    let failed: Vec<(&str, &str)> = result.failures.iter().map(|failure| (failure.expected.as_str(), failure.actual.as_str())).collect();
    assert_eq!((result.checks, failed), (6, vec![("W: 1, X: 1", "W: 1, Y: 1")]));
}

/// Days on which an override held a tier count as served in it, and days on which one took it away do not.
#[test]
fn time_in_a_tier_is_that_which_overrides_left() {
    let text = "
guerdon: 1
program: {code: X, name: X, currency: USD}
version: {effectiveOn: 2015-01-01}
ladders:
  - {key: L, main: true, tiers: [{key: A}, {key: B, requirement: {holding: {kind: NEVER}}}]}
  - {key: REC, tiers: [{key: T, requirement: {tier: {ladder: L, tier: B, state: RECORDED}}}]}
  - {key: TEN, tiers: [{key: T, requirement: {tenure: {ladder: L, tier: B, months: 3}}}]}
scenarios:
  - name: six months by an approved override
    asOf: 2025-07-01
    facts: {partners: [{code: P, assignments: [{tier: A, from: 2024-01-01}], overrides: [{kind: FLOOR, tier: B, from: 2025-01-01, reason: x, proposedBy: a, approvedBy: b}]}]}
    expect: [{ladders: [{ladder: L, tier: B}, {ladder: REC, tier: T}, {ladder: TEN, tier: T}]}]
  - name: two months, and before another tier
    asOf: 2025-02-28
    facts: {partners: [{code: P, assignments: [{tier: A, from: 2024-01-01}], overrides: [{kind: PIN, tier: B, from: 2025-01-01, reason: x}]}]}
    expect: [{ladders: [{ladder: TEN, tier: NONE, missing: {B: 2}}]}]
  - name: nobody approved it
    asOf: 2025-07-01
    facts: {partners: [{code: P, assignments: [{tier: A, from: 2024-01-01}], overrides: [{kind: FLOOR, tier: B, from: 2025-01-01, reason: x, proposedBy: a}]}]}
    expect: [{ladders: [{ladder: TEN, tier: NONE, missing: {B: 3}}]}]
  - name: an override follows on a record
    asOf: 2025-02-01
    facts: {partners: [{code: P, assignments: [{tier: B, from: 2024-11-01}, {tier: A, from: 2025-01-01}], overrides: [{kind: FLOOR, tier: B, from: 2025-01-01, reason: x}]}]}
    expect: [{ladders: [{ladder: TEN, tier: T}]}]
  - name: a ceiling takes days away
    asOf: 2025-07-01
    facts: {partners: [{code: P, assignments: [{tier: B, from: 2024-01-01}], overrides: [{kind: CEILING, tier: A, from: 2025-04-01, until: 2025-06-01, reason: x}]}]}
    expect: [{ladders: [{ladder: REC, tier: T}, {ladder: TEN, tier: NONE, missing: {B: 2}}]}]
  - name: a ceiling that holds
    asOf: 2025-05-01
    facts: {partners: [{code: P, assignments: [{tier: B, from: 2024-01-01}], overrides: [{kind: CEILING, tier: A, from: 2025-04-01, reason: x}]}]}
    expect: [{ladders: [{ladder: REC, tier: NONE}, {ladder: TEN, tier: NONE, missing: {B: 3}}]}]
";
    for result in run_scenarios(&program(text)) {
        assert!(result.passed(), "{:?}: {:#?}", result.scenario, result.failures);
    }
}
