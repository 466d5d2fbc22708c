//! The synthetic program: its rules in a document, and sixty benefits with grants by tier and region.

use std::fmt::Write as _;

/// The code of the program.
pub const CODE: &str = "BENCH";
/// Rules, regions and schedules.
const RULES: &str = include_str!("program.yaml");
const TIERS: [&str; 4] = ["BRONZE", "SILVER", "GOLD", "PLATINUM"];
/// Benefits of the catalogue.
const BENEFITS: usize = 60;

/// The document. It is the same for every seed.
pub fn document() -> String {
    let mut text = format!("{RULES}\nbenefits:\n");
    // Writing into a String cannot fail.
    for number in 0..BENEFITS {
        let _ = writeln!(text, "  - {{key: benefit{number:02}, name: Benefit {number:02}, {}}}", kind(number));
    }
    text.push_str("\ngrants:\n");
    for number in 0..BENEFITS {
        grants(&mut text, number);
    }
    text
}

fn kind(number: usize) -> &'static str {
    match number % 5 {
        0 => "kind: ACCESS",
        1 => "kind: ALLOWANCE, period: YEAR, merge: SUM",
        2 => "kind: RATE",
        3 => "kind: LEVEL, levels: [BASIC, BUSINESS, PREMIER]",
        _ => "kind: MONEY",
    }
}

/// The value of a benefit at a step, from 0.
fn value(number: usize, step: usize) -> String {
    match number % 5 {
        0 => "access: true".to_owned(),
        1 => format!("allowance: {}", (number / 5 + 1) * (step + 1)),
        2 => format!("rate: {{rate: {} %}}", 2 * (step + 1) + number % 7),
        3 => format!("level: {}", ["BASIC", "BUSINESS", "PREMIER"].get(step.min(2)).unwrap_or(&"PREMIER")),
        _ => format!("money: {}", 500 * (step + 1) * (number / 5 + 1)),
    }
}

/// From its own tier on a benefit is granted, more with every tier; some differ by region or type, some ask for a metric besides.
fn grants(text: &mut String, number: usize) {
    let first = number % 4;
    for (step, tier) in TIERS.iter().skip(first).enumerate() {
        let condition = if number % 12 == 7 && step == 0 { ", condition: {requirement: {metric: {metric: certified, atLeast: 3}}}" } else { "" };
        let _ = writeln!(text, "  - {{benefit: benefit{number:02}, tier: {tier}, value: {{{}}}{condition}}}", value(number, step));
        if number.is_multiple_of(5) {
            continue;
        }
        if number.is_multiple_of(3) {
            let _ = writeln!(text, "  - {{benefit: benefit{number:02}, tier: {tier}, regionGroup: GROWTH, value: {{{}}}}}", value(number, step + 1));
        }
        if number % 4 == 1 {
            let _ =
                writeln!(text, "  - {{benefit: benefit{number:02}, tier: {tier}, region: AMER, partnerTypes: [MSP], value: {{{}}}}}", value(number, step + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use guerdon_domain::document::read::{Format, read};
    use guerdon_domain::program::Program;

    #[test]
    fn the_document_compiles() {
        let document = read(&super::document(), Format::Yaml).unwrap();
        let program = Program::compile(document).unwrap();
        assert_eq!((program.document.benefits.len(), program.document.ladders.len(), program.document.rebate_schedules.len()), (60, 2, 5));
    }
}
