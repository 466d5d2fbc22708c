use proptest::prelude::*;

use super::*;
use crate::document::diff::diff;
use crate::document::read::{Format, read};

const EXAMPLES: [&str; 4] = [
    include_str!("../../../../../examples/programs/reseller-tiers.yaml"),
    include_str!("../../../../../examples/programs/quarterly-rebates.yaml"),
    include_str!("../../../../../examples/programs/people-and-badges.yaml"),
    include_str!("../../../../../examples/adventureworks/program.yaml"),
];

fn example(at: usize) -> Document {
    read(EXAMPLES[at], Format::Yaml).unwrap()
}

fn says_nothing(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Null if !path.contains(".metrics.") => found.push(path.to_owned()),
        Value::Array(list) if list.is_empty() && !path.ends_with("allOf") => found.push(path.to_owned()),
        Value::Array(list) => list.iter().for_each(|inner| says_nothing(inner, path, found)),
        Value::Object(object) => object.iter().for_each(|(name, inner)| says_nothing(inner, &format!("{path}.{name}"), found)),
        _ => {}
    }
}

#[test]
fn what_was_exported_is_the_same_document() {
    for at in 0..EXAMPLES.len() {
        let document = example(at);
        for text in [to_yaml(&document).unwrap(), to_json(&document).unwrap()] {
            let again = read(&text, Format::of(&text)).unwrap_or_else(|faults| panic!("{faults}\n{text}"));
            assert_eq!(again, document);
            assert!(diff(&document, &again).unwrap().is_empty());
            assert_eq!(digest(&again).unwrap(), digest(&document).unwrap());
        }
    }
}

#[test]
fn an_export_is_tidy() {
    for at in 0..EXAMPLES.len() {
        let mut found = Vec::new();
        says_nothing(&to_value(&example(at)).unwrap(), "", &mut found);
        assert!(found.is_empty(), "{found:?}");
    }
    let text = to_yaml(&example(0)).unwrap();
    assert!(text.contains("atLeast: 2\n") && text.contains("months: 12\n"), "{text}");
    assert!(!text.contains("CONTINUOUS") && !text.contains("isReduced"), "{text}");
}

#[test]
fn a_digest_is_of_what_a_document_says() {
    let one = "guerdon: 1\nprogram: {code: P, name: P, currency: USD, timeZone: UTC}\nversion: {effectiveOn: 2026-01-01, grantsInherit: true}\nregions: []\n";
    let other = "# a comment\nversion: {\"effectiveOn\": 2026-01-01}\nprogram: {name: P, currency: USD, code: P}\nguerdon: 1\n";
    let digest_of = |text: &str| digest(&read(text, Format::Yaml).unwrap()).unwrap();
    assert_eq!(digest_of(one), digest_of(other));
    assert_eq!(digest_of(one).len(), 64);
    assert_ne!(digest_of(one), digest_of(&one.replace("code: P", "code: Q")));
}

/// Members that came later say nothing where they are not written, or written as what holds without them.
#[test]
fn digests_of_older_documents_stay() {
    let digest_of = |review: &str| {
        let text = format!(
            "guerdon: 1\nprogram: {{code: P, name: P, currency: USD}}\nversion: {{effectiveOn: 2026-01-01}}\n\
             ladders: [{{key: L, review: {{cadenceDown: ANNUAL, onboardingMonths: 6, onboardingDeadlineMonths: 6{review}}}, tiers: [{{key: A}}]}}]\n"
        );
        digest(&read(&text, Format::Yaml).unwrap()).unwrap()
    };
    assert_eq!(digest_of(""), "d7cdcf031ef894b8dd84488fab1dcb15d414f10f9e0b4ef47f4358c7f816f691");
    assert_eq!(digest_of(", reviewDayDown: {month: 1, day: 1}, reviewDayUp: {}"), digest_of(""));
    assert_ne!(digest_of(", reviewDayDown: {month: 2}"), digest_of(""));
}

proptest! {
    /// Whatever a text looks like (a number, a date, `NO`, a comment), it comes back as that text.
    #[test]
    fn every_text_comes_back(text in prop_oneof![
        "\\PC{1,12}",
        "[0-9_+.eExXoO:-]{1,8}",
        prop::sample::select(vec!["NO", "yes", "on", "null", "~", "Null", "true", ".nan", "-.inf", "0x10", "0o7", "007", "1_000", "1e3", "<<", "=", "- a", "a: b", "# a", "2026-01-01", "12:30:00", "'", "\"", "", " a ", "a\nb", "\t", "|", ">", "%", "@", "`", "{", "}", "[", "]", "!a", "&a", "*a", "?", ":", "-", "é", "\u{feff}", "\u{85}", "\u{2028}"]).prop_map(str::to_owned),
    ]) {
        let mut document = example(0);
        document.program.name = text.clone();
        document.assumptions.insert(text.clone(), text.clone());
        document.regions[0].key = text;
        let yaml = to_yaml(&document).unwrap();
        prop_assert_eq!(&read(&yaml, Format::Yaml).unwrap(), &document, "{}", yaml);
        let json = to_json(&document).unwrap();
        prop_assert_eq!(&read(&json, Format::Json).unwrap(), &document);
    }

    #[test]
    fn every_number_comes_back(scaled in -999_999_999_999_999_i64..999_999_999_999_999, places in 0_u32..8) {
        let mut document = example(1);
        let number = crate::exact::Exact::scaled(scaled.into(), places);
        if let crate::document::rebate::Method::LumpSum(lump) = &mut document.rebate_schedules[3].method {
            lump.targets[0].at = crate::document::scoped::Tiered::of(crate::document::requirement::Threshold { value: number, percent: false });
        }
        let yaml = to_yaml(&document).unwrap();
        prop_assert_eq!(&read(&yaml, Format::Yaml).unwrap(), &document);
    }
}
