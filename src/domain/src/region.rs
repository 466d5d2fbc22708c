//! Regions, region groups and "the most specific rule wins" (semantics 7 and 8); product categories.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::scoped::Scoped;
use crate::document::{Category, Document, Region};
use crate::hash::QuickMap;

/// A tree of keys: regions, or product categories.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// What lies above each key: its parent first, the root last.
    above: QuickMap<String, Vec<String>>,
    order: Vec<String>,
}

impl Tree {
    fn insert(&mut self, key: &str, parent: Option<&str>) {
        if !self.above.contains_key(key) {
            let above = parent.map(|parent| self.path(parent).map(str::to_owned).collect()).unwrap_or_default();
            self.above.insert(key.to_owned(), above);
            self.order.push(key.to_owned());
        }
    }

    /// The region tree of a document.
    pub fn of_regions(roots: &[Region]) -> Self {
        fn walk(tree: &mut Tree, regions: &[Region], parent: Option<&str>) {
            for region in regions {
                tree.insert(&region.key, parent);
                walk(tree, &region.regions, Some(&region.key));
            }
        }
        let mut tree = Self::default();
        walk(&mut tree, roots, None);
        tree
    }

    /// The category tree of a document.
    pub fn of_categories(roots: &[Category]) -> Self {
        fn walk(tree: &mut Tree, categories: &[Category], parent: Option<&str>) {
            for category in categories {
                tree.insert(&category.key, parent);
                walk(tree, &category.categories, Some(&category.key));
            }
        }
        let mut tree = Self::default();
        walk(&mut tree, roots, None);
        tree
    }

    /// Whether the tree has the key.
    pub fn contains(&self, key: &str) -> bool {
        self.above.contains_key(key)
    }

    /// All keys, parents before children, as the document lists them.
    pub fn keys(&self) -> &[String] {
        &self.order
    }

    /// The key above.
    pub fn parent(&self, key: &str) -> Option<&str> {
        self.above_of(key).first().map(String::as_str)
    }

    fn above_of(&self, key: &str) -> &[String] {
        self.above.get(key).map(Vec::as_slice).unwrap_or_default()
    }

    /// The key itself, then its parent, up to the root. A key that the tree lacks has only itself.
    pub fn path<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        std::iter::once(key).chain(self.above_of(key).iter().map(String::as_str))
    }

    /// Whether `key` is `ancestor` or lies under it.
    pub fn is_under(&self, key: &str, ancestor: &str) -> bool {
        key == ancestor || self.above_of(key).iter().any(|above| above == ancestor)
    }

    /// The ancestor of `key` at `depth` (1 = root); the key itself when it lies above that depth.
    pub fn at_depth<'a>(&'a self, key: &'a str, depth: u32) -> &'a str {
        let path: Vec<&str> = self.path(key).collect();
        let depth = depth.max(1) as usize;
        path.len().checked_sub(depth).and_then(|at| path.get(at)).copied().unwrap_or(key)
    }

    /// `key` and everything under it.
    pub fn subtree(&self, key: &str) -> BTreeSet<String> {
        self.order.iter().filter(|candidate| self.is_under(candidate, key)).cloned().collect()
    }
}

/// Regions with the groups that cut across them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Geography {
    /// The tree.
    pub regions: Tree,
    groups: BTreeMap<String, Vec<String>>,
}

/// Whom a rule is for, as far as specificity asks: at most one of region and group, and partner types.
#[derive(Debug, Clone, Copy, Default)]
pub struct RuleScope<'a> {
    /// A region and what lies under it.
    pub region: Option<&'a str>,
    /// A region group.
    pub region_group: Option<&'a str>,
    /// Partner types; any when empty.
    pub partner_types: &'a [String],
    /// Tracks; any when empty.
    pub tracks: &'a [String],
}

/// Where a partner stands when rules are chosen for it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Standpoint<'a> {
    /// Its region.
    pub region: Option<&'a str>,
    /// Its type.
    pub partner_type: Option<&'a str>,
    /// Its track.
    pub track: Option<&'a str>,
}

/// How specific a rule is for a partner; larger is more specific (semantics 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Specificity {
    region: u32,
    names_type: bool,
    names_track: bool,
}

impl Geography {
    /// From a document.
    pub fn new(document: &Document) -> Self {
        let groups = document.region_groups.iter().map(|group| (group.key.clone(), group.regions.clone())).collect();
        Self { regions: Tree::of_regions(&document.regions), groups }
    }

    /// Whether there is such a group.
    pub fn has_group(&self, group: &str) -> bool {
        self.groups.contains_key(group)
    }

    /// Whether `region` belongs to `group`: it is one of its regions, or lies under one.
    pub fn in_group(&self, region: &str, group: &str) -> bool {
        self.groups.get(group).is_some_and(|members| members.iter().any(|member| self.regions.is_under(region, member)))
    }

