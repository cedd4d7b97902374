//! Whole numbers as people write them, within their bounds.

/// A whole number from 0 to `most`, where there is a most. `None` is what no type holds as a number.
///
/// # Errors
/// What to write instead.
pub(crate) fn whole<N: TryFrom<i64>>(number: Option<i64>, most: Option<i64>) -> Result<N, String> {
    let fits = |number: &i64| *number >= 0 && most.is_none_or(|most| *number <= most);
    number.filter(fits).and_then(|number| N::try_from(number).ok()).ok_or_else(|| match most {
        Some(most) => format!("write a whole number from 0 to {most}"),
        None => "write a whole number, 0 or more".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_lies_within_its_bounds() {
        for (number, most, held) in [
            (Some(0), Some(1000), Ok(0)),
            (Some(1000), Some(1000), Ok(1000)),
            (Some(1001), Some(1000), Err("write a whole number from 0 to 1000")),
            (Some(-1), Some(100), Err("write a whole number from 0 to 100")),
            (None, Some(100), Err("write a whole number from 0 to 100")),
            (Some(4_000_000_000), None, Ok(4_000_000_000)),
            (Some(-1), None, Err("write a whole number, 0 or more")),
        ] {
            assert_eq!(whole::<u32>(number, most), held.map_err(str::to_owned), "{number:?} {most:?}");
        }
        assert!(whole::<u8>(Some(256), None).is_err(), "what the type cannot hold");
    }
}
