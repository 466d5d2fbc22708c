//! By how much a value can surely grow.

use super::{Reaching, Rule, Seen};
use crate::document::metric::{Formula, SumFormula, Term};
use crate::exact::Exact;
use crate::fault::Faults;
use crate::metric::{Detail, TermValue, term_points};

/// By how much a value grows with what is added to one of its figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Room {
    /// So much for sure; without a bound where there is none.
    pub(super) sure: Option<Exact>,
    /// Whether it may be more: behind a gate, above another operand, past a floor.
    pub(super) more: bool,
    /// Which terms of a sum grow.
    pub(super) growing: Vec<String>,
}

impl Room {
    const NONE: Self = Self { sure: Some(Exact::ZERO), more: false, growing: Vec::new() };
    const UNCLEAR: Self = Self { sure: Some(Exact::ZERO), more: true, growing: Vec::new() };
    const FREE: Self = Self { sure: None, more: false, growing: Vec::new() };

    fn is_none(&self) -> bool {
        !self.more && !self.is_sure()
    }

    fn is_sure(&self) -> bool {
        self.sure.as_ref().is_none_or(Exact::is_positive)
    }

    fn or_more(self, more: bool) -> Self {
        Self { more: self.more || more, ..self }
    }

    /// At most up to a limit, behind which there is nothing.
    fn up_to(self, limit: Exact) -> Self {
        match self.sure {
            Some(sure) if sure <= limit => Self { sure: Some(sure), ..self },
            _ => Self { sure: Some(limit), more: false, ..self },
        }
    }
}

