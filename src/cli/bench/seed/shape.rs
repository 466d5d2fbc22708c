//! How much of everything each partner has: a few large ones, many small ones, with exact totals.

use guerdon_domain::date::Date;

use super::random::Draws;

/// What is drawn: the first part of every place.
#[derive(Debug, Clone, Copy)]
pub enum Stream {
    /// The partner itself.
    Partner,
    /// Its tiers.
    Tiers,
    /// When it sells.
    Months,
    /// An order of a month.
    Order,
    /// A line of a month.
    Line,
    /// Its holdings.
    Holding,
    /// Its activities.
    Activity,
    /// Its deals.
    Deal,
    /// Import batches.
    Batch,
}

/// Four sizes of partners. Of a hundred partners 1, 9, 30 and 60 have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// One of hundred.
    Large,
    /// Nine of hundred.
    Medium,
    /// Thirty of hundred.
    Small,
    /// Sixty of hundred.
    Tiny,
}

impl Size {
    /// Its share of the sales.
    const fn sales(self) -> u64 {
        match self {
            Self::Large => 100,
            Self::Medium => 20,
            Self::Small => 4,
            Self::Tiny => 1,
        }
    }

    /// Its share of people, deals and answers.
    const fn people(self) -> u64 {
        match self {
            Self::Large => 40,
            Self::Medium => 12,
            Self::Small => 3,
            Self::Tiny => 1,
        }
    }

    /// The rank that such partners reach in time.
    pub const fn rank(self) -> usize {
        match self {
            Self::Large => 4,
            Self::Medium => 3,
            Self::Small => 2,
            Self::Tiny => 1,
        }
    }

    /// In how many months of twelve it sells something.
    const fn busy(self) -> u64 {
        match self {
            Self::Large => 12,
            Self::Medium => 9,
            Self::Small => 5,
            Self::Tiny => 3,
        }
    }
}

/// How much is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Amounts {
    /// Everything follows from it.
    pub seed: u64,
    /// Partners.
    pub partners: u32,
    /// Sale lines, all together.
    pub sales: u64,
    /// Holdings, activities and deals per partner on the average.
    pub holdings: u32,
    /// Activities.
    pub activities: u32,
    /// Deals.
    pub deals: u32,
    /// Months of sales.
    pub months: u32,
    /// The first day after them.
    pub until: Date,
}

/// Who has how much.
pub struct Shape {
    /// What was asked for.
    pub amounts: Amounts,
    /// The first day of sales.
    pub from: Date,
    sizes: Vec<Size>,
    /// Lines by partner and month.
    lines: Vec<u32>,
    holdings: Vec<u32>,
    activities: Vec<u32>,
    deals: Vec<u32>,
    /// The mean amount of a line, in minor units.
    pub mean_amount: i64,
}

/// Splits a total by weights, exactly: each part within one of its share.
fn split(total: u64, weights: &[u64]) -> Vec<u32> {
    let whole: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    let mut gone = 0_u128;
    let upto = |weight: u128| (u128::from(total) * weight).checked_div(whole).unwrap_or(0);
    weights
        .iter()
        .map(|weight| {
            let before = upto(gone);
            gone += u128::from(*weight);
            u32::try_from(upto(gone) - before).unwrap_or(u32::MAX)
        })
        .collect()
}

impl Shape {
    /// Decides it.
    pub fn new(amounts: Amounts) -> Self {
        let sizes: Vec<Size> = (0..amounts.partners).map(|partner| size(amounts.seed, partner)).collect();
        let by = |weight: fn(Size) -> u64, total: u64| split(total, &sizes.iter().map(|size| weight(*size)).collect::<Vec<_>>());
        let each = |number: u32| u64::from(number) * u64::from(amounts.partners);
        let mut lines = Vec::with_capacity(sizes.len() * amounts.months as usize);
        for (partner, (size, total)) in (0_u64..).zip(sizes.iter().zip(by(Size::sales, amounts.sales))) {
            lines.extend(split(total.into(), &month_weights(&amounts, partner, *size)));
        }
        let (holdings, activities, deals) =
            (by(Size::people, each(amounts.holdings)), by(Size::people, each(amounts.activities)), by(Size::people, each(amounts.deals)));
        let yearly = 10_000_000_i128 * i128::from(amounts.partners) * i128::from(amounts.months) / 12;
        let mean_amount = i64::try_from(yearly / i128::from(amounts.sales.max(1))).unwrap_or(10_000).max(100);
        Self { amounts, from: amounts.until.plus_months(-i32::try_from(amounts.months).unwrap_or(0)), sizes, lines, holdings, activities, deals, mean_amount }
    }

