import { randomBytes } from 'node:crypto';
import type { AwsContext } from '../../lib/aws/clients';
import { createEc2Compute } from '../../lib/aws/ec2-compute';
import { describeImage } from '../../lib/aws/images';
import { readParameter } from '../../lib/aws/parameters';
import { amazonLinuxParameter } from '../../lib/contract';
import type { Compute, Instance, JobSpec, Offer, Scaffold } from '../../lib/contract';
import { compileLaunch } from '../../lib/runtime/launch/compile';
import * as records from '../fakes/records';
import { testDescribing } from './compute-describing';
import { testEnding } from './compute-ending';
import { testFailing } from './compute-failing';
import { testLaunching } from './compute-launching';
import { testRemains } from './compute-remains';
import { testTemplate } from './compute-template';
import { describeContract } from './contract-tests';
import type { ContractTests, Place } from './contract-tests';
import { DEVIATIONS } from './deviations';

/** An EC2 with the scaffolding laid down, known only when the tests run. */
export interface Ec2At {
  readonly aws: AwsContext;
  readonly scaffold: Scaffold;
}

/** An EC2 that the suite is pointed at. */
export interface ComputePlace {
  readonly place: Place;
  at(): Ec2At;
  /** Resolves when EC2 shows all of them as terminated. */
  whenGone(ids: readonly string[]): Promise<void>;
}

/** What a test may say about a launch; the rest is as a plain run has it. */
export interface LaunchChange {
  readonly offer?: Partial<Offer>;
  readonly spec?: Partial<JobSpec>;
  /** Launch number, part of the token. */
  readonly n?: number;
  /** Put into the compiled request, over what it says. */
  readonly input?: Readonly<Record<string, unknown>>;
}

/** What the tests of one EC2 share. */
export interface ComputeFixture extends Ec2At {
  readonly compute: Compute;
  /** Id of this test's job. */
  readonly job: string;
  /** A launch of this test's job as the runtime compiles it. */
  readonly request: (change?: LaunchChange) => Promise<string>;
  readonly launch: (change?: LaunchChange) => Promise<Instance>;
  /** This test's VMs as EC2 shows them. */
  readonly mine: () => Promise<Instance[]>;
  readonly whenGone: (ids: readonly string[]) => Promise<void>;
}

/** A part of the suite. */
export type ComputeTests = (tests: ContractTests, fixture: () => ComputeFixture) => void;

/** What every EC2 does for us. Each test has a job of its own, whose VMs are ended when it is over. */
export function describeCompute(place: ComputePlace): void {
  describeContract({ suite: 'EC2', place: place.place }, DEVIATIONS, (tests) => {
    const held: { fixture?: ComputeFixture } = {};
    beforeEach(() => {
      held.fixture = fixtureOf(place);
    });
    afterEach(async () => {
      const { compute, mine } = held.fixture!;
      await compute.terminate((await mine()).map((i) => i.id));
    });
    const fixture = (): ComputeFixture => held.fixture!;
    for (const define of [testLaunching, testTemplate, testDescribing, testEnding, testRemains, testFailing]) define(tests, fixture);
  });
}

function fixtureOf(place: ComputePlace): ComputeFixture {
  const { aws, scaffold } = place.at();
  const compute = createEc2Compute(aws);
  const job = `j${randomBytes(6).toString('hex')}`;
  const request = async ({ offer = {}, spec = {}, n = 0, input = {} }: LaunchChange = {}): Promise<string> => {
    const compiled = compileLaunch({
      spec: records.spec({ job, ...spec }),
      scaffold,
      image: await amazonLinux(aws, offer.arch ?? 'x86_64'),
      offer: records.offer({ zone: scaffold.zones[0]!, ...offer }),
      n,
      lifetimeUntil: records.START,
    });
    return JSON.stringify({ ...(JSON.parse(compiled) as object), ...input });
  };
  return {
    aws,
    scaffold,
    compute,
    job,
    request,
    launch: async (change) => {
      const [launched] = await compute.launch(await request(change));
      if (!launched) throw new Error('the launch gave no instance');
      return launched;
    },
    mine: () => compute.describe({ scaffold: scaffold.name, job }),
    whenGone: (ids) => place.whenGone(ids),
  };
}

/** The image that a launch takes unless told otherwise, found as the runtime finds it. */
export async function amazonLinux(aws: AwsContext, arch: 'x86_64' | 'arm64'): Promise<{ id: string; rootDevice: string; arch: string }> {
  const id = await readParameter(aws, amazonLinuxParameter(arch));
  if (id === undefined) throw new Error(`there is no parameter ${amazonLinuxParameter(arch)}`);
  return describeImage(aws, id);
}

export const idsOf = (instances: readonly Instance[]): string[] => instances.map((i) => i.id).sort();
