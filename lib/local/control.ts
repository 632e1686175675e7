import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as v from 'valibot';
import { isRawcloudError, RawcloudError } from '../contract';
import { readBody } from './body';
import type { LocalCloud } from './cloud';
import { RoleInputSchema } from './roles';
import type { Control } from './server';

/** Header that carries the secret of `cloud.json`. A page in a browser cannot send it without being asked first, and never is. */
export const CONTROL_TOKEN_HEADER = 'x-rawcloud-local-token';

export interface ControlOptions {
  readonly token: string;
  /** Asked to end; the answer is sent before. */
  readonly onShutdown: (options: { readonly keepMachines: boolean }) => void;
}

const MAX_BODY_BYTES = 64 * 1024;

const FaultSchema = v.strictObject({
  operation: v.string(),
  resource: v.optional(v.string()),
  region: v.optional(v.string()),
  skip: v.optional(v.number()),
  count: v.optional(v.number()),
  effect: v.variant('kind', [
    v.strictObject({ kind: v.literal('error'), status: v.number(), code: v.string(), message: v.optional(v.string()) }),
    v.strictObject({ kind: v.literal('lost-reply') }),
    v.strictObject({ kind: v.literal('delay'), ms: v.number() }),
  ]),
});
const NoCapacitySchema = v.array(
  v.strictObject({
    vmType: v.optional(v.string()),
    zone: v.optional(v.string()),
    purchase: v.optional(v.picklist(['on-demand', 'spot'])),
    count: v.optional(v.number()),
    left: v.optional(v.number()),
  }),
);
const SpotPricesSchema = v.array(
  v.strictObject({ vmType: v.optional(v.string()), zone: v.optional(v.string()), usdPerHour: v.pipe(v.number(), v.gtValue(0)) }),
);
const QuotasSchema = v.record(v.string(), v.number());
const LagSchema = v.strictObject({
  ms: v.optional(v.pipe(v.number(), v.minValue(0))),
  calls: v.optional(v.pipe(v.number(), v.minValue(0))),
});
const SpotRoleSchema = v.strictObject({ present: v.boolean() });
const InterruptSchema = v.strictObject({ noticeMs: v.optional(v.pipe(v.number(), v.minValue(0))) });
const DeadSchema = v.strictObject({ count: v.number() });
const ShutdownSchema = v.strictObject({ keepMachines: v.optional(v.boolean(), false) });

/** What `GET /_local/status` tells. */
export const StatusSchema = v.object({
  pid: v.number(),
  url: v.string(),
  stateDir: v.string(),
  /** What new machines are; `why` says why no namespaces when they were to be chosen by themselves. One of an earlier version does not tell. */
  driver: v.optional(v.object({ kind: v.string(), why: v.optional(v.string()) })),
  machines: v.array(v.object({ id: v.string(), state: v.string(), on: v.boolean(), tags: v.record(v.string(), v.string()) })),
});
export type CloudStatus = v.InferOutput<typeof StatusSchema>;

type Route = (body: unknown, ...parts: string[]) => unknown;

/**
 * The API under `/_local/`: what only the local cloud can do. JSON in and out; every request needs the token.
 * Routes stand in `docs/local-cloud.md`.
 */
export function createControl(cloud: LocalCloud, { token, onShutdown }: ControlOptions): Control {
  const routes = routesOf(cloud, onShutdown);
  return async (request, response) => {
    if (!hasToken(request, token)) return reply(response, 403, { error: `the header ${CONTROL_TOKEN_HEADER} is missing or wrong` });
    const path = (request.url ?? '').split('?')[0]!.slice('/_local/'.length);
    for (const [method, shape, route] of routes) {
      const match = shape.exec(path);
      if (method !== request.method || !match) continue;
      return answer(request, response, (body) => route(body, ...match.slice(1)));
    }
    return reply(response, 404, { error: `there is no ${request.method} /_local/${path}` });
  };
}

