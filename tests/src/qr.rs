//! What a camera reads in a picture that the station shows: a QR code of error correction level L (ISO/IEC 18004), read
//! from its squares. A second side to the program that draws them; nothing is put right, since a picture has no dirt.

use anyhow::{Context, Result, ensure};

/// Codewords that put errors right in each block of a code of level L, and how many blocks, by version.
const CORRECTION: [usize; 40] = [
    7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28, 28, 28, 30, 30, 26, 28, 30, 30, 30,
    30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30,
];
const BLOCKS: [usize; 40] = [
    1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19,
    19, 20, 21, 22, 24, 25,
];
const LEVEL_L: u32 = 1;
const FORMAT_MASK: u32 = 0x5412;
const LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/// The text in a picture as [`lamplight_domain::station::InviteMade`] brings it.
pub fn read(svg: &str) -> Result<String> {
    let code = Code::of(svg)?;
    let format = code.format() ^ FORMAT_MASK;
    ensure!(format >> 13 == LEVEL_L, "another level of error correction");
    let mut bits = Bits { bytes: code.content((format >> 10) & 7), at: 0 };
    let mut text = Vec::new();
    let long = |short: usize, middle: usize, most: usize| match code.version {
        1..=9 => short,
        10..=26 => middle,
        _ => most,
    };
    loop {
        match bits.take(4) {
            Some(0) | None => return Ok(String::from_utf8(text)?),
            Some(1) => {
                let mut left = bits.take(long(10, 12, 14)).context("no count")?;
                while left > 0 {
                    let digits = left.min(3);
                    let number = bits.take(digits * 3 + 1).context("cut off")?;
                    text.extend(format!("{number:0digits$}").into_bytes());
                    left -= digits;
                }
            }
            Some(2) => {
                let mut left = bits.take(long(9, 11, 13)).context("no count")?;
                while left > 1 {
                    let pair = bits.take(11).context("cut off")?;
                    text.extend([LETTERS[pair / 45], LETTERS[pair % 45]]);
                    left -= 2;
                }
                if left == 1 {
                    text.push(LETTERS[bits.take(6).context("cut off")?]);
                }
            }
            Some(4) => {
                for _ in 0..bits.take(long(8, 16, 16)).context("no count")? {
                    text.push(u8::try_from(bits.take(8).context("cut off")?)?);
                }
            }
            Some(mode) => anyhow::bail!("text of mode {mode}"),
        }
    }
}

struct Code {
    dark: Vec<Vec<bool>>,
    version: usize,
}

impl Code {
    fn of(svg: &str) -> Result<Code> {
        let path = svg.split_once(" d=\"").and_then(|(_, rest)| rest.split('"').next()).context("no path")?;
        // Each is "Mx yhWvHHxVy": a rectangle.
        let mut drawn = Vec::new();
        for part in path.split('M').skip(1) {
            let numbers: Vec<usize> =
                part.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
            let [x, y, width, height, ..] = numbers[..] else { anyhow::bail!("no rectangle: {part}") };
            drawn.push((x, y, width, height));
        }
        let left = drawn.iter().map(|r| r.0).min().context("nothing is dark")?;
        let top = drawn.iter().map(|r| r.1).min().context("nothing is dark")?;
        let right = drawn.iter().map(|r| r.0 + r.2).max().context("nothing is dark")?;
        let unit = drawn.iter().map(|r| r.3).min().context("nothing is dark")?;
        let size = (right - left) / unit;
        let mut dark = vec![vec![false; size]; size];
        for (x, y, width, height) in drawn {
            for row in &mut dark[(y - top) / unit..(y - top + height) / unit] {
                row[(x - left) / unit..(x - left + width) / unit].fill(true);
            }
        }
        ensure!(size >= 21 && size % 4 == 1 && size <= 177, "no code is {size} wide");
        Ok(Code { dark, version: (size - 17) / 4 })
    }

    fn size(&self) -> usize {
        self.dark.len()
    }

    fn format(&self) -> u32 {
        let upper = (0..=5).chain([7, 8]).map(|y| (8, y)).chain([(7, 8)]).chain((9..15).map(|i| (14 - i, 8)));
        upper.enumerate().map(|(bit, (x, y))| u32::from(self.dark[y][x]) << bit).sum()
    }

    /// Where the patterns stand by which a camera finds its way.
    fn alignments(&self) -> Vec<usize> {
        if self.version == 1 {
            return Vec::new();
        }
        let count = self.version / 7 + 2;
        let step = if self.version == 32 { 26 } else { (self.version * 4 + count * 2 + 1) / (count * 2 - 2) * 2 };
        let mut all: Vec<usize> = (0..count - 1).map(|n| self.size() - 7 - n * step).collect();
        all.push(6);
        all
    }

    fn is_content(&self, x: usize, y: usize, alignments: &[usize]) -> bool {
        let far = self.size() - 8;
        let corner = x <= 8 && (y <= 8 || y >= far) || x >= far && y <= 8;
        let version = self.version >= 7 && (x >= far - 3 && y <= 5 || y >= far - 3 && x <= 5);
        let of_corner = |a: usize, b: usize| matches!((a == 6, b == 6), (true, true)) || a == 6 && b + 7 == self.size();
        let aligned = alignments.iter().any(|&a| {
            alignments.iter().any(|&b| !of_corner(a, b) && !of_corner(b, a) && x.abs_diff(a) <= 2 && y.abs_diff(b) <= 2)
        });
        !(corner || version || aligned || x == 6 || y == 6)
    }

    /// The bytes, unmasked, out of their blocks, without those that put errors right.
    fn content(&self, mask: u32) -> Vec<u8> {
        let (size, alignments) = (self.size(), self.alignments());
        let nought = |x: usize, y: usize| match mask {
            0 => (x + y) % 2,
            1 => y % 2,
            2 => x % 3,
            3 => (x + y) % 3,
            4 => (x / 3 + y / 2) % 2,
            5 => x * y % 2 + x * y % 3,
            6 => (x * y % 2 + x * y % 3) % 2,
            _ => ((x + y) % 2 + x * y % 3) % 2,
        };
        let mut bits = Vec::new();
        // Two columns at a time, from the right, up and down in turn; the column of the pattern at 6 is left out.
        let columns: Vec<usize> = (0..size).rev().filter(|x| *x != 6).collect();
        for (n, pair) in columns.chunks(2).enumerate() {
            for step in 0..size {
                let y = if n % 2 == 0 { size - 1 - step } else { step };
                for &x in pair.iter().filter(|x| self.is_content(**x, y, &alignments)) {
                    bits.push(self.dark[y][x] ^ (nought(x, y) == 0));
                }
            }
        }
        let all: Vec<u8> =
            bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |held, bit| held << 1 | u8::from(*bit))).collect();
        let (blocks, correction) = (BLOCKS[self.version - 1], CORRECTION[self.version - 1]);
        let (short, shorts) = (all.len() / blocks - correction, blocks - all.len() % blocks);
        let mut apart = vec![Vec::new(); blocks];
        let mut next = all.into_iter();
        for n in 0..=short {
            for (of, block) in apart.iter_mut().enumerate() {
                if n < short || of >= shorts {
                    block.extend(next.next());
                }
            }
        }
        apart.concat()
    }
}

struct Bits {
    bytes: Vec<u8>,
    at: usize,
}

impl Bits {
    fn take(&mut self, count: usize) -> Option<usize> {
        let mut number = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            number = number << 1 | usize::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(number)
    }
}
