//! Figures spelled without asking for memory: those that fit 64 bits, as almost all do. Statements and standings spell them by the million.

/// Decimals of the longest spelling that is not a fraction.
const PLACES: usize = 10;
const SCALE: u64 = 10_u64.pow(10);
/// Sign, twenty digits, a zero before the point, the point.
const ROOM: usize = 24;

/// A decimal of up to ten places, without zeros at its end.
pub(super) struct Spelled {
    bytes: [u8; ROOM],
    from: usize,
}

impl Spelled {
    /// `numerator / denominator`, which are in lowest terms; none where it does not end within ten places, or does not fit.
    pub(super) fn of(numerator: i64, denominator: i64) -> Option<Self> {
        let below = u64::try_from(denominator).ok().filter(|below| *below > 0 && SCALE.is_multiple_of(*below))?;
        let (mut value, mut places) = (numerator.unsigned_abs(), 0);
        if below > 1 {
            (value, places) = (value.checked_mul(SCALE / below)?, PLACES);
            while places > 0 && value.is_multiple_of(10) {
                (value, places) = (value / 10, places - 1);
            }
        }
        let mut spelled = Self { bytes: [0; ROOM], from: ROOM };
        let mut written = 0;
        while value > 0 || written <= places {
            if written == places && places > 0 {
                spelled.put(b'.')?;
            }
            spelled.put(b'0' + u8::try_from(value % 10).ok()?)?;
            value /= 10;
            written += 1;
        }
        if numerator < 0 {
            spelled.put(b'-')?;
        }
        Some(spelled)
    }

    fn put(&mut self, byte: u8) -> Option<()> {
        self.from = self.from.checked_sub(1)?;
        *self.bytes.get_mut(self.from)? = byte;
        Some(())
    }

    pub(super) fn text(&self) -> &str {
        self.bytes.get(self.from..).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}
