/*
 * Writes data.csv: hourly readings of weather stations, about 5 MB, the same bytes on every machine.
 * node make-data.mjs [file]
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';

const STATIONS = ['harbour', 'airport', 'old-town', 'forest', 'summit'];
const HOURS = 31_000;
const START = Date.UTC(2023, 0, 1);

/** mulberry32: a small generator whose sequence depends on the seed alone. */
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Warmer at noon and in July, colder on the summit, with noise. Whole tenths, so that nothing depends on rounding. */
function tenths(hour, station, noise) {
  const day = Math.round(40 * Math.cos((2 * Math.PI * ((hour % 24) - 13)) / 24));
  const year = Math.round(110 * Math.cos((2 * Math.PI * (hour / 24 - 196)) / 365));
  return 100 + day + year - 25 * station + Math.floor(noise * 60) - 30;
}

const next = random(2026);
const file = createWriteStream(process.argv[2] ?? 'data.csv');
file.write('time,station,temperature,humidity\n');
for (let hour = 0; hour < HOURS; hour++) {
  const time = new Date(START + hour * 3_600_000).toISOString().slice(0, 16);
  const rows = STATIONS.map((name, i) => `${time},${name},${(tenths(hour, i, next()) / 10).toFixed(1)},${30 + Math.floor(next() * 70)}\n`);
  if (!file.write(rows.join(''))) await once(file, 'drain');
}
file.end();
await once(file, 'close');
