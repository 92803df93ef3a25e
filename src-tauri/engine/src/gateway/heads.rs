//! Looks at the heads of requests before the HTTP library does.
//!
//! Two readers of one byte stream must not see different requests in it. The library is lenient where
//! the RFC lets it be: it takes a bare line feed for an end of line, prefers `Transfer-Encoding` over a
//! `Content-Length` beside it, and takes two equal lengths for one. Here such a connection ends with a
//! 400, whatever stands in the request.

use memchr::memchr;

/// Largest head: request line and headers.
pub(super) const LARGEST_HEAD: usize = 64 * 1024;

/// A shape that is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A line ends without carriage return, or one stands within a line.
    BareEnd,
    /// A line begins with white space: it would continue the one before.
    Folded,
    /// A header without colon, or a name with a character no name has.
    BadName,
    /// A length that is no number.
    BadLength,
    /// Two lengths, two codings, or one of each.
    TwoFramings,
    /// A coding other than `chunked`.
    BadCoding,
    /// An empty line where a request should begin.
    NoRequest,
    /// Larger than [`LARGEST_HEAD`].
    TooLarge,
}

/// Follows the bytes of one connection from head to head.
#[derive(Debug, Default)]
pub(super) struct Heads {
    state: State,
    /// A head that has not come whole.
    partial: Vec<u8>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Head,
    /// Bytes of a body still to come.
    Body(u64),
    /// A chunked body: the server closes the connection after it, so no head follows.
    Chunked,
}

/// What is known of a whole head.
#[derive(Debug, Default)]
struct Framing {
    length: Option<u64>,
    chunked: bool,
}

impl Heads {
    /// Whether a head has begun and is not whole.
    pub(super) fn is_mid_head(&self) -> bool {
        self.state == State::Head && !self.partial.is_empty()
    }

    /// Takes up the next bytes that came.
    pub(super) fn look(&mut self, mut bytes: &[u8]) -> Result<(), Shape> {
        while !bytes.is_empty() {
            match &mut self.state {
                State::Chunked => return Ok(()),
                State::Body(left) => {
                    let here = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    bytes = &bytes[here..];
                    *left -= here as u64;
                    if *left == 0 {
                        self.state = State::Head;
                    }
                }
                State::Head => bytes = self.look_at_head(bytes)?,
            }
        }
        Ok(())
    }

    /// Reads a head, if it is whole, and returns what comes after it.
    fn look_at_head<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], Shape> {
        if self.partial.is_empty() {
            // The usual way: a whole head in one piece, nothing is copied.
            return match read_head(bytes)? {
                Some((length, framing)) => {
                    self.state = framing.next();
                    Ok(&bytes[length..])
                }
                None if bytes.len() > LARGEST_HEAD => Err(Shape::TooLarge),
                None => {
                    self.partial.extend_from_slice(bytes);
                    Ok(&[])
                }
            };
        }
        let before = self.partial.len();
        self.partial.extend_from_slice(bytes);
        match read_head(&self.partial)? {
            Some((length, framing)) => {
                self.state = framing.next();
                self.partial = Vec::new();
                Ok(&bytes[length - before..])
            }
            None if self.partial.len() > LARGEST_HEAD => Err(Shape::TooLarge),
            None => Ok(&[]),
        }
    }
}

impl Framing {
    fn next(&self) -> State {
        match self.length {
            _ if self.chunked => State::Chunked,
            None | Some(0) => State::Head,
            Some(length) => State::Body(length),
        }
    }
}

/// A head's length with the empty line after it, and its framing; `None` if it is not whole.
fn read_head(bytes: &[u8]) -> Result<Option<(usize, Framing)>, Shape> {
    let mut framing = Framing::default();
    let mut at = 0;
    loop {
        let Some(end) = memchr(b'\n', &bytes[at..]) else {
            // What is here of the last line is wrong already?
            return if memchr(b'\r', &bytes[at..]).is_some_and(|cr| at + cr + 1 < bytes.len()) {
                Err(Shape::BareEnd)
            } else {
                Ok(None)
            };
        };
        let line = &bytes[at..at + end];
        let Some(line) = line.strip_suffix(b"\r") else { return Err(Shape::BareEnd) };
        if memchr(b'\r', line).is_some() {
            return Err(Shape::BareEnd);
        }
        let first = at == 0;
        at += end + 1;
        match (first, line) {
            (true, []) => return Err(Shape::NoRequest),
            (true, _) => {}
            (false, []) if at > LARGEST_HEAD => return Err(Shape::TooLarge),
            (false, []) => return Ok(Some((at, framing))),
            (false, line) => framing.read(line)?,
        }
    }
}

