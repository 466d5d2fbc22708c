use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::document::schema;

const EXAMPLES: [&str; 3] = [
    include_str!("../../../../../examples/programs/reseller-tiers.yaml"),
    include_str!("../../../../../examples/programs/quarterly-rebates.yaml"),
    include_str!("../../../../../examples/programs/people-and-badges.yaml"),
];

fn faults(text: &str) -> Vec<(String, String, String)> {
    let faults = read(text, Format::of(text)).unwrap_err();
    faults.0.into_iter().map(|fault| (fault.code, fault.path, fault.message)).collect()
}

fn codes(text: &str) -> Vec<(String, String)> {
    faults(text).into_iter().map(|(code, path, _)| (code, path)).collect()
}

const HEAD: &str = "guerdon: 1\nprogram: {code: P, name: P, currency: USD}\nversion: {effectiveOn: 2026-01-01}\n";

#[test]
fn examples_are_read() {
    for text in EXAMPLES {
        let document = read(text, Format::Yaml).unwrap_or_else(|faults| panic!("{faults}"));
        assert!(!document.scenarios.is_empty());
    }
}

#[test]
fn every_member_of_the_schema_is_understood() {
    let anything = DOCUMENT.unknown_kinds();
    assert_eq!(anything, 1, "only `freeGoods` may hold anything");
    assert_eq!(schema::json_schema()["$id"], "urn:guerdon:program-document:1");
    assert!(!schema::json_schema().to_string().contains("(semantics"));
}

#[test]
fn words_stay_words() {
    let text = format!("{HEAD}regions: [{{key: NO}}, {{key: on}}, {{key: y}}]\n");
    let document = read(&text, Format::Yaml).unwrap();
    assert_eq!(document.regions.iter().map(|region| region.key.as_str()).collect::<Vec<_>>(), ["NO", "on", "y"]);
}

#[test]
fn all_faults_of_a_shape_are_found_at_once() {
    let text = "
guerdon: one
program: {code: 17, name: P, currency: usd, fiscalYearBegins: 07-01}
version: {label: FY26}
regions:
metrics:
  - key: a
    unit: PERCENTAGE
    measure: {source: TRANSACTIONS, aggregate: SUM, window: lifetime, groupBy: holder}
  - key: b
    unit: COUNT
    formula: {ratio: {numerator: {metric: a}}, sum: {terms: []}}
ladders:
  - key: L
    tires: []
    tiers:
      - {key: T, requirement: {metric: {metric: a, atLeast: {default: many, rows: [{region: DE}]}}}}
grants:
  - {benefit: x, value: {allowance: 1_000}}
rebateSchedules:
  - {key: r, period: {quarter: {}}, method: {flat: {rate: 500}}}
scenarios:
  - name: s
    asOf: 2026-02-30
    facts: {partners: [{code: p, transactions: [{id: 1, date: 2026-01-01, amount: 10.5}]}]}
    expect: []
";
    let found = codes(text);
    let found: Vec<(&str, &str)> = found.iter().map(|(code, path)| (code.as_str(), path.as_str())).collect();
    assert_eq!(
        found,
        [
            ("WRONG_TYPE", "guerdon"),
            ("WRONG_TYPE", "program.code"),
            ("INVALID_VALUE", "program.currency"),
            ("UNKNOWN_MEMBER", "program.fiscalYearBegins"),
            ("MISSING_MEMBER", "version.effectiveOn"),
            ("WRONG_TYPE", "regions"),
            ("UNKNOWN_VALUE", "metrics[0].unit"),
            ("WRONG_TYPE", "metrics[0].measure.window"),
            ("WRONG_TYPE", "metrics[0].measure.groupBy"),
            ("MISSING_MEMBER", "metrics[1].formula.ratio.denominator"),
            ("NOT_EXACTLY_ONE", "metrics[1].formula"),
            ("UNKNOWN_MEMBER", "ladders[0].tires"),
            ("INVALID_VALUE", "ladders[0].tiers[0].requirement.metric.atLeast.default"),
            ("MISSING_MEMBER", "ladders[0].tiers[0].requirement.metric.atLeast.rows[0].value"),
            ("INVALID_VALUE", "grants[0].value.allowance"),
            ("INVALID_VALUE", "rebateSchedules[0].method.flat.rate"),
            ("INVALID_VALUE", "scenarios[0].asOf"),
            ("WRONG_TYPE", "scenarios[0].facts.partners[0].transactions[0].id"),
            ("WRONG_TYPE", "scenarios[0].facts.partners[0].transactions[0].amount"),
            ("UNKNOWN_KEY", "grants[0].benefit"),
            ("EMPTY_LIST", "scenarios[0].expect"),
        ]
    );
}

