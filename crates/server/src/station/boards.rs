//! The live boards: one a ward that somebody looks at, however many look. Made anew at every change, when a limit runs
//! out, and at least every five seconds, so that a page which hears nothing knows that it knows nothing.

use crate::facility::FacilityServer;
use lamplight_domain::ids::WardId;
use lamplight_domain::time::Ms;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

const AT_LEAST_EVERY: Duration = Duration::from_secs(5);
/// A storm of records makes no more boards than this.
const AT_MOST_EVERY: Duration = Duration::from_millis(200);

/// A board as JSON; None before the first.
pub type Shown = Option<Arc<str>>;

pub struct Boards {
    facility: FacilityServer,
    wards: Arc<Mutex<HashMap<WardId, watch::Receiver<Shown>>>>,
}

impl Boards {
    pub fn new(facility: FacilityServer) -> Boards {
        Boards { facility, wards: Arc::default() }
    }

    /// The ward's board from now on. Ends when the server ends.
    pub fn look(&self, ward: WardId) -> watch::Receiver<Shown> {
        let mut wards = self.wards.lock().unwrap_or_else(PoisonError::into_inner);
        // One without a sender was given up while nobody looked.
        if let Some(board) = wards.get(&ward).filter(|b| b.has_changed().is_ok()) {
            return board.clone();
        }
        let (show, board) = watch::channel(None);
        wards.insert(ward, board.clone());
        tokio::spawn(keep_up(self.facility.clone(), ward, show, self.wards.clone()));
        board
    }
}

/// Shows one ward's board for as long as somebody looks.
async fn keep_up(
    facility: FacilityServer,
    ward: WardId,
    show: watch::Sender<Shown>,
    wards: Arc<Mutex<HashMap<WardId, watch::Receiver<Shown>>>>,
) {
    let mut changes = facility.live().ward(ward).changes();
    let mut stopping = facility.stopping();
    while !*stopping.borrow() {
        changes.borrow_and_update();
        let (made, now) = (facility.clone(), facility.around().now());
        let made = tokio::task::spawn_blocking(move || {
            let board = made.board(ward);
            let changes = board.cards.iter().filter_map(|c| c.due_at).chain(board.signal.silenced_until);
            let next = changes.filter(|at| *at > now).min();
            serde_json::to_string(&board).map(|text| (Arc::from(text), next))
        });
        let mut next: Option<Ms> = None;
        match made.await {
            Ok(Ok((text, due))) => {
                next = due;
                show.send_replace(Some(text));
            }
            // Nothing is sent: the page greys by itself and says since when.
            Ok(Err(_)) | Err(_) => tracing::error!(%ward, "a board could not be made"),
        }
        tokio::time::sleep(AT_MOST_EVERY).await;
        let until_due = next.map(|due| Duration::from_millis((due - facility.around().now()).max(0) as u64 + 1));
        let wait = until_due.map_or(AT_LEAST_EVERY, |d| d.min(AT_LEAST_EVERY)).saturating_sub(AT_MOST_EVERY);
        tokio::select! {
            _ = changes.changed() => {}
            _ = stopping.changed() => {}
            () = tokio::time::sleep(wait) => {}
        }
        // The map's own receiver is the only one left: nobody looks. Under its lock, so that nobody comes in between.
        let mut wards = wards.lock().unwrap_or_else(PoisonError::into_inner);
        if show.receiver_count() <= 1 {
            wards.remove(&ward);
            return;
        }
    }
    wards.lock().unwrap_or_else(PoisonError::into_inner).remove(&ward);
}
