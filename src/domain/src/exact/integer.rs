//! The whole numbers that fractions are made of: 128 bits for almost every figure, 256 where schedules build on each other.

use std::cmp::Ordering;
use std::ops::Div;

use ethnum::I256;

/// A signed whole number whose sums and products can be too large. No value is its type's least one, so that it can be negated.
pub(super) trait Integer: Copy + Ord + Div<Output = Self> {
    const ZERO: Self;
    const ONE: Self;

    fn checked_sum(self, other: Self) -> Option<Self>;
    fn checked_product(self, other: Self) -> Option<Self>;
    /// The quotient rounded down and what is left, for a positive divisor.
    fn floored(self, divisor: Self) -> (Self, Self);
    /// The greatest common divisor; 1 where there is none or both are zero.
    fn common_divisor(self, other: Self) -> Self;
}

pub(super) const fn small_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b > 1 {
        (a, b) = (b, a % b);
    }
    if b == 1 { 1 } else { a }
}

impl Integer for i128 {
    const ZERO: Self = 0;
    const ONE: Self = 1;

    fn checked_sum(self, other: Self) -> Option<Self> {
        self.checked_add(other).filter(|sum| *sum != Self::MIN)
    }

    fn checked_product(self, other: Self) -> Option<Self> {
        self.checked_mul(other).filter(|product| *product != Self::MIN)
    }

    fn floored(self, divisor: Self) -> (Self, Self) {
        (self.div_euclid(divisor), self.rem_euclid(divisor))
    }

    fn common_divisor(self, other: Self) -> Self {
        let (mut a, mut b) = (self.unsigned_abs(), other.unsigned_abs());
        while b != 0 {
            // Most figures fit 64 bits, where a division costs a fraction of one in 128.
            if let (Ok(small), Ok(divisor)) = (u64::try_from(a), u64::try_from(b)) {
                return Self::from(small_common_divisor(small, divisor)).max(1);
            }
            (a, b) = (b, a % b);
        }
        Self::try_from(a).unwrap_or(1).max(1)
    }
}

impl Integer for I256 {
    const ZERO: Self = Self::ZERO;
    const ONE: Self = Self::ONE;

    fn checked_sum(self, other: Self) -> Option<Self> {
        self.checked_add(other).filter(|sum| *sum != Self::MIN)
    }

    fn checked_product(self, other: Self) -> Option<Self> {
        self.checked_mul(other).filter(|product| *product != Self::MIN)
    }

    fn floored(self, divisor: Self) -> (Self, Self) {
        (self.div_euclid(divisor), self.rem_euclid(divisor))
    }

    fn common_divisor(self, other: Self) -> Self {
        let (mut a, mut b) = (self.abs(), other.abs());
        while b != Self::ZERO {
            if let (Ok(small), Ok(divisor)) = (i128::try_from(a), i128::try_from(b)) {
                return Self::new(small.common_divisor(divisor));
            }
            (a, b) = (b, a % b);
        }
        a.max(Self::ONE)
    }
}

/// Numerator and denominator, in lowest terms, with a positive denominator.
pub(super) type Parts<I> = (I, I);

/// The same fraction in lowest terms, for a positive denominator.
pub(super) fn reduced<I: Integer>((numerator, denominator): Parts<I>) -> Parts<I> {
    let common = numerator.common_divisor(denominator);
    (numerator / common, denominator / common)
}

pub(super) fn sum<I: Integer>(left: Parts<I>, right: Parts<I>) -> Option<Parts<I>> {
    if left.1 == right.1 {
        let parts = (left.0.checked_sum(right.0)?, left.1);
        return Some(if parts.1 == I::ONE { parts } else { reduced(parts) });
    }
    let common = left.1.common_divisor(right.1);
    let (left_factor, right_factor) = (right.1 / common, left.1 / common);
    let numerator = left.0.checked_product(left_factor)?.checked_sum(right.0.checked_product(right_factor)?)?;
    Some(reduced((numerator, left.1.checked_product(left_factor)?)))
}

/// Crosswise in lowest terms before anything is multiplied, so that the product is in lowest terms too.
pub(super) fn product<I: Integer>(left: Parts<I>, right: Parts<I>) -> Option<Parts<I>> {
    let down = left.0.common_divisor(right.1);
    let up = right.0.common_divisor(left.1);
    Some(((left.0 / down).checked_product(right.0 / up)?, (left.1 / up).checked_product(right.1 / down)?))
}

/// The product of three, reduced before anything is multiplied.
pub(super) fn proportion<I: Integer>([a, b, c]: [Parts<I>; 3]) -> Option<Parts<I>> {
    let mut above = [a.0, b.0, c.0];
    let mut below = [a.1, b.1, c.1];
    for upper in &mut above {
        for lower in &mut below {
            let common = upper.common_divisor(*lower);
            (*upper, *lower) = (*upper / common, *lower / common);
        }
    }
    let multiplied = |parts: [I; 3]| parts.into_iter().try_fold(I::ONE, I::checked_product);
    Some((multiplied(above)?, multiplied(below)?))
}

/// Compares by continued fractions, so that no product can overflow.
pub(super) fn compare<I: Integer>((mut a, mut b): Parts<I>, (mut c, mut d): Parts<I>) -> Ordering {
    let mut flipped = false;
    loop {
        let ((left, rest_left), (right, rest_right)) = (a.floored(b), c.floored(d));
        let decided = match (left.cmp(&right), rest_left == I::ZERO, rest_right == I::ZERO) {
            (Ordering::Equal, true, true) => Some(Ordering::Equal),
            (Ordering::Equal, true, false) => Some(Ordering::Less),
            (Ordering::Equal, false, true) => Some(Ordering::Greater),
            (Ordering::Equal, false, false) => None,
            (order, ..) => Some(order),
        };
        if let Some(order) = decided {
            return if flipped { order.reverse() } else { order };
        }
        (a, b, c, d) = (b, rest_left, d, rest_right);
        flipped = !flipped;
    }
}

/// The least common multiple of two positive numbers.
pub(super) fn common_multiple<I: Integer>(a: I, b: I) -> Option<I> {
    (a / a.common_divisor(b)).checked_product(b)
}
