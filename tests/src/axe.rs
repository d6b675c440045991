//! The accessibility scan: axe-core, put into the page as it stands before a person.

use crate::page::Page;
use crate::programs;
use anyhow::{Context, Result};
use serde_json::Value;

/// Serious and critical findings of the page as it is now: "rule: where: why", empty when there are none.
pub async fn serious_findings(page: &Page) -> Result<Vec<String>> {
    let path = programs::root().join("ui/node_modules/axe-core/axe.min.js");
    let axe =
        std::fs::read_to_string(&path).with_context(|| format!("{} (`make test` installs it)", path.display()))?;
    page.run(&format!("{axe}; return typeof axe"), vec![]).await?;
    let result = page
        .run_async(
            "const done = arguments[arguments.length - 1];
             axe.run(document, { resultTypes: ['violations'] })
                .then((r) => done({ violations: r.violations, passes: r.passes.length }), (e) => done({ error: String(e) }));",
            vec![],
        )
        .await?;
    if let Some(error) = result["error"].as_str() {
        anyhow::bail!("axe-core could not look at the page: {error}");
    }
    anyhow::ensure!(result["passes"].as_u64().unwrap_or(0) > 0, "axe-core looked at nothing");
    let violations = result["violations"].as_array().cloned().unwrap_or_default();
    Ok(violations
        .iter()
        .filter(|v| matches!(v["impact"].as_str(), Some("serious" | "critical")))
        .flat_map(told)
        .collect())
}

fn told(violation: &Value) -> Vec<String> {
    let rule = violation["id"].as_str().unwrap_or_default();
    violation["nodes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|node| format!("{rule}: {}: {}", node["target"], node["failureSummary"].as_str().unwrap_or_default()))
        .collect()
}
