//! What is kept of a standing gives the whole of it back.

use super::*;

/// The kept standing gives the whole one back.
pub(super) fn assert_restores(program: &Program, ladder: &LadderStanding) {
    let text = KeptStanding::of(ladder).to_text();
    let read = KeptStanding::read(&text).unwrap_or_else(|fault| panic!("{fault}: {text}"));
    let restored = read.restore(program, &ladder.ladder, ladder.region.as_deref()).unwrap_or_else(|fault| panic!("{fault}: {text}"));
    // What is missing is told with every way once somebody reads it.
    let mut ladder = ladder.clone();
    // What the review gives without an override goes to the record of tiers alone.
    ladder.decision.reviewed = None;
    ladder.complete(program.ladder(Some(&ladder.ladder)).unwrap(), ladder.next.as_ref().and_then(|next| next.review_on));
    let json = |standing: &LadderStanding| serde_json::to_string_pretty(standing).unwrap();
    similar(&json(&restored), &json(&ladder), &format!("{} {}", program.code(), ladder.ladder));
    // What is not written compares as well: nouns, costs, the sentences of whole nodes.
    assert_eq!(restored, ladder, "{}", ladder.ladder);
}

/// Two texts are equal; the first line that differs is shown with those around it.
fn similar(actual: &str, expected: &str, at: &str) {
    if let Some(line) = actual.lines().zip(expected.lines()).position(|(actual, expected)| actual != expected) {
        let around = |text: &str| text.lines().skip(line.saturating_sub(12)).take(20).collect::<Vec<_>>().join("\n");
        panic!("{at}\n{}\n--- expected\n{}", around(actual), around(expected));
    }
    assert_eq!(actual.len(), expected.len(), "{at}");
}

/// The example programs.
const EXAMPLES: &[&str] = &[
    include_str!("../../../../../examples/programs/p01-odoo-2017.yaml"),
    include_str!("../../../../../examples/programs/p01-odoo-2020.yaml"),
    include_str!("../../../../../examples/programs/p01-odoo.yaml"),
    include_str!("../../../../../examples/programs/p02-gitlab-2022.yaml"),
    include_str!("../../../../../examples/programs/p02-gitlab.yaml"),
    include_str!("../../../../../examples/programs/p03-atlassian-solution-2016.yaml"),
    include_str!("../../../../../examples/programs/p03-atlassian-solution-2017.yaml"),
    include_str!("../../../../../examples/programs/p03-atlassian.yaml"),
    include_str!("../../../../../examples/programs/p04-microsoft-2021.yaml"),
    include_str!("../../../../../examples/programs/p04-microsoft-2022.yaml"),
    include_str!("../../../../../examples/programs/p04-microsoft.yaml"),
    include_str!("../../../../../examples/programs/p05-hubspot-2016.yaml"),
    include_str!("../../../../../examples/programs/p05-hubspot-2018.yaml"),
    include_str!("../../../../../examples/programs/p05-hubspot-2020.yaml"),
    include_str!("../../../../../examples/programs/p05-hubspot-2024.yaml"),
    include_str!("../../../../../examples/programs/p05-hubspot-2025.yaml"),
    include_str!("../../../../../examples/programs/p06-intuit.yaml"),
    include_str!("../../../../../examples/programs/p07-google-2019.yaml"),
    include_str!("../../../../../examples/programs/p07-google.yaml"),
    include_str!("../../../../../examples/programs/p08-dell-2012.yaml"),
    include_str!("../../../../../examples/programs/p08-dell.yaml"),
    include_str!("../../../../../examples/programs/p09-zoho-2018.yaml"),
    include_str!("../../../../../examples/programs/p09-zoho-2023.yaml"),
    include_str!("../../../../../examples/programs/p09-zoho.yaml"),
    include_str!("../../../../../examples/programs/p10-veritas.yaml"),
    include_str!("../../../../../examples/programs/p11-veeam.yaml"),
    include_str!("../../../../../examples/programs/p12-adobe.yaml"),
    include_str!("../../../../../examples/programs/p13-cisco.yaml"),
    include_str!("../../../../../examples/programs/p14-servicenow.yaml"),
    include_str!("../../../../../examples/programs/p15-broadcom.yaml"),
    include_str!("../../../../../examples/programs/p16-hpe.yaml"),
    include_str!("../../../../../examples/programs/p17-shopify.yaml"),
    include_str!("../../../../../examples/programs/people-and-badges.yaml"),
    include_str!("../../../../../examples/programs/quarterly-rebates.yaml"),
    include_str!("../../../../../examples/programs/rebate-dictionary.yaml"),
    include_str!("../../../../../examples/programs/reseller-tiers.yaml"),
];

