//! A facility that is no demo, from an empty folder to a ward at work, as its people do it: the set-up code in the
//! browser, the administrator's second factor, a ward, staff, a nurse who changes her first password, admits a patient and
//! orders a level, an invite; a tablet in the real window that joins, and the first check, on the nurse's board.

use lamplight_tests::display::Display;
use lamplight_tests::facility::Facility;
use lamplight_tests::hands::{Hands, Person};
use lamplight_tests::page::{Page, id};
use lamplight_tests::station::{self, Station};
use lamplight_tests::window::{self, Window};
use lamplight_tests::{axe, phone, programs};

const ADMINISTRATORS: &str = "walnut otter gravel";
const NURSES: &str = "copper window lantern";

async fn fill(page: &Page, fields: &[(&str, &str)]) {
    for (field, text) in fields {
        page.type_in(&id(&format!("field-{field}")), text).await.unwrap();
    }
}

async fn tap(page: &Page, what: &str) {
    page.tap(&id(what)).await.unwrap();
}

/// What is shown once, and is then put away for good.
async fn secret(page: &Page) -> String {
    let shown = page.text_that(&id("secret"), "the secret", |t| !t.is_empty()).await.unwrap();
    tap(page, "secret-done").await;
    page.see_gone(&id("secret")).await.unwrap();
    shown.replace(' ', "")
}

async fn staff(page: &Page, family: &str, given: &str, number: &str, role: &str) {
    tap(page, "staff-new").await;
    fill(page, &[("family", family), ("given", given), ("number", number)]).await;
    page.choose(&id("field-role"), role).await.unwrap();
    page.tick(&id("ward-of-Elm Ward")).await.unwrap();
    tap(page, "save").await;
}

async fn log_in(page: &Page, url: &str, name: &str, password: &str) {
    station::visit(page, url).await.unwrap();
    page.type_in(&id("login-name"), name).await.unwrap();
    page.type_in(&id("login-password"), password).await.unwrap();
    tap(page, "login-submit").await;
}

