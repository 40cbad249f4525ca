//! The best so far, and the bar they set.

/// A listing that may be among the best.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    pub segment: usize,
    pub doc: u32,
    /// The most its total can be.
    most: f64,
}

pub(super) struct Best {
    limit: usize,
    floor: f64,
    most_values: f64,
    /// The least that the best totals are, largest first; at most `limit`.
    totals: Vec<f64>,
    kept: Vec<Kept>,
}

impl Best {
    pub fn new(limit: usize, floor: f64, most_values: f64) -> Self {
        Self { limit: limit.max(1), floor, most_values, totals: Vec::new(), kept: Vec::new() }
    }

    /// What a total must reach; anything will do while there are fewer than wanted.
    fn bar(&self) -> f64 {
        let full = self.totals.len() >= self.limit;
        self.totals.last().copied().filter(|_| full).unwrap_or(f64::NEG_INFINITY)
    }

    /// What the wording must earn where the values are not known yet.
    pub fn needed(&self) -> f64 {
        self.needed_with(self.most_values)
    }

    /// What the wording must earn beside these values.
    pub fn needed_with(&self, values: f64) -> f64 {
        (self.bar() - values).max(self.floor)
    }

    /// Takes a listing whose wording earns between `least` and `most`.
    pub fn offer(&mut self, segment: usize, doc: u32, (least, most): (f64, f64), values: f64) {
        if most < self.needed_with(values) {
            return;
        }
        self.kept.push(Kept { segment, doc, most: most + values });
        // one that may turn out to lie below the floor sets no bar for others
        if least >= self.floor && least + values > self.bar() {
            let place = self.totals.partition_point(|t| *t >= least + values);
            self.totals.insert(place, least + values);
            self.totals.truncate(self.limit);
        }
        if self.kept.len() > 4 * self.limit + 64 {
            self.tidy();
        }
    }

    fn tidy(&mut self) {
        let bar = self.bar();
        self.kept.retain(|kept| kept.most >= bar);
    }

    /// By rising document within a segment.
    pub fn into_kept(mut self) -> Vec<Kept> {
        self.tidy();
        self.kept.sort_unstable_by_key(|k| (k.segment, k.doc));
        self.kept
    }
}