    /// The draws of a place.
    pub fn draws(&self, stream: Stream, place: [u64; 3]) -> Draws {
        Draws::at(self.amounts.seed, &[stream as u64, place[0], place[1], place[2]])
    }

    /// The first day of a month, counted from 0.
    pub fn month(&self, month: u32) -> Date {
        self.from.plus_months(i32::try_from(month).unwrap_or(0))
    }

    /// The size of a partner.
    pub fn size(&self, partner: u32) -> Size {
        self.sizes.get(partner as usize).copied().unwrap_or(Size::Tiny)
    }

    /// How many lines it sells in a month.
    pub fn lines(&self, partner: u32, month: u32) -> u32 {
        self.lines.get(partner as usize * self.amounts.months as usize + month as usize).copied().unwrap_or(0)
    }

    /// How many holdings it has.
    pub fn holdings(&self, partner: u32) -> u32 {
        self.holdings.get(partner as usize).copied().unwrap_or(0)
    }

    /// How many activities.
    pub fn activities(&self, partner: u32) -> u32 {
        self.activities.get(partner as usize).copied().unwrap_or(0)
    }

    /// How many deals.
    pub fn deals(&self, partner: u32) -> u32 {
        self.deals.get(partner as usize).copied().unwrap_or(0)
    }
}

fn size(seed: u64, partner: u32) -> Size {
    match Draws::at(seed, &[Stream::Partner as u64, partner.into()]).below(100) {
        0 => Size::Large,
        1..=9 => Size::Medium,
        10..=39 => Size::Small,
        _ => Size::Tiny,
    }
}

/// How a partner's sales lie in time: busy and idle months, and a trend up or down of its own.
fn month_weights(amounts: &Amounts, partner: u64, size: Size) -> Vec<u64> {
    let mut draws = Draws::at(amounts.seed, &[Stream::Months as u64, partner]);
    let (start, end) = (60 + draws.below(80), 60 + draws.below(120));
    let months = u64::from(amounts.months);
    let weight = |month: u64, draws: &mut Draws| {
        let trend = (start * (months - month) + end * month) / months.max(1);
        if draws.happens(size.busy(), 12) { trend * (50 + draws.below(100)) } else { 0 }
    };
    let mut weights: Vec<u64> = (0..months).map(|month| weight(month, &mut draws)).collect();
    if weights.iter().all(|weight| *weight == 0)
        && let Some(last) = weights.last_mut()
    {
        *last = 1;
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_exact_and_large_partners_have_more() {
        let amounts = Amounts { seed: 3, partners: 500, sales: 20_001, holdings: 4, activities: 3, deals: 2, months: 36, until: "2026-07-01".parse().unwrap() };
        let shape = Shape::new(amounts);
        let lines = |partner| (0..36).map(|month| u64::from(shape.lines(partner, month))).sum::<u64>();
        assert_eq!((0..500).map(lines).sum::<u64>(), 20_001);
        assert_eq!((0..500).map(|partner| shape.holdings(partner)).sum::<u32>(), 2_000);
        let of = |size| (0..500).filter(|partner| shape.size(*partner) == size).map(lines).max().unwrap();
        assert!(of(Size::Large) > of(Size::Medium) && of(Size::Medium) > of(Size::Tiny));
        assert_eq!(shape.from, "2023-07-01".parse().unwrap());
    }
}
