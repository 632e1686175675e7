import { idsOf } from './compute-suite';
import type { ComputeTests } from './compute-suite';

const UNKNOWN = 'i-0123456789abcdef0';
/** Between the machine's clock and EC2's, milliseconds. */
const CLOCKS_APART_MS = 60_000;

/** Ending VMs, whatever state they are in. */
export const testEnding: ComputeTests = ({ test }, fixture) => {
  test('ends VMs, which then show when and why', async () => {
    const { compute, launch, mine, whenGone } = fixture();
    const { id, launchedAt } = await launch();
    await compute.terminate([id]);
    await whenGone([id]);
    const [gone] = await mine();
    expect(gone).toMatchObject({ id, state: 'terminated', stateReason: expect.stringMatching(/^Client.UserInitiatedShutdown/) as string });
    expect(gone!.endedAt).toBeGreaterThanOrEqual(Math.floor(launchedAt / 1000) * 1000);
    expect(Math.abs(gone!.endedAt! - Date.now())).toBeLessThan(CLOCKS_APART_MS);
  });

  test('ends only what it is told to', async () => {
    const { compute, launch, mine, whenGone } = fixture();
    const [first, second] = [await launch({ n: 0 }), await launch({ n: 1 })];
    await compute.terminate([first.id]);
    await whenGone([first.id]);
    const states = Object.fromEntries((await mine()).map((i) => [i.id, i.state]));
    expect(states[first.id]).toBe('terminated');
    expect(['pending', 'running']).toContain(states[second.id]);
  });

  test('ends what is ended, and nothing, without complaint', async () => {
    const { compute, launch, whenGone } = fixture();
    const { id } = await launch();
    await compute.terminate([id]);
    await compute.terminate([id]);
    await whenGone([id]);
    await compute.terminate([id]);
    await compute.terminate([]);
  });

  test('ends what is there although another is not', async () => {
    const { compute, launch, mine, whenGone } = fixture();
    const launched = [await launch({ n: 0 }), await launch({ n: 1 })];
    await compute.terminate([UNKNOWN]);
    await compute.terminate([launched[0]!.id, UNKNOWN, launched[1]!.id]);
    await whenGone(idsOf(launched));
    expect((await mine()).map((i) => i.state)).toEqual(['terminated', 'terminated']);
  });

  test('a VM keeps its tags when it is gone', async () => {
    const { compute, launch, mine, whenGone } = fixture();
    const { id, tags } = await launch();
    await compute.terminate([id]);
    await whenGone([id]);
    expect(await mine()).toMatchObject([{ id, tags }]);
  });

  test('a launch that comes again after the end gives the VM that is gone', async () => {
    const { compute, request, mine, whenGone } = fixture();
    const text = await request();
    const launched = await compute.launch(text);
    await compute.terminate(idsOf(launched));
    await whenGone(idsOf(launched));
    expect(await compute.launch(text)).toMatchObject([{ id: launched[0]!.id }]);
    expect(await mine()).toHaveLength(1);
  });
};