#[tokio::test]
async fn from_an_empty_folder_to_the_first_check() {
    if let Err(why) = window::possible().and_then(|()| station::possible()) {
        return programs::skip(&why);
    }
    let facility = Facility::unset().unwrap();
    let code = facility.set_up.clone().expect("a set-up code is printed");
    let office = Station::open(facility.folder()).await.unwrap();
    let page = &office.page;

    // Nobody is known, no password works, and the page asks for the code alone.
    page.go(&format!("{}/station/", facility.url())).await.unwrap();
    page.see(&id("set-up")).await.unwrap();
    assert_eq!(axe::serious_findings(page).await.unwrap(), Vec::<String>::new());
    let me = [
        ("code", "0000-0000-0000"),
        ("facility", "County Hospital"),
        ("family", "Reyes"),
        ("given", "Joan"),
        ("number", "ADM 1"),
        ("login", "j.reyes"),
        ("password", ADMINISTRATORS),
        ("again", ADMINISTRATORS),
    ];
    fill(page, &me).await;
    page.choose(&id("field-zone"), "Europe/London").await.unwrap();
    tap(page, "set-up-make").await;
    page.text_that(&id("refusal"), "that the code is wrong", |t| t.contains("code")).await.unwrap();
    fill(page, &[("code", &code)]).await;
    tap(page, "set-up-make").await;
    let shown = page.text_that(&id("factor-secret"), "the factor's secret", |t| t.len() > 20).await.unwrap();
    page.type_in(&id("factor-code"), &phone::code(&shown).unwrap()).await.unwrap();
    tap(page, "factor-confirm").await;

    page.see(&id("step-ward")).await.unwrap();
    tap(page, "nav-wards").await;
    tap(page, "ward-new").await;
    fill(page, &[("ward", "Elm Ward"), ("beds", "101A-102B"), ("area", "East hallway")]).await;
    tap(page, "beds-add").await;
    tap(page, "save").await;
    page.see(&id("ward-Elm Ward")).await.unwrap();

    tap(page, "nav-staff").await;
    staff(page, "Diaz", "Ana", "MHT 1", "technician").await;
    tap(page, "pin-make").await;
    let pin = secret(page).await;
    assert!(pin.len() == 6 && pin.chars().all(|c| c.is_ascii_digit()), "{} characters", pin.len());
    tap(page, "cancel").await;
    staff(page, "Osei", "Kofi", "RN 1", "nurse").await;
    fill(page, &[("login", "k.osei")]).await;
    tap(page, "login-make").await;
    let first = secret(page).await;
    tap(page, "cancel").await;
    tap(page, "nav-account").await;
    tap(page, "account-logout").await;

    // The nurse changes what somebody else knows, admits, orders, invites.
    log_in(page, &facility.url(), "k.osei", &first).await;
    page.see(&id("gate-password")).await.unwrap();
    fill(page, &[("old", &first), ("password", NURSES), ("again", NURSES)]).await;
    tap(page, "change-password").await;
    page.see(&id("empty-ward")).await.unwrap();
    tap(page, "admit").await;
    fill(page, &[("family", "Abara"), ("given", "Chi"), ("mrn", "0012117")]).await;
    page.run(
        "const born = document.querySelector(arguments[0]); born.value = '1991-03-12';
         born.dispatchEvent(new Event('input', { bubbles: true }));",
        vec![id("field-born").into()],
    )
    .await
    .unwrap();
    page.choose(&id("field-bed"), "101A").await.unwrap();
    tap(page, "save").await;
    tap(page, "row-101A").await;
    tap(page, "act-order").await;
    page.tick(&id("level-Q15")).await.unwrap();
    fill(page, &[("ordered-by", "Dr A. Patel"), ("reason", "first night")]).await;
    tap(page, "save").await;
    page.text_that(&id("said"), "that the level is ordered", |t| !t.is_empty()).await.unwrap();
    tap(page, "nav-join").await;
    tap(page, "make-invite").await;
    page.see(&id("invite-qr")).await.unwrap();
    let shown = "const shown = document.querySelector(arguments[0]); return shown.value ?? shown.textContent;";
    let invite = page.run(shown, vec![id("invite").into()]).await.unwrap();
    let invite = invite.as_str().unwrap().trim().to_owned();
    assert!(invite.starts_with("lamplight:"), "{} characters", invite.len());

    // The tablet.
    let display = Display::start(&facility.logs()).unwrap();
    let window =
        Window::open(&programs::path("lamplight"), &display, &facility.folder().join("window"), "first").await.unwrap();
    let hands = Hands { page: &window.page };
    hands.join(&invite, "E-1").await.unwrap();
    let ana = Person {
        staff: String::new(),
        given: "Ana".into(),
        number: String::new(),
        name: "A. Diaz".into(),
        role: "technician".into(),
        pin,
        login: String::new(),
        password: String::new(),
    };
    hands.sign_in(&ana).await.unwrap();
    assert!(!window.page.words().await.to_lowercase().contains("demo"), "nothing here is invented");
    hands.check("101A", "bedroom", "resting").await.unwrap();
    hands.strip_that("that all is confirmed", |online, waiting| online && waiting == 0).await.unwrap();

    tap(page, "nav-board").await;
    page.text_that(&id("row-101A"), "who saw the patient", |t| t.contains("Abara") && t.contains("AD")).await.unwrap();
    // A used invite lets nobody else in.
    let other =
        lamplight_tablet::Tablet::open(&facility.folder().join("other"), lamplight_tablet::Options::default()).unwrap();
    assert_eq!(other.join(&invite, "").await.unwrap_err().code, "invite.used");
    window.close().await.unwrap();
    facility.verify().unwrap();

    // What was done is on record, by whom, and names no patient.
    let audit = facility.command_with("audit", &[]).unwrap();
    let acts: Vec<&str> = audit.iter().filter_map(|line| line["act"].as_str()).collect();
    for act in
        ["set_up", "factor_set", "ward_changed", "staff_added", "pin_set", "password_set", "invite_made", "signed_in"]
    {
        assert!(acts.contains(&act), "{act} is not among {acts:?}");
    }
    let text = serde_json::to_string(&audit).unwrap();
    for word in ["Abara", "0012117", ADMINISTRATORS, NURSES, &ana.pin, &first] {
        assert!(!text.contains(word), "{word} is in the audit");
    }
}
