import { formatSize } from '../../contract';
import type { Offer } from '../../contract';
import type { RunPlan, RunRequest } from '../api';
import { addressUsdPerHour, diskUsdPerHour, hourlyUsd, RATES } from '../cost/rates';
import type { ClientDeps } from '../deps';
import { newJobId } from '../ids';
import { checkRoom } from '../launch/room';
import { findLogins } from '../logins';
import { requestWithin } from '../request';
import { measureTree } from '../sync/sync';
import { capture } from './capture';
import { fitDisk, measureEnvironment } from './disk';
import { alternatives } from '../plan/alternatives';
import { withinLimits } from '../plan/market';
import { findIdentity, specIdentity } from './identity';
import { archOf, hardwareOf, offersFor } from './offers';

/** The plan of a run: what it would take along, buy and cost. Writes nothing but prices that were asked for anew. */
export async function planRun(deps: ClientDeps, asked: RunRequest, signal?: AbortSignal): Promise<RunPlan> {
  const request = requestWithin(deps.scaffold, asked, deps.cwd);
  await checkRoom(deps);
  const arch = archOf(deps, request);
  const captured = await capture(deps, request, arch, signal);
  const [image, identity, { view, notices }, logins, measured, size] = await Promise.all([
    deps.resolveImage(arch, request.image, signal),
    findIdentity(deps, request, signal),
    deps.market.freshView(signal),
    findLogins(request.logins, { ...deps, cwd: request.cwd, ...(signal ? { signal } : {}) }),
    measureTree({
      root: captured.root,
      include: captured.include,
      uploads: captured.uploads,
      home: deps.home,
      env: deps.env,
      ...(signal ? { signal } : {}),
    }),
    measureEnvironment(captured),
  ]);
  const market = withinLimits(view, deps.scaffold.limits);
  const { gp3UsdPerGiBMonth } = market;
  const disk = fitDisk(request, { asked: asked.diskGiB, size, gp3UsdPerGiBMonth });
  const hardware = hardwareOf(deps, request, arch, newJobId());
  const offers = offersFor(hardware, market);
  const hourly = (offer: Offer): number => hourlyUsd(offer, disk.diskGiB, gp3UsdPerGiBMonth);
  const usdPerHour = hourly(offers[0]!);
  return {
    offers,
    image: image.id,
    diskGiB: disk.diskGiB,
    lifetimeS: request.lifetimeS,
    retries: request.retries,
    usdPerHour,
    parts: {
      vm: offers[0]!.usdPerHour,
      disk: diskUsdPerHour(disk.diskGiB, gp3UsdPerGiBMonth),
      address: addressUsdPerHour(offers[0]!),
    },
    alternatives: alternatives(hardware, offers[0]!, market).map((a) => ({ ...a, usdPerHour: hourly(a.offer) })),
    minimumUsd: (usdPerHour * RATES.minimumSeconds) / 3600,
    identity: specIdentity(identity),
    logins: request.logins,
    tree: { ...measured.size, root: captured.root },
    packages: captured.found.map(({ kind, title }) => ({ kind, title })),
    notices: [
      ...captured.notices,
      ...size.notices,
      ...disk.notices,
      ...logins.notices,
      ...measured.notices,
      ...notices,
      ...contentNotice(captured.contents),
    ],
  };
}

function contentNotice(contents: readonly { readonly bytes: Uint8Array }[]): RunPlan['notices'] {
  const bytes = contents.reduce((sum, c) => sum + c.bytes.byteLength, 0);
  return bytes === 0 ? [] : [{ level: 'info', text: `package sources of ${formatSize(bytes)} travel as well` }];
}
