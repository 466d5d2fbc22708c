//! Exact arithmetic: every figure between the facts and the one named rounding is a fraction of two integers.
//!
//! Nothing here rounds and nothing is a float. What does not fit 255 bits is a loud [`Overflow`], never a wrong figure.
//! Division exists here, in `rounding` and in `allocate`, and nowhere else.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroI64;
use std::sync::Arc;

use ethnum::I256;

use self::integer::{Parts, small_common_divisor};
use self::spelled::Spelled;
use crate::fault::Fault;

mod integer;
mod spelled;

/// A figure left the range of exact arithmetic (some 76 digits above or below the line).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a figure is too large for exact arithmetic")]
pub struct Overflow;

/// An exact rational number, in lowest terms, with a positive denominator.
///
/// It takes 16 bytes: almost every figure fits 64 bits above and below the line, and what does not lies elsewhere. So it is not `Copy`,
/// but a clone costs next to nothing.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Exact(Figure);

/// A figure has one form alone, so that equal figures are equal forms: it is small where it fits.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Figure {
    Small(i64, NonZeroI64),
    Large(Arc<Parts<I256>>),
}

/// So many decimals of one fit 64 bits.
const PLACES_OF_64_BITS: u32 = 18;
/// Decimals that are taken off at once where they are zeros.
const ZEROS: u32 = 10;
const TEN_ZEROS: i128 = 10_i128.pow(ZEROS);
/// What is below the line of a whole number.
const ONE: NonZeroI64 = NonZeroI64::new(1).unwrap();

const fn narrow(value: I256) -> Option<i128> {
    let (high, low) = value.into_words();
    if high == low >> 127 { Some(low) } else { None }
}

impl Exact {
    /// Nothing.
    pub const ZERO: Self = Self::from_int(0);
    /// One.
    pub const ONE: Self = Self::from_int(1);

    /// Of parts in lowest terms.
    fn of((numerator, denominator): Parts<i128>) -> Self {
        match (i64::try_from(numerator), i64::try_from(denominator).ok().and_then(NonZeroI64::new)) {
            (Ok(numerator), Some(denominator)) => Self(Figure::Small(numerator, denominator)),
            _ => Self(Figure::Large(Arc::new((I256::new(numerator), I256::new(denominator))))),
        }
    }

    fn of_wide((numerator, denominator): Parts<I256>) -> Self {
        match (narrow(numerator), narrow(denominator)) {
            (Some(numerator), Some(denominator)) => Self::of((numerator, denominator)),
            _ => Self(Figure::Large(Arc::new((numerator, denominator)))),
        }
    }

    /// A whole number.
    pub const fn from_int(value: i64) -> Self {
        Self(Figure::Small(value, ONE))
    }

    /// `numerator / denominator` in lowest terms; `None` when the denominator is zero or one of them is the least that 128 bits hold.
    pub fn ratio(numerator: i128, denominator: i128) -> Option<Self> {
        if denominator == 0 || numerator == i128::MIN || denominator == i128::MIN {
            return None;
        }
        if denominator == 1 {
            return Some(Self::of((numerator, 1)));
        }
        // Most figures fit 64 bits, where a division costs a fraction of one in 128.
        if let (Ok(small), Ok(below)) = (i64::try_from(numerator), i64::try_from(denominator))
            && below > 0
        {
            let divisor = small_common_divisor(small.unsigned_abs(), below.unsigned_abs());
            let divisor = i64::try_from(divisor).ok()?;
            return Some(Self::of(((small / divisor).into(), (below / divisor).into())));
        }
        let sign = denominator.signum();
        Some(Self::of(integer::reduced((numerator * sign, denominator * sign))))
    }

    /// Numerator and denominator, if both fit 64 bits.
    const fn small(&self) -> Option<(i64, i64)> {
        match &self.0 {
            Figure::Small(numerator, denominator) => Some((*numerator, denominator.get())),
            Figure::Large(_) => None,
        }
    }

    /// Numerator and denominator, if both fit 128 bits.
    fn narrow(&self) -> Option<Parts<i128>> {
        match &self.0 {
            Figure::Small(numerator, denominator) => Some(((*numerator).into(), denominator.get().into())),
            Figure::Large(parts) => narrow(parts.0).zip(narrow(parts.1)),
        }
    }

    fn wide(&self) -> Parts<I256> {
        match &self.0 {
            Figure::Small(numerator, denominator) => (I256::from(*numerator), I256::from(denominator.get())),
            Figure::Large(parts) => **parts,
        }
    }

    /// Its spelling, if it is short.
    fn spelled(&self) -> Option<Spelled> {
        let (numerator, denominator) = self.small()?;
        Spelled::of(numerator, denominator)
    }

