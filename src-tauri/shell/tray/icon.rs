//! The tray's icon, drawn anew for every state: a ring that fills, and another shape when banned, so
//! that colour never speaks alone.

use std::f64::consts::{PI, TAU};

use headroom_engine::glance::Tone;
use tauri::image::Image;

/// Width and height in pixels: twice what most trays show, for HiDPI.
const SIZE: u32 = 64;
/// The gauge's gap at the bottom, as in the window: 240° of arc.
const ARC: f64 = TAU * 240.0 / 360.0;
/// Samples along each axis of a pixel.
const FINE: u32 = 4;

type Rgb = [u8; 3];

/// A middle grey: seen on dark and on light bars.
const TRACK: Rgb = [0x7a, 0x84, 0x91];
const ROOM: Rgb = [0x22, 0xb8, 0x7e];
const BUSY: Rgb = [0xea, 0xa9, 0x08];
const NEAR: Rgb = [0xef, 0x44, 0x44];

/// The icon of a level (0 to 1) and a tone.
pub(super) fn draw(level: f64, tone: Tone) -> Image<'static> {
    let mut pixels = Vec::with_capacity((SIZE * SIZE * 4) as usize);
    for y in 0..SIZE {
        for x in 0..SIZE {
            pixels.extend(pixel(x, y, level, tone));
        }
    }
    Image::new_owned(pixels, SIZE, SIZE)
}

/// The mean of the samples in a pixel, as RGBA.
fn pixel(x: u32, y: u32, level: f64, tone: Tone) -> [u8; 4] {
    let samples = (0..FINE * FINE).filter_map(|n| {
        let at = |pixel: u32, sample: u32| {
            (f64::from(pixel) + (f64::from(sample) + 0.5) / f64::from(FINE)) / f64::from(SIZE) - 0.5
        };
        colour(at(x, n % FINE), at(y, n / FINE), level, tone)
    });
    let (mut sum, mut hit) = ([0u32; 3], 0u32);
    for rgb in samples {
        sum.iter_mut().zip(rgb).for_each(|(sum, part)| *sum += u32::from(part));
        hit += 1;
    }
    let mean = |sum: u32| u8::try_from(sum / hit.max(1)).unwrap_or(u8::MAX);
    let alpha = u8::try_from(hit * 255 / (FINE * FINE)).unwrap_or(u8::MAX);
    [mean(sum[0]), mean(sum[1]), mean(sum[2]), alpha]
}

/// What lies at a point, from -0.5 to 0.5 on both axes, y downward.
fn colour(x: f64, y: f64, level: f64, tone: Tone) -> Option<Rgb> {
    match tone {
        Tone::Banned => banned(x, y),
        Tone::Paused => paused(x, y),
        Tone::Room => ring(x, y, level, ROOM),
        Tone::Busy => ring(x, y, level, BUSY),
        Tone::Near => ring(x, y, level, NEAR),
    }
}

fn ring(x: f64, y: f64, level: f64, fill: Rgb) -> Option<Rgb> {
    if !(0.32..=0.48).contains(&x.hypot(y)) {
        return None;
    }
    // From the lower left, clockwise over the top.
    let turned = (y.atan2(x) - (PI / 2.0 + (TAU - ARC) / 2.0)).rem_euclid(TAU);
    if turned > ARC {
        return None;
    }
    Some(if turned <= ARC * level.max(0.04) { fill } else { TRACK })
}

/// A full disc with a bar across: a no-entry sign.
fn banned(x: f64, y: f64) -> Option<Rgb> {
    if x.hypot(y) > 0.48 {
        return None;
    }
    Some(if x.abs() < 0.30 && y.abs() < 0.08 { [0xff, 0xff, 0xff] } else { NEAR })
}

/// The ring's track with two bars in it.
fn paused(x: f64, y: f64) -> Option<Rgb> {
    let bar = (0.06..=0.15).contains(&x.abs()) && y.abs() < 0.18;
    if bar { Some(TRACK) } else { ring(x, y, 0.0, TRACK) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f64, y: f64, level: f64, tone: Tone) -> Option<Rgb> {
        colour(x, y, level, tone)
    }

    #[test]
    fn the_ring_fills_from_the_lower_left_over_the_top() {
        let (left, top, right) = ((-0.4, 0.0), (0.0, -0.4), (0.4, 0.0));
        assert_eq!(at(left.0, left.1, 0.5, Tone::Room), Some(ROOM));
        assert_eq!(at(right.0, right.1, 0.5, Tone::Room), Some(TRACK));
        assert_eq!(at(right.0, right.1, 1.0, Tone::Near), Some(NEAR));
        assert_eq!(at(top.0, top.1, 0.3, Tone::Busy), Some(TRACK));
        assert_eq!(at(0.0, 0.4, 1.0, Tone::Room), None, "open at the bottom");
    }

    #[test]
    fn banned_is_another_shape_not_only_another_colour() {
        let filled = |tone| draw(0.5, tone).rgba().chunks(4).filter(|p| p[3] > 0).count();
        assert!(filled(Tone::Banned) > filled(Tone::Room) * 3 / 2, "a disc, not a ring");
        assert_eq!(at(0.0, 0.0, 0.0, Tone::Room), None);
    }
}