impl Framing {
    fn read(&mut self, line: &[u8]) -> Result<(), Shape> {
        if matches!(line.first(), Some(b' ' | b'\t')) {
            return Err(Shape::Folded);
        }
        let colon = memchr(b':', line).ok_or(Shape::BadName)?;
        let name = &line[..colon];
        if name.is_empty() || !name.iter().all(|byte| is_token(*byte)) {
            return Err(Shape::BadName);
        }
        // Both names begin with a letter few others begin with.
        match name.len() {
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                if self.length.is_some() || self.chunked {
                    return Err(Shape::TwoFramings);
                }
                self.length = Some(number(value(line, colon)).ok_or(Shape::BadLength)?);
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                if self.length.is_some() || self.chunked {
                    return Err(Shape::TwoFramings);
                }
                if !value(line, colon).eq_ignore_ascii_case(b"chunked") {
                    return Err(Shape::BadCoding);
                }
                self.chunked = true;
            }
            _ => {}
        }
        Ok(())
    }
}

fn value(line: &[u8], colon: usize) -> &[u8] {
    line[colon + 1..].trim_ascii()
}

fn number(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.len() <= 19 && text.iter().all(u8::is_ascii_digit);
    digits.then(|| text.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
}

/// A character of a header's name (RFC 9110 §5.6.2).
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn look(text: &str) -> Result<State, Shape> {
        let mut heads = Heads::default();
        heads.look(text.as_bytes())?;
        Ok(heads.state)
    }

    #[test]
    fn what_two_readers_could_understand_differently_is_refused() {
        for (head, shape) in [
            ("GET / HTTP/1.1\nHost: a\r\n\r\n", Shape::BareEnd),
            ("GET / HTTP/1.1\r\nHost: a\n\r\n", Shape::BareEnd),
            ("GET / HTTP/1.1\r\nHost: a\r\n\n", Shape::BareEnd),
            ("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", Shape::BareEnd),
            ("GET / HTTP/1.1\r\nHost: a\rX", Shape::BareEnd),
            ("GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n", Shape::Folded),
            ("GET / HTTP/1.1\r\nX: a\r\n\tb\r\n\r\n", Shape::Folded),
            ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", Shape::BadName),
            ("GET / HTTP/1.1\r\nContent-Length : 5\r\n\r\n", Shape::BadName),
            ("GET / HTTP/1.1\r\nHost\r\n\r\n", Shape::BadName),
            ("GET / HTTP/1.1\r\n: a\r\n\r\n", Shape::BadName),
            ("GET / HTTP/1.1\r\nX\0: a\r\n\r\n", Shape::BadName),
            (
                "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
                Shape::TwoFramings,
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
                Shape::TwoFramings,
            ),
            ("POST / HTTP/1.1\r\nContent-Length: 5\r\ncontent-length: 5\r\n\r\n", Shape::TwoFramings),
            ("POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", Shape::TwoFramings),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
                Shape::TwoFramings,
            ),
            ("POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\n", Shape::BadLength),
            ("POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\n", Shape::BadLength),
            ("POST / HTTP/1.1\r\nContent-Length: 0x5\r\n\r\n", Shape::BadLength),
            ("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", Shape::BadLength),
            ("POST / HTTP/1.1\r\nContent-Length:\r\n\r\n", Shape::BadLength),
            ("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", Shape::BadLength),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", Shape::BadCoding),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n", Shape::BadCoding),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\n\r\n", Shape::BadCoding),
            ("\r\nGET / HTTP/1.1\r\n\r\n", Shape::NoRequest),
        ] {
            assert_eq!(look(head), Err(shape), "{head:?}");
        }
        let large = format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(LARGEST_HEAD));
        assert_eq!(look(&large), Err(Shape::TooLarge));
    }

    #[test]
    fn heads_are_followed_over_bodies() {
        let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let post = "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n";
        assert_eq!(look(get), Ok(State::Head));
        assert_eq!(look(&format!("{get}{get}")), Ok(State::Head));
        assert_eq!(look(post), Ok(State::Body(5)));
        assert_eq!(look(&format!("{post}\n\n\n\n\n{get}")), Ok(State::Head), "a body may hold anything");
        assert_eq!(look(&format!("{post}12345GET /\n")), Err(Shape::BareEnd), "what comes after it may not");
        assert_eq!(look("POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n1\n"), Ok(State::Chunked));
        let mut heads = Heads::default();
        heads.look(b"GET / HT").unwrap();
        assert!(heads.is_mid_head());
        heads.look(b"TP/1.1\r\n\r\n").unwrap();
        assert!(!heads.is_mid_head());
    }

    proptest! {
        #[test]
        fn bytes_mean_the_same_however_they_are_cut(
            text in "(GET / HTTP/1.1|POST|\r\n|\r\n\r\n|\n|\r| |:|Content-Length: [0-9]{1,2}|Transfer-Encoding: chunked|X: y|\\PC){0,12}",
            cuts in prop::collection::vec(1usize..9, 0..40),
        ) {
            let bytes = text.as_bytes();
            let mut whole = Heads::default();
            let at_once = whole.look(bytes).is_ok();
            let mut piece_by_piece = Heads::default();
            let (mut rest, mut fine) = (bytes, true);
            for cut in cuts.into_iter().chain([usize::MAX]) {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                fine = fine && piece_by_piece.look(piece).is_ok();
                rest = after;
            }
            prop_assert_eq!(at_once, fine);
            if fine {
                prop_assert_eq!(whole.state, piece_by_piece.state);
            }
        }
    }
}