#[test]
fn faults_of_the_rules_come_with_those_of_the_shape() {
    let text = "
guerdon: 1
program: {code: P, currency: USD, fiscalYearStart: 13-01}
version: {efectiveOn: 2026-01-01}
regions: [{key: DE}]
metrics:
  - {key: revenue, unit: MONY, measure: {source: TRANSACTIONS, aggregate: SUM, window: {rolling: {months: 0}}}}
  - {key: csat, unit: PERCENT, mesure: {source: ACTIVITIES, aggregate: COUNT, window: {lifetime: {}}}}
ladders:
  - {key: L, main: yes, tiers: [{key: GOLD, requirement: {metric: {metric: revenue, atLeast: {default: 5, rows: [{region: DEE, value: x}]}}}}]}
  - {key: M, tires: [{key: SILVER, requirement: {tier: {ladder: L, tier: GOLDD}}}]}
benefits: [{key: b, kind: ACCESS}]
grants:
  - {benefit: b, ladder: M, tier: SILVER, value: {access: true}}
  - {benefit: c, value: {access: 1}}
rebateSchedules:
  - {key: r, period: {quarter: {}}, method: {bands: {scope: MARGINL, bands: [{from: 10, rate: 1 %}, {from: 5, rate: 2 %}]}}}
scenarios: [{name: s, asOf: 2026-01-01, facts: {}, expect: none}]
";
    let found = codes(text);
    let expected = [
        ("MISSING_MEMBER", "program.name"),
        ("UNKNOWN_MEMBER", "version.efectiveOn"),
        ("MISSING_MEMBER", "version.effectiveOn"),
        ("UNKNOWN_VALUE", "metrics[0].unit"),
        ("UNKNOWN_MEMBER", "metrics[1].mesure"),
        ("WRONG_TYPE", "ladders[0].main"),
        ("INVALID_VALUE", "ladders[0].tiers[0].requirement.metric.atLeast.rows[0].value"),
        ("UNKNOWN_MEMBER", "ladders[1].tires"),
        ("MISSING_MEMBER", "ladders[1].tiers"),
        ("WRONG_TYPE", "grants[1].value.access"),
        ("UNKNOWN_VALUE", "rebateSchedules[0].method.bands.scope"),
        ("WRONG_TYPE", "scenarios[0].expect"),
        ("INVALID_FISCAL_YEAR", "program.fiscalYearStart"),
        ("OUT_OF_RANGE", "metrics[0].measure.window.rolling.months"),
        ("NOT_EXACTLY_ONE", "metrics[1]"),
        ("UNKNOWN_KEY", "ladders[0].tiers[0].requirement.metric.atLeast.rows[0].region"),
        ("UNKNOWN_KEY", "grants[1].benefit"),
        ("BAND_OVERLAP", "rebateSchedules[0].method.bands.bands[1].from"),
    ];
    let found: Vec<(&str, &str)> = found.iter().map(|(code, path)| (code.as_str(), path.as_str())).collect();
    assert_eq!(found, expected);
}

