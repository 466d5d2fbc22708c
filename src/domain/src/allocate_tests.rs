//! Laws of sharing, and published examples.

use proptest::prelude::*;

use super::*;

fn pool<'a>(weights: &[(&'a str, &str)]) -> Vec<Claimant<'a>> {
    weights.iter().map(|(code, weight)| Claimant { code, weight: Exact::parse(weight, 15, 10).unwrap(), floor: 0, cap: None }).collect()
}

fn parts(total: i64, claimants: &[Claimant<'_>], ties: TieRule) -> Vec<i64> {
    allocate(total, claimants, ties).unwrap().parts
}

/// WE-74: five cents by 70/30, then 30/70. <https://github.com/moneyphp/money/blob/master/doc/features/allocation.rst>
#[test]
fn five_cents_in_two_orders() {
    let first = pool(&[("A", "70"), ("B", "30")]);
    let second = pool(&[("A", "30"), ("B", "70")]);
    assert_eq!(parts(5, &first, TieRule::Listed), [4, 1]);
    assert_eq!(parts(5, &second, TieRule::Listed), [2, 3]);
    // The default does not depend on the order in which partners are listed.
    assert_eq!(parts(5, &first, TieRule::LargerWeight), [4, 1]);
    assert_eq!(parts(5, &second, TieRule::LargerWeight), [1, 4]);
    assert_eq!(parts(5, &first, TieRule::ReverseListed), [3, 2]);
}

/// WE-76: 34 JPY to four. <https://gist.github.com/dgg/71822c6da26a4c4ff296>
#[test]
fn thirty_four_yen_to_four() {
    let four = pool(&[("A", "1"), ("B", "1"), ("C", "1"), ("D", "1")]);
    assert_eq!(parts(34, &four, TieRule::Listed), [9, 9, 8, 8]);
    assert_eq!(parts(34, &four, TieRule::LargerWeight), [9, 9, 8, 8]);
    assert_eq!(parts(34, &four, TieRule::ReverseListed), [8, 8, 9, 9]);
}

/// WE-78: three pence by 75/25: exact shares 2.25 and 0.75, floors 2 and 0, and the penny left goes to the larger remainder.
/// <https://github.com/brick/money/pull/55>
#[test]
fn three_pence_are_not_lost() {
    assert_eq!(parts(3, &pool(&[("A", "75"), ("B", "25")]), TieRule::LargerWeight), [2, 1]);
}

#[test]
fn floors_are_served_first_and_caps_fixed() {
    let mut claimants = pool(&[("A", "1"), ("B", "1"), ("C", "2")]);
    claimants[0].floor = 10;
    assert_eq!(parts(50, &claimants, TieRule::LargerWeight), [20, 10, 20]);
    claimants[2].cap = Some(15);
    // 40 by 1:1:2 gives C 20, above its 15; the other 25 go half and half.
    assert_eq!(parts(50, &claimants, TieRule::LargerWeight), [10 + 13, 12, 15]);
    claimants[0].cap = Some(12);
    claimants[1].cap = Some(12);
    let shares = allocate(50, &claimants, TieRule::LargerWeight).unwrap();
    assert_eq!((shares.parts, shares.unallocated), (vec![12, 12, 15], 11));
    claimants[0].floor = 51;
    claimants[0].cap = None;
    assert_eq!(allocate(50, &claimants, TieRule::LargerWeight), Err(AllocationError::FloorsExceedTotal));
    claimants[0].cap = Some(50);
    assert_eq!(allocate(90, &claimants, TieRule::LargerWeight), Err(AllocationError::CapBelowFloor));
}

#[test]
fn negative_weighs_zero_and_all_zero_is_refused() {
    assert_eq!(parts(10, &pool(&[("A", "-5"), ("B", "1"), ("C", "0")]), TieRule::LargerWeight), [0, 10, 0]);
    assert_eq!(allocate(10, &pool(&[("A", "-5"), ("B", "0")]), TieRule::LargerWeight), Err(AllocationError::NoWeight));
    assert_eq!(allocate(10, &[], TieRule::LargerWeight), Err(AllocationError::NoWeight));
    assert_eq!(allocate(-1, &pool(&[("A", "1")]), TieRule::LargerWeight), Err(AllocationError::Negative));
}

#[test]
fn products_beyond_128_bits_are_exact() {
    let large = Exact::ratio(i128::MAX / 4, 1).unwrap();
    let shares = share(i64::MAX, &[large.clone(), large.clone(), large.clone()]).unwrap().unwrap();
    assert_eq!(shares.iter().map(|part| i128::from(*part)).sum::<i128>(), i128::from(i64::MAX));
    assert_eq!(shares[0] - shares[2], 1);
    let huge = large.mul(&large).unwrap();
    let shares = share(i64::MAX - 1, &[huge.clone(), huge.neg(), huge.clone(), huge.clone()]).unwrap().unwrap();
    assert_eq!(shares.iter().map(|part| i128::from(*part)).sum::<i128>(), i128::from(i64::MAX - 1));
    assert_eq!(shares[0], shares[1].abs());
    let beyond = huge.mul(&Exact::from_int(31)).unwrap();
    assert_eq!(share(1, &[beyond.clone(), beyond]), Ok(Some(vec![1, 0])));
    // A common denominator of some six thousand bits is more than is gone on with.
    let many: Vec<Exact> = (1..=100_i128).map(|at| Exact::ratio(1, 1_000_000_000_000_000_000 + 2 * at + 1).unwrap()).collect();
    assert_eq!(share(1, &many), Err(Overflow));
}

proptest! {
    #[test]
    fn parts_sum_to_the_whole_and_stay_within_a_unit_of_their_quota(
        total in 0_i64..1_000_000_000_000,
        weights in proptest::collection::vec((-20_i64..2_000_000, proptest::sample::select(vec![1_i64, 2, 3, 7, 10, 360, 1000])), 1..12),
    ) {
        let codes: Vec<String> = (0..weights.len()).map(|at| format!("P{at:02}")).collect();
        let claimants: Vec<Claimant<'_>> = weights.iter().zip(&codes)
            .map(|((n, d), code)| Claimant { code, weight: Exact::ratio((*n).into(), (*d).into()).unwrap(), floor: 0, cap: None })
            .collect();
        let positive: Vec<Exact> = claimants.iter().map(|claimant| claimant.weight.clone().max(Exact::ZERO)).collect();
        let sum = Exact::sum(positive.iter().cloned()).unwrap();
        match allocate(total, &claimants, TieRule::LargerWeight) {
            Err(error) => { prop_assert_eq!(error, AllocationError::NoWeight); prop_assert!(sum.is_zero()); }
            Ok(shares) => {
                prop_assert_eq!(shares.parts.iter().sum::<i64>(), total);
                for (part, weight) in shares.parts.iter().zip(&positive) {
                    let exact = Exact::from_int(total).mul(weight).unwrap().div(&sum).unwrap().unwrap();
                    prop_assert!(Exact::from_int(*part) >= exact.floor() && Exact::from_int(*part) <= exact.ceil());
                    prop_assert!(!weight.is_zero() || *part == 0);
                }
                let mut reversed = claimants.clone();
                reversed.reverse();
                let mut other = allocate(total, &reversed, TieRule::LargerWeight).unwrap().parts;
                other.reverse();
                prop_assert_eq!(other, shares.parts, "the order of input is irrelevant");
            }
        }
    }

    #[test]
    fn caps_and_floors_hold(
        total in 0_i64..100_000,
        rows in proptest::collection::vec((1_i64..500, 0_i64..200, proptest::option::of(0_i64..9_000)), 1..9),
    ) {
        let codes: Vec<String> = (0..rows.len()).map(|at| format!("P{at:02}")).collect();
        let claimants: Vec<Claimant<'_>> = rows.iter().zip(&codes)
            .map(|((weight, floor, cap), code)| Claimant { code, weight: Exact::from_int(*weight), floor: *floor, cap: cap.map(|cap| cap + floor) })
            .collect();
        if let Ok(shares) = allocate(total, &claimants, TieRule::LargerWeight) {
            prop_assert_eq!(shares.parts.iter().sum::<i64>() + shares.unallocated, total);
            for (part, claimant) in shares.parts.iter().zip(&claimants) {
                prop_assert!(*part >= claimant.floor && claimant.cap.is_none_or(|cap| *part <= cap));
            }
            let all_capped = shares.parts.iter().zip(&claimants).all(|(part, claimant)| claimant.cap == Some(*part));
            prop_assert!(shares.unallocated == 0 || all_capped);
        } else {
            prop_assert!(rows.iter().map(|row| row.1).sum::<i64>() > total);
        }
    }

    #[test]
    fn signed_lines_share_their_total(total in -100_000_i64..100_000, weights in proptest::collection::vec(-5_000_i64..9_000, 1..15)) {
        let exact: Vec<Exact> = weights.iter().map(|weight| Exact::ratio((*weight).into(), 7).unwrap()).collect();
        match share(total, &exact).unwrap() {
            Some(parts) => prop_assert_eq!(parts.iter().sum::<i64>(), total),
            None => prop_assert_eq!(weights.iter().sum::<i64>(), 0),
        }
        let rounded = round_to_total(total, &exact).unwrap();
        prop_assert_eq!(rounded.iter().sum::<i64>(), total);
        let own = Exact::sum(exact.iter().cloned()).unwrap();
        let rounded = round_to_total(i64::try_from(own.floor().to_whole().unwrap()).unwrap(), &exact).unwrap();
        for (part, figure) in rounded.iter().zip(&exact) {
            prop_assert!(Exact::from_int(*part) >= figure.floor() && Exact::from_int(*part) <= figure.floor().add(&Exact::ONE).unwrap());
        }
    }
}

/// Figures that nearly cancel out keep their size, however far the total is from their sum.
#[test]
fn what_is_left_over_goes_by_size_where_figures_cancel_out() {
    let figures = [Exact::from_int(7), Exact::ratio(-69_993, 10_000).unwrap()];
    assert_eq!(round_to_total(7, &figures).unwrap(), [11, -4]);
    assert_eq!(round_to_total(-5, &figures).unwrap(), [4, -9]);
    assert_eq!(round_to_total(1, &figures).unwrap(), [7, -6]);
    assert_eq!(round_to_total(30, &[Exact::from_int(1), Exact::from_int(2)]).unwrap(), [10, 20]);
}
