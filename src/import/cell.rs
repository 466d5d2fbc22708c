//! One value of a line: from the file's text to the text that the domain reads. Nothing is guessed.

use std::borrow::Cow;

use chrono::{NaiveDate, NaiveDateTime};
use guerdon_domain::date::Date;
use guerdon_domain::fault::Fault;

use super::mapping::{Cell, NumberFormat};

/// Trims, fills in the default, applies aliases, writes as a key. `None`: there is nothing.
pub fn settle<'a>(cell: &'a Cell, raw: Option<Cow<'a, str>>) -> Result<Option<Cow<'a, str>>, Fault> {
    let trimmed = raw.map(|text| if cell.trim { trim(text) } else { text }).filter(|text| !text.is_empty());
    let Some(text) = trimmed.or_else(|| cell.default.as_deref().map(Cow::Borrowed)) else { return Ok(None) };
    let aliased = match cell.aliases.get(text.as_ref()) {
        Some(meant) => Cow::Borrowed(meant.as_str()),
        None if cell.only_aliases && cell.default.as_deref() != Some(text.as_ref()) => {
            let known: Vec<&str> = cell.aliases.keys().take(12).map(String::as_str).collect();
            return Err(Fault::new("UNKNOWN_VALUE", "", format!("\"{}\" has no alias in the mapping, which knows {}", shorten(&text), known.join(", "))));
        }
        None => text,
    };
    Ok(Some(if cell.as_key { Cow::Owned(as_key(&aliased)) } else { aliased }).filter(|text| !text.is_empty()))
}

fn trim(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// The start of a long text, for messages.
pub fn shorten(text: &str) -> String {
    let mut start: String = text.chars().take(40).map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
    if text.chars().nth(40).is_some() {
        start.push('…');
    }
    start
}

/// `Road Frames` as `ROAD_FRAMES`: capitals, digits, and one underscore for whatever else stands between.
pub fn as_key(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    for sign in text.chars() {
        if sign.is_alphanumeric() {
            key.extend(sign.to_uppercase());
        } else if !key.is_empty() && !key.ends_with('_') {
            key.push('_');
        }
    }
    key.truncate(key.trim_end_matches('_').len());
    key
}

/// Reads a date by a format in strftime letters; a time of day is read and left out.
pub fn read_date(text: &str, format: Option<&str>) -> Result<Date, Fault> {
    let Some(format) = format else { return text.parse() };
    let date = NaiveDate::parse_from_str(text, format).or_else(|_| NaiveDateTime::parse_from_str(text, format).map(|moment| moment.date()));
    date.ok()
        .and_then(|date| Date::of(chrono::Datelike::year(&date), chrono::Datelike::month(&date), chrono::Datelike::day(&date)))
        .ok_or_else(|| Fault::new("INVALID_DATE", "", format!("\"{}\" is not a date written as {format}, from 1900 to 2999", shorten(text))))
}

/// Refuses a format that does not bring a date back.
pub fn check_date_format(format: &str) -> Result<(), Fault> {
    use chrono::format::{Item, StrftimeItems};
    let bad = || Fault::new("INVALID_DATE_FORMAT", "", "write it in strftime letters with day, month and year, such as \"%d.%m.%Y\"");
    let items = StrftimeItems::new(format).collect::<Vec<_>>();
    if format.len() > 100 || items.iter().any(|item| matches!(item, Item::Error)) {
        return Err(bad());
    }
    let sample = NaiveDate::from_ymd_opt(2019, 11, 28).and_then(|day| day.and_hms_opt(13, 14, 15)).ok_or_else(bad)?;
    let mut written = String::new();
    std::fmt::Write::write_fmt(&mut written, format_args!("{}", sample.format_with_items(items.iter()))).map_err(|_| bad())?;
    match read_date(&written, Some(format)) {
        Ok(date) if date.naive() == sample.date() => Ok(()),
        _ => Err(bad()),
    }
}

/// Rewrites a decimal as the domain writes it: `1.234,50 €` as `1234.50`. Whether it is one, the domain says.
pub fn read_decimal(text: &str, format: Option<&NumberFormat>) -> Result<String, Fault> {
    let Some(format) = format else { return Ok(text.to_owned()) };
    let bad = |what: &str| Fault::new("INVALID_DECIMAL", "", format!("\"{}\" {what}", shorten(text)));
    let mut negative = false;
    let mut rest = strip(text, &format.strip);
    if format.parentheses_negative
        && let Some(inner) = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'))
    {
        negative = true;
        rest = strip(inner, &format.strip);
    }
    if let Some(positive) = rest.strip_prefix('-').or_else(|| rest.strip_suffix('-').filter(|_| format.trailing_minus)) {
        if negative {
            return Err(bad("has two minus signs"));
        }
        negative = true;
        rest = strip(positive, &format.strip);
    }
    let (whole, fraction) = match rest.split_once(format.decimal.as_deref().unwrap_or(".")) {
        Some((_, "")) => return Err(bad("has nothing after its decimal sign")),
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (rest, None),
    };
    let digits = ungroup(whole, format.group.as_deref()).ok_or_else(|| bad("has digits that are not grouped by three"))?;
    let fraction = fraction.map(|digits| if format.drop_trailing_zeros { digits.trim_end_matches('0') } else { digits }).filter(|digits| !digits.is_empty());
    if digits.is_empty() || !digits.bytes().chain(fraction.unwrap_or_default().bytes()).all(|byte| byte.is_ascii_digit()) {
        return Err(bad("is not a decimal in the format of the mapping"));
    }
    let zero = digits.bytes().chain(fraction.unwrap_or_default().bytes()).all(|digit| digit == b'0');
    let sign = if negative != format.negate && !zero { "-" } else { "" };
    Ok(match fraction {
        Some(fraction) => format!("{sign}{digits}.{fraction}"),
        None => format!("{sign}{digits}"),
    })
}

fn strip<'a>(text: &'a str, signs: &[String]) -> &'a str {
    let mut rest = text.trim();
    loop {
        let shorter = signs.iter().find_map(|sign| rest.strip_prefix(sign.as_str()).or_else(|| rest.strip_suffix(sign.as_str())));
        match shorter {
            Some(shorter) => rest = shorter.trim(),
            None => return rest,
        }
    }
}

