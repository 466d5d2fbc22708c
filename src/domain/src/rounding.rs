//! Rounding, always by name (semantics 15). The only place where precision is given up.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::exact::{Exact, Overflow};

/// How an exact figure becomes a whole number of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RoundingMode {
    /// To the nearest; a half goes away from zero.
    #[default]
    HalfUp,
    /// To the nearest; a half goes to the even neighbour.
    HalfEven,
    /// Towards zero.
    Down,
    /// Away from zero.
    Up,
}

impl RoundingMode {
    /// `value` as a whole number.
    pub fn round(self, value: &Exact) -> Result<i64, Overflow> {
        let magnitude = value.abs();
        let whole = magnitude.floor();
        let rest = magnitude.sub(&whole)?;
        let whole = whole.to_whole().ok_or(Overflow)?;
        let half = Exact::ratio(1, 2).ok_or(Overflow)?;
        let up = match self {
            Self::HalfUp => rest >= half,
            Self::HalfEven => rest > half || (rest == half && whole % 2 != 0),
            Self::Down => false,
            Self::Up => !rest.is_zero(),
        };
        let rounded = if up { whole.checked_add(1).ok_or(Overflow)? } else { whole };
        let signed = if value.is_negative() { -rounded } else { rounded };
        i64::try_from(signed).map_err(|_| Overflow)
    }

    /// `value` as a whole number of 10^-`places`: minor units of a currency, 10^-8 of a rate.
    pub fn round_scaled(self, value: &Exact, places: u32) -> Result<i64, Overflow> {
        let scale = 10_i128.checked_pow(places).and_then(|scale| Exact::ratio(scale, 1)).ok_or(Overflow)?;
        self.round(&value.mul(&scale)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_follow_the_named_mode_on_both_sides_of_zero() {
        let cases = [("2.5", [3, 2, 2, 3]), ("3.5", [4, 4, 3, 4]), ("-2.5", [-3, -2, -2, -3]), ("2.4", [2, 2, 2, 3]), ("-2.6", [-3, -3, -2, -3])];
        for (text, expected) in cases {
            let value = Exact::parse(text, 9, 9).unwrap();
            let modes = [RoundingMode::HalfUp, RoundingMode::HalfEven, RoundingMode::Down, RoundingMode::Up];
            assert_eq!(modes.map(|mode| mode.round(&value).unwrap()), expected, "{text}");
        }
    }
}
