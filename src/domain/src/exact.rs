//! Exact arithmetic: every figure between the facts and the one named rounding is a fraction of two integers.
//!
//! Nothing here rounds and nothing is a float. What does not fit [`MAX_BITS`] is a loud [`Overflow`], never a wrong figure.
//! Division exists here, in `rounding` and in `allocate`, and nowhere else.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroI64;
use std::sync::Arc;

use num_bigint::{BigInt, Sign};
use num_rational::BigRational;

use self::integer::{Parts, small_common_divisor};
use self::spelled::Spelled;
use crate::fault::Fault;

mod integer;
mod spelled;

/// A figure left the range of exact arithmetic ([`MAX_BITS`] above or below the line).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a figure is too large for exact arithmetic")]
pub struct Overflow;

/// An exact rational number, in lowest terms, with a positive denominator.
///
/// It takes 16 bytes: almost every figure fits 64 bits above and below the line, and what does not lies elsewhere. So it is not `Copy`,
/// but a clone costs next to nothing.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Exact(Figure);

/// A figure has one form alone, so that equal figures are equal forms: the smallest that it fits.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Figure {
    Small(i64, NonZeroI64),
    Large(Arc<Large>),
}

/// What does not fit 64 bits.
#[derive(PartialEq, Eq, Hash)]
enum Large {
    Narrow(Parts),
    /// What does not fit 128 bits either.
    Wide(BigRational),
}

/// So many bits a figure may have above and below the line. Each schedule that builds on another may double them: this is room for
/// half a dozen in a row, and a limit to what a document can make of two lines.
pub const MAX_BITS: u64 = 4_096;
/// No numerator or denominator has more digits.
const MAX_DIGITS: usize = 1_234;

/// So many decimals of one fit 64 bits.
const PLACES_OF_64_BITS: u32 = 18;
/// Decimals that are taken off at once where they are zeros.
const ZEROS: u32 = 10;
const TEN_ZEROS: i128 = 10_i128.pow(ZEROS);
/// What is below the line of a whole number.
const ONE: NonZeroI64 = NonZeroI64::new(1).unwrap();

impl Exact {
    /// Nothing.
    pub const ZERO: Self = Self::from_int(0);
    /// One.
    pub const ONE: Self = Self::from_int(1);

    /// Of parts in lowest terms.
    fn of((numerator, denominator): Parts) -> Self {
        match (i64::try_from(numerator), i64::try_from(denominator).ok().and_then(NonZeroI64::new)) {
            (Ok(numerator), Some(denominator)) => Self(Figure::Small(numerator, denominator)),
            _ => Self(Figure::Large(Arc::new(Large::Narrow((numerator, denominator))))),
        }
    }

    /// Of a figure that is known to be within the range.
    fn of_any(value: BigRational) -> Self {
        match (i128::try_from(value.numer()), i128::try_from(value.denom())) {
            (Ok(numerator), Ok(denominator)) if numerator != i128::MIN => Self::of((numerator, denominator)),
            _ => Self(Figure::Large(Arc::new(Large::Wide(value)))),
        }
    }

