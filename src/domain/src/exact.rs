//! Exact arithmetic: every figure between the facts and the one named rounding is a fraction of two integers.
//!
//! Nothing here rounds and nothing is a float. What does not fit 127 bits is a loud [`Overflow`], never a wrong figure.
//! Division exists here, in `rounding` and in `allocate`, and nowhere else.

use std::cmp::Ordering;
use std::fmt;

use crate::fault::Fault;

/// A figure left the range of exact arithmetic (some 38 digits).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a figure is too large for exact arithmetic")]
pub struct Overflow;

/// An exact rational number, in lowest terms, with a positive denominator.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Exact {
    numerator: i128,
    denominator: i128,
}

fn greatest_common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        // Most figures fit 64 bits, where a division costs a fraction of one in 128.
        if let (Ok(small), Ok(divisor)) = (u64::try_from(a), u64::try_from(b)) {
            return small_common_divisor(small, divisor).into();
        }
        (a, b) = (b, a % b);
    }
    a
}

const fn small_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b > 1 {
        (a, b) = (b, a % b);
    }
    if b == 1 { 1 } else { a }
}

impl Exact {
    /// Nothing.
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };
    /// One.
    pub const ONE: Self = Self { numerator: 1, denominator: 1 };

    /// A whole number.
    pub const fn from_int(value: i64) -> Self {
        Self { numerator: value as i128, denominator: 1 }
    }

    /// `numerator / denominator` in lowest terms; `None` when the denominator is zero or the fraction does not fit.
    pub fn ratio(numerator: i128, denominator: i128) -> Option<Self> {
        if denominator == 0 || numerator == i128::MIN || denominator == i128::MIN {
            return None;
        }
        if denominator == 1 {
            return Some(Self { numerator, denominator });
        }
        // Most figures fit 64 bits, where a division costs a fraction of one in 128.
        if let (Ok(small), Ok(below)) = (i64::try_from(numerator), i64::try_from(denominator))
            && below > 0
        {
            let divisor = small_common_divisor(small.unsigned_abs(), below.unsigned_abs());
            let divisor = i64::try_from(divisor).ok()?;
            return Some(Self { numerator: (small / divisor).into(), denominator: (below / divisor).into() });
        }
        let divisor = greatest_common_divisor(numerator.unsigned_abs(), denominator.unsigned_abs());
        let divisor = i128::try_from(divisor).ok()?;
        let sign = denominator.signum();
        Some(Self { numerator: numerator / divisor * sign, denominator: denominator / divisor * sign })
    }

    /// Numerator and denominator, if both fit 64 bits.
    fn small(self) -> Option<(i64, i64)> {
        Some((i64::try_from(self.numerator).ok()?, i64::try_from(self.denominator).ok()?))
    }

    /// `value / 10^places`, for scaled integers: minor units, millionths, 10^-8.
    pub fn scaled(value: i128, places: u32) -> Self {
        10_i128.checked_pow(places).and_then(|scale| Self::ratio(value, scale)).unwrap_or(Self::ZERO)
    }

    /// Numerator in lowest terms.
    pub const fn numerator(self) -> i128 {
        self.numerator
    }

    /// Denominator in lowest terms; positive.
    pub const fn denominator(self) -> i128 {
        self.denominator
    }

    /// Whether it is zero.
    pub const fn is_zero(self) -> bool {
        self.numerator == 0
    }

    /// Whether it is below zero.
    pub const fn is_negative(self) -> bool {
        self.numerator < 0
    }

    /// Whether it is above zero.
    pub const fn is_positive(self) -> bool {
        self.numerator > 0
    }

    /// Sum.
    pub fn add(self, other: Self) -> Result<Self, Overflow> {
        if self.denominator == other.denominator {
            let numerator = self.numerator.checked_add(other.numerator).ok_or(Overflow)?;
            if self.denominator == 1 {
                return Ok(Self { numerator, denominator: 1 });
            }
            return Self::ratio(numerator, self.denominator).ok_or(Overflow);
        }
        if let (Some((a, b)), Some((c, d))) = (self.small(), other.small()) {
            let common = i64::try_from(small_common_divisor(b.unsigned_abs(), d.unsigned_abs())).map_err(|_| Overflow)?.max(1);
            // Two products of 64 bits each, halved at least: the denominators differ, so that one of them is above one.
            let (left, right) = (i128::from(a) * i128::from(d / common), i128::from(c) * i128::from(b / common));
            let numerator = left.checked_add(right).ok_or(Overflow)?;
            return Self::ratio(numerator, i128::from(b / common) * i128::from(d)).ok_or(Overflow);
        }
        let common = greatest_common_divisor(self.denominator.unsigned_abs(), other.denominator.unsigned_abs());
        let common = i128::try_from(common).map_err(|_| Overflow)?;
        let left = self.numerator.checked_mul(other.denominator / common).ok_or(Overflow)?;
        let right = other.numerator.checked_mul(self.denominator / common).ok_or(Overflow)?;
        let denominator = (self.denominator / common).checked_mul(other.denominator).ok_or(Overflow)?;
        Self::ratio(left.checked_add(right).ok_or(Overflow)?, denominator).ok_or(Overflow)
    }

    /// Difference.
    pub fn sub(self, other: Self) -> Result<Self, Overflow> {
        self.add(other.neg())
    }

    /// Product.
    pub fn mul(self, other: Self) -> Result<Self, Overflow> {
        if let (Some((a, b)), Some((c, d))) = (self.small(), other.small()) {
            // Crosswise in lowest terms, so that the product is too.
            let left = i64::try_from(small_common_divisor(a.unsigned_abs(), d.unsigned_abs())).map_err(|_| Overflow)?.max(1);
            let right = i64::try_from(small_common_divisor(c.unsigned_abs(), b.unsigned_abs())).map_err(|_| Overflow)?.max(1);
            let (numerator, denominator) = (i128::from(a / left) * i128::from(c / right), i128::from(b / right) * i128::from(d / left));
            return Ok(Self { numerator, denominator });
        }
        let cross = |a: i128, b: i128| i128::try_from(greatest_common_divisor(a.unsigned_abs(), b.unsigned_abs())).map_err(|_| Overflow);
        let left = cross(self.numerator, other.denominator)?.max(1);
        let right = cross(other.numerator, self.denominator)?.max(1);
        let numerator = (self.numerator / left).checked_mul(other.numerator / right).ok_or(Overflow)?;
        let denominator = (self.denominator / right).checked_mul(other.denominator / left).ok_or(Overflow)?;
        Self::ratio(numerator, denominator).ok_or(Overflow)
    }

    /// Quotient; `Ok(None)` when `other` is zero, which is "no data", never an error and never a zero (semantics 26).
    pub fn div(self, other: Self) -> Result<Option<Self>, Overflow> {
        if other.is_zero() {
            return Ok(None);
        }
        let sign = other.numerator.signum();
        let inverse = Self { numerator: other.denominator * sign, denominator: other.numerator * sign };
        self.mul(inverse).map(Some)
    }

    /// `self x factor / divisor`, reduced before anything is multiplied, so that it fits whenever its result does; `Ok(None)` when
    /// `divisor` is zero.
    pub fn mul_div(self, factor: Self, divisor: Self) -> Result<Option<Self>, Overflow> {
        if divisor.is_zero() {
            return Ok(None);
        }
        let sign = divisor.numerator.signum();
        let mut above = [self.numerator, factor.numerator, divisor.denominator * sign];
        let mut below = [self.denominator, factor.denominator, divisor.numerator * sign];
        for upper in &mut above {
            for lower in &mut below {
                let common = greatest_common_divisor(upper.unsigned_abs(), lower.unsigned_abs());
                let common = i128::try_from(common).map_err(|_| Overflow)?.max(1);
                (*upper, *lower) = (*upper / common, *lower / common);
            }
        }
        let product = |parts: [i128; 3]| parts.into_iter().try_fold(1_i128, i128::checked_mul).ok_or(Overflow);
        Self::ratio(product(above)?, product(below)?).ok_or(Overflow).map(Some)
    }

    /// The opposite.
    #[must_use]
    pub const fn neg(self) -> Self {
        Self { numerator: -self.numerator, denominator: self.denominator }
    }

    /// Without the sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self { numerator: self.numerator.abs(), denominator: self.denominator }
    }

    /// The largest whole number that is not above it.
    pub const fn floor(self) -> i128 {
        self.numerator.div_euclid(self.denominator)
    }

    /// The smallest whole number that is not below it.
    pub const fn ceil(self) -> i128 {
        -(-self.numerator).div_euclid(self.denominator)
    }

    /// The sum of many.
    pub fn sum(values: impl IntoIterator<Item = Self>) -> Result<Self, Overflow> {
        values.into_iter().try_fold(Self::ZERO, Self::add)
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
            Some((numerator, denominator)) => Self::ratio(numerator.parse().ok()?, denominator.parse().ok()?),
            None => Self::parse(text, 38, 10).ok(),
        }
    }

    /// The canonical decimal spelling, if it has one with at most `decimals` digits after the point.
    pub fn to_decimal(self, decimals: u32) -> Option<String> {
        let scale = 10_i128.checked_pow(decimals)?;
        if scale % self.denominator != 0 {
            return None;
        }
        let scaled = self.numerator.checked_mul(scale / self.denominator)?;
        Some(spell(scaled, decimals, true))
    }
}