/// What could not be read is not judged further: what was put in its place would fit nothing.
#[test]
fn no_fault_follows_from_what_could_not_be_read() {
    let of = |metric: &str, review: &str| {
        codes(&format!(
            "{HEAD}metrics: [{{key: m, unit: COUNT, measure: {{source: ACTIVITIES, {metric}}}}}]\n\
             ladders: [{{key: L, review: {review}, tiers: [{{key: A}}, {{key: B, requirement: {{metric: {{metric: m, atLeast: 1}}}}}}]}}]\n"
        ))
    };
    let monthly = "{cadenceUp: MONTHLY, cadenceDown: MONTHLY}";
    let count = "aggregate: COUNT";
    let slips = [
        (format!("{count}, window: {{roling: {{months: 12}}}}"), monthly, "UNKNOWN_MEMBER", "metrics[0].measure.window.roling"),
        (format!("{count}, window: {{calendar: {{unti: QUARTER}}}}"), "{cadenceDown: QUARTERLY}", "UNKNOWN_MEMBER", "metrics[0].measure.window.calendar.unti"),
        (format!("{count}, window: {{calendar: {{unit: YAER}}}}"), "{cadenceDown: ANNUAL}", "UNKNOWN_VALUE", "metrics[0].measure.window.calendar.unit"),
        ("aggregate: CUONT, window: {lifetime: {}}".to_owned(), monthly, "UNKNOWN_VALUE", "metrics[0].measure.aggregate"),
    ];
    for (metric, review, code, path) in slips {
        let found = of(&metric, review);
        assert!(found.contains(&(code.to_owned(), path.to_owned())), "{metric}: {found:?}");
        assert!(found.iter().all(|(_, path)| path.starts_with("metrics[0].measure.")), "{metric}: {found:?}");
    }
    // What was read is judged, whatever else could not be.
    let found = of(&format!("{count}, window: {{calendar: {{unit: MONTH}}}}, filtre: {{}}"), "{cadenceDown: MONTHLY, notice: 3}");
    assert_eq!(found.iter().map(|(code, _)| code.as_str()).collect::<Vec<_>>(), ["UNKNOWN_MEMBER", "UNKNOWN_MEMBER"], "{found:?}");
    let text = format!(
        "{HEAD}metrics: [{{key: m, unit: COUNT, measure: {{source: ACTIVITIES, aggregate: COUNT, window: {{calendar: {{unit: MONTH}}}}}}}}, {{key: n, unit: COUNT, \
         measure: {{source: ACTIVITIES, aggregate: COUNT, window: {{roling: {{}}}}}}}}]\n\
         ladders: [{{key: L, review: {monthly}, tiers: [{{key: B, requirement: {{metric: {{metric: m, atLeast: 1}}}}}}]}}]\n"
    );
    let found = codes(&text);
    assert!(found.contains(&("WINDOW_MISFIT".to_owned(), "ladders[0].tiers[0].requirement".to_owned())), "{found:?}");
}

#[test]
fn messages_say_what_to_do() {
    let text = format!("{HEAD}metrics: [{{key: 5, unit: MONNEY, mesure: {{}}}}]\nladders: [{{key: L}}]\ngrants: [{{benefit: b, value: unlimited}}]\n");
    let messages: Vec<String> = faults(&text).into_iter().map(|(_, path, message)| format!("{path}: {message}")).collect();
    assert_eq!(
        messages,
        [
            "metrics[0].key: found the number 5, expected text: put it in quotes",
            "metrics[0].unit: \"MONNEY\" is none of the values: did you mean `MONEY`?",
            "metrics[0].mesure: there is no member \"mesure\" here: did you mean `measure`?",
            "ladders[0].tiers: `tiers` is missing; it is the tiers, lowest first: their position is their rank, from 1",
            "grants[0].value: found the text \"unlimited\", expected an object: write `{unlimited: ...}`, or `{unlimited: {}}` where it has no members of its own",
            "metrics[0]: write exactly one of `measure`, `formula`; found none",
            "grants[0].benefit: there is no benefit `b`: the document has no benefit at all",
        ]
    );
}

