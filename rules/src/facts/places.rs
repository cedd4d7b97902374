//! Where the rows of a table are written.

use evenhand_model::evidence::Evidence;

/// The evidence of each row of a table.
#[derive(Clone, Debug)]
pub(crate) enum Places {
    /// The rows stand nowhere, or the identity's own evidence is all there is.
    None,
    /// One place for each row.
    One(Vec<Evidence>),
    /// One place for each row, that of several rows once.
    Same {
        /// The places.
        places: Vec<Evidence>,
        /// For each row: its place.
        of: Vec<u32>,
    },
    /// Any number of places for each row, those of several rows once.
    Shared {
        /// The lists of places.
        places: Vec<Vec<Evidence>>,
        /// For each row: its list.
        of: Vec<u32>,
    },
}

impl Places {
    /// The places of a row, most telling first.
    pub(crate) fn of(&self, row: usize) -> &[Evidence] {
        match self {
            Self::None => &[],
            Self::One(places) => places.get(row).map_or(&[], std::slice::from_ref),
            Self::Same { places, of } => {
                of.get(row).and_then(|at| places.get(*at as usize)).map_or(&[], std::slice::from_ref)
            }
            Self::Shared { places, of } => {
                of.get(row).and_then(|at| places.get(*at as usize)).map_or(&[], Vec::as_slice)
            }
        }
    }
}
