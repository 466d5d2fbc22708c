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
    let third = Exact::ONE.div(&Exact::from_int(3)).unwrap().unwrap();
    assert_eq!(third.mul(&Exact::from_int(3)).unwrap(), Exact::ONE);
    assert_eq!(third.to_string(), "1/3");
    assert_eq!(Exact::ONE.div(&Exact::ZERO).unwrap(), None);
}

fn widest() -> Exact {
    Exact::of_wide(BigRational::from(BigInt::from(2).pow(4_096) - 1)).unwrap()
}

#[test]
fn a_figure_has_one_form_and_takes_little_room() {
    assert_eq!((size_of::<Exact>(), size_of::<Option<Exact>>()), (16, 24));
    let edges = [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX];
    for edge in edges.map(i128::from) {
        let [below, above] = [Exact::ratio(edge - 1, 1).unwrap(), Exact::ratio(edge + 1, 1).unwrap()];
        assert_eq!(below.add(&Exact::from_int(2)).unwrap(), above);
        assert_eq!(below.neg().neg(), below);
        assert_eq!(below.inverse().and_then(|inverse| inverse.inverse()).unwrap_or(Exact::ZERO), below);
        assert!(below < above && below.floor() == below && below.abs() == below.neg().abs());
    }
}

#[test]
fn overflow_is_loud() {
    assert_eq!(widest().add(&Exact::ONE), Err(Overflow));
    assert_eq!(widest().mul(&Exact::from_int(2)), Err(Overflow));
    assert!(widest() > widest().neg());
}

#[test]
fn a_figure_may_outgrow_128_bits_and_come_back() {
    let large = Exact::ratio(i128::MAX, 3).unwrap();
    let larger = large.mul(&large).unwrap();
    assert_eq!(larger.div(&large).unwrap(), Some(large.clone()));
    assert_eq!(larger.add(&Exact::ONE).unwrap().sub(&larger).unwrap(), Exact::ONE);
    assert!(larger > large && larger.neg() < large);
    assert_eq!(larger.mul(&Exact::ratio(9, i128::MAX).unwrap()).unwrap().to_whole(), Some(i128::MAX));
    assert_eq!(larger.to_whole(), None);
    assert_eq!(larger.add(&Exact::ratio(1, 2).unwrap()).unwrap().floor().add(&Exact::ONE).unwrap(), larger.add(&Exact::ratio(1, 2).unwrap()).unwrap().ceil());
}

#[test]
fn shares_of_several_wholes_are_added_whatever_their_order() {
    // Together they are a denominator of some six thousand bits.
    let wholes = || (1..=100_i128).map(|at| 1_000_000_000_000_000_000 + 2 * at + 1);
    let parts = |times: i128| wholes().map(move |whole| Exact::ratio(whole * times - times, whole).unwrap());
    let rest = |times: i128| wholes().map(move |whole| Exact::ratio(times, whole).unwrap());
    let all: Vec<Exact> = parts(1).chain(parts(3)).chain(rest(3)).chain(rest(1)).collect();
    assert_eq!(all.iter().try_fold(Exact::ZERO, |sum, one| sum.add(one)), Err(Overflow));
    assert_eq!(Exact::sum(all), Ok(Exact::from_int(400)));
}

#[test]
fn what_is_written_is_read_again() {
    let large = Exact::ratio(i128::MAX, 4).unwrap();
    for figure in [large.clone(), large.mul(&large).unwrap(), large.mul(&large).unwrap().neg(), large.div(&Exact::from_int(7)).unwrap().unwrap(), Exact::ZERO] {
        assert_eq!(Exact::read(&figure.to_string()), Some(figure.clone()), "{figure}");
    }
    for bad in ["1/0", "1/-2", "1.", "+1", "01", "1.00000000001", "a/b", "", "-"] {
        assert_eq!(Exact::read(bad), None, "{bad}");
    }
}

