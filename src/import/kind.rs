//! What can be imported, and the members that each kind has.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the lines of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
    /// Partners: a line is a partner's profile from a date on.
    Partners,
    /// Products: a line is a product's category from a date on.
    Products,
    /// Sale lines.
    Transactions,
    /// Certifications, subscriptions, attestations, memberships.
    Holdings,
    /// Dated measurements.
    Activities,
    /// Registered opportunities.
    Deals,
    /// Exchange rates.
    ExchangeRates,
}

impl Kind {
    /// All kinds, in the order in which a fresh database wants them.
    pub const ALL: [Self; 7] = [Self::Partners, Self::Products, Self::Transactions, Self::Holdings, Self::Activities, Self::Deals, Self::ExchangeRates];

    /// As a mapping writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Partners => "PARTNERS",
            Self::Products => "PRODUCTS",
            Self::Transactions => "TRANSACTIONS",
            Self::Holdings => "HOLDINGS",
            Self::Activities => "ACTIVITIES",
            Self::Deals => "DEALS",
            Self::ExchangeRates => "EXCHANGE_RATES",
        }
    }

    /// Whether its lines are facts with an identity of their source.
    pub const fn has_source(self) -> bool {
        matches!(self, Self::Transactions | Self::Holdings | Self::Activities | Self::Deals)
    }

    /// Whether its lines may carry attributes.
    pub const fn has_attributes(self) -> bool {
        !matches!(self, Self::Products | Self::ExchangeRates)
    }

    /// The members that a line of this kind may have.
    pub const fn members(self) -> &'static [Member] {
        match self {
            Self::Partners => PARTNERS,
            Self::Products => PRODUCTS,
            Self::Transactions => TRANSACTIONS,
            Self::Holdings => HOLDINGS,
            Self::Activities => ACTIVITIES,
            Self::Deals => DEALS,
            Self::ExchangeRates => EXCHANGE_RATES,
        }
    }

    /// One member by its name.
    pub fn member(self, name: &str) -> Option<&'static Member> {
        self.members().iter().find(|member| member.name == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A member of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Its name, as a mapping and the fact's JSON shape write it.
    pub name: &'static str,
    /// Whether every line must have it.
    pub required: bool,
    /// What it holds.
    pub holds: Holds,
    /// What it means, in one sentence.
    pub meaning: &'static str,
}

/// What a member holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// An identifier or key: short, one line.
    Key,
    /// Text.
    Text,
    /// A date.
    Date,
    /// A decimal.
    Decimal,
    /// A currency of ISO 4217.
    Currency,
    /// One of these words.
    Word(&'static [&'static str]),
}

const fn must(name: &'static str, holds: Holds, meaning: &'static str) -> Member {
    Member { name, required: true, holds, meaning }
}

const fn may(name: &'static str, holds: Holds, meaning: &'static str) -> Member {
    Member { name, required: false, holds, meaning }
}

const PARTNERS: &[Member] = &[
    must("code", Holds::Key, "The vendor's own id of the partner."),
    may("name", Holds::Text, "Its name. Default: its code."),
    may("type", Holds::Key, "Its type, a key of the program."),
    may("region", Holds::Key, "Its region, a key of the program."),
    may("parent", Holds::Key, "Its parent's code."),
    may("currency", Holds::Currency, "The currency it is paid in."),
    may("status", Holds::Word(&["ACTIVE", "SUSPENDED", "TERMINATED"]), "Whether it takes part. Default ACTIVE."),
    may("from", Holds::Date, "The day from which all this holds. Default: the day of the import; for a new partner from the beginning."),
];

const PRODUCTS: &[Member] = &[
    must("code", Holds::Key, "The product's code."),
    may("name", Holds::Text, "Its name."),
    must("category", Holds::Key, "Its category, a key of the program."),
    may("from", Holds::Date, "The day from which it belongs to this category. Default: from the beginning."),
];

