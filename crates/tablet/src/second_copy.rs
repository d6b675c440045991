//! The second copy of what the server has not confirmed: links and bodies in an append-only file of sealed frames.
//!
//! SQLite's log can vanish, or a bit in it flip, without SQLite noticing: the file then opens soundly and rows are
//! gone. This file has another failure mode: no log, no pages, each frame sealed by itself. At start the two are
//! compared (`agree`). Nothing is ever read from it while both are sound.
//!
//! Layout, all numbers big-endian: a head of 64 bytes (`MAGIC`, 16 bytes of salt), then frames at multiples of 64:
//! `"LF" ‖ 1 ‖ 0 ‖ index(4) ‖ length(4) ‖ sealed`. A frame is sealed with ChaCha20-Poly1305 under HMAC-SHA256(device
//! key, tag ‖ salt), the index as nonce, its first 12 bytes as associated data. Every file has a salt of its own and
//! no index is used twice in it. The file is written full of zeros first, so that an append changes no metadata.

use crate::disk;
use crate::failpoint::failpoint;
use crate::keys::{DeviceKey, random};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{ChaCha20Poly1305, KeyInit, Nonce};
use lamplight_domain::chain::{Hash, Head, Link, body_hash};
use lamplight_domain::ids::AuthorId;
use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Result, Write};
use std::path::{Path, PathBuf};
use uuid::Uuid;

pub const FILE: &str = "second-copy";
const MAGIC: &[u8; 32] = b"lamplight second copy, version 1";
const TAG: &[u8] = b"lamplight.second-copy.v1";
/// Frames begin at its multiples, so that reading goes on after a damaged one.
const STEP: usize = 64;
/// Of a frame, before what is sealed.
const FRAME_HEAD: usize = 12;
/// The file grows by so much at a time: a week without a network is some 19 of these.
const GROW: u64 = 1 << 20;
/// A file with more in it than this is begun anew once nothing waits.
const WORTH_BEGINNING: u64 = 512 << 10;

const LINK: u8 = 1;
const HEAD: u8 = 2;
const TAKEN_BACK: u8 = 3;

/// A link and the body that it names.
pub type Kept = (Link, Vec<u8>);

/// What a file holds.
#[derive(Debug, Default)]
pub struct Found {
    /// Where the chain stood when the file was begun.
    pub head: Option<Head>,
    /// In the order in which they were written, without those that were taken back.
    pub links: Vec<Kept>,
    /// A frame before the last sound one cannot be read, or the file itself.
    pub damaged: bool,
    /// Behind the last frame stands the beginning of one that was cut off: appending would leave remains.
    torn: bool,
    end: u64,
    next_index: u32,
    salt: [u8; 16],
}

/// The file open for appending.
pub struct SecondCopy {
    file: File,
    cipher: ChaCha20Poly1305,
    /// Where the next frame begins, and where the zeros end.
    end: u64,
    size: u64,
    next_index: u32,
    /// A write failed: what stands at the end is not known.
    broken: bool,
}

impl SecondCopy {
    /// Begins a new file with these in it; the old one is replaced whole, or stays. Durable when it returns.
    pub fn begin(dir: &Path, key: &DeviceKey, head: &Head, links: &[Kept]) -> Result<SecondCopy> {
        let path = dir.join(FILE);
        let fresh = dir.join(format!("{FILE}.new"));
        let mut salt = [0; 16];
        random(&mut salt).map_err(|_| Error::other("no random numbers"))?;
        let file = disk::create(&fresh)?;
        let mut copy =
            SecondCopy { file, cipher: cipher(key, &salt), end: STEP as u64, size: 0, next_index: 0, broken: false };
        let mut out = Vec::from(MAGIC);
        out.extend(salt);
        out.resize(STEP, 0);
        copy.seal(&mut out, HEAD, &[head.author.0.as_bytes(), &head.seq.to_be_bytes(), &head.hash.0])?;
        for (link, body) in links {
            copy.seal_link(&mut out, link, body)?;
        }
        copy.grow_to(out.len() as u64)?;
        disk::write_at(&copy.file, &out, 0)?;
        copy.end = out.len() as u64;
        disk::sync(&copy.file)?;
        failpoint!("copy.begun");
        disk::rename(&fresh, &path)?;
        failpoint!("copy.named");
        disk::sync_folder(dir)?;
        Ok(copy)
    }