#[test]
fn a_proportion_fits_whenever_its_result_does() {
    let odd = widest().div(&Exact::from_int(3)).unwrap().unwrap();
    assert_eq!(Exact::from_int(7).mul(&odd), Err(Overflow));
    assert_eq!(odd.mul_div(&Exact::from_int(7), &odd), Ok(Some(Exact::from_int(7))));
    assert_eq!(odd.mul_div(&odd, &Exact::ZERO), Ok(None));
    assert_eq!(odd.mul_div(&odd, &Exact::ONE), Err(Overflow));
}

proptest! {
    #[test]
    fn a_proportion_is_a_product_and_a_quotient(a in -9_999_i64..9_999, b in 1_i64..999, c in -9_999_i64..9_999, d in 1_i64..999, e in -9_999_i64..9_999) {
        let (first, second, third) = (Exact::ratio(a.into(), b.into()).unwrap(), Exact::ratio(c.into(), d.into()).unwrap(), Exact::from_int(e));
        prop_assert_eq!(first.mul_div(&second, &third), first.mul(&second).unwrap().div(&third));
        if c != 0 {
            prop_assert_eq!(third.mul_div(&first, &second), third.mul(&first).unwrap().div(&second));
        }
    }

    #[test]
    fn arithmetic_agrees_with_cross_multiplication(a in -9_999_i64..9_999, b in 1_i64..999, c in -9_999_i64..9_999, d in 1_i64..999) {
        let left = Exact::ratio(a.into(), b.into()).unwrap();
        let right = Exact::ratio(c.into(), d.into()).unwrap();
        prop_assert_eq!(left.cmp(&right), (a * d).cmp(&(c * b)));
        prop_assert_eq!(left.add(&right).unwrap().sub(&right).unwrap(), left.clone());
        if c != 0 {
            prop_assert_eq!(left.mul(&right).unwrap().div(&right).unwrap(), Some(left.clone()));
        }
        let floor = i64::try_from(left.floor().to_whole().unwrap()).unwrap();
        prop_assert!(floor * b <= a && a < (floor + 1) * b);
    }

    #[test]
    fn small_figures_compute_as_large_ones(a in any::<i64>(), b in 1..i64::MAX, c in any::<i64>(), d in 1..i64::MAX) {
        let [left, right] = [Exact::ratio(a.into(), b.into()).unwrap(), Exact::ratio(c.into(), d.into()).unwrap()];
        let wide = |value: i64| i128::from(value);
        prop_assert_eq!(left.mul(&right).ok(), Exact::ratio(wide(a) * wide(c), wide(b) * wide(d)));
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

    #[test]
    fn short_spellings_are_the_long_ones(a in any::<i64>(), twos in 0_u32..12, fives in 0_u32..12) {
        let figure = Exact::ratio(a.into(), 2_i128.pow(twos) * 5_i128.pow(fives)).unwrap();
        let long = figure.to_scaled(10).map(|scaled| spell(scaled, 10, true));
        prop_assert_eq!(figure.to_decimal(10), long.clone());
        if let Some(long) = long {
            prop_assert_eq!(figure.to_string(), long);
        }
        prop_assert_eq!(Exact::from_int(a).to_string(), a.to_string());
    }

    #[test]
    fn wide_figures_compute_as_narrow_ones(a in any::<i64>(), b in 1..i64::MAX, c in any::<i64>(), d in 1..i64::MAX) {
        let [left, right] = [Exact::ratio(a.into(), b.into()).unwrap(), Exact::ratio(c.into(), d.into()).unwrap()];
        let (wide_left, wide_right) = (left.wide().into_owned(), right.wide().into_owned());
        prop_assert_eq!(left.add(&right), Exact::of_wide(&wide_left + &wide_right));
        prop_assert_eq!(left.mul(&right), Exact::of_wide(&wide_left * &wide_right));
        prop_assert_eq!(left.cmp(&right), wide_left.cmp(&wide_right));
        prop_assert_eq!(left.mul_div(&right, &Exact::from_int(7)).unwrap(), Exact::of_wide(wide_left * wide_right / BigInt::from(7)).ok());
    }
}
