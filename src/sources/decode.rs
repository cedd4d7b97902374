//! From the bytes of a file to text: decompression with a limit, byte order marks, UTF-8.

use std::io::Read;

use super::load::{LoadError, Place};

/// How much a compressed file may hold, and how large any document may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The largest document, decompressed, in bytes.
    pub document: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { document: 4 << 30 }
    }
}

/// A compressed file may grow by this factor, beyond a first allowance: exports shrink to a fifteenth or a fortieth, and
/// only files that are made to exhaust memory shrink further.
const LARGEST_GROWTH: u64 = 200;
/// Small files may grow to this size whatever their factor.
const GROWTH_ALLOWANCE: u64 = 64 << 20;

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Whether the bytes are compressed, whatever the file is called.
pub(super) fn is_compressed(bytes: &[u8]) -> bool {
    bytes.starts_with(&GZIP) || bytes.starts_with(&ZSTD)
}

/// Decompresses what is compressed, by its magic number.
pub(super) fn decompress(bytes: Vec<u8>, limits: Limits) -> Result<Vec<u8>, LoadError> {
    if bytes.starts_with(&GZIP) {
        expand(flate2::read::MultiGzDecoder::new(bytes.as_slice()), "gzip", bytes.len(), limits)
    } else if bytes.starts_with(&ZSTD) {
        let decoder = ruzstd::decoding::StreamingDecoder::new(bytes.as_slice())
            .map_err(|_| LoadError::Compression { format: "zstd" })?;
        expand(decoder, "zstd", bytes.len(), limits)
    } else {
        Ok(bytes)
    }
}

fn expand(decoder: impl Read, format: &'static str, compressed: usize, limits: Limits) -> Result<Vec<u8>, LoadError> {
    let growth = (compressed as u64).saturating_mul(LARGEST_GROWTH).max(GROWTH_ALLOWANCE);
    let limit = growth.min(limits.document);
    let mut bytes = Vec::with_capacity(compressed.saturating_mul(4).min(256 << 20));
    decoder.take(limit + 1).read_to_end(&mut bytes).map_err(|_| LoadError::Compression { format })?;
    if bytes.len() as u64 > limit {
        return Err(LoadError::TooLarge { mebibytes: limit >> 20, compressed: true });
    }
    Ok(bytes)
}

/// Decodes text: UTF-8 with or without byte order mark, or UTF-16 with one, as some shells write redirected output.
pub(super) fn decode(mut bytes: Vec<u8>) -> Result<String, Undecodable> {
    match bytes.as_slice() {
        [0xef, 0xbb, 0xbf, ..] => {
            bytes.drain(..3);
        }
        [0xff, 0xfe, rest @ ..] => return utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => return utf16(rest, u16::from_be_bytes),
        _ => {}
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let bytes = error.into_bytes();
        let before = bytes.get(..at).unwrap_or_default();
        Undecodable { place: Place::after(before), binary: bytes.iter().take(8192).any(|byte| *byte == 0), bytes }
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Undecodable> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let text = rest.is_empty().then(|| char::decode_utf16(pairs.iter().map(|pair| unit(*pair))).collect());
    match text {
        Some(Ok(text)) => Ok(text),
        _ => Err(Undecodable { place: Place { offset: 0, line: 1, column: 1 }, binary: false, bytes: bytes.to_vec() }),
    }
}

/// Bytes that are no text.
#[derive(Debug)]
pub(super) struct Undecodable {
    /// The first byte that cannot be read.
    pub(super) place: Place,
    /// Whether it is a binary file rather than text in another encoding.
    pub(super) binary: bool,
    /// The bytes.
    pub(super) bytes: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn compressed_files_are_known_by_their_content() {
        assert_eq!(decompress(gzip(b"{}"), Limits::default()).unwrap(), b"{}");
        let zstd = ruzstd::encoding::compress_to_vec(&b"[1]"[..], ruzstd::encoding::CompressionLevel::Fastest);
        assert_eq!(decompress(zstd, Limits::default()).unwrap(), b"[1]");
        assert_eq!(decompress(b"{}".to_vec(), Limits::default()).unwrap(), b"{}");
    }

    #[test]
    fn a_file_made_to_exhaust_memory_is_refused() {
        let bomb = gzip(&vec![b' '; 80 << 20]);
        assert!(matches!(decompress(bomb, Limits::default()), Err(LoadError::TooLarge { mebibytes: 64, .. })));
    }

    #[test]
    fn a_truncated_compressed_file_is_an_error() {
        let mut cut = gzip(&(0..10_000).map(|n| (n * 7 % 251) as u8).collect::<Vec<_>>());
        cut.truncate(cut.len() / 2);
        assert!(matches!(decompress(cut, Limits::default()), Err(LoadError::Compression { format: "gzip" })));
    }

    #[test]
    fn byte_order_marks_are_understood() {
        assert_eq!(decode(b"\xef\xbb\xbf{}".to_vec()).unwrap(), "{}");
        assert_eq!(decode(b"\xff\xfe{\0}\0".to_vec()).unwrap(), "{}");
        assert_eq!(decode(b"\xfe\xff\0{\0}".to_vec()).unwrap(), "{}");
    }

    #[test]
    fn the_first_byte_that_is_no_text_has_a_place() {
        let error = decode(b"{\n  \"n\": \"caf\xe9\"\n}".to_vec()).unwrap_err();
        assert_eq!((error.place.line, error.place.column, error.place.offset), (2, 12, 13));
        assert!(!error.binary);
    }
}
