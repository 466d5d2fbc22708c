//! Facts with the numbers of their sealed batches, as a derivation writes them.

use serde_json::Value;

use super::canonical::bare;
use crate::facts::input::FactsInput;
use crate::facts::{Facts, written};
use crate::fault::{Fault, Faults};

const BATCH: &str = "batch";

/// Facts as a value, with the batch of each sale line and exchange rate that came in one.
pub(super) fn write(facts: &Facts) -> Result<Value, Fault> {
    let mut value = bare(&written::write(facts)?)?;
    let partners = value.get_mut("partners").and_then(Value::as_array_mut);
    for (partner, own) in partners.into_iter().flatten().zip(facts.partners.values()) {
        number(partner.get_mut("transactions"), own.transactions.iter().map(|line| line.sealed));
    }
    number(value.get_mut("exchangeRates"), facts.exchange_rates.iter().map(|rate| rate.sealed));
    Ok(value)
}

fn number(list: Option<&mut Value>, sealed: impl Iterator<Item = i64>) {
    for (fact, sealed) in list.and_then(Value::as_array_mut).into_iter().flatten().zip(sealed) {
        if let (Some(members), true) = (fact.as_object_mut(), sealed != 0) {
            members.insert(BATCH.to_owned(), sealed.into());
        }
    }
}

/// Facts of a value, as they were.
pub(super) fn restore(value: &Value) -> Result<Facts, Faults> {
    let mut value = value.clone();
    let mut lines: Vec<Vec<i64>> = Vec::new();
    for partner in value.get_mut("partners").and_then(Value::as_array_mut).into_iter().flatten() {
        lines.push(take_numbers(partner.get_mut("transactions"))?);
    }
    let rates = take_numbers(value.get_mut("exchangeRates"))?;
    let input: FactsInput = serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        Fault::new("NOT_A_DERIVATION", if path == "." { String::new() } else { path }, error.inner().to_string())
    })?;
    let mut facts = written::restore(&input)?;
    for (partner, numbers) in input.partners.iter().zip(lines) {
        let own = facts.partners.get_mut(&partner.code).into_iter().flat_map(|own| own.transactions.iter_mut());
        own.zip(numbers).for_each(|(line, sealed)| line.sealed = sealed);
    }
    facts.exchange_rates.iter_mut().zip(rates).for_each(|(rate, sealed)| rate.sealed = sealed);
    Ok(facts)
}

fn take_numbers(list: Option<&mut Value>) -> Result<Vec<i64>, Fault> {
    let facts = list.and_then(Value::as_array_mut).into_iter().flatten();
    let number = |fact: &mut Value| match fact.as_object_mut().and_then(|members| members.shift_remove(BATCH)) {
        None => Ok(0),
        Some(number) => {
            number.as_i64().filter(|number| *number != 0).ok_or_else(|| Fault::new("NOT_A_DERIVATION", BATCH, format!("{number} is not the number of a batch")))
        }
    };
    facts.map(number).collect()
}
