//! The AdventureWorks example: its files, its program, its figures against an independent calculation.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use guerdon::import::mapping::read_mapping;
use guerdon::import::rows::{Row, Rows};
use guerdon_domain::date::Date;
use guerdon_domain::document::metric::Exchange;
use guerdon_domain::document::rebate::PeriodRule;
use guerdon_domain::exact::Exact;
use guerdon_domain::exchange::ExchangeRates;
use guerdon_domain::facts::convert::{Vocabulary, convert};
use guerdon_domain::facts::input::{FactsInput, PartnerInput};
use guerdon_domain::facts::{AssignmentCause, Facts, TierAssignment};
use guerdon_domain::levelling::evaluate_all;
use guerdon_domain::money::Currency;
use guerdon_domain::program::Program;
use guerdon_domain::rebate::{Knowledge, OnRecord, compute_period_for_all};
use guerdon_domain::scenario::run_scenarios;

fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/adventureworks").join(path)
}

fn rows(mapping: &str, file: &str) -> Vec<Row> {
    let mapping = read_mapping(&std::fs::read_to_string(example(mapping)).unwrap()).unwrap();
    let rows = Rows::open(&mapping, Box::new(File::open(example(file)).unwrap()), Arc::default()).unwrap();
    rows.map(|line| line.unwrap().row.unwrap()).collect()
}

