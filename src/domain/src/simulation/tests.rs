//! Laws of simulations, on random thresholds and facts.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::facts::apply_hypotheses;
use super::*;
use crate::document::Document;
use crate::document::patch::RuleChange;
use crate::document::read::read_document;
use crate::facts::convert::{Vocabulary, convert};
use crate::facts::input::FactsInput;
use crate::facts::{FactId, Facts, HolderKind, Holding};
use crate::levelling::{Due, evaluate_all};
use crate::metric::Evaluator;
use crate::rebate::{Knowledge, OnRecord, compute_period_for_all};

const AS_OF: &str = "2026-06-30";

/// A program with sums, a share of a group, a cohort, tiers that ask for one another, grants with conditions, and a budget.
fn document() -> Document {
    let revenue = |least: u32| json!({"metric": {"metric": "revenue", "atLeast": least}});
    let certificates = |least: u32| json!({"metric": {"metric": "certificates", "atLeast": least}});
    read_document(json!({
        "guerdon": 1,
        "program": {"code": "P", "name": "Program", "currency": "USD"},
        "version": {"effectiveOn": "2025-01-01"},
        "regions": [{"key": "WORLD", "regions": [{"key": "DE"}, {"key": "US"}]}],
        "partnerTypes": [{"key": "VAR"}],
        "metrics": [
            {"key": "revenue", "unit": "MONEY", "measure": {"source": "TRANSACTIONS", "window": {"rolling": {"months": 12}}, "aggregate": "SUM", "scope": "SUBTREE"}},
            {"key": "certificates", "unit": "COUNT", "measure": {"source": "HOLDINGS", "window": {"onDay": {}}, "aggregate": "COUNT"}},
            {"key": "rank", "unit": "PERCENT", "formula": {"percentileRank": {"of": {"metric": "revenue"}, "cohort": ["region"]}}},
        ],
        "ladders": [
            {"key": "MAIN", "main": true, "tiers": [
                {"key": "BASE"},
                {"key": "SILVER", "requirement": {"anyOf": [revenue(400), certificates(3)]}},
                {"key": "GOLD", "requirement": {"allOf": [revenue(800), certificates(2)]}},
            ]},
            {"key": "TOP", "inheritsFromParent": true, "tiers": [{"key": "TOP", "requirement": {"allOf": [
                {"metric": {"metric": "rank", "atMost": "50 %"}},
                {"tier": {"ladder": "MAIN", "tier": "SILVER", "state": "EVALUATED"}},
            ]}}]},
        ],
        "benefits": [{"key": "hours", "kind": "ALLOWANCE", "period": "YEAR"}, {"key": "portal", "kind": "ACCESS"}, {"key": "lounge", "kind": "ACCESS"}],
        "grants": [
            {"benefit": "hours", "tier": "SILVER", "value": {"allowance": 10}},
            {"benefit": "hours", "tier": "GOLD", "value": {"allowance": 20}},
            {"benefit": "portal", "value": {"access": true}, "condition": {"requirement": certificates(1)}},
            {"benefit": "lounge", "value": {"access": true}, "condition": {"requirement": {"allOf": [
                certificates(1), {"tier": {"ladder": "MAIN", "tier": "SILVER", "state": "EVALUATED"}},
            ]}}},
        ],
        "rebateSchedules": [
            {"key": "flat", "period": {"quarter": {}}, "method": {"flat": {"rate": {"default": "1 %", "tiers": {"GOLD": "3 %"}}}}},
            {"key": "pool", "period": {"quarter": {}}, "method": {"flat": {"rate": "2 %"}}, "budget": {"amount": 40, "whenExceeded": "PRO_RATA"}},
        ],
    }))
    .unwrap_or_else(|faults| panic!("{faults}"))
}

fn program(document: &Document) -> Arc<Program> {
    Arc::new(Program::compile(document.clone()).unwrap_or_else(|faults| panic!("{faults}")))
}

