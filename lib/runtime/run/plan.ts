import { formatSize } from '../../contract';
import type { RunPlan, RunRequest } from '../api';
import { hourlyUsd, RATES } from '../cost/rates';
import type { ClientDeps } from '../deps';
import { newJobId } from '../ids';
import { normalizeRequest } from '../request';
import { measureTree } from '../sync/sync';
import { capture } from './capture';
import { readMarket } from '../market/read';
import { viewMarket } from '../plan/market';
import { archOf, hardwareOf, offersFor } from './offers';

/** The plan of a run: what it would take along, buy and cost. Writes nothing anywhere. */
export async function planRun(deps: ClientDeps, asked: RunRequest, signal?: AbortSignal): Promise<RunPlan> {
  const request = normalizeRequest(asked, deps.cwd);
  const arch = archOf(deps, request);
  const captured = await capture(deps, request, arch);
  const [image, forwarded, stored, measured] = await Promise.all([
    deps.resolveImage(arch, request.image, signal),
    request.credentials === 'none' ? undefined : deps.forward(signal),
    readMarket(deps.store, deps.scaffold.region, signal),
    measureTree({ root: captured.root, include: captured.include, home: deps.home, env: deps.env, ...(signal ? { signal } : {}) }),
  ]);
  const market = viewMarket(deps.scaffold.region, stored?.market);
  const offers = offersFor(hardwareOf(deps, request, arch, newJobId()), market);
  const usdPerHour = hourlyUsd(offers[0]!.usdPerHour, request.diskGiB);
  const expiresAt = forwarded?.credentials.expiresAt;
  return {
    offers,
    image: image.id,
    diskGiB: request.diskGiB,
    lifetimeS: request.lifetimeS,
    usdPerHour,
    minimumUsd: (usdPerHour * RATES.minimumSeconds) / 3600,
    identity: forwarded ? { kind: 'forwarded', arn: forwarded.arn, ...(expiresAt ? { expiresAt } : {}) } : { kind: 'none' },
    tree: { ...measured.size, root: captured.root },
    packages: captured.found.map(({ kind, title }) => ({ kind, title })),
    notices: [...captured.notices, ...measured.notices, ...contentNotice(captured.contents)],
  };
}

function contentNotice(contents: readonly { readonly bytes: Uint8Array }[]): RunPlan['notices'] {
  const bytes = contents.reduce((sum, c) => sum + c.bytes.byteLength, 0);
  return bytes === 0 ? [] : [{ level: 'info', text: `package sources of ${formatSize(bytes)} travel as well` }];
}
