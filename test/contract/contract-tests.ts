import { stripVTControlCharacters } from 'node:util';

/** Where a contract suite is run. */
export type Place = 'memory' | 'local cloud' | 'moto';

/** A test of a contract suite that is known to fail at one place. */
export interface Deviation {
  readonly place: Place;
  /** Title of the suite at that place, as `the S3 store of clients`. */
  readonly suite: string;
  /** The test's whole name. */
  readonly test: string;
  /** What its failure says: any other failure is news. */
  readonly shows: RegExp;
  /** Why it is so, and what stands in for the proof. */
  readonly reason: string;
}

/** Takes the tests of a suite. */
export interface ContractTests {
  readonly test: (name: string, body: () => Promise<void>) => void;
  /** One test for each case; `%s` in the name is the case's own. */
  readonly each: <T>(name: string, cases: Readonly<Record<string, T>>, body: (value: T) => Promise<void>) => void;
}

/**
 * One suite at one place. Tests on the list of deviations are run all the same: one that fails otherwise than it is
 * known to fails the suite, and so does one that does not fail any more, or is not there. So the list stays true.
 */
export function describeContract(
  about: { readonly suite: string; readonly place: Place },
  deviations: readonly Deviation[],
  define: (tests: ContractTests) => void,
): void {
  const known = deviations.filter((d) => d.suite === about.suite && d.place === about.place);
  const names = new Set<string>();
  const add = (name: string, body: () => Promise<void>): void => {
    names.add(name);
    const deviation = known.find((d) => d.test === name);
    if (deviation) test(`${name} (deviates: ${deviation.reason})`, () => deviates(body, deviation));
    else test(name, body);
  };
  describe(about.suite, () => {
    define({
      test: add,
      each: (name, cases, body) => {
        for (const [title, value] of Object.entries(cases)) add(name.replace('%s', title), () => body(value));
      },
    });
    test('the deviations listed are of tests that are there', () => {
      expect(known.map((d) => d.test).filter((name) => !names.has(name))).toEqual([]);
    });
  });
}

/** Runs a test that is to fail as `shows` says. @throws when it fails otherwise, or not at all */
export async function deviates(body: () => Promise<void>, { place, shows, test: name }: Deviation): Promise<void> {
  const failure = await body().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
  if (!failure) throw new Error(`${place} no longer deviates: take '${name}' off the list`);
  if (!shows.test(stripVTControlCharacters(failure.message))) throw failure;
}
