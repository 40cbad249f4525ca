//! Questions as the calls that ask them: what stands beside every figure, so that anybody can ask again.
use crate::{
    insight::model::{Asked, ConversionAsked, FlowsAsked, FunnelAsked, RankingsAsked, ReportAsked},
    kernel::{Code, Day, Id, Region, of},
};

/// A path with its parameters. All values are slugs, codes, months and days, which stand in a URL as they
/// are.
struct Call(String);

impl Call {
    fn of(path: &str) -> Self {
        Self(format!("/api/v1{path}"))
    }
    fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        let mark = if self.0.contains('?') { '&' } else { '?' };
        self.0.push_str(&format!("{mark}{name}={value}"));
        self
    }
    /// Without a region the whole country is meant.
    fn within(self, region: Option<&Region>) -> Self {
        match region {
            Some(region) => self.with("region", region),
            None => self,
        }
    }
}

pub fn turnover(asked: &Asked) -> String {
    let call = Call::of("/statistics/turnover")
        .within(asked.region.as_ref())
        .with("from", asked.from)
        .with("to", asked.to)
        .with("flow", asked.flow.slug())
        .with("by", asked.by.slug())
        .with("basis", asked.basis.slug());
    if asked.compared { call.with("compare", "previous_year").0 } else { call.0 }
}

pub fn rankings(asked: &RankingsAsked) -> String {
    Call::of("/statistics/rankings")
        .with("level", asked.level.slug())
        .within(asked.within.as_ref())
        .with("period", &asked.period)
        .with("flow", asked.flow.slug())
        .with("basis", asked.basis.slug())
        .0
}

pub fn conversion(asked: &ConversionAsked) -> String {
    Call::of("/statistics/local-conversion")
        .within(asked.region.as_ref())
        .with("from", asked.from)
        .with("to", asked.to)
        .with("basis", asked.basis.slug())
        .0
}

pub fn flows(asked: &FlowsAsked) -> String {
    Call::of("/statistics/flows")
        .with("level", asked.level.slug())
        .with("from", asked.from)
        .with("to", asked.to)
        .with("basis", asked.basis.slug())
        .0
}

pub fn funnel(asked: &FunnelAsked) -> String {
    let call = Call::of("/statistics/funnel")
        .within(asked.region.as_ref())
        .with("from", asked.from)
        .with("to", asked.to)
        .with("flow", asked.flow.slug());
    let call = match asked.field {
        Some(field) => call.with("field", field.slug()),
        None => call,
    };
    call.with("as_of", asked.as_of).0
}

pub fn progress(id: Id<of::Target>, as_of: Day) -> String {
    Call::of(&format!("/targets/{id}/progress")).with("as_of", as_of).0
}

pub fn report(asked: &ReportAsked) -> String {
    Call::of(&format!("/reports/{}", asked.kind.slug()))
        .with("period", &asked.period)
        .with("region", &asked.region)
        .with("basis", asked.basis.slug())
        .0
}