#[test]
fn the_misspelt_business_type_is_one_type() {
    let mut types = BTreeMap::new();
    for row in rows("mappings/partners.yaml", "resellers.csv") {
        let Row::Partner(partner) = row else { panic!("{row:?}") };
        *types.entry(partner.attributes[0].r#type.clone().unwrap()).or_insert(0) += 1;
    }
    assert_eq!(types, BTreeMap::from([("SPECIALTY_BIKE_SHOP".to_owned(), 231), ("VAR".to_owned(), 238), ("WAREHOUSE".to_owned(), 232)]));
}

#[test]
fn every_sale_line_is_read_to_the_cent() {
    let mut cents = 0_i64;
    let sales = rows("mappings/sales.yaml", "sales.csv");
    for row in &sales {
        let Row::Transaction(_, sale) = row else { panic!("{row:?}") };
        cents += guerdon_domain::money::Money::parse(&sale.amount.0, sale.currency.unwrap()).unwrap().minor;
    }
    assert_eq!((sales.len(), cents), (57_851, 7_754_857_020));
}

#[test]
fn the_other_files_are_read_without_a_fault() {
    assert_eq!(rows("mappings/products.yaml", "products.csv").len(), 397);
    for (name, suffix, lines) in [
        ("returns", "csv", 155),
        ("local-currency-sales", "csv", 259),
        ("exchange-rates", "jsonl", 303),
        ("certifications", "csv", 186),
        ("activities", "jsonl", 213),
        ("deals", "csv", 60),
    ] {
        assert_eq!(rows(&format!("overlay/{name}.mapping.yaml"), &format!("overlay/{name}.{suffix}")).len(), lines, "{name}");
    }
}

#[test]
fn the_program_holds_to_its_scenarios() {
    let results = run_scenarios(&program());
    assert!(results.len() >= 12);
    for result in results {
        assert!(result.passed() && result.checks > 0, "{}: {:?}", result.scenario, result.failures);
    }
}

/// Everything in the folder as facts, everybody enrolled from the first day.
fn all_facts(program: &Program) -> Facts {
    let mut input = FactsInput::default();
    let mut partners: BTreeMap<String, PartnerInput> = BTreeMap::new();
    let files = [
        ("mappings/partners.yaml", "resellers.csv"),
        ("mappings/products.yaml", "products.csv"),
        ("mappings/sales.yaml", "sales.csv"),
        ("overlay/returns.mapping.yaml", "overlay/returns.csv"),
        ("overlay/local-currency-sales.mapping.yaml", "overlay/local-currency-sales.csv"),
        ("overlay/exchange-rates.mapping.yaml", "overlay/exchange-rates.jsonl"),
        ("overlay/certifications.mapping.yaml", "overlay/certifications.csv"),
        ("overlay/activities.mapping.yaml", "overlay/activities.jsonl"),
        ("overlay/deals.mapping.yaml", "overlay/deals.csv"),
    ];
    for row in files.into_iter().flat_map(|(mapping, file)| rows(mapping, file)) {
        match row {
            Row::Partner(partner) => drop(partners.insert(partner.code.clone(), *partner)),
            Row::Product(product) => input.products.push(product),
            Row::ExchangeRate(rate) => input.exchange_rates.push(rate),
            Row::Transaction(partner, fact) => partners.get_mut(&partner).unwrap().transactions.push(*fact),
            Row::Holding(partner, fact) => partners.get_mut(&partner).unwrap().holdings.push(*fact),
            Row::Activity(partner, fact) => partners.get_mut(&partner).unwrap().activities.push(*fact),
            Row::Deal(partner, fact) => partners.get_mut(&partner).unwrap().deals.push(*fact),
        }
    }
    input.partners = partners.into_values().collect();
    convert(&input, Vocabulary::of(program)).map_err(|faults| faults.to_string()).unwrap()
}

fn program() -> Program {
    let text = std::fs::read_to_string(example("program.yaml")).unwrap();
    let document = guerdon_domain::document::read::read(&text, guerdon_domain::document::read::Format::Yaml).map_err(|faults| faults.to_string()).unwrap();
    Program::compile(document).map_err(|faults| faults.to_string()).unwrap()
}

fn golden() -> serde_json::Value {
    serde_json::from_str(include_str!("golden/adventureworks.json")).unwrap()
}

/// One digest over a table of many rows, so that the golden file stays small and no figure can differ unseen.
fn digest(rows: impl IntoIterator<Item = (String, String)>) -> String {
    use sha2::Digest;
    let text: String = rows.into_iter().map(|(key, value)| format!("{key},{value}\n")).collect();
    sha2::Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Tiers by partner, by the day of the review.
type Tiers = BTreeMap<Date, BTreeMap<String, String>>;

/// All facts, with everybody levelled on the first of each month as the reviews of a service would, and what each review gave.
static LEVELLED: LazyLock<(Program, Facts, Tiers)> = LazyLock::new(|| {
    let program = program();
    let mut facts = all_facts(&program);
    let codes: Vec<String> = facts.partners.keys().cloned().collect();
    let mut months = BTreeMap::new();
    let mut day: Date = "2017-07-01".parse().unwrap();
    while day <= "2020-06-01".parse().unwrap() {
        let standings = evaluate_all(&program, &facts, codes.iter().map(String::as_str), day);
        let mut reached = BTreeMap::new();
        for standing in standings {
            let standing = standing.map_err(|faults| faults.to_string()).unwrap();
            let tier = standing.ladder(None, None).unwrap().tier.clone();
            let assignments = &mut facts.partners.get_mut(&standing.partner).unwrap().assignments;
            if assignments.last().is_none_or(|held| held.tier != tier) {
                if let Some(last) = assignments.last_mut() {
                    last.until = Some(day);
                }
                let held = TierAssignment {
                    ladder: "CHANNEL".to_owned(),
                    region: None,
                    tier: tier.clone(),
                    from: day,
                    until: None,
                    cause: AssignmentCause::Promotion,
                };
                assignments.push(held);
            }
            reached.insert(standing.partner, tier.unwrap());
        }
        months.insert(day, reached);
        day = day.plus_months(1);
    }
    (program, facts, months)
});

#[test]
fn tiers_of_every_month_agree_with_an_independent_calculation() {
    let (golden, (_, facts, months)) = (golden(), &*LEVELLED);
    let expected = golden["tiers"].as_object().unwrap();
    assert_eq!(expected.len(), months.len());
    for (day, expected) in expected {
        let reached = &months[&day.parse::<Date>().unwrap()];
        for (tier, count) in expected.as_object().unwrap().iter().filter(|(tier, _)| *tier != "sha256") {
            assert_eq!(reached.values().filter(|held| *held == tier).count() as u64, count.as_u64().unwrap(), "{day} {tier}");
        }
        assert_eq!(digest(reached.clone()), expected["sha256"], "{day}");
    }
    for (code, sample) in golden["sample"].as_object().unwrap() {
        let held = facts.partners[code].assignments.iter().map(|held| (held.from.to_string(), held.tier.clone().unwrap()));
        assert_eq!(serde_json::to_value(held.collect::<Vec<_>>()).unwrap(), sample["tiers"], "partner {code}");
    }
}

#[test]
fn rebates_agree_with_an_independent_calculation_to_the_cent() {
    let (golden, (program, facts, _)) = (golden(), &*LEVELLED);
    for (quarter, schedules) in golden["rebates"].as_object().unwrap() {
        let period = program.period_named(quarter).unwrap();
        let results = compute_period_for_all(program, facts, &period, &Knowledge::default(), &OnRecord).map_err(|faults| faults.to_string()).unwrap();
        for (schedule, expected) in schedules.as_object().unwrap() {
            let owed = results.iter().filter_map(|(code, result)| Some((code.clone(), result.of(schedule)?.amount.minor))).filter(|(_, cents)| *cents != 0);
            let owed: Vec<(String, i64)> = owed.collect();
            let total: i64 = owed.iter().map(|(_, cents)| cents).sum();
            let found = (total, owed.len() as u64, digest(owed.iter().map(|(code, cents)| (code.clone(), cents.to_string()))));
            let expected = (expected["cents"].as_i64().unwrap(), expected["partners"].as_u64().unwrap(), expected["sha256"].as_str().unwrap().to_owned());
            assert_eq!(found, expected, "{quarter} {schedule}");
        }
        for (code, sample) in golden["sample"].as_object().unwrap() {
            let owed = results[code].entitlements.iter().filter(|owed| owed.amount.minor != 0).map(|owed| (owed.schedule.clone(), owed.amount.minor));
            let owed: BTreeMap<String, i64> = owed.collect();
            let expected: BTreeMap<String, i64> =
                serde_json::from_value(sample["rebates"].get(quarter).cloned().unwrap_or_else(|| serde_json::json!({}))).unwrap();
            assert_eq!(owed, expected, "{quarter}, partner {code}");
        }
    }
}

#[test]
fn sales_by_partner_tier_category_and_quarter_agree() {
    let (golden, (program, facts, _)) = (golden(), &*LEVELLED);
    let rates = ExchangeRates::new(&facts.exchange_rates);
    let quarter = PeriodRule::Quarter {};
    let (mut sales, mut totals) = (BTreeMap::<(String, String, String), Exact>::new(), BTreeMap::<String, Exact>::new());
    for (code, partner) in &facts.partners {
        for line in &partner.transactions {
            let amount = rates.convert(line.signed_amount(), Currency::USD, &Exchange::default(), line.date).unwrap().exact;
            let category = program.categories.path(line.category.as_deref().unwrap()).last().unwrap().to_string();
            let period = program.periods(&quarter).holding(line.date).unwrap().name;
            let key = (period, partner.tier_on("CHANNEL", None, line.date).unwrap().to_owned(), category);
            for sum in [sales.entry(key).or_insert(Exact::ZERO), totals.entry(code.clone()).or_insert(Exact::ZERO)] {
                *sum = sum.add(&amount).unwrap();
            }
        }
    }
    for ((quarter, tier, category), amount) in &sales {
        assert_eq!(golden["sales"][quarter][tier][category], amount.to_string(), "{quarter} {tier} {category}");
    }
    assert_eq!(totals.len() as u64, golden["partnerTotals"]["partners"].as_u64().unwrap());
    assert_eq!(digest(totals.iter().map(|(code, amount)| (code.clone(), amount.to_string()))), golden["partnerTotals"]["sha256"]);
}

/// A simulation over all partners, judged as the calendar's review of a day judges them.
fn simulated(as_of: &str, changes: &[(&str, serde_json::Value)]) -> (guerdon_domain::simulation::Simulation, guerdon_domain::simulation::Report) {
    use guerdon_domain::document::patch::RuleChange;
    use guerdon_domain::simulation::{Asked, Judging, RebatePeriod, RulesInForce, Simulation, Tally, Terms, hypothetical};
    let (program, facts, _) = &*LEVELLED;
    let reality = Arc::new(program.clone());
    let rules = RulesInForce::Changed(changes.iter().map(|(path, value)| RuleChange::set(*path, value.clone())).collect());
    let as_of: Date = as_of.parse().unwrap();
    let hypothesis = hypothetical(&reality, &rules, as_of).map_err(|faults| faults.to_string()).unwrap();
    let periods = ["FY2020-Q3", "FY2020-Q4"].iter().filter_map(|name| RebatePeriod::named(name, &reality, &hypothesis.after)).collect();
    let simulation = Simulation::new(Terms { judging: Judging::ReviewByCalendar, ..Terms::on(as_of) }, &hypothesis, periods);
    let codes: Vec<&str> = facts.partners.keys().map(String::as_str).collect();
    let mut tally = Tally::new(simulation.terms().listed);
    for part in codes.chunks(97) {
        let asked: Vec<Asked<'_>> = part.iter().map(|code| Asked { code, told: true, sums: None }).collect();
        tally.merge(simulation.judge(facts, None, &asked));
    }
    let report = simulation.report(tally);
    (simulation, report)
}

#[test]
fn a_simulation_without_a_change_is_reality() {
    let (_, report) = simulated("2020-06-01", &[]);
    assert!(report.is_unchanged() && report.failed.is_empty() && report.partners == 701, "{:?}", report.failed);
    let expected = golden();
    let tiers = expected["tiers"]["2020-06-01"].as_object().unwrap();
    for cell in report.matrix.iter().filter(|cell| cell.ladder == "CHANNEL") {
        assert_eq!(Some(cell.partners), tiers[cell.to.as_deref().unwrap()].as_u64(), "{cell:?}");
    }
    for sum in &report.rebates {
        let cents = expected["rebates"][&sum.period][&sum.schedule]["cents"].as_i64().unwrap_or_default();
        assert_eq!((sum.before.minor, sum.after.minor), (cents, cents), "{} {}", sum.period, sum.schedule);
    }
}

#[test]
fn simulations_agree_with_judging_and_paying_by_the_changed_program() {
    let (_, facts, _) = &*LEVELLED;
    let path = "ladders[CHANNEL].tiers[PLATINUM].requirement.allOf[0].metric.atLeast";
    let (simulation, report) = simulated("2020-04-01", &[(path, serde_json::json!({"default": 220_000, "rows": [{"region": "EUROPE", "value": 150_000}]}))]);
    let codes = || facts.partners.keys().map(String::as_str);
    let held = |program: &Program| -> Vec<Option<String>> {
        let standings = evaluate_all(program, facts, codes(), simulation.terms().as_of).into_iter();
        standings.map(|standing| standing.map_err(|faults| faults.to_string()).unwrap().ladder(None, None).unwrap().tier.clone()).collect()
    };
    let (before, after) = (held(simulation.before()), held(simulation.after()));
    let expected: Vec<_> =
        codes().zip(before.into_iter().zip(after)).filter(|(_, (from, to))| from != to).map(|(code, (from, to))| (code.to_owned(), from, to)).collect();
    let moved: Vec<_> = report.moves.iter().map(|moved| (moved.partner.clone(), moved.from.clone(), moved.to.clone())).collect();
    assert_eq!(moved, expected);
    assert!(report.up > 0 && report.down > 0, "{} up, {} down", report.up, report.down);
    assert!(report.moves.iter().all(|moved| moved.leaves.iter().any(|leaf| leaf.key == "revenue12")));

    let rate = "rebateSchedules[BIKES_BASE].method.flat.rate.tiers.GOLD";
    let (simulation, report) = simulated("2020-06-01", &[(rate, "1.75 %".into())]);
    assert_eq!(report.moved(), 0);
    let period = simulation.before().period_named("FY2020-Q3").unwrap();
    let paid = |program: &Program| -> i64 {
        let results = compute_period_for_all(program, facts, &period, &Knowledge::default(), &OnRecord).map_err(|faults| faults.to_string()).unwrap();
        results.values().filter_map(|result| result.of("BIKES_BASE")).map(|owed| owed.amount.minor).sum()
    };
    let difference = paid(simulation.after()) - paid(simulation.before());
    let sum = report.rebates.iter().find(|sum| (sum.period.as_str(), sum.schedule.as_str()) == ("FY2020-Q3", "BIKES_BASE")).unwrap();
    assert!(difference > 0 && sum.difference.minor == difference && sum.changed > 0, "{sum:?}");
}