/// A key where the object that holds it belongs is the most common slip.
#[test]
fn a_key_in_place_of_an_object_is_shown_as_one() {
    let message = |metric: &str, requirement: &str| {
        let found = faults(&format!(
            "{HEAD}metrics: [{{key: m, unit: COUNT, {metric}}}]\nladders: [{{key: L, tiers: [{{key: A}}, {{key: B, requirement: {requirement}}}]}}]\n"
        ));
        found.into_iter().map(|(_, _, message)| message).find(|message| message.contains("a key is written")).unwrap_or_default()
    };
    let ends = |metric: &str, requirement: &str, with: &str| {
        let found = message(metric, requirement);
        assert!(found.ends_with(with), "{found}");
    };
    let count = "measure: {source: ACTIVITIES, aggregate: COUNT, window: {lifetime: {}}}";
    ends(count, "silverPath", "`when`: a key is written `{shared: silverPath}`");
    ends(count, "{metric: m, atLeast: 5}", "`value`: a key is written `{metric: m, ...}`");
    ends(count, "{tier: GOLD}", "`tier`: a key is written `{tier: GOLD, ...}`");
    ends("formula: {maximum: [m, m]}", "{metric: {metric: m, atLeast: 5}}", "`metric`: a key is written `{metric: m}`");
    // What is no key is not taken for one.
    assert_eq!(message(count, "'5 of m'"), "");
    assert_eq!(message(count, "{holding: m}"), "");
}

#[test]
fn what_is_no_yaml_says_where_to_look() {
    let message = |text: &str| faults(text).remove(0).2;
    assert!(message("guerdon: 1\n\tprogram: x\n").ends_with("found a tab: indent with blanks"), "{}", message("guerdon: 1\n\tprogram: x\n"));
    for text in
        ["guerdon: 1\nprogram:\n  code: X\n name: X\n", "guerdon: 1\nprogram: {code: P", "guerdon: 1\nprogram: {code: 'P}\n", "guerdon: [1\nprogram: x\n"]
    {
        assert!(message(text).ends_with(": look at the indentation, quotes and brackets here and in the lines before"), "{}", message(text));
    }
}

#[test]
fn syntax_faults_carry_line_and_column() {
    let cases = [
        ("guerdon: 1\nprogram: {code: P", "SYNTAX"),
        ("guerdon: 1\nguerdon: 2\n", "SYNTAX"),
        ("guerdon: 1\n\tprogram: x\n", "SYNTAX"),
        ("{\"guerdon\": 1,}", "SYNTAX"),
        ("{\"guerdon\": 1, \"guerdon\": 1}", "SYNTAX"),
        ("{\"guerdon\": 1} 2", "SYNTAX"),
        ("guerdon: 1\n---\nguerdon: 1\n", "SYNTAX"),
    ];
    for (text, code) in cases {
        let found = codes(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert_eq!(found[0].0, code, "{text}");
        assert!(found[0].1.starts_with("line "), "{text}: {found:?}");
    }
}

#[test]
fn hostile_documents_are_refused_quickly() {
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(5_000), "]".repeat(5_000));
    assert_eq!(codes(&deep)[0].0, "SYNTAX");
    let deep = format!("a: {}{}", "[".repeat(5_000), "]".repeat(5_000));
    assert_eq!(codes(&deep)[0].0, "SYNTAX");
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let inner = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
    }
    assert_eq!(codes(&bomb)[0].0, "SYNTAX");
    let long = " ".repeat(MAX_DOCUMENT_BYTES + 1);
    assert_eq!(codes(&long)[0].0, "TOO_LARGE");
    let wide = json!({ "regions": vec![json!({}); 2_000] }).to_string();
    let found = codes(&wide);
    assert_eq!((found.len(), found.last().unwrap().0.as_str()), (crate::document::shape::MAX_FAULTS + 1, "TOO_MANY_FAULTS"));
}

