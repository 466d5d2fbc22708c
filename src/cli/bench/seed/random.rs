//! Numbers that look random and follow from the seed and a place alone, so that any part can be made on its own, in any order.

/// Draws of one place.
#[derive(Debug, Clone)]
pub struct Draws(u64);

/// The finalizer of SplitMix64.
const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

impl Draws {
    /// The draws at `place`: what is drawn, and of whom.
    pub fn at(seed: u64, place: &[u64]) -> Self {
        Self(place.iter().fold(mix(seed.wrapping_add(0x9e37_79b9_7f4a_7c15)), |state, part| mix(state ^ mix(part.wrapping_add(0x9e37_79b9_7f4a_7c15)))))
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `bound`; 0 below 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        u64::try_from((u128::from(self.bits()) * u128::from(bound)) >> 64).unwrap_or_default()
    }

    /// A day count below `bound`.
    pub fn days(&mut self, bound: u64) -> i64 {
        i64::try_from(self.below(bound)).unwrap_or_default()
    }

    /// Whether it happens, `part` times of `whole`.
    pub fn happens(&mut self, part: u64, whole: u64) -> bool {
        self.below(whole) < part
    }

    /// One of several.
    pub fn one_of<'t, T>(&mut self, of: &'t [T]) -> Option<&'t T> {
        of.get(usize::try_from(self.below(of.len() as u64)).unwrap_or_default())
    }

    /// An identity.
    pub fn id(&mut self) -> uuid::Uuid {
        uuid::Builder::from_custom_bytes(((u128::from(self.bits()) << 64) | u128::from(self.bits())).to_be_bytes()).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_draws_the_same_again_and_another_place_something_else() {
        let draw = |seed, place: &[u64]| Draws::at(seed, place).bits();
        assert_eq!(draw(1, &[2, 3]), draw(1, &[2, 3]));
        assert_ne!(draw(1, &[2, 3]), draw(1, &[3, 2]));
        assert_ne!(draw(1, &[2, 3]), draw(2, &[2, 3]));
        let mut draws = Draws::at(7, &[0]);
        assert!((0..1_000).all(|_| draws.below(10) < 10));
    }
}
