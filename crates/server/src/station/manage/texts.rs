//! What people type for names, numbers and log-ins: something, and not too much of it.

use lamplight_domain::refusal::Refusal;

/// Trimmed. Errors: "text.empty", "text.too_long", "text.control".
pub fn text(given: &str, what: &str, max_chars: usize) -> Result<String, Refusal> {
    let text = short_text(given, what, max_chars)?;
    if text.is_empty() {
        return Err(Refusal::new("text.empty", format!("{what} is missing."), "Fill it in and save again."));
    }
    Ok(text)
}

/// The same where there may be none. Errors: "text.too_long", "text.control".
pub fn short_text(given: &str, what: &str, max_chars: usize) -> Result<String, Refusal> {
    let text = given.trim();
    if text.chars().count() > max_chars {
        let what = format!("{what} is longer than {max_chars} characters.");
        return Err(Refusal::new("text.too_long", what, "Shorten it and save again."));
    }
    if text.chars().any(char::is_control) {
        let what = format!("{what} has characters in it that cannot be shown.");
        return Err(Refusal::new("text.control", what, "Type it in anew and save again."));
    }
    Ok(text.to_owned())
}

/// A part of somebody's name.
pub fn person_text(given: &str, what: &str) -> Result<String, Refusal> {
    text(given, what, 60)
}

/// "s.lindqvist". Errors: "login.name".
pub fn login_name(given: &str) -> Result<String, Refusal> {
    let name = given.trim().to_lowercase();
    let fits = (3..=40).contains(&name.len())
        && name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_'));
    if fits {
        return Ok(name);
    }
    Err(Refusal::new(
        "login.name",
        "A name to log in with has 3 to 40 letters, digits, dots, dashes or underscores.",
        "Take one such as s.lindqvist.",
    ))
}