    /// `value / 10^places`, for scaled integers: minor units, millionths, 10^-8.
    pub fn scaled(value: i128, places: u32) -> Self {
        if value == 0 {
            return Self::ZERO;
        }
        // Figures of many places mostly end in zeros: without them both parts fit 64 bits, where reducing is cheap.
        if places > PLACES_OF_64_BITS && value % TEN_ZEROS == 0 {
            return Self::scaled(value / TEN_ZEROS, places - ZEROS);
        }
        10_i128.checked_pow(places).and_then(|scale| Self::ratio(value, scale)).unwrap_or(Self::ZERO)
    }

    /// Numerator in lowest terms.
    pub(crate) fn numerator(&self) -> I256 {
        self.wide().0
    }

    /// Denominator in lowest terms; positive.
    pub(crate) fn denominator(&self) -> I256 {
        self.wide().1
    }

    /// Whether it has no fraction.
    pub fn is_whole(&self) -> bool {
        match &self.0 {
            Figure::Small(_, denominator) => denominator.get() == 1,
            Figure::Large(parts) => parts.1 == I256::ONE,
        }
    }

    /// The whole number that it is; `None` when it has a fraction or more than 128 bits.
    pub fn to_whole(&self) -> Option<i128> {
        self.narrow().filter(|(_, denominator)| *denominator == 1).map(|(numerator, _)| numerator)
    }

    /// How many 10^-`places` it is, as [`Exact::scaled`] reads it; `None` when it has more decimals or does not fit 128 bits.
    pub fn to_scaled(&self, places: u32) -> Option<i128> {
        let scale = 10_i128.checked_pow(places)?;
        let (numerator, denominator) = self.narrow()?;
        if scale % denominator != 0 {
            return None;
        }
        numerator.checked_mul(scale / denominator)
    }

    /// Whether it is zero.
    pub const fn is_zero(&self) -> bool {
        matches!(self.0, Figure::Small(0, _))
    }

    /// Whether it is below zero.
    pub fn is_negative(&self) -> bool {
        match &self.0 {
            Figure::Small(numerator, _) => numerator.is_negative(),
            Figure::Large(parts) => parts.0.is_negative(),
        }
    }

    /// Whether it is above zero.
    pub fn is_positive(&self) -> bool {
        !self.is_zero() && !self.is_negative()
    }

    /// Sum.
    pub fn add(&self, other: &Self) -> Result<Self, Overflow> {
        if let (Some((a, b)), Some((c, d))) = (self.small(), other.small()) {
            if b == d {
                let numerator = i128::from(a) + i128::from(c);
                return if b == 1 { Ok(Self::of((numerator, 1))) } else { Self::ratio(numerator, b.into()).ok_or(Overflow) };
            }
            let common = i64::try_from(small_common_divisor(b.unsigned_abs(), d.unsigned_abs())).map_err(|_| Overflow)?.max(1);
            // Two products of 64 bits each, halved at least: the denominators differ, so that one of them is above one.
            let (left, right) = (i128::from(a) * i128::from(d / common), i128::from(c) * i128::from(b / common));
            let numerator = left.checked_add(right).ok_or(Overflow)?;
            return Self::ratio(numerator, i128::from(b / common) * i128::from(d)).ok_or(Overflow);
        }
        if let (Some(left), Some(right)) = (self.narrow(), other.narrow())
            && let Some(sum) = integer::sum(left, right)
        {
            return Ok(Self::of(sum));
        }
        integer::sum(self.wide(), other.wide()).map(Self::of_wide).ok_or(Overflow)
    }

    /// Difference.
    pub fn sub(&self, other: &Self) -> Result<Self, Overflow> {
        self.add(&other.neg())
    }

    /// Product.
    pub fn mul(&self, other: &Self) -> Result<Self, Overflow> {
        if let (Some((a, b)), Some((c, d))) = (self.small(), other.small()) {
            // Crosswise in lowest terms, so that the product is too.
            let left = i64::try_from(small_common_divisor(a.unsigned_abs(), d.unsigned_abs())).map_err(|_| Overflow)?.max(1);
            let right = i64::try_from(small_common_divisor(c.unsigned_abs(), b.unsigned_abs())).map_err(|_| Overflow)?.max(1);
            return Ok(Self::of((i128::from(a / left) * i128::from(c / right), i128::from(b / right) * i128::from(d / left))));
        }
        if let (Some(left), Some(right)) = (self.narrow(), other.narrow())
            && let Some(product) = integer::product(left, right)
        {
            return Ok(Self::of(product));
        }
        integer::product(self.wide(), other.wide()).map(Self::of_wide).ok_or(Overflow)
    }

