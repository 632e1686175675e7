import { randomBytes } from 'node:crypto';
import type { Store } from '../../lib/contract';
import { describeContract } from './contract-tests';
import type { ContractTests, Place } from './contract-tests';
import { DEVIATIONS } from './deviations';
import { testListing } from './store-listing';
import { testReading } from './store-reading';
import { testRenewing } from './store-renewing';
import { testStreams } from './store-streams';
import { testWriting } from './store-writing';

/** A store that the suite is pointed at. */
export interface StorePlace {
  /** What it is, as `the S3 store of clients`. */
  readonly title: string;
  readonly place: Place;
  /** Called for each test. */
  open(): Promise<Store>;
  /** False for a VM's, which may not. @default true */
  readonly canList?: boolean;
  /** Ids of uploads that were begun and neither completed nor aborted, under a prefix. @default - cannot be asked */
  readonly unfinished?: (prefix: string) => Promise<string[]>;
}

/** What the tests of one store share. */
export interface StoreFixture extends Pick<StorePlace, 'unfinished'> {
  readonly store: Store;
  /** A key of this test's own; all of a test lie under {@link prefix}. */
  readonly key: (name: string) => string;
  readonly prefix: string;
  /** An object as text, or that there is none. */
  readonly text: (key: string) => Promise<string>;
}

/** What every store promises. */
export function describeStore(place: StorePlace): void {
  describeContract({ suite: place.title, place: place.place }, DEVIATIONS, (tests) => {
    const held: { fixture?: StoreFixture } = {};
    beforeEach(async () => {
      held.fixture = fixtureOf(place, await place.open());
    });
    const fixture = (): StoreFixture => held.fixture!;
    for (const define of [testWriting, testReading, testStreams, testRenewing, ...((place.canList ?? true) ? [testListing] : [])])
      define(tests, fixture);
  });
}

/** A part of the suite. */
export type StoreTests = (tests: ContractTests, fixture: () => StoreFixture) => void;

function fixtureOf({ unfinished }: StorePlace, store: Store): StoreFixture {
  const prefix = `v1/jobs/suite-${randomBytes(8).toString('hex')}/`;
  return {
    store,
    prefix,
    key: (name) => `${prefix}${name}`,
    text: async (key) => {
      const found = await store.get(key);
      return typeof found === 'string' ? found : Buffer.from(found.body).toString();
    },
    ...(unfinished ? { unfinished } : {}),
  };
}

/** @throws when the write lost */
export async function mustPut(store: Store, key: string, text: string): Promise<{ etag: string; now: number }> {
  const written = await store.put(key, Buffer.from(text));
  if (written === 'lost') throw new Error('an unconditional write was lost');
  return written;
}

/** @throws when there is nothing */
export async function mustGet(store: Store, key: string): Promise<Exclude<Awaited<ReturnType<Store['get']>>, string>> {
  const found = await store.get(key);
  if (typeof found === 'string') throw new Error(`the object is ${found}`);
  return found;
}
