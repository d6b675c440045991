//! The way from a tablet to the server: a question waits here until the story says how it fares.

use super::story::How;
use lamplight_domain::wire::{
    Batch, Blob, Facility, FeedAsk, FeedPage, HelloAnswer, JoinAsk, Joined, OfferAnswer, OfferAsk, PushAnswer, Trouble,
};
use tokio::sync::{mpsc, oneshot};

#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "a contact has one question at a time")]
pub enum Ask {
    Hello,
    Push(Batch),
    Feed(FeedAsk),
    Offer(OfferAsk),
}

#[derive(Clone, Debug)]
pub enum Answer {
    Hello(HelloAnswer),
    Push(PushAnswer),
    Feed(Box<FeedPage>),
    Offer(OfferAnswer),
}

impl Ask {
    /// At the server itself.
    pub async fn at(self, server: &impl Facility) -> Result<Answer, Trouble> {
        Ok(match self {
            Ask::Hello => Answer::Hello(server.hello().await?),
            Ask::Push(batch) => Answer::Push(server.push(batch).await?),
            Ask::Feed(ask) => Answer::Feed(Box::new(server.feed(ask).await?)),
            Ask::Offer(ask) => Answer::Offer(server.offer(ask).await?),
        })
    }

    /// With a byte of its first body changed; a question without one is as it was.
    pub fn mangled(mut self) -> Ask {
        if let Ask::Push(batch) = &mut self
            && let Some(Blob::Bytes(bytes)) = batch.bodies.first_mut()
            && let Some(byte) = bytes.first_mut()
        {
            *byte ^= 1;
        }
        self
    }
}

/// A question that waits.
pub struct Call {
    pub ask: Ask,
    pub answer: oneshot::Sender<Result<Answer, Trouble>>,
}

/// A tablet's end.
pub struct Line(pub mpsc::UnboundedSender<Call>);

pub fn cut() -> Trouble {
    Trouble::Unreachable("the line is cut".into())
}

/// What comes back where no answer does.
pub fn trouble_of(how: How) -> Option<Trouble> {
    match how {
        How::Lost | How::AnswerLost => Some(cut()),
        How::Busy => Some(Trouble::Busy { retry_after_ms: 1_000 }),
        _ => None,
    }
}

impl Line {
    async fn ask(&self, ask: Ask) -> Result<Answer, Trouble> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Call { ask, answer }).map_err(|_| cut())?;
        answered.await.map_err(|_| cut())?
    }
}

fn other() -> Trouble {
    Trouble::NotTheServer("an answer of another sort".into())
}

impl Facility for Line {
    async fn hello(&self) -> Result<HelloAnswer, Trouble> {
        if let Answer::Hello(hello) = self.ask(Ask::Hello).await? { Ok(hello) } else { Err(other()) }
    }
    async fn join(&self, _: JoinAsk) -> Result<Joined, Trouble> {
        Err(cut())
    }
    async fn push(&self, batch: Batch) -> Result<PushAnswer, Trouble> {
        if let Answer::Push(answer) = self.ask(Ask::Push(batch)).await? { Ok(answer) } else { Err(other()) }
    }
    async fn feed(&self, ask: FeedAsk) -> Result<FeedPage, Trouble> {
        if let Answer::Feed(page) = self.ask(Ask::Feed(ask)).await? { Ok(*page) } else { Err(other()) }
    }
    async fn offer(&self, ask: OfferAsk) -> Result<OfferAnswer, Trouble> {
        if let Answer::Offer(answer) = self.ask(Ask::Offer(ask)).await? { Ok(answer) } else { Err(other()) }
    }
}
