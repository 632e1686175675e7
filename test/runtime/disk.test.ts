import { fitDisk } from '../../lib/runtime/run/disk';
import type { EnvironmentSize } from '../../lib/runtime/run/disk';

const GIB = 2 ** 30;

function sizeOf(packages: Readonly<Record<string, number>>): EnvironmentSize {
  const bytes = Object.values(packages).reduce((sum, one) => sum + one, 0);
  return { sizes: { python: packages }, bytes, notices: [] };
}

const fit = (size: EnvironmentSize, asked?: number): ReturnType<typeof fitDisk> =>
  fitDisk({ diskGiB: asked ?? 30 }, { asked, size, gp3UsdPerGiBMonth: 0.073 });

test('a small environment changes nothing and is not spoken of', () => {
  expect(fit(sizeOf({ numpy: 60e6 }))).toEqual({ diskGiB: 30, notices: [] });
  expect(fit(sizeOf({}))).toEqual({ diskGiB: 30, notices: [] });
});

test('one of ten GiB or more is said, with its largest packages and what to do', () => {
  const { diskGiB, notices } = fit(sizeOf({ torch: 8 * GIB, six: 10, triton: GIB, nvidia: 3 * GIB }));
  expect(diskGiB).toBe(30);
  expect(notices).toEqual([
    {
      level: 'warning',
      text:
        'the environment takes 12.0 GiB on the VM: torch 8.0 GiB, nvidia 3.0 GiB, triton 1.0 GiB …. Its first VM fetches and keeps all of that, and each ' +
        'later one restores it, which takes minutes; --package-ignore NAME leaves out what the command does not need',
    },
  ]);
});

test('one that the default disk does not hold gets a larger one, and the price is said', () => {
  const { diskGiB, notices } = fit(sizeOf({ torch: 30 * GIB }));
  expect(diskGiB).toBe(51);
  expect(notices[0]!.text).toContain('; the VM has a disk of 51 GiB for it in place of 30 ($0.0021/h more, --disk sets another)');
});

test('a disk that was asked for is taken, and refused when the environment cannot fit on it', () => {
  expect(fit(sizeOf({ torch: 30 * GIB }), 40).diskGiB).toBe(40);
  expect(fit(sizeOf({ torch: 30 * GIB }), 400).diskGiB).toBe(400);
  expect(() => fit(sizeOf({ torch: 30 * GIB }), 32)).toThrow(
    expect.objectContaining({
      code: 'E_USAGE',
      message: 'a disk of 32 GiB does not hold the environment, which takes 30.0 GiB: torch 30.0 GiB',
      remedy: expect.stringContaining('--disk 51GiB') as string,
    }),
  );
});
