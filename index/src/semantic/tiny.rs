#![allow(clippy::unwrap_used)]
//! A model of 17 KB for tests: twelve pieces, two layers, and weights from a small generator.
use std::{fs, path::Path};

use super::file::BLOCK;

const WIDTH: usize = 32;
const LAYERS: usize = 2;
const INNER: usize = 64;
const POSITIONS: usize = 24;
/// Tensors begin at multiples of this.
const ALIGNED: usize = 64;

const PIECES: [(&str, f32); 12] = [
    ("<s>", 0.0),
    ("<pad>", 0.0),
    ("</s>", 0.0),
    ("<unk>", 0.0),
    ("▁", -2.0),
    ("▁passage", -3.0),
    ("：", -2.5),
    ("石墨", -4.0),
    ("烯", -5.0),
    ("▁石墨", -4.5),
    ("导热", -6.0),
    ("电池", -6.5),
];

/// A linear congruential generator.
struct Numbers(u32);

impl Numbers {
    fn byte(&mut self) -> u8 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0.to_be_bytes()[0]
    }

    /// Blocks of a scale of 1/16 and 32 halves of bytes.
    fn packed(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for _ in 0..count / BLOCK {
            bytes.extend(0x2C00_u16.to_le_bytes());
            bytes.extend((0..16).map(|_| self.byte()));
        }
        bytes
    }

    /// Numbers within a quarter around `base`.
    fn plain(&mut self, count: usize, base: f32) -> Vec<u8> {
        let one = |byte: u8| base + 0.25 * (f32::from(byte) - 128.0) / 128.0;
        (0..count).flat_map(|_| one(self.byte()).to_le_bytes()).collect()
    }
}

struct Tensor {
    name: String,
    is_packed: bool,
    count: usize,
    bytes: Vec<u8>,
}

fn tensors() -> Vec<Tensor> {
    let mut numbers = Numbers(7);
    let mut all = Vec::new();
    let mut add = |name: String, count: usize, base: Option<f32>| {
        let bytes = match base {
            Some(base) => numbers.plain(count, base),
            None => numbers.packed(count),
        };
        all.push(Tensor { name, is_packed: base.is_none(), count, bytes });
    };
    add("emb.word".into(), PIECES.len() * WIDTH, None);
    add("emb.pos".into(), POSITIONS * WIDTH, Some(0.0));
    add("emb.type".into(), WIDTH, Some(0.0));
    add("emb.ln.w".into(), WIDTH, Some(1.0));
    add("emb.ln.b".into(), WIDTH, Some(0.0));
    for n in 0..LAYERS {
        for (name, from, to) in [
            ("q", WIDTH, WIDTH),
            ("k", WIDTH, WIDTH),
            ("v", WIDTH, WIDTH),
            ("ao", WIDTH, WIDTH),
            ("aln", 0, WIDTH),
            ("fi", WIDTH, INNER),
            ("fo", INNER, WIDTH),
            ("oln", 0, WIDTH),
        ] {
            if from == 0 {
                add(format!("l{n}.{name}.w"), to, Some(1.0));
            } else {
                add(format!("l{n}.{name}.w"), from * to, None);
            }
            add(format!("l{n}.{name}.b"), to, Some(0.0));
        }
    }
    all
}

/// Writes the model file.
pub(super) fn write(path: &Path) {
    let int = |n: usize| u32::try_from(n).unwrap().to_le_bytes();
    let long = |n: usize| u64::try_from(n).unwrap().to_le_bytes();
    let mut file = b"E5S1\x01\x00\x00\x00".to_vec();
    for size in [WIDTH, LAYERS, 2, INNER, PIECES.len(), POSITIONS, 1] {
        file.extend(int(size));
    }
    file.extend(1e-5_f32.to_le_bytes());
    for size in [BLOCK, PIECES.len(), 0, 2, 1, 3] {
        file.extend(int(size));
    }
    let text: String = PIECES.iter().map(|(piece, _)| *piece).collect();
    file.extend(long(text.len()));
    let mut end = 0;
    file.extend(int(end));
    for (piece, _) in PIECES {
        end += piece.len();
        file.extend(int(end));
    }
    file.extend(PIECES.iter().flat_map(|(_, score)| score.to_le_bytes()));
    file.extend(text.bytes());
    // one character is replaced by one other
    file.extend([int(1), int(9)].concat());
    file.extend(u32::from(':').to_le_bytes());
    file.push(1);
    file.extend(u32::from('：').to_le_bytes());
    let tensors = tensors();
    let directory: usize = tensors.iter().map(|t| 2 + t.name.len() + 1 + 4 + 8 + 8).sum();
    let mut start = (file.len() + 4 + directory).next_multiple_of(ALIGNED);
    let mut body = Vec::new();
    file.extend(int(tensors.len()));
    for Tensor { name, is_packed, count, bytes } in &tensors {
        file.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        file.extend(name.bytes());
        file.push(u8::from(*is_packed));
        file.extend(
            [int(*count).to_vec(), long(start).to_vec(), long(bytes.len()).to_vec()].concat(),
        );
        body.extend(bytes);
        body.resize(body.len().next_multiple_of(ALIGNED), 0);
        start += bytes.len().next_multiple_of(ALIGNED);
    }
    file.resize(file.len().next_multiple_of(ALIGNED), 0);
    file.extend(body);
    fs::write(path, file).unwrap();
}