/// Sales, certificates, tier on record and parent of each partner.
type Random = Vec<(Vec<u32>, u8, u8, bool)>;

fn random() -> impl Strategy<Value = Random> {
    prop::collection::vec((prop::collection::vec(1_u32..500, 0..4), 0_u8..5, 0_u8..4, any::<bool>()), 1..9)
}

fn facts(program: &Program, random: &Random) -> Facts {
    let partner = |(at, (sales, certificates, tier, child)): (usize, &(Vec<u32>, u8, u8, bool))| -> Value {
        let sales = sales
            .iter()
            .enumerate()
            .map(|(line, amount)| json!({"id": format!("{at}-{line}"), "date": format!("2026-0{}-10", line + 3), "amount": format!("{amount}.00")}));
        let held = (0..*certificates).map(|number| json!({"id": format!("{at}-{number}"), "kind": "CERTIFICATION", "since": "2026-01-01"}));
        let tier = ["", "BASE", "SILVER", "GOLD"][usize::from(*tier)];
        let assignments = if tier.is_empty() { json!([]) } else { json!([{"ladder": "MAIN", "tier": tier, "from": "2026-01-01"}]) };
        let parent = (*child && at > 0).then(|| format!("P{}", at - 1));
        json!({
            "code": format!("P{at}"),
            "attributes": [{"region": if at % 2 == 0 { "DE" } else { "US" }, "type": "VAR", "parent": parent}],
            "enrollments": [{"since": "2025-01-01"}],
            "assignments": assignments,
            "transactions": sales.collect::<Vec<_>>(),
            "holdings": held.collect::<Vec<_>>(),
        })
    };
    let partners: Vec<Value> = random.iter().enumerate().map(partner).collect();
    let input: FactsInput = serde_json::from_value(json!({"partners": partners})).unwrap();
    convert(&input, Vocabulary::of(program)).unwrap_or_else(|faults| panic!("{faults}"))
}

fn ready(rules: &RulesInForce, change: impl Fn(&mut Terms)) -> Simulation {
    let reality = program(&document());
    let as_of = AS_OF.parse().unwrap();
    let hypothesis = hypothetical(&reality, rules, as_of).unwrap_or_else(|faults| panic!("{faults}"));
    let mut terms = Terms::on(as_of);
    change(&mut terms);
    let periods = RebatePeriod::named("2026-Q2", &reality, &hypothesis.after).into_iter().collect();
    Simulation::new(terms, &hypothesis, periods)
}

fn simulate(simulation: &Simulation, facts: &Facts, hypotheses: &[PartnerHypothesis]) -> Report {
    let codes: Vec<&str> = facts.partners.keys().map(String::as_str).collect();
    let mut tally = Tally::new(simulation.terms().listed);
    let changed = apply_hypotheses(facts, hypotheses, simulation.terms().as_of, &mut tally);
    let asked: Vec<Asked<'_>> = codes.iter().map(|code| Asked { code, told: true, sums: None }).collect();
    tally.merge(simulation.judge(facts, changed.as_ref(), &asked));
    simulation.report(tally)
}

fn threshold(ladder: &str, path: &str, value: u32) -> RulesInForce {
    RulesInForce::Changed(vec![RuleChange::set(format!("ladders[{ladder}].tiers{path}"), value)])
}

fn gold_revenue(value: u32) -> RulesInForce {
    threshold("MAIN", "[GOLD].requirement.allOf[0].metric.atLeast", value)
}