    /// How specific `rule` is for whoever stands at `at`; `None` when it is not for them.
    ///
    /// Own region, then a group that holds it, then the nearest ancestor, then no region; at equal rank a named partner type
    /// beats none, and then a named track beats none.
    pub fn specificity(&self, rule: RuleScope<'_>, at: Standpoint<'_>) -> Option<Specificity> {
        const OWN: u32 = u32::MAX;
        const GROUP: u32 = u32::MAX - 1;
        let named = |keys: &[String], own: Option<&str>| keys.is_empty() || own.is_some_and(|own| keys.iter().any(|key| key == own));
        if !named(rule.partner_types, at.partner_type) || !named(rule.tracks, at.track) {
            return None;
        }
        let region = match (rule.region, rule.region_group) {
            (None, None) => 0,
            (Some(region), _) => {
                let steps = self.regions.path(at.region?).position(|step| step == region)?;
                let steps = u32::try_from(steps).ok()?;
                if steps == 0 { OWN } else { GROUP.saturating_sub(steps) }
            }
            (None, Some(group)) => self.in_group(at.region?, group).then_some(GROUP)?,
        };
        Some(Specificity { region, names_type: !rule.partner_types.is_empty(), names_track: !rule.tracks.is_empty() })
    }

    /// The most specific of `rules` for whoever stands at `at`. Publishing refuses two equally specific ones; the first wins here.
    pub fn most_specific<'r, R>(&self, rules: impl IntoIterator<Item = &'r R>, scope: impl Fn(&'r R) -> RuleScope<'r>, at: Standpoint<'_>) -> Option<&'r R> {
        let mut best: Option<(Specificity, &R)> = None;
        for rule in rules {
            if let Some(specificity) = self.specificity(scope(rule), at)
                && best.is_none_or(|(held, _)| specificity > held)
            {
                best = Some((specificity, rule));
            }
        }
        best.map(|(_, rule)| rule)
    }

    /// The value of a scoped value for whoever stands at `at`.
    pub fn resolve<'r, T>(&self, scoped: &'r Scoped<T>, at: Standpoint<'_>) -> Option<&'r T> {
        let row = self.most_specific(
            &scoped.rows,
            |row| RuleScope {
                region: row.region.as_deref(),
                region_group: row.region_group.as_deref(),
                partner_types: &row.partner_types,
                tracks: &row.tracks,
            },
            at,
        );
        row.map(|row| &row.value).or(scoped.default.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::scoped::ScopedRow;

    fn geography() -> Geography {
        let leaf = |key: &str| Region { key: key.into(), name: None, regions: vec![] };
        let regions = vec![Region {
            key: "WORLD".into(),
            name: None,
            regions: vec![Region { key: "EMEA".into(), name: None, regions: vec![leaf("DE"), leaf("FR")] }, leaf("BR")],
        }];
        Geography { regions: Tree::of_regions(&regions), groups: [("GROWTH".to_owned(), vec!["BR".to_owned(), "FR".to_owned()])].into() }
    }

    fn row(region: Option<&str>, group: Option<&str>, types: &[&str], value: i32) -> ScopedRow<i32> {
        let types = types.iter().map(|key| (*key).to_owned()).collect();
        ScopedRow { region: region.map(str::to_owned), region_group: group.map(str::to_owned), partner_types: types, tracks: vec![], value }
    }

    #[test]
    fn own_region_then_group_then_ancestor_then_none() {
        let geography = geography();
        let rows = vec![
            row(Some("WORLD"), None, &[], 1),
            row(Some("EMEA"), None, &[], 2),
            row(None, Some("GROWTH"), &[], 3),
            row(Some("DE"), None, &[], 4),
            row(Some("EMEA"), None, &["VAR"], 5),
        ];
        let scoped = Scoped { default: Some(0), rows };
        let at = |region: &'static str, partner_type: Option<&'static str>| {
            *geography.resolve(&scoped, Standpoint { region: Some(region), partner_type, track: None }).unwrap()
        };
        assert_eq!(at("DE", None), 4);
        assert_eq!(at("DE", Some("VAR")), 4);
        assert_eq!(at("FR", None), 3);
        assert_eq!(at("FR", Some("VAR")), 3);
        assert_eq!(at("EMEA", Some("VAR")), 5);
        assert_eq!(at("BR", None), 3);
        assert_eq!(at("WORLD", None), 1);
        assert_eq!(geography.resolve(&scoped, Standpoint::default()), Some(&0));
    }

    #[test]
    fn depth_counts_from_the_root() {
        let tree = geography().regions;
        assert_eq!((tree.at_depth("DE", 1), tree.at_depth("DE", 2), tree.at_depth("DE", 3), tree.at_depth("DE", 4)), ("WORLD", "EMEA", "DE", "DE"));
        assert_eq!(tree.subtree("EMEA").len(), 3);
    }
}