/// Every partner of every scenario of the example programs stands where it stood after its standing was kept and restored.
#[test]
fn the_standings_of_the_examples_are_restored() {
    let mut restored = 0;
    for text in EXAMPLES {
        let program = compiled(text);
        for scenario in &program.document.scenarios {
            let facts = crate::facts::convert::convert(&scenario.facts, crate::facts::convert::Vocabulary::of(&program)).unwrap();
            let codes = facts.partners.keys().map(String::as_str);
            // A scenario may expect that a partner cannot be evaluated.
            for standing in evaluate_all(&program, &facts, codes, scenario.as_of).into_iter().flatten() {
                standing.ladders.iter().for_each(|ladder| assert_restores(&program, ladder));
                restored += standing.ladders.len();
            }
        }
    }
    assert!(restored > 100, "{restored}");
}

/// Tiers that ask for what `requirement/tests.yaml` shares, and for labels, lists and conditions inside one another.
fn every_kind() -> Program {
    let text = include_str!("../../requirement/tests.yaml");
    let shared = compiled(text);
    let mut ladder = "  - key: EVERY\n    appliesTo: {not: {partner: {partnerTypes: [MSP]}}}\n    tiers:\n".to_owned();
    for known in &shared.document.requirements {
        ladder += &format!("      - {{key: {0}, requirement: {{shared: {0}}}}}\n", known.key);
    }
    ladder.push_str(NESTED);
    // Names are put on again from the version.
    let text = text.replace("{key: SEARCH}", "{key: SEARCH, name: Search}").replace("[{key: STANDARD}]", "[{key: STANDARD, name: Standard contract}]");
    let text = text.replace("{key: MSP}]", "{key: MSP, name: Managed service provider}]");
    // A ladder may not count itself.
    let text = text.replace("ladders: {rankAtLeast", "ladders: {ladders: [MAIN, BADGE, OTHER], rankAtLeast");
    compiled(&format!("{}{ladder}", text.replace("{key: engineers, requirement", "{key: engineers, name: Engineers, requirement")))
}

const NESTED: &str = "
      - {key: twoLabels, requirement: {labelled: {label: Outer, requirement: {labelled: {label: Inner, requirement: {not: {shared: revenue}}}}}}}
      - {key: labelOnName, requirement: {labelled: {label: Outer, requirement: {shared: engineers}}}}
      - {key: labelOnLabel, requirement: {labelled: {label: Outer, requirement: {metric: {metric: revenue, label: Sales, atLeast: 5000}}}}}
      - {key: labelOnHolding, requirement: {labelled: {label: Outer, requirement: {holding: {kind: WARNING, label: A warning}}}}}
      - {key: labelOnNone, requirement: {labelled: {label: Outer, requirement: {shared: revenue}}}}
      - {key: asked, requirement: {when: {condition: {anyOf: [{shared: paths}, {shared: partner}]}, requirement: {allOf: [{shared: code}, {shared: streak}]}}}}
      - {key: streakOnADay, requirement: {onAnyDay: {window: {rolling: {months: 6}}, requirement: {anyOf: [{shared: streak}, {shared: growth}]}}}}
      - {key: oneOfMixed, requirement: {anyOf: [{metric: {value: {metric: satisfaction}, atLeast: {rows: [{region: US, value: 0.8}, {region: DE, value: 90 %}]}}},
          {metric: {value: {metric: satisfaction}, atLeast: {rows: [{region: US, value: 90 %}, {region: DE, value: 0.8}]}}}]}}
      - {key: invited, entry: BY_INVITATION, requirement: {shared: areas}}
      - {key: sumInSum, requirement: {metric: {label: Card, atLeast: 500, value: {formula: {sum: {terms: [
          {value: {formula: {sum: {cap: 15, terms: [{value: {metric: engineers}, points: 10}, {value: {formula: {sum: {floor: 1, terms: [{value: {metric: wins}}]}}}}]}}}}]}}}}}}