const TRANSACTIONS: &[Member] = &[
    must("id", Holds::Key, "The id of the line in its source."),
    must("partner", Holds::Key, "The partner's code."),
    must("date", Holds::Date, "When it happened."),
    may("kind", Holds::Word(&["SALE", "RETURN", "ADJUSTMENT"]), "What it is. Default SALE. A return counts negative however it is signed."),
    may("product", Holds::Key, "The product."),
    may("category", Holds::Key, "The category. Default: the product's on that date."),
    may("quantity", Holds::Decimal, "The quantity, at most 6 decimals. Default 1."),
    must("amount", Holds::Decimal, "The amount, at most the currency's decimals."),
    must("currency", Holds::Currency, "Its currency."),
    may("customer", Holds::Key, "The end customer."),
    may("deal", Holds::Key, "The deal."),
    may("corrects", Holds::Key, "The id of the line, of the same source, that it corrects or returns."),
    may("region", Holds::Key, "Its region. Default: the partner's on that date."),
];

const HOLDINGS: &[Member] = &[
    must("id", Holds::Key, "The id of the holding in its source."),
    must("partner", Holds::Key, "The partner's code."),
    must("kind", Holds::Key, "CERTIFICATION, SUBSCRIPTION, ATTESTATION, MEMBERSHIP, or the vendor's own."),
    may("type", Holds::Key, "Which one."),
    may("level", Holds::Key, "Its level."),
    may("holderKind", Holds::Word(&["PARTNER", "PERSON", "CUSTOMER", "OFFERING"]), "Whose it is. Default: by which of person, customer and offering is given."),
    may("person", Holds::Key, "The person who holds it."),
    may("customer", Holds::Key, "The customer who holds it."),
    may("offering", Holds::Key, "The offering that it is about."),
    may("product", Holds::Key, "The product."),
    may("category", Holds::Key, "The category. Default: the product's."),
    must("since", Holds::Date, "The first day on which it counts."),
    may("until", Holds::Date, "The first day on which it no longer counts. A file that prints the last valid day says `inclusiveExpiry: true`."),
    may("revokedOn", Holds::Date, "The day on which it was revoked; it does not count on it."),
    may("value", Holds::Decimal, "Its value."),
    may("currency", Holds::Currency, "The currency of its value, if that is money."),
    may("region", Holds::Key, "Its region. Default: the partner's on that date."),
];

const ACTIVITIES: &[Member] = &[
    must("id", Holds::Key, "The id of the activity in its source."),
    must("partner", Holds::Key, "The partner's code."),
    must("date", Holds::Date, "When it happened."),
    must("kind", Holds::Key, "What was measured."),
    may("value", Holds::Decimal, "The value. Default 1."),
    may("currency", Holds::Currency, "The currency of its value, if that is money."),
    may("subject", Holds::Key, "The person, customer or product that it is about."),
    may("expiresOn", Holds::Date, "From this day on it no longer counts."),
    may("region", Holds::Key, "Its region. Default: the partner's on that date."),
];

const DEALS: &[Member] = &[
    must("id", Holds::Key, "The id of the deal in its source; transactions name it."),
    must("partner", Holds::Key, "The partner's code."),
    must("openedOn", Holds::Date, "When it was registered."),
    may("stage", Holds::Key, "The vendor's stage."),
    may("outcome", Holds::Word(&["OPEN", "WON", "LOST"]), "How it ended. Default OPEN."),
    may("closedOn", Holds::Date, "When it was closed."),
    may("value", Holds::Decimal, "What it is worth, at most the currency's decimals."),
    may("currency", Holds::Currency, "The currency of its value; needed where there is a value."),
    may("customer", Holds::Key, "The end customer."),
    may("kind", Holds::Key, "Its kind."),
    may("region", Holds::Key, "Its region. Default: the partner's on that date."),
];

const EXCHANGE_RATES: &[Member] = &[
    may("rateType", Holds::Key, "The type of rate. Default SPOT."),
    must("from", Holds::Currency, "Converted from."),
    must("to", Holds::Currency, "Converted to."),
    must("date", Holds::Date, "The first day on which it holds."),
    must("rate", Holds::Decimal, "Units of `to` for one of `from`, more than zero, at most 10 decimals."),
];
