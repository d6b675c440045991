//! The network cable between tablets and the facility server: a TCP proxy on 127.0.0.1 that can be cut, frozen,
//! slowed, cut in the middle of a message, or answered by somebody else.

use anyhow::Result;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// What the cable does to bytes, from now on and to open connections too.
#[derive(Clone, Debug, PartialEq)]
pub enum Weather {
    /// Passes everything on.
    Fair,
    /// Pulled out: open connections break, new ones are closed at once.
    Cut,
    /// Swallows everything and answers nothing; connections stay open.
    BlackHole,
    /// Passes every piece on after this time, in both directions.
    Slow(Duration),
    /// One byte at a time, each after this time, in both directions.
    Trickle(Duration),
    /// Somebody else answers: a captive portal's login page, with status 200, whatever is asked.
    LoginPage,
}

/// The weather now. Whoever sleeps through a short cut must still find its connection broken, and a cut by the byte that
/// comes too late must not undo what was set since: hence the two numbers.
#[derive(Clone)]
struct Now {
    weather: Weather,
    /// How often it was cut so far: a connection lives until the next one.
    cuts: u64,
    /// How often it was set so far.
    settings: u64,
}

struct Wire {
    to: watch::Sender<SocketAddr>,
    now: watch::Sender<Now>,
    /// Bytes that may still pass upwards before the cable cuts itself; negative for no limit.
    budget: AtomicI64,
    /// The same of bytes to the tablets.
    budget_down: AtomicI64,
    up: AtomicU64,
    down: AtomicU64,
    connections: AtomicU64,
    round_trips: AtomicU64,
}

/// Lives on a thread of its own, so that a busy test never slows the network down. Gone when dropped.
pub struct Cable {
    wire: Arc<Wire>,
    address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Cable {
    pub fn to(server: SocketAddr) -> Result<Cable> {
        Cable::at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), server)
    }

    /// One that is plugged in at this address.
    pub fn at(address: SocketAddr, server: SocketAddr) -> Result<Cable> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on_elsewhere(TcpListener::bind(address))?;
        let address = listener.local_addr()?;
        let wire = Arc::new(Wire {
            to: watch::Sender::new(server),
            now: watch::Sender::new(Now { weather: Weather::Fair, cuts: 0, settings: 0 }),
            budget: AtomicI64::new(-1),
            budget_down: AtomicI64::new(-1),
            up: AtomicU64::new(0),
            down: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            round_trips: AtomicU64::new(0),
        });
        runtime.spawn(accept(listener, Arc::clone(&wire)));
        Ok(Cable { wire, address, runtime: Some(runtime) })
    }

    /// Where tablets connect to: "https://127.0.0.1:PORT".
    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }
    /// Leads to another server from the next connection on.
    pub fn lead_to(&self, server: SocketAddr) {
        self.wire.to.send_replace(server);
    }
    pub fn set(&self, weather: Weather) {
        self.wire.now.send_modify(|now| {
            self.wire.budget.store(-1, Ordering::SeqCst);
            self.wire.budget_down.store(-1, Ordering::SeqCst);
            now.settings += 1;
            now.cuts += u64::from(weather == Weather::Cut);
            now.weather = weather;
        });
    }
    pub fn cut(&self) {
        self.set(Weather::Cut);
    }
    pub fn restore(&self) {
        self.set(Weather::Fair);
    }
    /// Cuts itself after this many more bytes from the tablets' side, in the middle of whatever they are part of.
    pub fn cut_after(&self, bytes: u32) {
        self.wire.budget.store(i64::from(bytes), Ordering::SeqCst);
    }
    /// The same of bytes from the server: an answer that is cut off.
    pub fn cut_answers_after(&self, bytes: u32) {
        self.wire.budget_down.store(i64::from(bytes), Ordering::SeqCst);
    }
    pub fn is_cut(&self) -> bool {
        self.wire.now.borrow().weather == Weather::Cut
    }
    /// Bytes passed from the tablets to the server so far, TLS included.
    pub fn bytes_up(&self) -> u64 {
        self.wire.up.load(Ordering::SeqCst)
    }
    pub fn bytes_down(&self) -> u64 {
        self.wire.down.load(Ordering::SeqCst)
    }
    /// Connections that were ever opened, also those that the weather refused.
    pub fn connections(&self) -> u64 {
        self.wire.connections.load(Ordering::SeqCst)
    }
    /// How often a tablet sent something after the server had sent something on the same connection: questions, each
    /// with the answer to the one before in hand.
    pub fn round_trips(&self) -> u64 {
        self.wire.round_trips.load(Ordering::SeqCst)
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// `block_on` is refused inside another runtime, and tests have one.
trait BlockOnElsewhere {
    fn block_on_elsewhere<T: Send>(&self, work: impl Future<Output = T> + Send) -> T;
}
impl BlockOnElsewhere for Runtime {
    fn block_on_elsewhere<T: Send>(&self, work: impl Future<Output = T> + Send) -> T {
        std::thread::scope(|s| s.spawn(|| self.block_on(work)).join().expect("the cable's thread does not panic"))
    }
}

async fn accept(listener: TcpListener, wire: Arc<Wire>) {
    while let Ok((tablet, _)) = listener.accept().await {
        wire.connections.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(connection(tablet, Arc::clone(&wire)));
    }
}

async fn connection(mut tablet: TcpStream, wire: Arc<Wire>) {
    let mut changes = wire.now.subscribe();
    let cuts = changes.borrow().cuts;
    loop {
        let now = changes.borrow_and_update().clone();
        match now.weather {
            _ if now.cuts != cuts => return,
            Weather::Cut => return,
            Weather::BlackHole => {
                if changes.changed().await.is_err() {
                    return;
                }
            }
            Weather::LoginPage => {
                let page = "<html><body>Welcome to Guest Wi-Fi. Please sign in.</body></html>";
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n{page}",
                    page.len()
                );
                let mut asked = [0; 1024];
                let _ = tablet.read(&mut asked).await;
                let _ = tablet.write_all(answer.as_bytes()).await;
                let _ = tablet.shutdown().await;
                return;
            }
            Weather::Fair | Weather::Slow(_) | Weather::Trickle(_) => break,
        }
    }
    let to = *wire.to.borrow();
    let Ok(server) = TcpStream::connect(to).await else { return };
    let _ = (tablet.set_nodelay(true), server.set_nodelay(true));
    let (tablet_reads, tablet_writes) = tablet.into_split();
    let (server_reads, server_writes) = server.into_split();
    let answered = AtomicBool::new(true);
    tokio::select! {
        () = pump(tablet_reads, server_writes, &wire, cuts, true, &answered) => {}
        () = pump(server_reads, tablet_writes, &wire, cuts, false, &answered) => {}
    }
}

