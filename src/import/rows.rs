//! Lines of a file as rows of the domain, or as everything that is wrong with them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use guerdon_domain::date::Date;
use guerdon_domain::document::scoped::Scalar;
use guerdon_domain::exact::Exact;
use guerdon_domain::facts::input::{ActivityInput, DealInput, ExchangeRateInput, HoldingInput, PartnerInput, ProductInput, ProfileInput, TransactionInput};
use guerdon_domain::fault::{Fault, Faults};
use guerdon_domain::money::{Currency, DecimalText, Money, Number, Quantity};
use serde::de::DeserializeOwned;

use super::cell::{read_date, read_decimal, shorten};
use super::kind::{Holds, Kind};
use super::mapping::{AttributeType, Mapping};
use super::plan::{Origin, Plan};
use super::record::{Record, Records, Step};
use super::{MAX_KEY_CHARS, MAX_TEXT_CHARS};

/// A line of a file, as the domain reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// A partner with one profile.
    Partner(Box<PartnerInput>),
    /// A product's category.
    Product(ProductInput),
    /// A partner's sale line.
    Transaction(String, Box<TransactionInput>),
    /// A partner's holding.
    Holding(String, Box<HoldingInput>),
    /// A partner's activity.
    Activity(String, Box<ActivityInput>),
    /// A partner's deal.
    Deal(String, Box<DealInput>),
    /// An exchange rate.
    ExchangeRate(ExchangeRateInput),
}

/// A line, read.
#[derive(Debug)]
pub struct Line {
    /// As it stands in the file.
    pub record: Record,
    /// The row, or all that is wrong. The path of a fault is `line 17, column amount`.
    pub row: Result<Row, Vec<Fault>>,
}

/// A file that is being read.
pub struct Rows {
    kind: Kind,
    source: Option<String>,
    plan: Plan,
    records: Records,
    ended: bool,
}

impl Rows {
    /// Opens a file and holds the mapping against its header; all faults of that at once. `progress` counts bytes read.
    pub fn open(mapping: &Mapping, file: Box<dyn Read + Send>, progress: Arc<AtomicU64>) -> Result<Self, Faults> {
        let records = Records::open(mapping, file, progress)?;
        let plan = Plan::new(mapping, records.header())?;
        Ok(Self { kind: mapping.kind, source: mapping.source.clone(), plan, records, ended: false })
    }

    /// The columns of the file as a rejects file repeats them.
    pub fn columns(&self) -> Vec<String> {
        self.records.header().map_or_else(|| vec!["record".to_owned()], <[String]>::to_vec)
    }

    fn read(&self, record: &Record) -> Result<Row, Vec<Fault>> {
        let mut reading = Reading { record, line: record.line, faults: Vec::new(), values: BTreeMap::new() };
        for name in self.plan.unknown(record) {
            reading.fault(name, Fault::new("UNKNOWN_COLUMN", "", "the mapping does not name this member: map it, or list it under `ignore`"));
        }
        for (member, origin) in &self.plan.members {
            if let Some(text) = reading.value(origin) {
                reading.values.insert(member.name, text);
            }
        }
        let attributes = self.plan.attributes.iter().filter_map(|(name, holds, origin)| Some((name.clone(), scalar(*holds, reading.value(origin)?)?)));
        let attributes: BTreeMap<String, Scalar> = attributes.collect();
        self.check_amounts(&mut reading);
        if !reading.faults.is_empty() {
            return Err(reading.faults);
        }
        let line = reading.line;
        self.row(reading.values, attributes).map_err(|fault| vec![fault.within(&format!("line {line}"))])
    }

    fn origin(&self, name: &str) -> Option<&Origin> {
        self.plan.members.iter().find(|(member, _)| member.name == name).map(|(_, origin)| origin)
    }

    /// Amounts against the decimals of their currency, quantities and rates against theirs, dates against each other.
    fn check_amounts(&self, reading: &mut Reading<'_>) {
        let column = |name: &str| self.origin(name).map_or_else(|| name.to_owned(), Origin::column);
        let currency: Option<Currency> = reading.values.get("currency").and_then(|code| code.parse().ok());
        for (name, text) in reading.values.clone() {
            let judged = match (self.kind, name) {
                (Kind::Transactions, "amount") => currency.map(|currency| Money::parse(&text, currency).map(drop)),
                (Kind::Deals, "value") => match (currency, reading.values.contains_key("currency")) {
                    (Some(currency), _) => Some(Money::parse(&text, currency).map(drop)),
                    (None, true) => None,
                    (None, false) => Some(Err(Fault::new("MISSING_VALUE", "", "the value of a deal needs a currency"))),
                },
                (_, "quantity") => Some(Quantity::parse(&text).map(drop)),
                (_, "rate") => Some(positive(&text)),
                _ => None,
            };
            if let Some(Err(fault)) = judged {
                reading.fault(&column(name), fault);
            }
        }
        for (first, second) in [("since", "until"), ("since", "revokedOn"), ("date", "expiresOn"), ("openedOn", "closedOn")] {
            if let (Some(from), Some(until)) = (reading.values.get(first), reading.values.get(second))
                && until < from
            {
                let message = format!("{second} {until} lies before {first} {from}");
                reading.fault(&column(second), Fault::new("DATES_OUT_OF_ORDER", "", message));
            }
        }
        if self.kind == Kind::ExchangeRates && reading.values.get("from").is_some_and(|from| Some(from) == reading.values.get("to")) {
            reading.fault(&column("to"), Fault::new("SAME_CURRENCY", "", "a currency has no rate with itself"));
        }
    }

