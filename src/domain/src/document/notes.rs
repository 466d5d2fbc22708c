//! What a document says that is allowed and may surprise: reported when it is checked and published, never refused.

use super::Document;
use super::rebate::{Growth, GrowthMeasure, Method};
use crate::exact::Exact;
use crate::fault::Fault;
use crate::rebate::order_dependence;

/// From this factor on a growth target was more likely meant in percent.
const LARGE_FACTOR: i64 = 10;

/// What may surprise, each with its path and what to do where it was not meant. Codes: `ORDER_MATTERS`, `LARGE_FACTOR`.
pub fn notes(document: &Document) -> Vec<Fault> {
    let mut notes: Vec<Fault> = order_dependence(document).into_iter().map(|(path, text)| Fault::new("ORDER_MATTERS", path, text)).collect();
    for (at, schedule) in document.rebate_schedules.iter().enumerate() {
        if let Method::Growth(growth) = &schedule.method {
            notes.extend(large_factors(growth, &format!("rebateSchedules[{at}].method.growth")));
        }
    }
    notes
}

/// `from: 110` is a hundred and ten times the baseline.
fn large_factors(growth: &Growth, path: &str) -> Vec<Fault> {
    if growth.measured != GrowthMeasure::Ratio {
        return Vec::new();
    }
    let large = growth.bands.iter().enumerate().filter(|(_, band)| !band.from.percent && band.from.value >= Exact::from_int(LARGE_FACTOR));
    let note = |(at, band): (usize, &super::rebate::GrowthBand)| {
        let from = band.from.value.clone();
        Fault::new(
            "LARGE_FACTOR",
            format!("{path}.bands[{at}].from"),
            format!("{from} is {from} times the baseline: write \"{from} %\" where percent is meant"),
        )
    };
    large.map(note).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::read::{Format, read};

    #[test]
    fn what_may_surprise_is_told() {
        let document = |from: &str| {
            let text = format!(
                "guerdon: 1\nprogram: {{code: P, name: P, currency: USD}}\nversion: {{effectiveOn: 2020-01-01}}\nrebateSchedules:\n  - key: A\n    period: {{quarter: {{}}}}\n    \
                 method: {{growth: {{baseline: {{given: 100}}, payOn: EVERYTHING, bands: [{{from: {from}, rate: 1 %}}]}}}}\n  - {{key: B, period: {{quarter: {{}}}}, method: {{flat: {{rate: 1 %}}}}}}\n\
                 stacking: [{{sequential: {{steps: [{{schedule: A}}, {{schedule: B, isReduced: true}}]}}}}]\n"
            );
            read(&text, Format::Yaml).unwrap()
        };
        let codes = |from: &str| notes(&document(from)).into_iter().map(|note| format!("{} {}", note.code, note.path)).collect::<Vec<_>>();
        assert_eq!(codes("110 %"), ["ORDER_MATTERS stacking[0].sequential.steps"]);
        assert_eq!(codes("1.1"), codes("110 %"));
        assert_eq!(codes("110"), ["ORDER_MATTERS stacking[0].sequential.steps", "LARGE_FACTOR rebateSchedules[0].method.growth.bands[0].from"]);
    }
}