function routesOf(cloud: LocalCloud, onShutdown: ControlOptions['onShutdown']): readonly [method: string, path: RegExp, route: Route][] {
  const { ec2, faults, calls, bus } = cloud;
  return [
    ['GET', /^status$/, () => statusOf(cloud)],
    ['GET', /^calls$/, () => calls.recent()],
    ['GET', /^events$/, () => bus.events()],
    ['GET', /^faults$/, () => faults.armed],
    ['POST', /^faults$/, (body) => faults.arm(v.parse(FaultSchema, body))],
    ['DELETE', /^faults$/, () => faults.clear()],
    ['POST', /^no-capacity$/, (body) => ec2.noCapacity(v.parse(NoCapacitySchema, body))],
    ['DELETE', /^no-capacity$/, () => ec2.clearCapacity()],
    ['POST', /^dead-instances$/, (body) => ec2.deadInstances(v.parse(DeadSchema, body).count)],
    ['POST', /^spot-prices$/, (body) => ec2.spotPrices(v.parse(SpotPricesSchema, body))],
    ['DELETE', /^spot-prices$/, () => ec2.clearSpotPrices()],
    ['POST', /^quotas$/, (body) => ec2.setQuotas(v.parse(QuotasSchema, body))],
    ['DELETE', /^quotas$/, () => ec2.clearQuotas()],
    ['POST', /^lag$/, (body) => ec2.lag(lagOf(body))],
    ['DELETE', /^lag$/, () => ec2.clearLag()],
    ['POST', /^spot-role$/, (body) => ec2.spotRole(v.parse(SpotRoleSchema, body).present)],
    ['POST', /^roles$/, (body) => cloud.roles.put(v.parse(RoleInputSchema, body))],
    ['POST', /^instances\/([^/]+)\/rebalance$/, (_, id) => ec2.rebalance(id)],
    ['POST', /^instances\/([^/]+)\/interrupt$/, (body, id) => ec2.interrupt(id, interruption(body))],
    ['POST', /^instances\/([^/]+)\/kill$/, (_, id) => ec2.kill(id)],
    ['POST', /^instances\/([^/]+)\/poweroff$/, (_, id) => ec2.powerOff(id)],
    ['POST', /^instances\/([^/]+)\/reboot$/, (_, id) => ec2.reboot(id)],
    [
      'POST',
      /^shutdown$/,
      (body) => {
        const running = [...ec2.running];
        onShutdown(v.parse(ShutdownSchema, body ?? {}));
        return { machines: running };
      },
    ],
  ];
}

function lagOf(body: unknown): { ms?: number; calls?: number } {
  const { ms = 0, calls = 0 } = v.parse(LagSchema, body ?? {});
  return { ms, calls };
}

function interruption(body: unknown): { noticeMs?: number } {
  const { noticeMs } = v.parse(InterruptSchema, body ?? {});
  return noticeMs === undefined ? {} : { noticeMs };
}

function statusOf({ url, stateDir, driver, ec2 }: LocalCloud): CloudStatus {
  const on = new Set(ec2.running);
  const machines = ec2.instances().map(({ id, state, tags }) => ({ id, state, tags, on: on.has(id) }));
  return { pid: process.pid, url, stateDir, driver: { ...driver }, machines };
}

async function answer(request: IncomingMessage, response: ServerResponse, route: (body: unknown) => unknown): Promise<true> {
  try {
    const text = (await readBody(request as AsyncIterable<Buffer>, MAX_BODY_BYTES)).toString('utf8');
    const result: unknown = await route(text === '' ? undefined : parseJson(text));
    return reply(response, 200, result ?? {});
  } catch (error) {
    if (v.isValiError(error)) return reply(response, 400, { error: `${v.getDotPath(error.issues[0]) ?? 'body'}: ${error.message}` });
    if (isRawcloudError(error)) return reply(response, 400, { error: error.message });
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RawcloudError('E_LOCAL_CLOUD', 'the body is not JSON', { cause });
  }
}

function hasToken(request: IncomingMessage, token: string): boolean {
  const [got, wanted] = [Buffer.from(String(request.headers[CONTROL_TOKEN_HEADER] ?? '')), Buffer.from(token)];
  return got.byteLength === wanted.byteLength && timingSafeEqual(got, wanted);
}

function reply(response: ServerResponse, status: number, body: unknown): true {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
  return true;
}