    fn of_wide(value: BigRational) -> Result<Self, Overflow> {
        if value.numer().bits().max(value.denom().bits()) > MAX_BITS { Err(Overflow) } else { Ok(Self::of_any(value)) }
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
    fn narrow(&self) -> Option<Parts> {
        match &self.0 {
            Figure::Small(numerator, denominator) => Some(((*numerator).into(), denominator.get().into())),
            Figure::Large(large) => match large.as_ref() {
                Large::Narrow(parts) => Some(*parts),
                Large::Wide(_) => None,
            },
        }
    }

    fn wide(&self) -> Cow<'_, BigRational> {
        let of = |(numerator, denominator): Parts| Cow::Owned(BigRational::new_raw(numerator.into(), denominator.into()));
        match &self.0 {
            Figure::Small(numerator, denominator) => of(((*numerator).into(), denominator.get().into())),
            Figure::Large(large) => match large.as_ref() {
                Large::Narrow(parts) => of(*parts),
                Large::Wide(value) => Cow::Borrowed(value),
            },
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
    pub(crate) fn numerator(&self) -> BigInt {
        self.wide().into_owned().into_raw().0
    }

    /// Denominator in lowest terms; positive.
    pub(crate) fn denominator(&self) -> BigInt {
        self.wide().into_owned().into_raw().1
    }

    /// Whether it has no fraction.
    pub fn is_whole(&self) -> bool {
        self.narrow().map_or_else(|| self.wide().is_integer(), |(_, denominator)| denominator == 1)
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
            Figure::Large(large) => match large.as_ref() {
                Large::Narrow((numerator, _)) => numerator.is_negative(),
                Large::Wide(value) => value.numer().sign() == Sign::Minus,
            },
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
            // Both are in lowest terms, so that the sum shares with its denominator what the two denominators share, at most.
            let left_over = numerator.unsigned_abs() % u128::from(common.unsigned_abs());
            let shared = small_common_divisor(common.unsigned_abs(), u64::try_from(left_over).map_err(|_| Overflow)?);
            let shared = i64::try_from(shared).map_err(|_| Overflow)?;
            return Ok(Self::of((numerator / i128::from(shared), i128::from(b / common) * i128::from(d / shared))));
        }
        if let (Some(left), Some(right)) = (self.narrow(), other.narrow())
            && let Some(sum) = integer::sum(left, right)
        {
            return Ok(Self::of(sum));
        }
        Self::of_wide(self.wide().as_ref() + other.wide().as_ref())
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
        Self::of_wide(self.wide().as_ref() * other.wide().as_ref())
    }

    /// The fraction upside down, with the sign above the line; `None` of zero.
    fn inverse(&self) -> Option<Self> {
        if let Some((numerator, denominator)) = self.narrow() {
            return (numerator != 0).then(|| Self::of((denominator * numerator.signum(), numerator.abs())));
        }
        Some(Self::of_any(self.wide().recip()))
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
        Self::of_wide(self.wide().as_ref() * factor.wide().as_ref() * inverse.wide().as_ref()).map(Some)
    }

    /// The opposite.
    #[must_use]
    pub fn neg(&self) -> Self {
        match self.narrow() {
            Some((numerator, denominator)) => Self::of((-numerator, denominator)),
            None => Self::of_any(-self.wide().as_ref()),
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
            None => Self::of_any(self.wide().floor()),
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
        let mut sums: HashMap<BigInt, Self> = HashMap::new();
        for value in values {
            let sum = sums.entry(value.borrow().denominator()).or_insert(Self::ZERO);
            *sum = sum.add(value.borrow())?;
        }
        let mut sums: Vec<(BigInt, Self)> = sums.into_iter().collect();
        sums.sort();
        sums.iter().try_fold(Self::ZERO, |all, (_, sum)| all.add(sum))
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
        let is_number = |text: &str| !text.is_empty() && text.len() <= MAX_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
        let digits = numerator.strip_prefix('-').unwrap_or(numerator);
        if !is_number(digits) || !is_number(denominator) {
            return None;
        }
        let (numerator, denominator): (BigInt, BigInt) = (numerator.parse().ok()?, denominator.parse().ok()?);
        if denominator.sign() == Sign::NoSign {
            return None;
        }
        Self::of_wide(BigRational::new(numerator, denominator)).ok()
    }

    /// The canonical decimal spelling, if it has one with at most `decimals` digits after the point.
    pub fn to_decimal(&self, decimals: u32) -> Option<String> {
        if let Some(scaled) = self.to_scaled(decimals) {
            return Some(spell(scaled, decimals, true));
        }
        let scaled = self.wide().as_ref() * BigInt::from(10_i128.checked_pow(decimals)?);
        scaled.is_integer().then(|| spell_digits(self.is_negative(), &scaled.numer().magnitude().to_string(), decimals, true))
    }
}

/// The least common multiple of two denominators; an error where it has too many bits to go on with.
pub(crate) fn common_multiple(a: &BigInt, b: &BigInt) -> Result<BigInt, Overflow> {
    let multiple = if a == b { a.clone() } else { BigRational::new(a.clone(), b.clone()).numer() * b };
    if multiple.bits() > MAX_BITS { Err(Overflow) } else { Ok(multiple) }
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
            _ => self.wide().cmp(&other.wide()),
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
            return write!(f, "{}", self.wide().numer());
        }
        match self.to_decimal(10) {
            Some(decimal) => f.write_str(&decimal),
            None => write!(f, "{}/{}", self.wide().numer(), self.wide().denom()),
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
