//! Fractions of 128 bits, as almost every figure is one. Nothing is the least number of its type, so that everything can be negated.

use std::cmp::Ordering;

/// Numerator and denominator, in lowest terms, with a positive denominator.
pub(super) type Parts = (i128, i128);

pub(super) const fn small_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b > 1 {
        (a, b) = (b, a % b);
    }
    if b == 1 { 1 } else { a }
}

fn checked_sum(a: i128, b: i128) -> Option<i128> {
    a.checked_add(b).filter(|sum| *sum != i128::MIN)
}

fn checked_product(a: i128, b: i128) -> Option<i128> {
    a.checked_mul(b).filter(|product| *product != i128::MIN)
}

/// The greatest common divisor; 1 where there is none or both are zero.
fn common_divisor(a: i128, b: i128) -> i128 {
    let (mut a, mut b) = (a.unsigned_abs(), b.unsigned_abs());
    while b != 0 {
        // Most figures fit 64 bits, where a division costs a fraction of one in 128.
        if let (Ok(small), Ok(divisor)) = (u64::try_from(a), u64::try_from(b)) {
            return i128::from(small_common_divisor(small, divisor)).max(1);
        }
        (a, b) = (b, a % b);
    }
    i128::try_from(a).unwrap_or(1).max(1)
}

/// The same fraction in lowest terms, for a positive denominator.
pub(super) fn reduced((numerator, denominator): Parts) -> Parts {
    let common = common_divisor(numerator, denominator);
    (numerator / common, denominator / common)
}

pub(super) fn sum(left: Parts, right: Parts) -> Option<Parts> {
    if left.1 == right.1 {
        let parts = (checked_sum(left.0, right.0)?, left.1);
        return Some(if parts.1 == 1 { parts } else { reduced(parts) });
    }
    let common = common_divisor(left.1, right.1);
    let (left_factor, right_factor) = (right.1 / common, left.1 / common);
    let numerator = checked_sum(checked_product(left.0, left_factor)?, checked_product(right.0, right_factor)?)?;
    Some(reduced((numerator, checked_product(left.1, left_factor)?)))
}

/// Crosswise in lowest terms before anything is multiplied, so that the product is in lowest terms too.
pub(super) fn product(left: Parts, right: Parts) -> Option<Parts> {
    let down = common_divisor(left.0, right.1);
    let up = common_divisor(right.0, left.1);
    Some((checked_product(left.0 / down, right.0 / up)?, checked_product(left.1 / up, right.1 / down)?))
}

/// The product of three, reduced before anything is multiplied.
pub(super) fn proportion([a, b, c]: [Parts; 3]) -> Option<Parts> {
    let mut above = [a.0, b.0, c.0];
    let mut below = [a.1, b.1, c.1];
    for upper in &mut above {
        for lower in &mut below {
            let common = common_divisor(*upper, *lower);
            (*upper, *lower) = (*upper / common, *lower / common);
        }
    }
    let multiplied = |parts: [i128; 3]| parts.into_iter().try_fold(1, checked_product);
    Some((multiplied(above)?, multiplied(below)?))
}

/// Compares by continued fractions, so that no product can overflow.
pub(super) fn compare((mut a, mut b): Parts, (mut c, mut d): Parts) -> Ordering {
    let mut flipped = false;
    loop {
        let ((left, rest_left), (right, rest_right)) = ((a.div_euclid(b), a.rem_euclid(b)), (c.div_euclid(d), c.rem_euclid(d)));
        let decided = match (left.cmp(&right), rest_left == 0, rest_right == 0) {
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
