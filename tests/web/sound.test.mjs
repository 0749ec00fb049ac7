// What the worklets are made of: the ring that plays, and the change of sample rates.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { Resampler } from "../../web/client/worklets/resampler.js";
import { Ring } from "../../web/client/worklets/ring.js";

const RATE = 24000;
const ms = (count) => Math.round((count * RATE) / 1000);
const tone = (count, value = 0.5) => new Float32Array(count).fill(value);

/** Play that long; what was heard. */
function play(ring, milliseconds) {
  const out = new Float32Array(ms(milliseconds));
  ring.read(out);
  return out;
}

function ringWith(milliseconds) {
  const ring = new Ring(RATE);
  ring.write(tone(ms(milliseconds)), ms(milliseconds));
  return ring;
}

describe("the ring", () => {
  test("waits for 80 ms before it begins", () => {
    const ring = ringWith(60);
    assert.ok(play(ring, 20).every((sample) => sample === 0));
    ring.write(tone(ms(20)), ms(20));
    assert.equal(play(ring, 1)[0], 0.5);
  });

  test("does not wait when the reply is complete, nor for ever", () => {
    const short = ringWith(30);
    short.end();
    assert.equal(play(short, 1)[0], 0.5);
    const slow = ringWith(30);
    assert.ok(play(slow, 320).some((sample) => sample !== 0));
  });

  test("plays all of it, in order, and tells how much of the reply was heard", () => {
    const ring = new Ring(RATE);
    const sound = Float32Array.from({ length: ms(100) }, (_, i) => (i + 1) / 10000);
    ring.write(sound, sound.length);
    ring.end();
    const heard = play(ring, 120);
    assert.deepEqual(heard.slice(0, sound.length), sound);
    assert.equal(ring.playedMs, 100);
    assert.equal(ring.sounding, false);
    assert.equal(ring.underruns, 0);
  });

  test("counts what is heard anew with each reply", () => {
    const ring = ringWith(100);
    ring.end();
    play(ring, 40);
    ring.write(tone(ms(100)), ms(100));
    assert.equal(ring.playedMs, 0);
    play(ring, 90);
    assert.equal(Math.round(ring.playedMs), 30);
  });

  test("an underrun is counted, and filled up before it goes on", () => {
    const ring = ringWith(100);
    play(ring, 150);
    assert.equal(ring.underruns, 1);
    ring.write(tone(ms(20)), ms(20));
    assert.ok(play(ring, 10).every((sample) => sample === 0));
  });

  test("waits longer after replies that stuttered, 320 ms at most, and shorter again after those that did not", () => {
    const ring = new Ring(RATE);
    const waits = (stutters) => {
      ring.write(tone(ms(400)), ms(400));
      if (stutters) play(ring, 500);
      ring.end();
      play(ring, 500);
      return Math.round((ring.threshold / RATE) * 1000);
    };
    assert.deepEqual([waits(true), waits(true), waits(true), waits(false), waits(false)], [80, 160, 320, 320, 304]);
    for (let replies = 0; replies < 50; replies += 1) waits(false);
    assert.equal(waits(false), 80);
  });

  test("a reply that is slower than its threshold is not waited for for ever", () => {
    const ring = new Ring(RATE);
    ring.threshold = ms(320);
    ring.ended = false;
    ring.write(tone(ms(60)), ms(60));
    assert.ok(play(ring, 530).every((sample) => sample === 0));
    assert.ok(play(ring, 30).some((sample) => sample !== 0));
  });

  test("a flush fades out within 20 ms and drops the rest", () => {
    const ring = ringWith(1000);
    play(ring, 100);
    assert.equal(Math.round(ring.flush()), 900);
    const heard = play(ring, 40);
    assert.ok(heard[0] <= 0.5 && heard[0] > heard[ms(10)] && heard[ms(10)] > 0);
    assert.ok(heard.slice(ms(20) + 1).every((sample) => sample === 0));
    assert.equal(ring.buffered, 0);
    assert.equal(ring.sounding, false);
    assert.equal(ring.playedMs, 0);
  });

  test("sound that comes during the fade belongs to the next reply and is kept", () => {
    const ring = ringWith(1000);
    play(ring, 100);
    ring.flush();
    ring.write(tone(ms(200), 0.25), ms(200));
    const heard = play(ring, 120);
    assert.equal(heard.at(-1), 0.25);
    assert.ok(ring.playedMs > 50 && ring.playedMs <= 120);
  });

  test("a reply that is longer than the ring makes it grow", () => {
    const ring = new Ring(RATE, ms(50));
    const sound = Float32Array.from({ length: ms(400) }, (_, i) => i / 10000);
    for (let at = 0; at < sound.length; at += 480) ring.write(sound.subarray(at, at + 480), 480);
    ring.end();
    assert.deepEqual(play(ring, 400), sound);
  });
});

/** A tone of that many Hz through a resampler in chunks of that many samples. */
function resample(from, to, hertz, chunk) {
  const resampler = new Resampler(from, to, chunk);
  const input = Float32Array.from({ length: from }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / from));
  const output = new Float32Array(resampler.bound(chunk));
  const all = [];
  for (let at = 0; at < input.length; at += chunk) {
    const part = input.subarray(at, at + chunk);
    const size = resampler.push(part, part.length, output);
    all.push(...output.slice(0, size));
  }
  return all;
}

const loudness = (samples) => Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);

describe("the resampler", () => {
  for (const [from, to] of [[48000, 16000], [44100, 16000], [24000, 48000], [24000, 44100]]) {
    test(`${from} → ${to} Hz keeps length and loudness`, () => {
      const heard = resample(from, to, 440, 128);
      assert.ok(Math.abs(heard.length - to) <= 1);
      assert.ok(Math.abs(loudness(heard.slice(100, -100)) - Math.SQRT1_2) < 0.01);
    });

    test(`${from} → ${to} Hz does not care how the stream is cut`, () => {
      const [fine, coarse] = [resample(from, to, 440, 128), resample(from, to, 440, 1000)];
      assert.ok(Math.abs(fine.length - coarse.length) <= 1);
      assert.ok(coarse.every((sample, i) => Math.abs(sample - (fine[i] ?? sample)) < 0.001));
    });
  }

  test("what the lower rate cannot hold is taken away, not folded", () => {
    assert.ok(loudness(resample(48000, 16000, 11000, 128)) < 0.02);
  });

  test("a tone stays that tone", () => {
    const heard = resample(48000, 16000, 1000, 128).slice(200, 1800);
    const crossings = heard.filter((sample, i) => i > 0 && heard[i - 1] < 0 && sample >= 0).length;
    assert.equal(crossings, 100);
  });
});