fn ungroup(whole: &str, group: Option<&str>) -> Option<String> {
    let Some(group) = group.filter(|group| whole.contains(group)) else { return Some(whole.to_owned()) };
    let mut parts = whole.split(group);
    let first = parts.next().filter(|first| (1..=3).contains(&first.len()))?;
    let mut digits = first.to_owned();
    for part in parts {
        if part.len() != 3 {
            return None;
        }
        digits.push_str(part);
    }
    Some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_by_their_format_only() {
        assert_eq!(read_date("31.12.2019", Some("%d.%m.%Y")).unwrap().to_string(), "2019-12-31");
        assert_eq!(read_date("2019-12-31 23:59", Some("%Y-%m-%d %H:%M")).unwrap().to_string(), "2019-12-31");
        assert_eq!(read_date("12/31/2019", Some("%d/%m/%Y")).unwrap_err().code, "INVALID_DATE");
        assert!(read_date("31.12.2019", None).is_err());
        for good in ["%d.%m.%Y", "%Y%m%d", "%d %b %Y", "%m/%d/%y", "%Y-%m-%dT%H:%M:%S"] {
            assert!(check_date_format(good).is_ok(), "{good}");
        }
        for bad in ["", "%Y", "%d.%m", "%Q", "DD.MM.YYYY"] {
            assert!(check_date_format(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn decimals_are_rewritten_never_rounded() {
        let german =
            NumberFormat { decimal: Some(",".into()), group: Some(".".into()), strip: vec!["€".into()], trailing_minus: true, ..NumberFormat::default() };
        assert_eq!(read_decimal("1.234.567,50 €", Some(&german)).unwrap(), "1234567.50");
        assert_eq!(read_decimal("-12,5", Some(&german)).unwrap(), "-12.5");
        assert_eq!(read_decimal("€ 0,00-", Some(&german)).unwrap(), "0.00");
        assert!(read_decimal("12.5", Some(&german)).is_err(), "a group of one digit");
        assert!(read_decimal("1,2,3", Some(&german)).is_err() && read_decimal("", Some(&german)).is_err() && read_decimal("5,", Some(&german)).is_err());
        let american = NumberFormat { group: Some(",".into()), strip: vec!["$".into()], parentheses_negative: true, ..NumberFormat::default() };
        assert_eq!(read_decimal("($1,234.50)", Some(&american)).unwrap(), "-1234.50");
        assert!(read_decimal("(-5)", Some(&american)).is_err());
        let precise = NumberFormat { drop_trailing_zeros: true, negate: true, ..NumberFormat::default() };
        assert_eq!(read_decimal("12.5000", Some(&precise)).unwrap(), "-12.5");
        assert_eq!(read_decimal("12.0000", Some(&precise)).unwrap(), "-12");
    }

    #[test]
    fn names_become_keys() {
        assert_eq!(as_key("Road Frames"), "ROAD_FRAMES");
        assert_eq!(as_key("Bib-Shorts "), "BIB_SHORTS");
        assert_eq!(as_key("--"), "");
    }
}