    /// The fraction upside down, with the sign above the line; `None` of zero.
    fn inverse(&self) -> Option<Self> {
        if let Some((numerator, denominator)) = self.narrow() {
            return (numerator != 0).then(|| Self::of((denominator * numerator.signum(), numerator.abs())));
        }
        let (numerator, denominator) = self.wide();
        Some(Self::of_wide((denominator * numerator.signum128(), numerator.abs())))
    }

    /// Quotient; `Ok(None)` when `other` is zero, which is "no data", never an error and never a zero (semantics 26).
    pub fn div(&self, other: &Self) -> Result<Option<Self>, Overflow> {
        other.inverse().map(|inverse| self.mul(&inverse)).transpose()
    }

    /// `self x factor / divisor`, reduced before anything is multiplied, so that it fits whenever its result does; `Ok(None)` when
    /// `divisor` is zero.
    pub fn mul_div(&self, factor: &Self, divisor: &Self) -> Result<Option<Self>, Overflow> {
        let Some(inverse) = divisor.inverse() else { return Ok(None) };
        if let (Some(a), Some(b), Some(c)) = (self.narrow(), factor.narrow(), inverse.narrow())
            && let Some(proportion) = integer::proportion([a, b, c])
        {
            return Ok(Some(Self::of(proportion)));
        }
        integer::proportion([self.wide(), factor.wide(), inverse.wide()]).map(Self::of_wide).map(Some).ok_or(Overflow)
    }

    /// The opposite.
    #[must_use]
    pub fn neg(&self) -> Self {
        match self.narrow() {
            Some((numerator, denominator)) => Self::of((-numerator, denominator)),
            None => Self::of_wide((-self.numerator(), self.denominator())),
        }
    }

    /// Without the sign.
    #[must_use]
    pub fn abs(&self) -> Self {
        if self.is_negative() { self.neg() } else { self.clone() }
    }

    /// The largest whole number that is not above it.
    #[must_use]
    pub fn floor(&self) -> Self {
        match self.narrow() {
            Some((numerator, denominator)) => Self::of((numerator.div_euclid(denominator), 1)),
            None => Self::of_wide((self.numerator().div_euclid(self.denominator()), I256::ONE)),
        }
    }

    /// The smallest whole number that is not below it.
    #[must_use]
    pub fn ceil(&self) -> Self {
        self.neg().floor().neg()
    }

    /// The sum of many. Where adding one after the other would leave the range, those of one denominator are added first: shares of
    /// one sum make a whole again.
    pub fn sum<V>(values: V) -> Result<Self, Overflow>
    where
        V: IntoIterator<Item: Borrow<Self>>,
        V::IntoIter: Clone,
    {
        let values = values.into_iter();
        values.clone().try_fold(Self::ZERO, |sum, value| sum.add(value.borrow())).or_else(|_| Self::sum_by_denominator(values))
    }

    fn sum_by_denominator(values: impl Iterator<Item: Borrow<Self>>) -> Result<Self, Overflow> {
        let mut sums: HashMap<I256, Self> = HashMap::new();
        for value in values {
            let sum = sums.entry(value.borrow().denominator()).or_insert(Self::ZERO);
            *sum = sum.add(value.borrow())?;
        }
        let mut sums: Vec<Self> = sums.into_values().collect();
        sums.sort_by_key(Self::denominator);
        sums.iter().try_fold(Self::ZERO, |all, sum| all.add(sum))
    }

    /// Reads the one canonical spelling `-?(0|[1-9][0-9]*)(\.[0-9]+)?` with at most `integer_digits` before and `decimals`
    /// after the point. Nothing is rounded: more digits are refused (semantics 24).
    pub fn parse(text: &str, integer_digits: usize, decimals: usize) -> Result<Self, Fault> {
        let (scaled, places) = parse_scaled(text, integer_digits, decimals)?;
        Ok(Self::scaled(scaled, places))
    }

    /// Reads what [`Display`](fmt::Display) writes: a decimal, or a fraction where it does not end within ten places.
    pub fn read(text: &str) -> Option<Self> {
        match text.split_once('/') {
            Some((numerator, denominator)) => Self::of_texts(numerator, denominator),
            None => {
                let (negative, whole, fraction) = spelled(text).ok().filter(|(.., fraction)| fraction.len() <= 10)?;
                let sign = if negative { "-" } else { "" };
                Self::of_texts(&format!("{sign}{whole}{fraction}"), &format!("1{}", "0".repeat(fraction.len())))
            }
        }
    }

    fn of_texts(numerator: &str, denominator: &str) -> Option<Self> {
        let parts: Parts<I256> = (numerator.parse().ok()?, denominator.parse().ok()?);
        (parts.1.is_positive() && parts.0 != I256::MIN).then(|| Self::of_wide(integer::reduced(parts)))
    }

