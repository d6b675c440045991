//! Rows of figures, as JSON and as a table.

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
    pub fn goal(self, goal: f64) -> Measure {
        Measure { goal: Some(goal), ..self }
    }
    pub fn note(self, note: impl Into<String>) -> Measure {
        Measure { note: note.into(), ..self }
    }
}

pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn figure(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(v) if v.abs() >= 1000.0 => format!("{v:.0}"),
        Some(v) if v.abs() >= 10.0 => format!("{v:.1}"),
        Some(v) => format!("{v:.3}"),
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (value, limit, goal) = (figure(self.value), figure(self.limit), figure(self.goal));
        write!(f, "{:<44} {value:>10} {limit:>10} {goal:>8} {:<5}", self.name, self.unit)?;
        let note = [self.limit_is.as_str(), self.note.as_str()];
        let note: Vec<&str> = note.into_iter().filter(|n| !n.is_empty()).collect();
        write!(f, " {}", note.join("; "))
    }
}

#[derive(Default)]
pub struct Table {
    pub rows: Vec<Measure>,
}

impl Table {
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({ "measures": self.rows })
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{:<44} {:>10} {:>10} {:>8} {:<5} limit is; note", "measure", "value", "limit", "goal", "unit")?;
        self.rows.iter().try_for_each(|row| writeln!(f, "{row}"))
    }
}
