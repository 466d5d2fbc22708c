//! The names that a document defines.

use std::collections::BTreeSet;

use crate::document::Document;
use crate::document::ladder::Ladder;
use crate::document::metric::{Metric, Unit};
use crate::region::{Geography, Tree};

/// The trees and the main ladder of a document that may still be broken.
pub(super) struct Names<'d> {
    pub regions: Tree,
    pub categories: Tree,
    pub geography: Geography,
    pub main_ladder: Option<&'d Ladder>,
    document: &'d Document,
    unread: Unread,
}

/// Metrics, by key, that could not be read as they were written.
#[derive(Debug, Clone, Default)]
pub(in crate::document) struct Unread {
    /// Those of which the unit is not known.
    pub units: BTreeSet<String>,
    /// Those of which anything is not known.
    pub metrics: BTreeSet<String>,
}

impl<'d> Names<'d> {
    pub(super) fn of(document: &'d Document, unread: Unread) -> Self {
        let ladders = &document.ladders;
        let main_ladder = ladders.iter().find(|ladder| ladder.main).or(if let [only] = ladders.as_slice() { Some(only) } else { None });
        Self {
            regions: Tree::of_regions(&document.regions),
            categories: Tree::of_categories(&document.categories),
            geography: Geography::new(document),
            main_ladder,
            document,
            unread,
        }
    }

    /// The ladder of that key; the main ladder when none is named.
    pub(super) fn ladder(&self, key: Option<&str>) -> Option<&'d Ladder> {
        match key {
            Some(key) => self.document.ladders.iter().find(|ladder| ladder.key == key),
            None => self.main_ladder,
        }
    }

    /// The unit of a metric, where it could be read.
    pub(super) fn unit(&self, metric: &str) -> Option<Unit> {
        self.document.metrics.iter().find(|known| known.key == metric && !self.unread.units.contains(metric)).map(|known| known.unit)
    }

    /// A metric that was read as it was written.
    pub(super) fn metric(&self, key: &str) -> Option<&'d Metric> {
        self.document.metrics.iter().find(|known| known.key == key && !self.unread.metrics.contains(key))
    }
}
