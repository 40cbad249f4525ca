//! The encoder: a text to a vector of length 1, with the weights of a model file.
//!
//! It is BERT: each layer lets every token look at every other and then passes each through two matrices.
//! The vector is the mean over the tokens, as the E5 models want it.
use std::path::Path;

use ndarray::{Array1, Array2, Axis, s};
use sha2::{Digest, Sha256};

use super::{
    file::{BLOCK, BLOCK_BYTES, ModelFile, unpack},
    tokenizer::Tokenizer,
};
use crate::{Error, Result, number::index, semantic::SemanticScorer};

/// Tokens of a text that are looked at. The head of a listing says what it is about; cost grows with
/// the number.
const MOST_TOKENS: usize = 256;

/// Stands before a text: the model was trained so. It knows another one for questions, but a listing that
/// looks for partners is both, and needs one vector only.
const PASSAGE: &str = "passage: ";

/// A matrix with what is added to its result.
struct Linear {
    /// Outputs × inputs.
    matrix: Array2<f32>,
    bias: Array1<f32>,
}

struct Norm {
    weight: Array1<f32>,
    bias: Array1<f32>,
}

struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    mix: Linear,
    mix_norm: Norm,
    widen: Linear,
    narrow: Linear,
    narrow_norm: Norm,
}

/// A model in memory, which any number of threads may use.
pub(super) struct Model {
    tokenizer: Tokenizer,
    fingerprint: [u8; 16],
    heads: usize,
    width: usize,
    epsilon: f32,
    /// Packed, a row a token: they are four fifths of the model, and few are needed at a time.
    words: Vec<u8>,
    /// Of the place in the text and, as there is one type of text only, of that type.
    places: Array2<f32>,
    norm: Norm,
    layers: Vec<Layer>,
}