    /// The canonical decimal spelling, if it has one with at most `decimals` digits after the point.
    pub fn to_decimal(&self, decimals: u32) -> Option<String> {
        if let Some(scaled) = self.to_scaled(decimals) {
            return Some(spell(scaled, decimals, true));
        }
        let scale = I256::new(10_i128.checked_pow(decimals)?);
        let (numerator, denominator) = self.wide();
        if scale % denominator != I256::ZERO {
            return None;
        }
        let scaled = numerator.checked_mul(scale / denominator)?;
        Some(spell_digits(self.is_negative(), &scaled.unsigned_abs().to_string(), decimals, true))
    }
}

/// The least common multiple of two denominators; `None` when it does not fit.
pub(crate) fn common_multiple(a: I256, b: I256) -> Option<I256> {
    if a == b { Some(a) } else { integer::common_multiple(a, b) }
}

fn bad(what: &str) -> Fault {
    Fault::new("INVALID_DECIMAL", "", format!("{what}: write a decimal such as \"1234.50\", digits and one point only"))
}

/// Sign, digits before and digits after the point of the one canonical spelling.
fn spelled(text: &str) -> Result<(bool, &str, &str), Fault> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = match digits.split_once('.') {
        Some((_, "")) => return Err(bad("nothing stands after the point")),
        Some((whole, fraction)) => (whole, fraction),
        None => (digits, ""),
    };
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return Err(bad("not a decimal"));
    }
    if whole.len() > 1 && whole.starts_with('0') {
        return Err(bad("leading zeros"));
    }
    Ok((negative, whole, fraction))
}

/// Reads a canonical decimal as `(digits, places)`: `-12.50` is `(-1250, 2)`.
pub fn parse_scaled(text: &str, integer_digits: usize, decimals: usize) -> Result<(i128, u32), Fault> {
    let (negative, whole, fraction) = spelled(text)?;
    if whole.len() > integer_digits {
        return Err(Fault::new("OUT_OF_RANGE", "", format!("at most {integer_digits} digits may stand before the point")));
    }
    if fraction.len() > decimals {
        return Err(Fault::new("TOO_MANY_DECIMALS", "", format!("at most {decimals} digits may stand after the point; nothing is rounded on the way in")));
    }
    let scaled: i128 = format!("{whole}{fraction}").parse().map_err(|_| bad("not a decimal"))?;
    let places = u32::try_from(fraction.len()).map_err(|_| bad("not a decimal"))?;
    if negative && scaled == 0 {
        return Err(bad("zero has no sign"));
    }
    Ok((if negative { -scaled } else { scaled }, places))
}

/// Spells `scaled / 10^places`; without trailing zeros when `shortest`.
pub fn spell(scaled: i128, places: u32, shortest: bool) -> String {
    spell_digits(scaled < 0, &scaled.unsigned_abs().to_string(), places, shortest)
}

fn spell_digits(negative: bool, digits: &str, places: u32, shortest: bool) -> String {
    let places = places as usize;
    let lacking = (places + 1).saturating_sub(digits.len());
    let mut text = String::with_capacity(digits.len() + lacking + 2);
    text.extend(negative.then_some('-'));
    text.extend(std::iter::repeat_n('0', lacking));
    text.push_str(digits);
    if places > 0 {
        text.insert(text.len() - places, '.');
        if shortest {
            text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
        }
    }
    text
}

impl Ord for Exact {
    fn cmp(&self, other: &Self) -> Ordering {
        if let (Some((a, b)), Some((c, d))) = (self.small(), other.small()) {
            return if b == d { a.cmp(&c) } else { (i128::from(a) * i128::from(d)).cmp(&(i128::from(c) * i128::from(b))) };
        }
        match (self.narrow(), other.narrow()) {
            (Some(left), Some(right)) => integer::compare(left, right),
            _ => integer::compare(self.wide(), other.wide()),
        }
    }
}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Exact {
    /// The decimal if it ends within ten places, else the fraction.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(spelled) = self.spelled() {
            return f.write_str(spelled.text());
        }
        if self.is_whole() {
            return write!(f, "{}", self.numerator());
        }
        match self.to_decimal(10) {
            Some(decimal) => f.write_str(&decimal),
            None => write!(f, "{}/{}", self.numerator(), self.denominator()),
        }
    }
}

impl serde::Serialize for Exact {
    /// As text: the decimal if it ends within ten places, else the fraction `1/3`.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.spelled() {
            Some(spelled) => serializer.serialize_str(spelled.text()),
            None => serializer.collect_str(self),
        }
    }
}

impl<'de> serde::Deserialize<'de> for Exact {
    /// Reads the text that it is written as; never a number.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text).ok_or_else(|| serde::de::Error::custom("not an exact figure"))
    }
}

impl fmt::Debug for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
