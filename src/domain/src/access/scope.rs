//! How far a right reaches.

use std::collections::BTreeSet;

/// The partners that a right reaches. Only [`authorize`](super::authorize) makes one for use; finders read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every partner.
    All,
    /// These partners, by code.
    Partners(Vec<String>),
    /// The partners of these regions, by key; already expanded to the regions below them.
    Regions(Vec<String>),
    /// What any of these reaches.
    Union(Vec<Scope>),
    /// Nobody.
    Nothing,
}

impl Scope {
    /// Whether a partner with this code and (present) region lies inside.
    pub fn contains(&self, partner: &str, region: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::Partners(codes) => codes.iter().any(|code| code == partner),
            Self::Regions(keys) => region.is_some_and(|region| keys.iter().any(|key| key == region)),
            Self::Union(parts) => parts.iter().any(|part| part.contains(partner, region)),
            Self::Nothing => false,
        }
    }

    /// Whether it reaches every partner, so that a finder needs no condition.
    pub fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// What it reaches, to be written down: codes and regions. Only of a scope that does not reach everybody.
    pub fn spelled(&self) -> (Vec<String>, Vec<String>) {
        match self {
            Self::Partners(codes) => (codes.clone(), Vec::new()),
            Self::Regions(keys) => (Vec::new(), keys.clone()),
            Self::Union(parts) => {
                let (codes, keys): (Vec<_>, Vec<_>) = parts.iter().map(Self::spelled).unzip();
                (codes.concat(), keys.concat())
            }
            Self::All | Self::Nothing => (Vec::new(), Vec::new()),
        }
    }

    /// What was written down by [`Scope::spelled`]: the right of whoever asked, at the time.
    pub fn of_spelled(codes: Vec<String>, regions: Vec<String>) -> Self {
        Self::union([Self::Partners(codes), Self::Regions(regions)])
    }

    /// One scope that reaches what any of `parts` reaches: flat, sorted, without repetition.
    pub(super) fn union(parts: impl IntoIterator<Item = Self>) -> Self {
        let (mut partners, mut regions) = (BTreeSet::new(), BTreeSet::new());
        let mut rest: Vec<Self> = parts.into_iter().collect();
        while let Some(part) = rest.pop() {
            match part {
                Self::All => return Self::All,
                Self::Partners(codes) => partners.extend(codes),
                Self::Regions(keys) => regions.extend(keys),
                Self::Union(inner) => rest.extend(inner),
                Self::Nothing => {}
            }
        }
        let both = [
            (!partners.is_empty()).then(|| Self::Partners(partners.into_iter().collect())),
            (!regions.is_empty()).then(|| Self::Regions(regions.into_iter().collect())),
        ];
        let mut kept: Vec<Self> = both.into_iter().flatten().collect();
        match (kept.len(), kept.pop()) {
            (0, _) | (_, None) => Self::Nothing,
            (1, Some(one)) => one,
            (_, Some(last)) => {
                kept.push(last);
                Self::Union(kept)
            }
        }
    }
}