/// Reads a canonical decimal as `(digits, places)`: `-12.50` is `(-1250, 2)`.
pub fn parse_scaled(text: &str, integer_digits: usize, decimals: usize) -> Result<(i128, u32), Fault> {
    let bad = |what: &str| Fault::new("INVALID_DECIMAL", "", format!("{what}: write a decimal such as \"1234.50\", digits and one point only"));
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
    let width = places as usize + 1;
    let digits = format!("{:0>width$}", scaled.unsigned_abs());
    let (whole, fraction) = digits.split_at(digits.len() - places as usize);
    let fraction = if shortest { fraction.trim_end_matches('0') } else { fraction };
    let sign = if scaled < 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

impl Ord for Exact {
    /// Compares by continued fractions, so that no product can overflow.
    fn cmp(&self, other: &Self) -> Ordering {
        if self.denominator == other.denominator {
            return self.numerator.cmp(&other.numerator);
        }
        if let (Some((a, b)), Some((c, d))) = (self.small(), other.small()) {
            return (i128::from(a) * i128::from(d)).cmp(&(i128::from(c) * i128::from(b)));
        }
        let (mut a, mut b, mut c, mut d) = (self.numerator, self.denominator, other.numerator, other.denominator);
        let mut flipped = false;
        loop {
            let order = a.div_euclid(b).cmp(&c.div_euclid(d));
            let (rest_left, rest_right) = (a.rem_euclid(b), c.rem_euclid(d));
            let decided = match (order, rest_left, rest_right) {
                (Ordering::Equal, 0, 0) => Some(Ordering::Equal),
                (Ordering::Equal, 0, _) => Some(Ordering::Less),
                (Ordering::Equal, _, 0) => Some(Ordering::Greater),
                (Ordering::Equal, _, _) => None,
                (order, _, _) => Some(order),
            };
            if let Some(order) = decided {
                return if flipped { order.reverse() } else { order };
            }
            (a, b, c, d) = (b, rest_left, d, rest_right);
            flipped = !flipped;
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
        if self.denominator == 1 {
            return write!(f, "{}", self.numerator);
        }
        match self.to_decimal(10) {
            Some(decimal) => f.write_str(&decimal),
            None => write!(f, "{}/{}", self.numerator, self.denominator),
        }
    }
}

impl serde::Serialize for Exact {
    /// As text: the decimal if it ends within ten places, else the fraction `1/3`.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn exact(text: &str) -> Exact {
        Exact::parse(text, 15, 10).unwrap()
    }

    #[test]
    fn only_one_spelling_is_read() {
        for good in ["0", "-1", "0.1", "123456789012345.0123456789", "10.00"] {
            assert!(Exact::parse(good, 15, 10).is_ok(), "{good}");
        }
        for bad in ["", "-", "+1", ".5", "5.", "01", "1e3", "1_000", "1,000", " 1", "1 ", "NaN", "-0", "-0.00", "--1", "1.2.3", "١", "0x1"] {
            assert!(Exact::parse(bad, 15, 10).is_err(), "{bad}");
        }
        assert_eq!(Exact::parse("1234567890123456", 15, 2).unwrap_err().code, "OUT_OF_RANGE");
        assert_eq!(Exact::parse("1.001", 15, 2).unwrap_err().code, "TOO_MANY_DECIMALS");
    }

    #[test]
    fn a_third_times_three_is_one() {
        let third = Exact::ONE.div(Exact::from_int(3)).unwrap().unwrap();
        assert_eq!(third.mul(Exact::from_int(3)).unwrap(), Exact::ONE);
        assert_eq!(third.to_string(), "1/3");
        assert_eq!(Exact::ONE.div(Exact::ZERO).unwrap(), None);
    }

    #[test]
    fn overflow_is_loud() {
        let large = Exact::ratio(i128::MAX, 1).unwrap();
        assert_eq!(large.add(Exact::ONE), Err(Overflow));
        assert_eq!(large.mul(Exact::from_int(2)), Err(Overflow));
        assert!(large > large.neg());
    }

    #[test]
    fn a_proportion_fits_whenever_its_result_does() {
        let odd = Exact::ratio(170_141_183_460_469_231_731_687_303_715_884_105_727, 3).unwrap();
        assert_eq!(Exact::from_int(7).mul(odd), Err(Overflow));
        assert_eq!(odd.mul_div(Exact::from_int(7), odd), Ok(Some(Exact::from_int(7))));
        assert_eq!(odd.mul_div(odd, Exact::ZERO), Ok(None));
        assert_eq!(odd.mul_div(odd, Exact::ONE), Err(Overflow));
    }

    proptest! {
        #[test]
        fn a_proportion_is_a_product_and_a_quotient(a in -9_999_i64..9_999, b in 1_i64..999, c in -9_999_i64..9_999, d in 1_i64..999, e in -9_999_i64..9_999) {
            let (first, second, third) = (Exact::ratio(a.into(), b.into()).unwrap(), Exact::ratio(c.into(), d.into()).unwrap(), Exact::from_int(e));
            prop_assert_eq!(first.mul_div(second, third), first.mul(second).unwrap().div(third));
            if c != 0 {
                prop_assert_eq!(third.mul_div(first, second), third.mul(first).unwrap().div(second));
            }
        }

        #[test]
        fn arithmetic_agrees_with_cross_multiplication(a in -9_999_i64..9_999, b in 1_i64..999, c in -9_999_i64..9_999, d in 1_i64..999) {
            let left = Exact::ratio(a.into(), b.into()).unwrap();
            let right = Exact::ratio(c.into(), d.into()).unwrap();
            prop_assert_eq!(left.cmp(&right), (a * d).cmp(&(c * b)));
            prop_assert_eq!(left.add(right).unwrap().sub(right).unwrap(), left);
            if c != 0 {
                prop_assert_eq!(left.mul(right).unwrap().div(right).unwrap(), Some(left));
            }
            prop_assert!(left.floor() as i64 * b <= a && a < (left.floor() as i64 + 1) * b);
        }

        #[test]
        fn small_figures_compute_as_large_ones(a in any::<i64>(), b in 1..i64::MAX, c in any::<i64>(), d in 1..i64::MAX) {
            let [left, right] = [Exact::ratio(a.into(), b.into()).unwrap(), Exact::ratio(c.into(), d.into()).unwrap()];
            let wide = |value: i64| i128::from(value);
            prop_assert_eq!(left.mul(right).ok(), Exact::ratio(wide(a) * wide(c), wide(b) * wide(d)));
            prop_assert_eq!(left.cmp(&right), (wide(a) * wide(d)).cmp(&(wide(c) * wide(b))));
            // Once more with figures that are too large for the short way.
            let scale = 1_i128 << 40;
            prop_assert_eq!(Exact::ratio(wide(a) * scale, wide(b) * scale), Some(left));
        }

        #[test]
        fn decimals_round_trip(scaled in -999_999_999_999_i128..999_999_999_999, places in 0_u32..10) {
            let text = spell(scaled, places, true);
            prop_assert_eq!(exact(&text).to_string(), text);
        }
    }
}