";

fn every_fact() -> serde_json::Value {
    serde_json::json!({"partners": [
        {"code": "P", "attributes": [{"region": "DE", "type": "VAR"}], "enrollments": [{"since": "2020-02-15", "track": "VAR"}],
         "assignments": [{"ladder": "MAIN", "tier": "SILVER", "from": "2020-02-15"}, {"ladder": "MAIN", "tier": "GOLD", "from": "2020-05-01"}],
         "transactions": [
            {"id": "1", "date": "2020-03-10", "amount": "510.00", "category": "SEARCH", "customer": "A"},
            {"id": "2", "date": "2020-05-10", "amount": "1700.01", "category": "VIDEO", "customer": "B"}],
         "holdings": [
            {"id": "h1", "kind": "CERTIFICATION", "person": "E1", "since": "2020-01-01", "until": "2020-07-15", "category": "VIDEO", "attributes": {"version": "2"}},
            {"id": "h2", "kind": "CERTIFICATION", "person": "E2", "since": "2020-04-01", "until": "2020-05-20"}],
         "activities": [{"id": "a1", "date": "2020-05-01", "kind": "CSAT", "value": "5"}, {"id": "a2", "date": "2020-05-02", "kind": "CSAT", "value": "3"},
            {"id": "a3", "date": "2020-05-03", "kind": "CSAT", "value": "2"}],
         "deals": [{"id": "d1", "openedOn": "2020-04-01", "closedOn": "2020-05-15", "outcome": "WON"}]},
        {"code": "Q", "attributes": [{"region": "DE", "type": "MSP"}], "transactions": [{"id": "q", "date": "2020-05-05", "amount": "900.00"}]},
        {"code": "N"}
    ]})
}

#[test]
fn every_kind_of_node_is_restored() {
    let program = every_kind();
    let facts = facts(&program, every_fact());
    for as_of in ["2020-01-31", "2020-05-10", "2020-05-31", "2020-09-01", "2021-06-30"].map(date) {
        for standing in evaluate_all(&program, &facts, ["P", "Q", "N"], as_of) {
            standing.unwrap().ladders.iter().for_each(|ladder| assert_restores(&program, ladder));
        }
    }
}

#[test]
fn a_region_that_is_home_keeps_what_it_was_asked() {
    let program = program();
    let input = serde_json::json!({"partners": [{"code": "P", "attributes": [{"region": "DE"}],
        "enrollments": [{"since": "2019-01-01", "region": "EMEA"}, {"since": "2019-01-01", "region": "US"}],
        "transactions": [{"id": "1", "date": "2020-03-01", "amount": "60", "region": "FR"}, {"id": "2", "date": "2020-03-01", "amount": "70", "region": "US"}]}]});
    let facts = facts(&program, input);
    let standing = Evaluator::new(&program, &facts).standing("P", date("2020-03-02"), Due::ByCalendar).unwrap();
    standing.ladders.iter().for_each(|ladder| assert_restores(&program, ladder));
    let home = standing.ladder(Some("HOME"), Some("EMEA")).unwrap();
    assert!(home.tiers[0].home, "the home region was not asked its own");
}

#[test]
fn another_version_is_refused() {
    let program = every_kind();
    let standing = evaluate_partner(&program, &facts(&program, every_fact()), "P", date("2020-05-31")).unwrap();
    let text = KeptStanding::of(standing.ladder(Some("EVERY"), None).unwrap()).to_text();
    let kept = KeptStanding::read(&text).unwrap();
    let refusal = |ladder: &str| kept.restore(&program, ladder, None).unwrap_err().code;
    assert_eq!(["NOWHERE", "MAIN"].map(refusal), ["UNREADABLE_STANDING"; 2]);
    let text = text.replace(r#"["anyDay","#, r#"["paths","#);
    assert!(KeptStanding::read(&text).unwrap().restore(&program, "EVERY", None).is_err());
}