    /// Goes on where a sound file ends; None where it must be begun anew.
    pub fn go_on(dir: &Path, key: &DeviceKey, found: &Found) -> Result<Option<SecondCopy>> {
        if found.damaged || found.torn || found.head.is_none() {
            return Ok(None);
        }
        let file = OpenOptions::new().read(true).write(true).open(dir.join(FILE))?;
        let size = file.metadata()?.len();
        let cipher = cipher(key, &found.salt);
        Ok(Some(SecondCopy { file, cipher, end: found.end, size, next_index: found.next_index, broken: false }))
    }

    /// Appends links with their bodies. Durable when it returns; after an error nothing is known of them, and the
    /// file must be begun anew.
    pub fn add(&mut self, links: &[Kept]) -> Result<()> {
        let mut out = Vec::new();
        for (link, body) in links {
            self.seal_link(&mut out, link, body)?;
        }
        self.append(&out)
    }

    /// Says that these links do not count: their entries were called "not saved". Durable when it returns.
    pub fn take_back(&mut self, links: &[Kept]) -> Result<()> {
        let mut out = Vec::new();
        for (link, _) in links {
            self.seal(&mut out, TAKEN_BACK, &[&link.hash().0])?;
        }
        self.append(&out)
    }

    /// What stands in it is not all that it must hold: it takes nothing more, and is begun anew before the next entry.
    pub fn doubt(&mut self) {
        self.broken = true;
    }
    pub fn is_broken(&self) -> bool {
        self.broken
    }
    /// Long enough to be begun anew when nothing waits any more.
    pub fn is_long(&self) -> bool {
        self.end > WORTH_BEGINNING
    }

    fn append(&mut self, frames: &[u8]) -> Result<()> {
        if self.broken {
            return Err(Error::other("an earlier write failed"));
        }
        let end = self.end + frames.len() as u64;
        let written = self
            .grow_to(end)
            .and_then(|()| disk::write_at(&self.file, frames, self.end))
            .and_then(|()| disk::sync_data(&self.file));
        match written {
            Ok(()) => self.end = end,
            Err(_) => self.broken = true,
        }
        written
    }

    /// Zeros up to the next multiple of [`GROW`]. Their length is durable before anything is written over them.
    fn grow_to(&mut self, end: u64) -> Result<()> {
        if end <= self.size {
            return Ok(());
        }
        let size = end.next_multiple_of(GROW);
        let zeros = vec![0; GROW as usize];
        let mut at = self.size;
        while at < size {
            let n = (size - at).min(GROW);
            disk::write_at(&self.file, &zeros[..n as usize], at)?;
            at += n;
        }
        disk::sync(&self.file)?;
        self.size = size;
        Ok(())
    }

    fn seal_link(&mut self, out: &mut Vec<u8>, link: &Link, body: &[u8]) -> Result<()> {
        self.seal(out, LINK, &[link.author.0.as_bytes(), &link.seq.to_be_bytes(), &link.prev.0, body])
    }

    fn seal(&mut self, out: &mut Vec<u8>, kind: u8, parts: &[&[u8]]) -> Result<()> {
        let mut clear = vec![kind];
        for part in parts {
            clear.write_all(part)?;
        }
        let length = u32::try_from(clear.len() + 16).map_err(|_| Error::from(ErrorKind::InvalidInput))?;
        let mut head = [0; FRAME_HEAD];
        head[..4].copy_from_slice(&[b'L', b'F', 1, 0]);
        head[4..8].copy_from_slice(&self.next_index.to_be_bytes());
        head[8..].copy_from_slice(&length.to_be_bytes());
        let sealed = self
            .cipher
            .encrypt(&nonce(self.next_index), Payload { msg: &clear, aad: &head })
            .map_err(|_| Error::other("a frame cannot be sealed"))?;
        // Also where the frame is never written: an index is used once.
        self.next_index = self.next_index.checked_add(1).ok_or_else(|| Error::other("the file is too long"))?;
        out.extend(head);
        out.extend(sealed);
        out.resize(out.len().next_multiple_of(STEP), 0);
        Ok(())
    }
}