/// Passes bytes in one direction until an end closes or the weather breaks the connection (both halves drop then).
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    wire: &Wire,
    cuts: u64,
    up: bool,
    answered: &AtomicBool,
) {
    let mut changes = wire.now.subscribe();
    let mut piece = vec![0; 16 * 1024];
    loop {
        let now = changes.borrow_and_update().clone();
        let delay = match now.weather {
            _ if now.cuts != cuts => return,
            Weather::Cut | Weather::LoginPage => return,
            Weather::BlackHole => match changes.changed().await {
                Ok(()) => continue,
                Err(_) => return,
            },
            Weather::Fair => Duration::ZERO,
            Weather::Slow(delay) | Weather::Trickle(delay) => delay,
        };
        let most = if matches!(now.weather, Weather::Trickle(_)) { 1 } else { piece.len() };
        let read = tokio::select! {
            read = from.read(&mut piece[..most]) => read,
            changed = changes.changed() => match changed {
                Ok(()) => continue,
                Err(_) => return,
            },
        };
        let Ok(mut n @ 1..) = read else { return };
        tokio::time::sleep(delay).await;
        let budget = if up { &wire.budget } else { &wire.budget_down };
        if budget.load(Ordering::SeqCst) >= 0 {
            let left = budget.fetch_sub(n as i64, Ordering::SeqCst).max(0) as usize;
            if n >= left {
                n = left;
                let _ = to.write_all(&piece[..n]).await;
                // The other end may have got all that it waited for, and have set the weather since.
                wire.now.send_if_modified(|latest| {
                    let still = latest.settings == now.settings;
                    if still {
                        latest.cuts += 1;
                        latest.weather = Weather::Cut;
                    }
                    still
                });
                return;
            }
        }
        // Counted first: whoever holds an answer in hand must find it counted.
        let count = if up { &wire.up } else { &wire.down };
        count.fetch_add(n as u64, Ordering::SeqCst);
        if answered.swap(!up, Ordering::SeqCst) && up {
            wire.round_trips.fetch_add(1, Ordering::SeqCst);
        }
        if to.write_all(&piece[..n]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::until::until;

    /// Sends everything back.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut reads, mut writes) = stream.split();
                    let _ = tokio::io::copy(&mut reads, &mut writes).await;
                });
            }
        });
        address
    }

    async fn answer(stream: &mut TcpStream, say: &[u8]) -> std::io::Result<Vec<u8>> {
        stream.write_all(say).await?;
        let mut back = vec![0; say.len()];
        stream.read_exact(&mut back).await?;
        Ok(back)
    }

    #[tokio::test]
    async fn a_cut_breaks_what_is_open_and_what_comes_and_heals() {
        let cable = Cable::to(echo().await).unwrap();
        let mut open = TcpStream::connect(cable.address).await.unwrap();
        assert_eq!(answer(&mut open, b"hello").await.unwrap(), b"hello");
        assert_eq!((cable.bytes_up(), cable.bytes_down(), cable.round_trips()), (5, 5, 1));
        assert_eq!(answer(&mut open, b"again").await.unwrap(), b"again");
        assert_eq!(cable.round_trips(), 2);
        cable.cut();
        assert!(answer(&mut open, b"still there?").await.is_err());
        let mut new = TcpStream::connect(cable.address).await.unwrap();
        assert!(answer(&mut new, b"anybody?").await.is_err());
        cable.restore();
        let mut new = TcpStream::connect(cable.address).await.unwrap();
        assert_eq!(answer(&mut new, b"back").await.unwrap(), b"back");
    }

    #[tokio::test]
    async fn a_black_hole_keeps_connections_open_and_answers_nothing() {
        let cable = Cable::to(echo().await).unwrap();
        let mut open = TcpStream::connect(cable.address).await.unwrap();
        assert_eq!(answer(&mut open, b"hello").await.unwrap(), b"hello");
        cable.set(Weather::BlackHole);
        let mut asked = tokio::spawn(async move { answer(&mut open, b"lost?").await });
        assert!(tokio::time::timeout(Duration::from_millis(100), &mut asked).await.is_err(), "no answer, no error");
        assert_eq!(cable.bytes_down(), 5);
        cable.restore();
        assert_eq!(asked.await.unwrap().unwrap(), b"lost?");
    }

    #[tokio::test]
    async fn it_cuts_itself_in_the_middle_of_a_message() {
        let cable = Cable::to(echo().await).unwrap();
        let mut open = TcpStream::connect(cable.address).await.unwrap();
        cable.cut_after(3);
        assert!(answer(&mut open, b"whole").await.is_err());
        until("the cut", async || cable.is_cut().then_some(())).await;
    }

    #[tokio::test]
    async fn a_cut_that_is_restored_at_once_has_broken_what_was_open() {
        let cable = Cable::to(echo().await).unwrap();
        for _ in 0..50 {
            let mut open = TcpStream::connect(cable.address).await.unwrap();
            assert_eq!(answer(&mut open, b"hello").await.unwrap(), b"hello");
            cable.cut();
            cable.restore();
            assert!(answer(&mut open, b"still there?").await.is_err());
        }
    }

    #[tokio::test]
    async fn a_cut_after_the_last_byte_of_an_answer_does_not_outlast_a_restore() {
        let cable = Cable::to(echo().await).unwrap();
        for _ in 0..200 {
            let mut open = TcpStream::connect(cable.address).await.unwrap();
            cable.cut_answers_after(5);
            assert_eq!(answer(&mut open, b"whole").await.unwrap(), b"whole");
            cable.restore();
            let mut new = TcpStream::connect(cable.address).await.unwrap();
            assert_eq!(answer(&mut new, b"back").await.unwrap(), b"back");
        }
    }

    #[tokio::test]
    async fn a_login_page_answers_whatever_is_asked() {
        let cable = Cable::to(echo().await).unwrap();
        cable.set(Weather::LoginPage);
        let mut open = TcpStream::connect(cable.address).await.unwrap();
        open.write_all(b"GET /v1/hello HTTP/1.1\r\n\r\n").await.unwrap();
        let mut page = String::new();
        open.read_to_string(&mut page).await.unwrap();
        assert!(page.starts_with("HTTP/1.1 200 OK") && page.contains("sign in"), "{page}");
    }
}