impl Model {
    /// # Errors
    /// As [`ModelFile::read`].
    pub fn read(path: &Path) -> Result<Self> {
        let (file, pieces) = ModelFile::read(path)?;
        let mut fingerprint = [0; 16];
        let digest = Sha256::digest(file.bytes());
        fingerprint.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        let sizes = file.sizes;
        let (width, inner) = (sizes.width, sizes.inner);
        let numbers = |name: String, count: usize| -> Result<Array1<f32>> {
            Ok(Array1::from_vec(file.plain(&name, count)?))
        };
        let norm = |name: String| -> Result<Norm> {
            let (weight, bias) = (format!("{name}.w"), format!("{name}.b"));
            Ok(Norm { weight: numbers(weight, width)?, bias: numbers(bias, width)? })
        };
        let linear = |name: String, from: usize, to: usize| -> Result<Linear> {
            let unpacked = file.unpacked(&format!("{name}.w"), from * to)?;
            let bias = numbers(format!("{name}.b"), to)?;
            Ok(Linear { matrix: matrix(unpacked, to, from)?, bias })
        };
        let layers = (0..sizes.layers)
            .map(|n| {
                Ok(Layer {
                    query: linear(format!("l{n}.q"), width, width)?,
                    key: linear(format!("l{n}.k"), width, width)?,
                    value: linear(format!("l{n}.v"), width, width)?,
                    mix: linear(format!("l{n}.ao"), width, width)?,
                    mix_norm: norm(format!("l{n}.aln"))?,
                    widen: linear(format!("l{n}.fi"), width, inner)?,
                    narrow: linear(format!("l{n}.fo"), inner, width)?,
                    narrow_norm: norm(format!("l{n}.oln"))?,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let mut kind = file.plain("emb.type", sizes.kinds * width)?;
        kind.truncate(width);
        let kind = Array1::from_vec(kind);
        let places = file.plain("emb.pos", sizes.positions * width)?;
        let places = matrix(places, sizes.positions, width)?;
        Ok(Self {
            tokenizer: Tokenizer::new(pieces),
            fingerprint,
            heads: sizes.heads,
            width,
            epsilon: sizes.epsilon,
            words: file.packed("emb.word", sizes.vocabulary * width)?.to_vec(),
            places: places + &kind,
            norm: norm("emb.ln".into())?,
            layers,
        })
    }

    fn encode(&self, text: &str) -> Vec<f32> {
        let most = MOST_TOKENS.min(self.places.nrows());
        let tokens = self.tokenizer.tokens(text, most);
        let mut x = self.embedded(&tokens);
        self.normalize(&mut x, &self.norm);
        for layer in &self.layers {
            let seen = self.attend(layer, &x);
            x += &layer.mix.of(&seen);
            self.normalize(&mut x, &layer.mix_norm);
            let mut wide = layer.widen.of(&x);
            wide.mapv_inplace(gelu);
            x += &layer.narrow.of(&wide);
            self.normalize(&mut x, &layer.narrow_norm);
        }
        let mean = x.sum_axis(Axis(0));
        let length = mean.dot(&mean).sqrt().max(f32::MIN_POSITIVE);
        mean.iter().map(|n| n / length).collect()
    }

    /// The tokens one by one, in their places.
    fn embedded(&self, tokens: &[u32]) -> Array2<f32> {
        let row = self.width / BLOCK * BLOCK_BYTES;
        let mut x = self.places.slice(s![..tokens.len(), ..]).to_owned();
        let mut numbers = Vec::with_capacity(self.width);
        for (token, mut place) in tokens.iter().zip(x.rows_mut()) {
            let at = index(*token) * row;
            numbers.clear();
            unpack(self.words.get(at..at + row).unwrap_or_default(), self.width, &mut numbers);
            place.iter_mut().zip(&numbers).for_each(|(sum, number)| *sum += number);
        }
        x
    }

    /// What every token takes from all others.
    fn attend(&self, layer: &Layer, x: &Array2<f32>) -> Array2<f32> {
        let (query, key, value) = (layer.query.of(x), layer.key.of(x), layer.value.of(x));
        let size = self.width / self.heads;
        let scale = 1.0 / f32::from(u16::try_from(size).unwrap_or(u16::MAX)).sqrt();
        let mut seen = Array2::zeros(x.raw_dim());
        for head in 0..self.heads {
            let columns = s![.., head * size..(head + 1) * size];
            let mut share = query.slice(columns).dot(&key.slice(columns).t());
            for mut row in share.rows_mut() {
                let most = row.fold(f32::NEG_INFINITY, |most, n| most.max(*n));
                row.mapv_inplace(|n| ((n - most) * scale).exp());
                let sum = row.sum();
                row /= sum;
            }
            seen.slice_mut(columns).assign(&share.dot(&value.slice(columns)));
        }
        seen
    }

    fn normalize(&self, x: &mut Array2<f32>, norm: &Norm) {
        for mut row in x.rows_mut() {
            let mean = row.mean().unwrap_or_default();
            row -= mean;
            let variance = row.dot(&row) / f32::from(u16::try_from(row.len()).unwrap_or(u16::MAX));
            row /= (variance + self.epsilon).sqrt();
            row *= &norm.weight;
            row += &norm.bias;
        }
    }
}

impl SemanticScorer for Model {
    fn fingerprint(&self) -> [u8; 16] {
        self.fingerprint
    }

    fn width(&self) -> usize {
        self.width
    }

    fn vector(&self, text: &str) -> Vec<f32> {
        self.encode(&format!("{PASSAGE}{text}"))
    }
}

impl Linear {
    fn of(&self, x: &Array2<f32>) -> Array2<f32> {
        x.dot(&self.matrix.t()) + &self.bias
    }
}

fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + libm::erff(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// Numbers row by row as a matrix.
fn matrix(numbers: Vec<f32>, rows: usize, columns: usize) -> Result<Array2<f32>> {
    Array2::from_shape_vec((rows, columns), numbers).map_err(|error| Error::Model {
        file: format!("a matrix of {rows} by {columns}"),
        why: error.to_string(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::semantic::{Semantic, tiny};

    /// The expected numbers come from the definition of the encoder, worked out in double precision by a program
    /// of its own; the package that the format is from gives the same to the 1/100 that it rounds by.
    #[test]
    fn vectors_are_those_of_the_definition() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("e5-small-q4.bin");
        tiny::write(&path);
        let model = Model::read(&path).unwrap();
        let [one, other] = ["石墨烯电池", "导热电池"].map(|text| model.vector(text));
        let expected = [
            (&one, [-0.187_370_29, -0.175_420_85, 0.125_829_44, 0.005_278_67]),
            (&other, [-0.200_264_3, 0.020_503_45, -0.042_560_9, -0.089_882_29]),
        ];
        for (vector, first) in expected {
            assert_eq!(vector.len(), 32);
            for (has, wants) in vector.iter().zip(first) {
                assert!((has - wants).abs() < 1e-5, "{vector:?}");
            }
        }
        let product: f32 = one.iter().zip(&other).map(|(a, b)| a * b).sum();
        assert!((product - 0.853_893_7).abs() < 1e-5, "{product}");
        // the folder stands for its file
        let named = [path.as_path(), folder.path()].map(|p| {
            let vectors = tempfile::tempdir().unwrap();
            Semantic::open(p, vectors.path()).unwrap().model().to_owned()
        });
        assert_eq!(named[0], named[1]);
        assert!(named[0].starts_with(&format!("{}+semantic-1-", crate::model())), "{}", named[0]);
    }
}
