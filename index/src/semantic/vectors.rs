//! Vectors of texts in a file beside the index, all of them in memory.
//!
//! `KSV1`, the model's fingerprint, the width; then records of a digest, a scale and a byte a number. New
//! ones are appended, without waiting for the disk: what a crash costs is made again.
use std::{
    collections::{HashMap, HashSet},
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use crate::{Error, Result, number::small};

/// The first bytes of a digest of the text.
pub(super) type Digest = [u8; 16];

const MAGIC: &[u8; 4] = b"KSV1";
const NAME: &str = "vectors";
/// What a number of a vector is rounded to.
const STEPS: f32 = 127.0;

struct Packed {
    scale: f32,
    numbers: Box<[i8]>,
}

pub(super) struct Vectors {
    path: PathBuf,
    head: Vec<u8>,
    file: File,
    known: HashMap<Digest, Packed>,
}

impl Vectors {
    /// Reads what `folder` holds of that model; anything else is begun anew.
    pub fn open(folder: &Path, fingerprint: [u8; 16], width: usize) -> Result<Self> {
        let path = folder.join(NAME);
        let mut head = MAGIC.to_vec();
        head.extend(fingerprint);
        head.extend(small(width).to_le_bytes());
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(Error::io(&path, error)),
        };
        let mut known = HashMap::new();
        let records = bytes.strip_prefix(&*head).unwrap_or_default();
        let size = size_of::<Digest>() + size_of::<f32>() + width;
        for record in records.chunks_exact(size) {
            if let Some((digest, packed)) = parse(record) {
                known.insert(digest, packed);
            }
        }
        // a record that was cut off would shift all that follow it
        let whole = head.len() + records.len() / size * size;
        let is_whole = bytes.starts_with(&head) && bytes.len() == whole;
        let write = || -> std::io::Result<File> {
            if !is_whole {
                let draft = folder.join("vectors.new");
                let kept = records.get(..records.len() / size * size).unwrap_or_default();
                fs::write(&draft, [&head, kept].concat())?;
                fs::rename(&draft, &path)?;
            }
            File::options().append(true).open(&path)
        };
        let file = write().map_err(|e| Error::io(&path, e))?;
        Ok(Self { path, head, file, known })
    }

    pub fn len(&self) -> usize {
        self.known.len()
    }

    pub fn get(&self, digest: &Digest) -> Option<Vec<f32>> {
        let packed = self.known.get(digest)?;
        Some(packed.numbers.iter().map(|n| f32::from(*n) * packed.scale).collect())
    }

    pub fn put(&mut self, digest: Digest, vector: &[f32]) -> Result<()> {
        let packed = pack(vector);
        self.file.write_all(&record(&digest, &packed)).map_err(|e| Error::io(&self.path, e))?;
        self.known.insert(digest, packed);
        Ok(())
    }

    /// Forgets all others.
    pub fn keep(&mut self, used: &HashSet<Digest>) -> Result<()> {
        self.known.retain(|digest, _| used.contains(digest));
        let mut bytes = self.head.clone();
        for (digest, packed) in &self.known {
            bytes.extend(record(digest, packed));
        }
        let write = || -> std::io::Result<File> {
            let draft = self.path.with_extension("new");
            fs::write(&draft, bytes)?;
            fs::rename(&draft, &self.path)?;
            File::options().append(true).open(&self.path)
        };
        self.file = write().map_err(|e| Error::io(&self.path, e))?;
        Ok(())
    }
}

fn pack(vector: &[f32]) -> Packed {
    let most = vector.iter().fold(0.0_f32, |most, n| most.max(n.abs())).max(f32::MIN_POSITIVE);
    let scale = most / STEPS;
    Packed { scale, numbers: vector.iter().map(|n| rounded(n / scale)).collect() }
}

#[allow(clippy::as_conversions)] // from -127 to 127, and saturating beyond
fn rounded(number: f32) -> i8 {
    number.round() as i8
}

fn record(digest: &Digest, packed: &Packed) -> Vec<u8> {
    let mut record = digest.to_vec();
    record.extend(packed.scale.to_le_bytes());
    record.extend(packed.numbers.iter().flat_map(|n| n.to_le_bytes()));
    record
}

fn parse(record: &[u8]) -> Option<(Digest, Packed)> {
    let (digest, rest) = record.split_first_chunk()?;
    let (scale, numbers) = rest.split_first_chunk()?;
    let numbers = numbers.iter().map(|byte| i8::from_le_bytes([*byte])).collect();
    Some((*digest, Packed { scale: f32::from_le_bytes(*scale), numbers }))
}
