//! The names that a document defines.

use crate::document::Document;
use crate::document::ladder::Ladder;
use crate::document::metric::Unit;
use crate::region::{Geography, Tree};

/// The trees and the main ladder of a document that may still be broken.
pub(super) struct Names<'d> {
    pub regions: Tree,
    pub categories: Tree,
    pub geography: Geography,
    pub main_ladder: Option<&'d Ladder>,
    document: &'d Document,
}

impl<'d> Names<'d> {
    pub(super) fn of(document: &'d Document) -> Self {
        let ladders = &document.ladders;
        let main_ladder = ladders.iter().find(|ladder| ladder.main).or(if let [only] = ladders.as_slice() { Some(only) } else { None });
        Self {
            regions: Tree::of_regions(&document.regions),
            categories: Tree::of_categories(&document.categories),
            geography: Geography::new(document),
            main_ladder,
            document,
        }
    }

    /// The ladder of that key; the main ladder when none is named.
    pub(super) fn ladder(&self, key: Option<&str>) -> Option<&'d Ladder> {
        match key {
            Some(key) => self.document.ladders.iter().find(|ladder| ladder.key == key),
            None => self.main_ladder,
        }
    }

    /// The unit of a metric.
    pub(super) fn unit(&self, metric: &str) -> Option<Unit> {
        self.document.metrics.iter().find(|known| known.key == metric).map(|known| known.unit)
    }
}