impl<'a> Reaching<'_, 'a> {
    fn room(&self, seen: &Seen<'a>) -> Result<Room, Faults> {
        if self.is_settled(seen) {
            return Ok(Room::NONE);
        }
        match (seen.rule, &seen.value.detail) {
            // Without days there is nothing to add to.
            (Rule::Measure(_), _) => Ok(if seen.value.window.is_some() { Room::FREE } else { Room::NONE }),
            (Rule::Formula(Formula::Maximum(of)), _) => self.room_of_maximum(&self.operands(of)?, seen),
            (Rule::Formula(Formula::Minimum(of)), _) => self.room_of_minimum(&self.operands(of)?, seen),
            (Rule::Formula(Formula::Average(of)), _) => self.room_of_average(&self.operands(of)?),
            (Rule::Formula(Formula::Sum(sum)), Detail::Sum { terms, total }) => self.room_of_sum(sum, terms, total),
            (Rule::Formula(Formula::Difference(of)), _) => {
                let less = !self.is_settled(&self.operand(&of.subtract)?);
                Ok(self.room(&self.operand(&of.from)?)?.or_more(less))
            }
            (Rule::Formula(Formula::Growth(growth)), _) => self.room(&self.operand(&growth.of)?),
            (Rule::Formula(Formula::Ratio(ratio)), _) => {
                let upper = self.room(&self.operand(&ratio.numerator)?)?;
                Ok(if upper.sure.is_none() { Room::FREE } else { Room::UNCLEAR })
            }
            _ => Ok(Room::UNCLEAR),
        }
    }

    fn rooms(&self, of: &[Seen<'a>]) -> Result<Vec<Room>, Faults> {
        of.iter().map(|seen| self.room(seen)).collect()
    }

    /// A maximum grows with its largest operand; with another one only once that has come up to it.
    fn room_of_maximum(&self, of: &[Seen<'a>], whole: &Seen<'a>) -> Result<Room, Faults> {
        let rooms = self.rooms(of)?;
        let more = rooms.iter().any(|room| !room.is_none());
        let largest = rooms.into_iter().zip(of).find(|(room, seen)| seen.value.value == whole.value.value && room.is_sure());
        Ok(largest.map_or(Room::NONE, |(room, _)| Room { growing: Vec::new(), ..room }).or_more(more))
    }

    /// A minimum grows with its least operand, up to the next one for sure.
    fn room_of_minimum(&self, of: &[Seen<'a>], whole: &Seen<'a>) -> Result<Room, Faults> {
        let Some(least) = whole.value.value.as_ref() else { return Ok(Room::UNCLEAR) };
        let rooms = self.rooms(of)?;
        let (mut at_least, mut next) = (Vec::new(), None);
        for (room, value) in rooms.into_iter().zip(of).filter_map(|(room, seen)| Some((room, seen.value.value.as_ref()?))) {
            if value == least {
                at_least.push(room);
            } else {
                next = Some(next.map_or(value, |next: &Exact| next.min(value)));
            }
        }
        match at_least.as_slice() {
            rooms if rooms.iter().any(Room::is_none) => Ok(Room::NONE),
            [only] => {
                let only = Room { growing: Vec::new(), ..only.clone() };
                next.map_or(Ok(only.clone()), |next| Ok(only.up_to(next.sub(least)?).or_more(true)))
            }
            _ => Ok(Room::UNCLEAR),
        }
    }

    fn room_of_average(&self, of: &[Seen<'a>]) -> Result<Room, Faults> {
        let rooms = self.rooms(of)?;
        Ok(match () {
            () if rooms.iter().any(|room| room.sure.is_none()) => Room::FREE,
            () if rooms.iter().all(Room::is_none) => Room::NONE,
            () => Room::UNCLEAR,
        })
    }

    /// A sum grows up to its cap; below its floor not at first.
    fn room_of_sum(&self, sum: &'a SumFormula, terms: &[TermValue], total: &Exact) -> Result<Room, Faults> {
        let room = self.room_of_terms(sum, terms)?;
        match (&sum.cap, &sum.floor) {
            (_, Some(floor)) if *total < floor.0 => Ok(if room.is_none() { Room::NONE } else { Room::UNCLEAR }),
            (Some(cap), _) if *total >= cap.0 => Ok(Room::NONE),
            (Some(cap), _) => Ok(room.up_to(cap.0.sub(total)?)),
            (None, _) => Ok(room),
        }
    }

    /// What the terms can add together.
    pub(super) fn room_of_terms(&self, sum: &'a SumFormula, terms: &[TermValue]) -> Result<Room, Faults> {
        let mut whole = Room::NONE;
        for (term, value) in sum.terms.iter().zip(terms) {
            let room = self.room_of_term(term, value)?;
            if room.is_sure() {
                whole.growing.push(self.called(term, value));
            }
            whole.more |= room.more;
            whole.sure = match (whole.sure, room.sure) {
                (Some(sum), Some(room)) => Some(sum.add(&room)?),
                _ => None,
            };
        }
        Ok(whole)
    }

    /// A term whose gate is shut can earn everything once it opens, and nothing where it cannot open. None where all gates are open.
    fn room_behind_gates(&self, term: &'a Term, value: &TermValue, inner: &Room) -> Result<Option<Room>, Faults> {
        let mut is_shut = false;
        for (gate, _) in term.gates.iter().zip(&value.gates).filter(|(_, value)| !value.open) {
            is_shut = true;
            if self.is_settled(&self.operand(&gate.value)?) {
                return Ok(Some(Room::NONE));
            }
        }
        let opened = Room { sure: term.cap.as_ref().map(|cap| cap.0.clone()), more: true, growing: Vec::new() };
        let room = if inner.sure.is_none() { opened } else { Room::UNCLEAR };
        Ok(is_shut.then_some(room))
    }

    /// A term goes by its label, else by the name of what it counts.
    fn called(&self, term: &'a Term, value: &TermValue) -> String {
        let name = || self.operand(&term.value).ok().map(|seen| seen.name.to_owned());
        term.label.clone().or_else(name).unwrap_or_else(|| value.label.clone())
    }

    fn room_of_term(&self, term: &'a Term, value: &TermValue) -> Result<Room, Faults> {
        let Some(units) = &value.value else { return Ok(Room::UNCLEAR) };
        let per_unit = term_points(&Term { whole_units: false, ..term.clone() }, &Exact::ONE, &value.factor)?;
        let earned = term_points(term, units, &value.factor)?;
        if !per_unit.is_positive() {
            return Ok(if per_unit.is_zero() || earned.is_zero() { Room::NONE } else { Room::UNCLEAR });
        }
        let inner = self.room(&self.operand(&term.value)?)?;
        if let Some(shut) = self.room_behind_gates(term, value, &inner)? {
            return Ok(shut);
        }
        match &term.cap {
            _ if inner.is_none() => Ok(Room::NONE),
            Some(cap) if earned >= cap.0 => Ok(Room::NONE),
            _ if term.floor.as_ref().is_some_and(|floor| earned < floor.0) => Ok(Room::UNCLEAR),
            cap => {
                let room = Room { sure: inner.sure.map(|sure| sure.mul(&per_unit)).transpose()?, more: inner.more, growing: Vec::new() };
                cap.as_ref().map_or(Ok(room.clone()), |cap| Ok(room.up_to(cap.0.sub(&earned)?)))
            }
        }
    }
}