    fn row(&self, mut values: BTreeMap<&'static str, String>, attributes: BTreeMap<String, Scalar>) -> Result<Row, Fault> {
        let v = &mut values;
        let source = self.source.clone();
        Ok(match self.kind {
            Kind::Partners => Row::Partner(Box::new(partner(v, attributes)?)),
            Kind::Products => {
                Row::Product(ProductInput { code: key(v, "code")?, name: v.remove("name"), category: key(v, "category")?, from: optional(v, "from")? })
            }
            Kind::Transactions => Row::Transaction(key(v, "partner")?, Box::new(transaction(v, source, attributes)?)),
            Kind::Holdings => Row::Holding(key(v, "partner")?, Box::new(holding(v, source, attributes)?)),
            Kind::Activities => Row::Activity(key(v, "partner")?, Box::new(activity(v, source, attributes)?)),
            Kind::Deals => Row::Deal(key(v, "partner")?, Box::new(deal(v, source, attributes)?)),
            Kind::ExchangeRates => Row::ExchangeRate(ExchangeRateInput {
                rate_type: v.remove("rateType"),
                from: currency(v, "from")?.ok_or_else(|| missing("from"))?,
                to: currency(v, "to")?.ok_or_else(|| missing("to"))?,
                date: date(v, "date")?,
                rate: DecimalText(key(v, "rate")?),
                recorded_on: None,
            }),
        })
    }
}

impl Iterator for Rows {
    type Item = Result<Line, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.records.step() {
            Ok(Step::Record(record)) => {
                let row = self.read(&record);
                Some(Ok(Line { record, row }))
            }
            Ok(Step::Broken(record, fault)) => Some(Ok(Line { record, row: Err(vec![fault]) })),
            Ok(Step::End) => {
                self.ended = true;
                None
            }
            Err(fault) => {
                self.ended = true;
                Some(Err(fault))
            }
        }
    }
}

/// One record while it is judged.
struct Reading<'a> {
    record: &'a Record,
    line: u64,
    faults: Vec<Fault>,
    values: BTreeMap<&'static str, String>,
}

impl Reading<'_> {
    fn fault(&mut self, column: &str, fault: Fault) {
        self.faults.push(Fault { path: format!("line {}, column {column}", self.line), ..fault });
    }

    /// The value of a member in the spelling of the domain; none, with a fault kept, if it cannot be read.
    fn value(&mut self, origin: &Origin) -> Option<String> {
        let read = origin.text(self.record).and_then(|text| match text {
            Some(text) => spell(origin, text).map(Some),
            None if origin.required => Err(missing("")),
            None => Ok(None),
        });
        read.unwrap_or_else(|fault| {
            self.fault(&origin.column(), fault);
            None
        })
    }
}

fn missing(path: &str) -> Fault {
    Fault::new("MISSING_VALUE", path, "every line needs it, and here it is empty")
}

fn spell(origin: &Origin, text: Cow<'_, str>) -> Result<String, Fault> {
    let longest = match origin.holds {
        Holds::Text => MAX_TEXT_CHARS,
        _ => MAX_KEY_CHARS,
    };
    if text.len() > longest && text.chars().count() > longest {
        return Err(Fault::new("TOO_LONG", "", format!("at most {longest} characters")));
    }
    if text.chars().any(|sign| sign == '\0' || (sign.is_control() && origin.holds != Holds::Text)) {
        return Err(Fault::new("CONTROL_CHARACTER", "", "holds a control character, such as a line end or a tab"));
    }
    match origin.holds {
        Holds::Key | Holds::Text => Ok(text.into_owned()),
        Holds::Date => {
            let read = read_date(&text, origin.cell.format.as_deref())?;
            Ok(if origin.cell.inclusive_expiry { read.next() } else { read }.to_string())
        }
        Holds::Decimal => {
            let decimal = read_decimal(&text, origin.cell.number.as_ref())?;
            Exact::parse(&decimal, 15, 10).map(|_| decimal)
        }
        Holds::Currency => text.parse::<Currency>().map(|currency| currency.code().to_owned()),
        Holds::Word(words) if words.contains(&text.as_ref()) => Ok(text.into_owned()),
        Holds::Word(words) => {
            Err(Fault::new("UNKNOWN_VALUE", "", format!("\"{}\" is not one of {}: add an alias to the mapping", shorten(&text), words.join(", "))))
        }
    }
}

fn positive(text: &str) -> Result<(), Fault> {
    let rate = Exact::parse(text, 15, 10)?;
    if rate > Exact::from_int(0) { Ok(()) } else { Err(Fault::new("OUT_OF_RANGE", "", "a rate is more than zero")) }
}