/// Reads a folder's file. One that is missing holds nothing; one that is damaged holds what can be read of it.
pub fn read(dir: &Path, key: &DeviceKey) -> Result<Found> {
    match std::fs::read(dir.join(FILE)) {
        Ok(bytes) => Ok(parse(&bytes, key)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Found::default()),
        Err(e) => Err(e),
    }
}

/// Is there none, or one that is under this key and holds all that it should?
pub fn is_whole(dir: &Path, key: &DeviceKey) -> Result<bool> {
    Ok(!dir.join(FILE).exists() || !read(dir, key)?.damaged)
}

/// The same file under another key: replaced whole, or as it was. Durable when it returns. Errors: also where it is
/// damaged.
pub fn go_over(dir: &Path, from: &DeviceKey, to: &DeviceKey) -> Result<()> {
    if is_whole(dir, to)? {
        return Ok(());
    }
    let found = read(dir, from)?;
    let head = found.head.filter(|_| !found.damaged).ok_or_else(|| Error::other("the second copy is damaged"))?;
    SecondCopy::begin(dir, to, &head, &found.links).map(|_| ())
}

/// A copy of the file beside what else was set aside, for whoever looks after the tablets.
pub fn keep_beside(dir: &Path, into: &Path) -> Result<()> {
    let path: PathBuf = dir.join(FILE);
    if path.exists() { std::fs::copy(&path, into.join(FILE)).map(|_| ()) } else { Ok(()) }
}

fn parse(bytes: &[u8], key: &DeviceKey) -> Found {
    let mut found = Found { damaged: true, ..Found::default() };
    let Some(salt) = bytes.get(MAGIC.len()..MAGIC.len() + 16) else { return found };
    found.salt.copy_from_slice(salt);
    let cipher = cipher(key, &found.salt);
    let (mut at, mut taken_back) = (STEP, HashSet::new());
    // Where reading had to skip something that is not zeros.
    let (mut skipped, mut skipped_before_a_frame) = (bytes[..MAGIC.len()] != MAGIC[..], false);
    while at + FRAME_HEAD <= bytes.len() {
        let Some((length, clear)) = open_frame(&cipher, &bytes[at..], found.next_index) else {
            let end = (at + STEP).min(bytes.len());
            skipped |= bytes[at..end].iter().any(|b| *b != 0);
            at = end;
            continue;
        };
        skipped_before_a_frame |= skipped;
        skipped = false;
        found.next_index = u32::from_be_bytes([bytes[at + 4], bytes[at + 5], bytes[at + 6], bytes[at + 7]]) + 1;
        at += length;
        found.end = at as u64;
        match clear.split_first() {
            Some((&LINK, rest)) => found.links.extend(link(rest)),
            Some((&HEAD, rest)) => found.head = head(rest),
            Some((&TAKEN_BACK, rest)) => {
                taken_back.extend(rest.try_into().ok().map(Hash));
            }
            _ => skipped_before_a_frame = true,
        }
    }
    found.links.retain(|(link, _)| !taken_back.contains(&link.hash()));
    found.torn = skipped;
    // Without its first frame nobody knows what else is missing.
    found.damaged = skipped_before_a_frame || found.head.is_none();
    found
}