fn judgings() -> impl Strategy<Value = Judging> {
    prop_oneof![Just(Judging::Review), Just(Judging::ReviewByCalendar), Just(Judging::RulesAlone)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Judging only the tiers that differ finds what judging everything finds, near thresholds and benefits included.
    #[test]
    fn only_changed_tiers_judged_again_is_everything_judged_again(random in random(), gold in 1_u32..1_500, silver in 1_u32..900, judging in judgings()) {
        let mut document = document();
        document.ladders[1].inherits_from_parent = false;
        let reality = program(&document);
        let as_of = AS_OF.parse().unwrap();
        let changes = [("GOLD].requirement.allOf", gold), ("SILVER].requirement.anyOf", silver)];
        let changes = changes.map(|(path, least)| RuleChange::set(format!("ladders[MAIN].tiers[{path}[0].metric.atLeast"), least));
        let hypothesis = hypothetical(&reality, &RulesInForce::Changed(changes.to_vec()), as_of).unwrap();
        let terms = Terms { judging, near: Exact::scaled(5, 1), ..Terms::on(as_of) };
        let mut simulation = Simulation::new(terms, &hypothesis, Vec::new());
        let facts = facts(&reality, &random);
        let found = simulate(&simulation, &facts, &[]);
        prop_assert!(simulation.delta.tiers.as_ref().is_some_and(|tiers| tiers.len() <= 2));
        // What asks for certificates alone is another one for nobody who stays where he is.
        prop_assert_eq!(&simulation.delta.benefits, &BTreeSet::from(["lounge".to_owned()]));
        simulation.delta.tiers = None;
        simulation.delta.benefits = ["hours", "portal", "lounge"].map(str::to_owned).into();
        prop_assert_eq!(found, simulate(&simulation, &facts, &[]));
    }

    #[test]
    fn without_a_change_nothing_is_different(random in random(), judging in judgings()) {
        let facts = facts(&program(&document()), &random);
        let same = RuleChange::set("ladders[MAIN].tiers[GOLD].requirement.allOf[0].metric.atLeast", 800);
        for rules in [RulesInForce::AsTheyAre, RulesInForce::Changed(vec![]), RulesInForce::Document(Box::new(document())), RulesInForce::Changed(vec![same])] {
            let report = simulate(&ready(&rules, |terms| terms.judging = judging), &facts, &[]);
            prop_assert!(report.is_unchanged(), "{rules:?}: {:?}", report.moves);
            prop_assert!(report.moves.is_empty() && report.benefits.is_empty() && report.rebate_moves.is_empty() && report.failed.is_empty());
            prop_assert_eq!(report.partners as usize, facts.partners.len());
            prop_assert!(report.matrix.iter().all(|cell| cell.from == cell.to));
        }
        let nothing = PartnerHypothesis { partner: "P0".to_owned(), ..PartnerHypothesis::default() };
        prop_assert!(simulate(&ready(&RulesInForce::AsTheyAre, |_| ()), &facts, &[nothing]).is_unchanged());
    }

    #[test]
    fn a_change_gives_what_a_review_under_the_changed_rules_gives(random in random(), silver in 1_u32..1200, gold in 1_u32..1600, certificates in 0_u32..5) {
        let mut changed = document();
        let facts = facts(&program(&changed), &random);
        let changes = vec![
            RuleChange::set("ladders[MAIN].tiers[SILVER].requirement.anyOf[0].metric.atLeast", silver),
            RuleChange::set("ladders[MAIN].tiers[GOLD].requirement.allOf[0].metric.atLeast", gold),
            RuleChange::set("ladders[MAIN].tiers[GOLD].requirement.allOf[1].metric.atLeast", certificates),
        ];
        let simulation = ready(&RulesInForce::Changed(changes.clone()), |_| ());
        let report = simulate(&simulation, &facts, &[]);
        changed = crate::document::patch::apply_changes(&changed, &changes).unwrap();
        changed.version.effective_on = AS_OF.parse().unwrap();
        let (one, other) = (program(&document()), program(&changed));
        for code in facts.partners.keys() {
            let review = |program: &Program| Evaluator::new(program, &facts).standing(code, AS_OF.parse().unwrap(), Due::Now).unwrap();
            let (then, now) = (review(&one), review(&other));
            for (then, now) in then.ladders.iter().zip(&now.ladders) {
                let moved = report.moves.iter().find(|moved| moved.partner == *code && moved.ladder == now.ladder);
                match moved {
                    Some(moved) => {
                        prop_assert_eq!((&moved.from, &moved.to), (&then.tier, &now.tier));
                        prop_assert!(!moved.text.is_empty(), "every move says why: {:?}", moved);
                    }
                    None => prop_assert_eq!(&then.tier, &now.tier),
                }
            }
        }
        let moved: u64 = report.matrix.iter().filter(|cell| cell.from != cell.to).map(|cell| cell.partners).sum();
        prop_assert_eq!((moved, report.moves.len() as u64), (report.moved(), report.moved()));
    }

    #[test]
    fn parts_and_their_order_do_not_matter(random in random(), gold in 1_u32..1600, listed in 1_usize..6, size in 1_usize..5) {
        let facts = facts(&program(&document()), &random);
        let rules = gold_revenue(gold);
        let simulation = ready(&rules, |terms| terms.listed = listed);
        let whole = simulate(&simulation, &facts, &[]);
        let mut codes: Vec<&str> = facts.partners.keys().map(String::as_str).collect();
        codes.reverse();
        let mut tally = Tally::new(listed);
        for part in codes.chunks(size) {
            let asked: Vec<Asked<'_>> = part.iter().map(|code| Asked { code, told: true, sums: None }).collect();
            tally.merge(simulation.judge(&facts, None, &asked));
        }
        prop_assert_eq!(simulation.report(tally), whole);
    }

    #[test]
    fn values_in_common_are_those_that_would_be_computed(random in random(), months in 1_u32..24, least in 1_u32..5) {
        let facts = facts(&program(&document()), &random);
        for change in [
            RuleChange::set("metrics[revenue].measure.window.rolling.months", months),
            RuleChange::set("ladders[TOP].tiers[TOP].requirement.allOf[0].metric.atMost", format!("{}0 %", least)),
            RuleChange::set("grants[portal].condition.requirement.metric.atLeast", least),
        ] {
            let simulation = ready(&RulesInForce::Changed(vec![change]), |_| ());
            let report = simulate(&simulation, &facts, &[]);
            let codes = || facts.partners.keys().map(String::as_str);
            let held = |program: &Program| -> Vec<_> {
                let due = |code| Evaluator::new(program, &facts).standing(code, AS_OF.parse().unwrap(), Due::Now).unwrap();
                codes().flat_map(|code| due(code).ladders.into_iter().map(move |ladder| (code, ladder.ladder, ladder.tier))).collect()
            };
            let (then, now) = (held(simulation.before()), held(simulation.after()));
            let moved: Vec<_> = then.iter().zip(&now).filter(|(then, now)| then != now).map(|(_, now)| now.clone()).collect();
            let mut told: Vec<_> = report.moves.iter().map(|moved| (moved.partner.as_str(), moved.ladder.clone(), moved.to.clone())).collect();
            let mut moved = moved;
            told.sort();
            moved.sort();
            prop_assert_eq!(told, moved);
            prop_assert_eq!(evaluate_all(simulation.before(), &facts, codes(), AS_OF.parse().unwrap()).len(), facts.partners.len());
        }
    }

    #[test]
    fn a_rate_changes_rebates_by_the_difference_of_two_runs(random in random(), rate in 0_u32..9, budget in 1_u32..60) {
        let facts = facts(&program(&document()), &random);
        let changes = vec![
            RuleChange::set("rebateSchedules[flat].method.flat.rate.default", format!("{rate} %")),
            RuleChange::set("rebateSchedules[pool].budget.amount", budget),
        ];
        let simulation = ready(&RulesInForce::Changed(changes), |_| ());
        let report = simulate(&simulation, &facts, &[]);
        prop_assert!(report.moves.is_empty(), "a rate moves nobody");
        let period = simulation.before().period_named("2026-Q2").unwrap();
        let run = |program: &Program| compute_period_for_all(program, &facts, &period, &Knowledge::default(), &OnRecord).unwrap();
        let (then, now) = (run(simulation.before()), run(simulation.after()));
        for schedule in ["flat", "pool"] {
            let of = |run: &std::collections::BTreeMap<String, crate::rebate::PeriodResult>, code: &String| run[code].of(schedule).unwrap().amount.minor;
            let mut difference = 0;
            for code in facts.partners.keys() {
                let moved = report.rebate_moves.iter().find(|moved| moved.partner == *code && moved.schedule == schedule);
                let (then, now) = (of(&then, code), of(&now, code));
                difference += now - then;
                prop_assert_eq!(moved.map(|moved| (moved.before.minor, moved.after.minor)), (then != now).then_some((then, now)));
            }
            let sum = report.rebates.iter().find(|sum| sum.schedule == schedule).unwrap();
            prop_assert_eq!(sum.difference.minor, difference);
        }
    }

    #[test]
    fn certificates_change_their_partner_and_whoever_looks_at_it(random in random(), more in 1_u8..4) {
        let facts = facts(&program(&document()), &random);
        let holding = |number: u8| Holding { id: FactId { source: facts::HYPOTHETICAL_SOURCE.to_owned(), external_id: number.to_string() }, ..certificate() };
        let hypothesis = PartnerHypothesis { partner: "P0".to_owned(), holdings: (0..more).map(holding).collect(), ..PartnerHypothesis::default() };
        let report = simulate(&ready(&RulesInForce::AsTheyAre, |_| ()), &facts, &[hypothesis]);
        prop_assert!(report.moves.iter().filter(|moved| moved.ladder == "MAIN").all(|moved| moved.partner == "P0" && moved.direction == Direction::Up));
        // P1 may inherit what P0 reaches in the other ladder, and so on down.
        prop_assert!(report.moves.iter().all(|moved| moved.direction == Direction::Up));
        prop_assert!(report.rebate_moves.iter().all(|moved| moved.partner == "P0" || moved.schedule == "pool"));
    }
}

fn certificate() -> Holding {
    Holding {
        id: FactId { source: facts::HYPOTHETICAL_SOURCE.to_owned(), external_id: "1".to_owned() },
        recorded_on: AS_OF.parse().unwrap(),
        kind: "CERTIFICATION".to_owned(),
        type_key: None,
        level: None,
        holder_kind: HolderKind::Partner,
        holder: None,
        product: None,
        category: None,
        since: AS_OF.parse().unwrap(),
        until: None,
        revoked_on: None,
        value: None,
        currency: None,
        region: None,
        attributes: crate::facts::Attributes::new(),
    }
}

/// Two partners: one at 900 with two certificates, one at 500 with one.
fn two() -> Facts {
    facts(&program(&document()), &vec![(vec![400, 500], 2, 3, false), (vec![500], 1, 2, false)])
}

#[test]
fn a_move_says_why() {
    let report = simulate(&ready(&gold_revenue(1_000), |_| ()), &two(), &[]);
    assert_eq!((report.up, report.down, report.moves.len()), (0, 1, 1));
    let moved = &report.moves[0];
    assert_eq!((moved.from.as_deref(), moved.to.as_deref(), moved.direction), (Some("GOLD"), Some("SILVER"), Direction::Down));
    let leaf = &moved.leaves[0];
    let figures = |state: &Option<LeafState>| {
        state.as_ref().map(|state| (state.met, state.required.clone().unwrap().to_string(), state.actual.clone().unwrap().to_string()))
    };
    assert_eq!(moved.leaves.len(), 1);
    assert_eq!(figures(&leaf.before), Some((true, "800".to_owned(), "900".to_owned())));
    assert_eq!(figures(&leaf.after), Some((false, "1000".to_owned(), "900".to_owned())));
    assert_eq!(moved.text, "GOLD: revenue: USD 900 of USD 1,000; USD 100 more needed (800 was asked before)");
    let counts: Vec<_> = report.benefit_counts.iter().map(|count| (count.benefit.as_str(), count.tier.as_deref(), count.kind, count.partners)).collect();
    assert_eq!(counts, [("hours", Some("SILVER"), BenefitChangeKind::Changed, 1)]);
    // 3 % of the 500 of the quarter become 1 %: the new tier holds throughout the period.
    let flat = report.rebates.iter().find(|sum| sum.schedule == "flat").unwrap();
    assert_eq!((flat.before.amount(), flat.after.amount(), flat.changed), ("15.00".to_owned(), "5.00".to_owned(), 1));
    let on_record = simulate(&ready(&gold_revenue(1_000), |terms| terms.rebate_tiers = RebateTiers::OnRecord), &two(), &[]);
    assert!(on_record.rebate_moves.is_empty() && on_record.moves == report.moves);
}

#[test]
fn near_is_measured_by_the_part_that_is_missing_or_to_spare() {
    let report = simulate(&ready(&gold_revenue(1_000), |_| ()), &two(), &[]);
    let near: Vec<_> = report.near.iter().map(|near| (near.partner.as_str(), near.tier.as_str(), near.side, near.distance.to_string())).collect();
    assert_eq!(near, [("P0", "GOLD", Side::Below, "0.1".to_owned())]);
    assert_eq!(report.near[0].missing, ["revenue: USD 900 of USD 1,000; USD 100 more needed"]);
    let report = simulate(&ready(&gold_revenue(890), |_| ()), &two(), &[]);
    assert_eq!(report.near.iter().map(|near| (near.tier.as_str(), near.side)).collect::<Vec<_>>(), [("GOLD", Side::Above)]);
    assert!(report.near[0].distance.is_positive(), "two certificates of two are there, not near; the revenue is");
}

#[test]
fn a_version_that_takes_effect_later_is_judged_as_if_it_did_on_the_date() {
    let mut later = document();
    later.version.effective_on = "2027-01-01".parse().unwrap();
    later.version.enforced_on = Some("2027-07-01".parse().unwrap());
    later.ladders[0].tiers.remove(2);
    later.grants.remove(1);
    let reality = program(&document());
    let hypothesis = hypothetical(&reality, &RulesInForce::Document(Box::new(later)), AS_OF.parse().unwrap());
    let faults = hypothesis.as_ref().err().map(ToString::to_string);
    assert!(faults.is_some_and(|faults| faults.contains("GOLD")), "a rate for a tier that is gone is refused as publishing would");
}

/// A version that is judged as if it took effect on the date does not begin the fiscal year anew: its rebates are compared over the same
/// earlier periods.
#[test]
fn earlier_periods_of_the_year_count_alike_in_both_worlds() {
    let mut document = document();
    document.rebate_schedules[0].cumulative = true;
    let reality = program(&document);
    let hypothesis = hypothetical(&reality, &gold_revenue(1_000), AS_OF.parse().unwrap()).unwrap();
    assert_ne!(hypothesis.after.effective_on(), reality.effective_on());
    let period = RebatePeriod::named("2026-Q2", &reality, &hypothesis.after).unwrap();
    let [before, after] = [&period.before, &period.after].map(|side| {
        let (program, period) = side.as_ref().unwrap();
        compute_period_for_all(program, &two(), period, &Knowledge::default(), &OnRecord).unwrap()
    });
    assert_eq!(before, after);
}

#[test]
fn facts_may_be_taken_away_and_profiles_be_others() {
    let facts = two();
    let without = |id: &str| PartnerHypothesis {
        partner: "P0".to_owned(),
        without: vec![FactId { source: "evaluate".to_owned(), external_id: id.to_owned() }],
        ..PartnerHypothesis::default()
    };
    let report = simulate(&ready(&RulesInForce::AsTheyAre, |_| ()), &facts, &[without("0-0"), without("nothing")]);
    assert_eq!((report.moves.len(), report.moves[0].to.as_deref()), (1, Some("SILVER")));
    assert_eq!(report.warnings.iter().map(|fault| fault.code.as_str()).collect::<Vec<_>>(), ["UNKNOWN_FACT"]);
    let left = PartnerHypothesis { partner: "P1".to_owned(), status: Some(crate::facts::PartnerStatus::Terminated), ..PartnerHypothesis::default() };
    let report = simulate(&ready(&RulesInForce::AsTheyAre, |_| ()), &facts, &[left]);
    assert_eq!(report.moves.iter().map(|moved| (moved.partner.as_str(), moved.to.as_deref())).collect::<Vec<_>>(), [("P1", None)]);
}

/// What today's checks refuse of the rules in force is no fault of a change to something else, nor of a version that was published.
#[test]
fn rules_in_force_answer_for_their_own_faults() {
    let mut document = document();
    document.ladders[0].tiers[0].name = Some("Tier\u{202e}".into());
    let reality = Arc::new(Program::compile_published(document.clone()).unwrap());
    let judged = |rules: &RulesInForce| hypothetical(&reality, rules, AS_OF.parse().unwrap()).map(|_| ()).map_err(|faults| faults.0.len());
    assert_eq!(judged(&gold_revenue(700)), Ok(()));
    let nameless = RuleChange::set("ladders[MAIN].tiers[GOLD].name", " ");
    assert_eq!(judged(&RulesInForce::Changed(vec![nameless])), Err(1), "a fault of the change");
    assert_eq!(judged(&RulesInForce::Published(Box::new(document.clone()))), Ok(()));
    assert_eq!(judged(&RulesInForce::Document(Box::new(document))), Err(1));
}

/// A hypothetical review day is that of the review which the calendar has on it: on the day tiers are lost, on the days beside it they are held.
#[test]
fn a_review_day_is_simulated_as_it_is_decided() {
    let facts = facts(&program(&document()), &vec![(vec![], 0, 3, false)]);
    let moved = |day: u32| {
        let review = json!({"cadenceDown": "QUARTERLY", "reviewDayDown": {"month": 3, "day": day}});
        let rules = RulesInForce::Changed(vec![RuleChange::set("ladders[MAIN].review", review)]);
        let report = simulate(&ready(&rules, |terms| terms.judging = Judging::ReviewByCalendar), &facts, &[]);
        report.moves.iter().filter(|moved| moved.ladder == "MAIN").map(|moved| (moved.from.clone(), moved.to.clone())).collect::<Vec<_>>()
    };
    let held = vec![(Some("BASE".to_owned()), Some("GOLD".to_owned()))];
    assert_eq!((moved(28), moved(29), moved(30)), (held.clone(), held, vec![]));
}

#[test]
fn a_tier_that_one_version_lacks_is_the_reason() {
    let moved = |changes: Vec<RuleChange>| {
        let report = simulate(&ready(&RulesInForce::Changed(changes), |_| ()), &two(), &[]);
        report.moves.iter().map(|moved| (moved.partner.clone(), moved.to.clone().unwrap_or_default(), moved.text.clone())).collect::<Vec<_>>()
    };
    let places = ["ladders[MAIN].tiers[GOLD]", "grants[hours GOLD]", "rebateSchedules[flat].method.flat.rate.tiers.GOLD"];
    let dropped = moved(places.map(RuleChange::remove).to_vec());
    assert_eq!(dropped, [("P0".to_owned(), "SILVER".to_owned(), "there is no tier GOLD any more".to_owned())]);
    let top = json!({"key": "PLATINUM", "requirement": {"metric": {"metric": "revenue", "atLeast": 900}}});
    let new = moved(vec![RuleChange::set("ladders[MAIN].tiers[PLATINUM]", top)]);
    assert_eq!(new, [("P0".to_owned(), "PLATINUM".to_owned(), "the tier PLATINUM is new".to_owned())]);
}
