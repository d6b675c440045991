//! Rows of figures, as JSON and as a table.

use anyhow::Context;
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// One figure. `limit` is what the same machine did at the same time with nothing around it, where there is such a
/// thing; `goal` is what was asked for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Measure {
    pub name: String,
    /// None where it could not be measured here; `note` says why.
    pub value: Option<f64>,
    pub unit: &'static str,
    pub limit: Option<f64>,
    pub limit_is: String,
    pub goal: Option<f64>,
    /// The goal is so many times the limit.
    pub goal_times: Option<f64>,
    /// None where there is no goal, or no value.
    pub met: Option<bool>,
    pub note: String,
}

impl Measure {
    pub fn new(name: &str, value: f64, unit: &'static str) -> Measure {
        Measure { name: name.to_owned(), value: Some(value), unit, ..Measure::default() }
    }
    pub fn not_taken(name: &str, why: &str) -> Measure {
        Measure { name: name.to_owned(), note: format!("not measured: {why}"), ..Measure::default() }
    }
    pub fn beside(self, limit: f64, is: &str) -> Measure {
        Measure { limit: Some(limit), limit_is: is.to_owned(), ..self }
    }
    /// At most this.
    pub fn goal(self, goal: f64) -> Measure {
        Measure { goal: Some(goal), met: self.value.map(|value| value <= goal), ..self }
    }
    /// At most so many times the limit beside it.
    pub fn within(self, times: f64) -> Measure {
        let limit = self.limit.unwrap_or_default();
        Measure { goal_times: Some(times), ..self.goal(times * limit) }
    }
    pub fn note(self, note: impl Into<String>) -> Measure {
        Measure { note: note.into(), ..self }
    }
}

pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The middle one.
pub fn middle(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

fn figure(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(v) if v.abs() >= 1000.0 => format!("{v:.0}"),
        Some(v) if v.abs() >= 10.0 => format!("{v:.1}"),
        Some(v) => format!("{v:.3}"),
    }
}

impl Measure {
    /// "1.83 times", where there is a limit to compare with.
    fn times(&self) -> String {
        match (self.value, self.limit) {
            (Some(value), Some(limit)) if limit > 0.0 => format!("{:.2} x", value / limit),
            _ => String::new(),
        }
    }
    fn wanted(&self) -> String {
        match (self.goal_times, self.goal) {
            (Some(times), _) => format!("{times} x"),
            (None, Some(_)) => figure(self.goal),
            (None, None) => String::new(),
        }
    }
    fn verdict(&self) -> &'static str {
        match self.met {
            Some(true) => "met",
            Some(false) => "NOT met",
            None => "",
        }
    }
    fn words(&self) -> String {
        let parts = [self.limit_is.as_str(), self.note.as_str()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (value, limit) = (figure(self.value), figure(self.limit));
        let (times, wanted, verdict) = (self.times(), self.wanted(), self.verdict());
        write!(f, "{:<48} {value:>9} {limit:>9} {times:>8} {wanted:>7} {verdict:<7} {:<5} ", self.name, self.unit)?;
        write!(f, "{}", self.words())
    }
}

#[derive(Default)]
pub struct Table {
    pub rows: Vec<Measure>,
}

/// The lines of a document between which the table is written.
const BEGIN: &str = "<!-- measures: written by lamplight-bench -->";
const END: &str = "<!-- measures: end -->";

impl Table {
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({ "measures": self.rows })
    }

    /// A document with this table in the place of the one that it has. Errors where it has no place for one.
    pub fn in_document(&self, text: &str) -> anyhow::Result<String> {
        let (before, rest) = text.split_once(BEGIN).with_context(|| format!("no line {BEGIN}"))?;
        let (_, after) = rest.split_once(END).with_context(|| format!("no line {END}"))?;
        Ok(format!("{before}{BEGIN}\n\n{}\n{END}{after}", self.markdown()))
    }

    fn markdown(&self) -> String {
        let mut out = String::from(
            "| measure | value | limit, in the same run | times | goal | met | what the limit is; how |\n",
        );
        out += "| --- | --- | --- | --- | --- | --- | --- |\n";
        for row in &self.rows {
            let with_unit = |value: Option<f64>| match value {
                Some(_) => format!("{} {}", figure(value), row.unit).trim().to_owned(),
                None => String::new(),
            };
            let met = match row.met {
                Some(true) => "yes",
                Some(false) => "**no**",
                None => "",
            };
            let (value, limit) = (with_unit(row.value), with_unit(row.limit));
            let (times, wanted, words) = (row.times(), row.wanted(), row.words());
            out += &format!("| {} | {value} | {limit} | {times} | {wanted} | {met} | {words} |\n", row.name);
        }
        out
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = ("measure", "value", "limit", "times", "goal");
        writeln!(
            f,
            "\n{:<48} {:>9} {:>9} {:>8} {:>7} met?    unit  limit is; note",
            names.0, names.1, names.2, names.3, names.4
        )?;
        self.rows.iter().try_for_each(|row| writeln!(f, "{row}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_met_or_not_and_a_limit_is_compared_with() {
        let within = |value| Measure::new("tap", value, "ms").beside(2.0, "a commit").within(2.5);
        assert_eq!((within(5.0).met, within(5.1).met), (Some(true), Some(false)));
        assert_eq!(Measure::not_taken("tap", "no disk").met, None);
        assert_eq!(Measure::new("errors", 0.0, "").goal(0.0).met, Some(true));
        assert_eq!(middle(&mut [3.0, 1.0, 2.0]), 2.0);
    }

    #[test]
    fn a_document_gets_the_table_in_its_place_and_keeps_the_rest() {
        let table = Table { rows: vec![Measure::new("tap", 5.0, "ms").beside(2.0, "a commit").within(2.5)] };
        let text = format!("# Measures\n{BEGIN}\nold\n{END}\n## What falls short\n");
        let written = table.in_document(&text).unwrap();
        assert!(written.starts_with("# Measures\n") && written.ends_with("\n## What falls short\n"), "{written}");
        assert!(
            written.contains("| tap | 5.000 ms | 2.000 ms | 2.50 x | 2.5 x | yes | a commit |")
                && !written.contains("old")
        );
        assert_eq!(table.in_document(&written).unwrap(), written, "again the same");
        assert!(table.in_document("# Measures").is_err());
    }
}