/// The frame at the beginning of `bytes`: its length with what fills it up, and what it holds.
fn open_frame(cipher: &ChaCha20Poly1305, bytes: &[u8], at_least: u32) -> Option<(usize, Vec<u8>)> {
    let (head, rest) = bytes.split_at_checked(FRAME_HEAD)?;
    if head[..4] != [b'L', b'F', 1, 0] {
        return None;
    }
    let number = |from: usize| Some(u32::from_be_bytes(head.get(from..from + 4)?.try_into().ok()?));
    let (index, length) = (number(4)?, number(8)? as usize);
    if index < at_least {
        return None;
    }
    let clear = cipher.decrypt(&nonce(index), Payload { msg: rest.get(..length)?, aad: head }).ok()?;
    Some(((FRAME_HEAD + length).next_multiple_of(STEP), clear))
}

fn link(bytes: &[u8]) -> Option<Kept> {
    let head = head(bytes)?;
    let body = bytes.get(56..)?.to_vec();
    Some((Link { author: head.author, seq: head.seq, prev: head.hash, body_hash: body_hash(&body) }, body))
}

fn head(bytes: &[u8]) -> Option<Head> {
    Some(Head {
        author: AuthorId(Uuid::from_slice(bytes.get(..16)?).ok()?),
        seq: u64::from_be_bytes(bytes.get(16..24)?.try_into().ok()?),
        hash: Hash(bytes.get(24..56)?.try_into().ok()?),
    })
}

fn cipher(key: &DeviceKey, salt: &[u8; 16]) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(&(*key.derive(&[TAG, salt])).into())
}