/// Every place of a value: its path.
fn places(value: &Value, at: &mut Vec<String>, all: &mut Vec<Vec<String>>) {
    all.push(at.clone());
    match value {
        Value::Object(object) => {
            for (name, member) in object {
                at.push(name.clone());
                places(member, at, all);
                at.pop();
            }
        }
        Value::Array(list) => {
            for (index, element) in list.iter().enumerate() {
                at.push(index.to_string());
                places(element, at, all);
                at.pop();
            }
        }
        _ => {}
    }
}

fn pointer(place: &[String]) -> String {
    place.iter().map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1"))).collect()
}

/// Whether a fault's path lies in the object at `place`.
fn faulty(path: &str, place: &str) -> bool {
    let path = path.replace('[', ".").replace(']', "");
    format!(".{path}").starts_with(&format!("{}.zzzzzzzzzz", place.replace('/', ".")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// What the walk lets through, serde builds: no fault hides behind another, none is left to serde.
    #[test]
    fn the_walk_and_serde_agree(example in 0_usize..3, which in any::<prop::sample::Index>(), put in 0_usize..9) {
        let mut value = read_value(EXAMPLES[example], Format::Yaml).unwrap();
        let mut all = Vec::new();
        places(&value, &mut Vec::new(), &mut all);
        let place = pointer(which.get(&all[..]).as_slice());
        let new = [json!(null), json!(true), json!(3), json!(-1), json!("x"), json!([]), json!({}), json!({"x": 1}), json!(0.5)][put].clone();
        *value.pointer_mut(&place).unwrap() = new;
        let walk = DOCUMENT.check(&value, "");
        let serde = serde_json::from_value::<Document>(value);
        prop_assert!(!walk.is_empty() || serde.is_ok(), "{}: {:?}", place, serde.err());
    }

    /// k independent slips give k faults.
    #[test]
    fn every_injected_fault_is_reported(example in 0_usize..3, picks in prop::collection::vec(any::<prop::sample::Index>(), 1..12)) {
        let mut value = read_value(EXAMPLES[example], Format::Yaml).unwrap();
        let mut all = Vec::new();
        places(&value, &mut Vec::new(), &mut all);
        all.retain(|place| value.pointer(&pointer(place)).is_some_and(Value::is_object));
        let chosen: std::collections::BTreeSet<String> = picks.iter().map(|pick| pointer(pick.get(&all[..]).as_slice())).collect();
        for place in &chosen {
            value.pointer_mut(place).unwrap().as_object_mut().unwrap().insert("zzzzzzzzzz".to_owned(), json!({"y": [1]}));
        }
        let found = DOCUMENT.check(&value, "");
        let named = |place: &String| found.0.iter().any(|fault| fault.path.contains("zzzzzzzzzz") && faulty(&fault.path, place));
        prop_assert!(chosen.iter().all(named), "{:?} {:?}", chosen, found);
    }

    /// Whatever is wrong, mending gives something of the right shape, and a value that has it is left alone.
    #[test]
    fn mending_gives_the_shape(example in 0_usize..3, picks in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..9), 0..6)) {
        let mut value = read_value(EXAMPLES[example], Format::Yaml).unwrap();
        for (which, put) in picks {
            let mut all = Vec::new();
            places(&value, &mut Vec::new(), &mut all);
            let place = pointer(which.get(&all[..]).as_slice());
            let new = [json!(null), json!(true), json!(3), json!(-1), json!("x"), json!([]), json!({}), json!({"x": 1}), json!(0.5)][put].clone();
            *value.pointer_mut(&place).unwrap() = new;
        }
        let sound = DOCUMENT.check(&value, "").is_empty();
        let before = value.clone();
        let mended = DOCUMENT.mend(&mut value);
        prop_assert!(DOCUMENT.check(&value, "").is_empty(), "{}", value);
        prop_assert_eq!(sound, mended.paths.is_empty());
        if sound {
            prop_assert_eq!(before, value);
        }
    }

    #[test]
    fn no_text_makes_reading_fail_badly(text in "\\PC{0,80}") {
        let _ = read(&text, Format::of(&text));
    }
}
