//! A facility behind a cable, a screen, a window, a second tablet without one, and the station.

use lamplight_domain::views::Board;
use lamplight_tablet::{Options, Tablet};
use lamplight_tests::cable::Cable;
use lamplight_tests::display::Display;
use lamplight_tests::facility::Facility;
use lamplight_tests::hands::{Hands, Person, people};
use lamplight_tests::window::{self, Window};
use lamplight_tests::{programs, station};
use std::path::PathBuf;

pub struct Ground {
    pub facility: Facility,
    pub cable: Cable,
    pub display: Display,
    pub invite: String,
    /// A tablet of the same ward that needs no window.
    pub second: Tablet,
    pub people: Vec<Person>,
}

/// None where this machine lacks something, after saying so.
pub async fn ground() -> Option<Ground> {
    if let Err(why) = window::possible().and_then(|()| station::possible()) {
        programs::skip(&why);
        return None;
    }
    let facility = Facility::demo().unwrap();
    let cable = Cable::to(facility.address).unwrap();
    let display = Display::start(&facility.logs()).unwrap();
    let invite = facility.invite(&cable.url(), 20).unwrap();
    let direct = facility.invite(&facility.url(), 20).unwrap();
    let second = Tablet::open(&facility.folder().join("second"), Options::default()).unwrap();
    second.join(&direct, "W-8").await.unwrap();
    second.sync_now().await.unwrap();
    let people = people(&second, &facility).await.unwrap();
    Some(Ground { facility, cable, display, invite, second, people })
}

impl Ground {
    /// Where the window's tablet, its home and its logs are.
    pub fn folder(&self) -> PathBuf {
        self.facility.folder().join("window")
    }

    pub async fn open(&self, session: &str) -> Window {
        Window::open(&programs::path("lamplight"), &self.display, &self.folder(), session).await.unwrap()
    }

    /// Opens the window and joins by the join page.
    pub async fn joined(&self) -> Window {
        let window = self.open("first").await;
        let hands = Hands { page: &window.page };
        hands.join(&self.invite, "W-7").await.unwrap();
        window
    }

    pub fn technician(&self) -> &Person {
        self.people.iter().find(|p| p.role == "technician").unwrap()
    }
    pub fn nurse(&self) -> &Person {
        self.people.iter().find(|p| p.role == "nurse").unwrap()
    }

    /// The ward as the second tablet knows it after one more contact.
    pub async fn second_board(&self) -> Board {
        self.second.sync_now().await.unwrap();
        self.second.board().unwrap()
    }
}

/// Beds of patients whose clock runs, in walking order.
pub fn walkable(board: &Board) -> Vec<String> {
    board.cards.iter().filter(|c| c.due_at.is_some()).map(|c| c.bed.clone()).collect()
}
