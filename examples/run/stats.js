/* Temperatures by station, from a CSV file: node stats.js data.csv */
const { createReadStream, mkdirSync, writeFileSync } = require('node:fs');
const { createInterface } = require('node:readline');

async function main(file) {
  const byStation = new Map();
  let rows = 0;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (rows++ === 0) continue;
    const [, station, temperature] = line.split(',');
    if (!byStation.has(station)) byStation.set(station, []);
    byStation.get(station).push(Math.round(Number(temperature) * 10));
    if (rows % 50_000 === 0) console.error(`${rows} rows`);
  }
  const summary = [...byStation].map(([station, tenths]) => summarize(station, tenths));
  console.log('station      readings      mean       min       p95       max');
  for (const s of summary)
    console.log(`${s.station.padEnd(10)} ${cell(s.readings, 0)}${[s.mean, s.min, s.p95, s.max].map((n) => cell(n, 1)).join('')}`);
  mkdirSync('out', { recursive: true });
  writeFileSync('out/summary.json', JSON.stringify(summary, null, 2) + '\n');
}

function summarize(station, tenths) {
  tenths.sort((a, b) => a - b);
  const total = tenths.reduce((sum, n) => sum + n, 0);
  const p95 = tenths[Math.floor(0.95 * (tenths.length - 1))];
  return {
    station,
    readings: tenths.length,
    mean: total / tenths.length / 10,
    min: tenths[0] / 10,
    p95: p95 / 10,
    max: tenths.at(-1) / 10,
  };
}

function cell(number, digits) {
  return number.toFixed(digits).padStart(10);
}

main(process.argv[2]);
