import type { Chance } from './chance';

/** A command whose output tells every line that is lost or doubled. */
export interface ChaosJob {
  readonly name: string;
  readonly argv: readonly string[];
  /** Of `rawcloud run`, besides the name. */
  readonly options: readonly string[];
  readonly retries: number;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function makeJob(chance: Chance, name: string): ChaosJob {
  const lines = chance.pick([0, 1, 40, 400, 5_000]);
  const naps = chance.whole(0, 12);
  const exitCode = chance.pick([0, 0, 3, 7]);
  const retries = chance.pick([0, 0, 1, 3]);
  const spotPolicy = chance.pick(['on-demand', 'spot', 'spot_with_fallback']);
  const napEvery = Math.max(1, Math.floor(lines / (naps + 1)));
  const script = [
    `i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo "out $i"`,
    '[ $((i % 7)) != 0 ] || echo "err $i" >&2',
    `[ $((i % ${napEvery})) != 0 ] || sleep 0.1`,
    `done; exit ${exitCode}`,
  ].join('; ');
  const numbers = Array.from({ length: lines }, (_, i) => i + 1);
  return {
    name,
    options: ['--spot-policy', spotPolicy, '--retries', String(retries)],
    retries,
    argv: ['sh', '-c', script],
    exitCode,
    stdout: numbers.map((i) => `out ${i}\n`).join(''),
    stderr: numbers
      .filter((i) => i % 7 === 0)
      .map((i) => `err ${i}\n`)
      .join(''),
  };
}