fn scalar(holds: AttributeType, text: String) -> Option<Scalar> {
    match holds {
        AttributeType::Text | AttributeType::Date => Some(Scalar::Text(text)),
        AttributeType::Number => Exact::parse(&text, 15, 10).ok().map(|value| Scalar::Number(Number(value))),
        AttributeType::Boolean => Some(Scalar::Boolean(text == "true")),
    }
}

type Values = BTreeMap<&'static str, String>;

fn key(values: &mut Values, name: &'static str) -> Result<String, Fault> {
    values.remove(name).ok_or_else(|| missing(name))
}

fn date(values: &mut Values, name: &'static str) -> Result<Date, Fault> {
    key(values, name)?.parse()
}

fn optional(values: &mut Values, name: &'static str) -> Result<Option<Date>, Fault> {
    values.remove(name).map(|text| text.parse()).transpose()
}

fn currency(values: &mut Values, name: &'static str) -> Result<Option<Currency>, Fault> {
    values.remove(name).map(|text| text.parse()).transpose()
}

/// A word of an enumeration of the domain, as its own reader knows it.
fn word<T: DeserializeOwned + Default>(values: &mut Values, name: &'static str) -> Result<T, Fault> {
    let read = |text| serde_json::from_value(serde_json::Value::String(text)).map_err(|_| Fault::new("UNKNOWN_VALUE", name, "an unknown word"));
    values.remove(name).map_or_else(|| Ok(T::default()), read)
}

fn partner(v: &mut Values, attributes: BTreeMap<String, Scalar>) -> Result<PartnerInput, Fault> {
    let profile = ProfileInput {
        from: optional(v, "from")?,
        name: v.remove("name"),
        r#type: v.remove("type"),
        region: v.remove("region"),
        parent: v.remove("parent"),
        currency: currency(v, "currency")?,
        status: word(v, "status")?,
        attributes,
    };
    Ok(PartnerInput {
        code: key(v, "code")?,
        attributes: vec![profile],
        enrollments: Vec::new(),
        assignments: Vec::new(),
        overrides: Vec::new(),
        admissions: Vec::new(),
        contracts: Vec::new(),
        exceptions: Vec::new(),
        transactions: Vec::new(),
        holdings: Vec::new(),
        activities: Vec::new(),
        deals: Vec::new(),
    })
}

fn transaction(v: &mut Values, source: Option<String>, attributes: BTreeMap<String, Scalar>) -> Result<TransactionInput, Fault> {
    Ok(TransactionInput {
        id: key(v, "id")?,
        source,
        date: date(v, "date")?,
        recorded_on: None,
        kind: word(v, "kind")?,
        product: v.remove("product"),
        category: v.remove("category"),
        quantity: v.remove("quantity").map(DecimalText),
        amount: DecimalText(key(v, "amount")?),
        currency: currency(v, "currency")?,
        customer: v.remove("customer"),
        deal: v.remove("deal"),
        corrects: v.remove("corrects"),
        region: v.remove("region"),
        attributes,
    })
}

fn holding(v: &mut Values, source: Option<String>, attributes: BTreeMap<String, Scalar>) -> Result<HoldingInput, Fault> {
    let holder_kind = if v.contains_key("holderKind") { Some(word(v, "holderKind")?) } else { None };
    Ok(HoldingInput {
        id: key(v, "id")?,
        source,
        recorded_on: None,
        kind: key(v, "kind")?,
        r#type: v.remove("type"),
        level: v.remove("level"),
        holder_kind,
        person: v.remove("person"),
        customer: v.remove("customer"),
        offering: v.remove("offering"),
        product: v.remove("product"),
        category: v.remove("category"),
        since: date(v, "since")?,
        until: optional(v, "until")?,
        revoked_on: optional(v, "revokedOn")?,
        value: v.remove("value").map(DecimalText),
        currency: currency(v, "currency")?,
        region: v.remove("region"),
        attributes,
    })
}

fn activity(v: &mut Values, source: Option<String>, attributes: BTreeMap<String, Scalar>) -> Result<ActivityInput, Fault> {
    Ok(ActivityInput {
        id: key(v, "id")?,
        source,
        date: date(v, "date")?,
        recorded_on: None,
        kind: key(v, "kind")?,
        value: v.remove("value").map(DecimalText),
        currency: currency(v, "currency")?,
        subject: v.remove("subject"),
        expires_on: optional(v, "expiresOn")?,
        region: v.remove("region"),
        attributes,
    })
}

fn deal(v: &mut Values, source: Option<String>, attributes: BTreeMap<String, Scalar>) -> Result<DealInput, Fault> {
    Ok(DealInput {
        id: key(v, "id")?,
        source,
        opened_on: date(v, "openedOn")?,
        recorded_on: None,
        stage: v.remove("stage"),
        outcome: word(v, "outcome")?,
        closed_on: optional(v, "closedOn")?,
        value: v.remove("value").map(DecimalText),
        currency: currency(v, "currency")?,
        customer: v.remove("customer"),
        kind: v.remove("kind"),
        region: v.remove("region"),
        attributes,
    })
}
