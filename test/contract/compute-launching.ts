import { TAGS } from '../../lib/contract';
import type { Instance } from '../../lib/contract';
import { idsOf } from './compute-suite';
import type { ComputeTests } from './compute-suite';

/** Between the machine's clock and EC2's, milliseconds. */
const CLOCKS_APART_MS = 60_000;

/** Without those that AWS adds. */
const ownTags = ({ tags }: Instance): Record<string, string> =>
  Object.fromEntries(Object.entries(tags).filter(([key]) => !key.startsWith('aws:')));

/** Launching by the compiled request, once for each token. */
export const testLaunching: ComputeTests = ({ test, each }, fixture) => {
  test('launches what the request says: type, zone, tags, token', async () => {
    const { launch, request, job, scaffold } = fixture();
    const zone = scaffold.zones[1]!;
    const launched = await launch({ offer: { vmType: 'c7i.xlarge', zone }, spec: { name: 'train', tags: { team: 'a b' } } });
    expect(launched).toMatchObject({ id: expect.stringMatching(/^i-[0-9a-f]{17}$/) as string, vmType: 'c7i.xlarge', zone });
    expect(['pending', 'running']).toContain(launched.state);
    expect(Math.abs(launched.launchedAt - Date.now())).toBeLessThan(CLOCKS_APART_MS);
    expect(ownTags(launched)).toEqual({
      [TAGS.scaffold]: scaffold.name,
      [TAGS.job]: job,
      [TAGS.launch]: '0',
      [TAGS.until]: '2026-11-01T12:00:00.000Z',
      Name: 'rawcloud train',
      team: 'a b',
    });
    const { ClientToken } = JSON.parse(await request({ offer: { vmType: 'c7i.xlarge', zone } })) as { ClientToken: string };
    expect(launched.clientToken).toBe(ClientToken);
  });

  each(
    'launches %s',
    {
      'a type with Arm processors': { vmType: 'm7g.large', arch: 'arm64' },
      'a burstable type without surplus credits': { vmType: 't3.small' },
    } as const,
    async (offer) => {
      const { launch, mine } = fixture();
      await launch({ offer });
      expect(await mine()).toMatchObject([{ vmType: offer.vmType }]);
    },
  );

  test('the same request again, and twice at once, gives the same VM', async () => {
    const { compute, request, mine } = fixture();
    const text = await request();
    const launched = await Promise.all([compute.launch(text), compute.launch(text)]);
    launched.push(await compute.launch(text));
    expect(new Set(launched.flatMap(idsOf)).size).toBe(1);
    expect(await mine()).toHaveLength(1);
  });

  test('another launch number gives another VM', async () => {
    const { launch, mine } = fixture();
    const ids = [(await launch({ n: 0 })).id, (await launch({ n: 1 })).id];
    expect(idsOf(await mine())).toEqual(ids.sort());
  });

  test('fails when a token comes again with other parameters, and launches nothing', async () => {
    const { compute, request, mine } = fixture();
    await compute.launch(await request());
    const other = compute.launch(await request({ spec: { tags: { other: 'yes' } } }));
    await expect(other).rejects.toMatchObject({ data: { class: 'request', awsCode: 'IdempotentParameterMismatch' } });
    expect(await mine()).toHaveLength(1);
  });

  test('launches as many as are asked for', async () => {
    const { compute, request, mine } = fixture();
    const launched = await compute.launch(await request({ input: { MinCount: 1, MaxCount: 3 } }));
    expect(launched).toHaveLength(3);
    expect(idsOf(await mine())).toEqual(idsOf(launched));
  });
};
