//! How long lists are shared out among the cores.

/// So many elements at most are done in a row. Rayon halves a list for the cores it has, and then only where another core
/// takes some over: with two cores the last quarter may be left to one, which the other one waits for.
pub const IN_A_ROW: usize = 256;