fn nonce(index: u32) -> Nonce {
    let mut nonce = [0; 12];
    nonce[8..].copy_from_slice(&index.to_be_bytes());
    nonce.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    const AUTHOR: AuthorId = AuthorId(Uuid::from_u128(5));

    fn ground() -> (TempDir, DeviceKey) {
        let dir = tempfile::tempdir().unwrap();
        let key = DeviceKey::of(dir.path(), false).unwrap();
        (dir, key)
    }

    fn chain(from: &Head, count: u64) -> Vec<Kept> {
        let mut head = *from;
        (0..count)
            .map(|_| {
                let body = format!("canary body {} {}", head.seq + 1, "x".repeat(300)).into_bytes();
                let link = Link { author: AUTHOR, seq: head.seq + 1, prev: head.hash, body_hash: body_hash(&body) };
                head = Head { author: AUTHOR, seq: link.seq, hash: link.hash() };
                (link, body)
            })
            .collect()
    }

    fn bytes(dir: &TempDir) -> Vec<u8> {
        std::fs::read(dir.path().join(FILE)).unwrap()
    }

    #[test]
    fn what_was_added_is_found_in_order_and_nothing_of_it_can_be_read() {
        let (dir, key) = ground();
        let kept = chain(&Head::empty(AUTHOR), 5);
        let mut copy = SecondCopy::begin(dir.path(), &key, &Head::empty(AUTHOR), &kept[..2]).unwrap();
        copy.add(&kept[2..4]).unwrap();
        copy.add(&kept[4..]).unwrap();
        let found = read(dir.path(), &key).unwrap();
        assert_eq!((found.links, found.damaged, found.torn), (kept, false, false));
        assert_eq!(found.head, Some(Head::empty(AUTHOR)));
        assert!(!bytes(&dir).windows(6).any(|w| w == b"canary"));
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(dir.path().join(FILE)).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_was_taken_back_does_not_come_back() {
        let (dir, key) = ground();
        let kept = chain(&Head::empty(AUTHOR), 3);
        let mut copy = SecondCopy::begin(dir.path(), &key, &Head::empty(AUTHOR), &kept[..1]).unwrap();
        copy.add(&kept[1..2]).unwrap();
        copy.take_back(&kept[1..2]).unwrap();
        assert_eq!(read(dir.path(), &key).unwrap().links, kept[..1]);
    }

    #[test]
    fn it_goes_on_after_a_start_and_grows() {
        let (dir, key) = ground();
        let kept = chain(&Head::empty(AUTHOR), 4_000);
        let mut copy = SecondCopy::begin(dir.path(), &key, &Head::empty(AUTHOR), &[]).unwrap();
        copy.add(&kept[..3_000]).unwrap();
        assert!(copy.is_long());
        drop(copy);
        let found = read(dir.path(), &key).unwrap();
        let mut copy = SecondCopy::go_on(dir.path(), &key, &found).unwrap().unwrap();
        copy.add(&kept[3_000..]).unwrap();
        assert_eq!(read(dir.path(), &key).unwrap().links, kept);
        assert_eq!(bytes(&dir).len() % GROW as usize, 0);
    }

    #[test]
    fn cut_at_every_byte_of_the_last_append_it_still_has_all_before() {
        let (dir, key) = ground();
        let kept = chain(&Head::empty(AUTHOR), 3);
        let mut copy = SecondCopy::begin(dir.path(), &key, &Head::empty(AUTHOR), &kept[..2]).unwrap();
        let begins = copy.end as usize;
        copy.add(&kept[2..]).unwrap();
        let whole = bytes(&dir);
        let ends = begins + FRAME_HEAD + 1 + 56 + kept[2].1.len() + 16;
        for cut in begins..ends {
            let mut torn = whole.clone();
            torn[cut..].fill(0);
            let found = parse(&torn, &key);
            assert_eq!((found.links.len(), found.damaged), (2, false), "cut at {cut}");
            assert_eq!(found.torn, cut > begins, "cut at {cut}");
            std::fs::write(dir.path().join(FILE), &torn).unwrap();
            assert_eq!(SecondCopy::go_on(dir.path(), &key, &found).unwrap().is_none(), cut > begins);
        }
        assert_eq!(parse(&whole, &key).links.len(), 3);
        assert_eq!(parse(&whole[..ends - 1], &key).links.len(), 2, "the file's end is cut off too");
    }

    #[test]
    fn one_flipped_bit_anywhere_costs_one_frame_and_is_noticed() {
        let (dir, key) = ground();
        let kept = chain(&Head::empty(AUTHOR), 4);
        let copy = SecondCopy::begin(dir.path(), &key, &Head::empty(AUTHOR), &kept).unwrap();
        let whole = bytes(&dir);
        let last_frame = copy.end as usize - 448;
        for at in (0..copy.end as usize).step_by(7) {
            let mut bent = whole.clone();
            bent[at] ^= 4;
            let found = parse(&bent, &key);
            // What fills a frame up is not sealed, and nothing depends on it.
            let said = found.damaged || found.torn;
            match found.links.len() {
                // The salt: no frame can be opened.
                0 => assert!(found.damaged && (32..48).contains(&at), "{at}"),
                3 => assert!(said && (found.damaged || at >= last_frame), "{at}"),
                n => assert!(n == 4, "{at}: {n} of 4"),
            }
        }
    }

    #[test]
    fn a_file_of_another_key_is_damage_and_a_missing_one_is_empty() {
        let (dir, key) = ground();
        assert!(!read(dir.path(), &key).unwrap().damaged);
        SecondCopy::begin(dir.path(), &key, &Head::empty(AUTHOR), &chain(&Head::empty(AUTHOR), 1)).unwrap();
        let (_other_dir, other) = ground();
        let found = read(dir.path(), &other).unwrap();
        assert!(found.damaged && found.links.is_empty());
    }

    #[test]
    fn after_a_failed_write_it_takes_nothing_more() {
        let (dir, key) = ground();
        let kept = chain(&Head::empty(AUTHOR), 2);
        let mut copy = SecondCopy::begin(dir.path(), &key, &Head::empty(AUTHOR), &[]).unwrap();
        // A descriptor that cannot be written stands in for a disk that gives errors.
        let sound = std::mem::replace(&mut copy.file, File::open(dir.path().join(FILE)).unwrap());
        assert!(copy.add(&kept[..1]).is_err());
        copy.file = sound;
        assert!(copy.is_broken() && copy.add(&kept[..1]).is_err() && copy.take_back(&kept[..1]).is_err());
    }
}
