import path from 'node:path';
import { RawcloudError, userData as bootstrap } from '../contract';
import type { InstanceDriver, Scaffold } from '../contract';
import { openAccount } from './account';
import type { Account } from './account';
import { Calls } from './calls';
import type { LocalEventBus } from './event-bus';
import { chooseDriver } from './drivers/choose-driver';
import type { DriverChoice, DriverFacts } from './drivers/driver-choice';
import { Ec2Controls } from './ec2/controls';
import { Fleet } from './ec2/fleet';
import type { LagOptions } from './ec2/lag';
import { Machines } from './ec2/machines';
import { OtherRegions } from './ec2/other-regions';
import { createEc2Service } from './ec2/service';
import { openFacts, saveFacts } from './facts';
import { Faults } from './faults';
import { prepareImage } from './image';
import { openInstanceImds } from './imds/instance-imds';
import { takeLock } from './lock';
import type { Lock } from './lock';
import { evaluate } from './policy';
import type { Policies } from './policy';
import type { AccessKey, SessionKeys } from './principals';
import type { Roles } from './roles';
import type { UserDataFacts } from './scaffolding';
import { Sessions } from './sessions/hub';
import { startServer } from './server';
import type { Control, RunningServer } from './server';
import { openStateDir } from './state-directory';

export interface LocalCloudOptions {
  /** Everything is kept here; made when it is not there. One process at a time. */
  readonly stateDir: string;
  /** What VMs of the scaffolding run first. @default - rawcloud's bootstrap */
  readonly userData?: (facts: UserDataFacts) => string;
  /** On 127.0.0.1; 0 for the one used last when it is free, else any. @default 0 */
  readonly port?: number;
  /** From a launch to 'running', milliseconds. @default 0 */
  readonly bootMs?: number;
  /** From SIGTERM to SIGKILL when an instance is ended from outside, milliseconds. @default 5000 */
  readonly graceMs?: number;
  /** Answers about instances lag behind what is. @default - they do not */
  readonly lag?: LagOptions;
  /** How long the directory of a terminated instance stays, milliseconds. @default 60000 */
  readonly keepMs?: number;
  /** Fixed when the state directory is made. @default 'us-east-1' */
  readonly region?: string;
  /** Whether machines ship Node. @default true */
  readonly imageNode?: boolean;
  /** What machines are; see docs/local-cloud.md. @default 'process' */
  readonly driver?: InstanceDriver | DriverChoice;
  /** Answers requests under `/_local/`. @default - none */
  readonly control?: (cloud: LocalCloud) => Control;
  /** Told of what went wrong behind the answers, one line each. @default - stderr */
  readonly log?: (line: string) => void;
}

/** A local cloud that runs in this process. */
export interface LocalCloud {
  /** Endpoint of all services, `http://127.0.0.1:<port>`. */
  readonly url: string;
  readonly port: number;
  readonly region: string;
  /** Long-term keys of the developer. */
  readonly credentials: AccessKey;
  readonly scaffold: Scaffold;
  readonly stateDir: string;
  readonly driver: DriverFacts;
  readonly faults: Faults;
  readonly calls: Calls;
  /** Events that were put on the account's default bus. */
  readonly bus: Pick<LocalEventBus, 'events'>;
  readonly ec2: Ec2Controls;
  /** Roles that VMs carry besides the scaffolding's own, each with an instance profile of its name. */
  readonly roles: Pick<Roles, 'put'>;
  /** Session Manager's sessions, and what can go wrong with them. */
  readonly sessions: Pick<Sessions, 'open' | 'cut' | 'end' | 'offline'>;
  /** Who may do what, and who asked for it. */
  readonly access: Pick<Policies, 'listen' | 'limitDeveloper' | 'encryptBucket'>;
  /** Temporary keys of a role, as a function has them. @throws E_LOCAL_CLOUD for a role that is not there */
  readonly assumeRole: (role: string, session: string) => SessionKeys;
  /**
   * Ends it. Machines are powered off (and change state as EC2 would have it), or with `keepMachines` left
   * alone until the next start adopts them.
   */
  close(options?: { readonly keepMachines?: boolean }): Promise<void>;
}

/**
 * Starts the local cloud. Order: lock, facts, services, scaffolding, endpoint, machines; the end is the way back, with
 * machines first, because what they say last goes through the endpoint.
 * @throws E_LOCAL_CLOUD when the directory is in use or not ours, or the port is taken
 */
export async function startLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
  const { stateDir } = options;
  await openStateDir(stateDir);
  const lock = await takeLock(stateDir);
  try {
    return await start(options, lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function start(options: LocalCloudOptions, lock: Lock): Promise<LocalCloud> {
  const { stateDir, userData = bootstrap, log = toStderr } = options;
  const facts = await openFacts(stateDir, options.region ?? 'us-east-1');
  const account = await openAccount({ stateDir, facts, userData, now: Date.now });
  const onError = (error: unknown): void =>
    log(`rawcloud local cloud: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  // Known only once the endpoint is up.
  const later: { url?: string; control?: Control } = {};
  const { fleet, driver, machines } = await openFleet(options, account, { endpointUrl: () => later.url ?? notYet(), onError });
  const { principals, policies, ec2: state } = account;
  const others = new OtherRegions(state);
  if (options.lag) state.lag.set(options.lag);
  const sessions = new Sessions({
    account: facts.account,
    instance: (id) => state.instances.get(id),
    entrance: (instance) => machines.entrance(instance),
    mayRegister: ({ profile }) => mayRegister(account, profile),
    refusal: ({ principal }, operation, resource, tags) =>
      policies.refusal(
        principal,
        `ssm:${operation}`,
        resource,
        Object.fromEntries(Object.entries(tags).map(([key, value]) => [`ssm:resourcetag/${key.toLowerCase()}`, value])),
      ),
    endpointUrl: () => later.url ?? notYet(),
  });
  account.sessions = sessions;
  const faults = new Faults();
  const calls = new Calls({ file: path.join(stateDir, 'calls.jsonl') });
  const services = [createEc2Service({ state, fleet, others, policies }), ...account.services];
  const server = await listen({ port: options.port ?? 0, last: facts.port }, (port) =>
    startServer({
      port,
      services,
      principals,
      faults,
      calls,
      now: Date.now,
      onError,
      upgrade: (req, socket, head) => sessions.upgrade(req, socket, head),
      control: (req, res) => later.control?.(req, res) ?? false,
    }),
  );
  later.url = server.url;
  await saveFacts(stateDir, { ...facts, port: server.port });
  await fleet.adopt();
  const cloud: LocalCloud = {
    url: server.url,
    port: server.port,
    region: facts.region,
    credentials: principals.developer,
    scaffold: account.scaffold,
    stateDir,
    driver,
    faults,
    calls,
    bus: account.bus,
    ec2: new Ec2Controls(state, fleet, others),
    roles: account.roles,
    sessions,
    access: policies,
    assumeRole: (name, session) => {
      const role = account.roles.get(name);
      if (!role) throw new RawcloudError('E_LOCAL_CLOUD', `there is no role '${name}'`);
      return principals.issueForVm(session, role);
    },
    close: async ({ keepMachines = false } = {}) => {
      await sessions.close();
      await fleet.close({ keepMachines });
      await server.close();
      calls.close();
      await lock.release();
    },
  };
  if (options.control) later.control = options.control(cloud);
  return cloud;
}

async function openFleet(
  { stateDir, driver: asked = 'process', imageNode = true, bootMs = 0, graceMs = 5_000, keepMs = 60_000 }: LocalCloudOptions,
  account: Account,
  { endpointUrl, onError }: { readonly endpointUrl: () => string; readonly onError: (error: unknown) => void },
): Promise<{ readonly fleet: Fleet; readonly driver: DriverFacts; readonly machines: Machines }> {
  const image = prepareImage(stateDir, { withNode: imageNode, node: process.execPath });
  const { driver, facts } =
    typeof asked === 'string' ? await chooseDriver(asked, { image, directory: stateDir }) : { driver: asked, facts: { kind: asked.kind } };
  await image;
  const machines = new Machines({
    driver,
    directory: stateDir,
    endpointUrl,
    openImds: (instance) => openInstanceImds(instance, account),
  });
  return { fleet: new Fleet({ state: account.ec2, machines, bootMs, graceMs, keepMs, onError }), driver: facts, machines };
}

/** Whether the SSM agent of a VM with this profile may register, as it must before anybody reaches it. */
function mayRegister({ roles }: Account, profile: string | undefined): boolean {
  const statements = profile === undefined ? [] : (roles.get(profile)?.statements ?? []);
  return evaluate(statements, { action: 'ssmmessages:CreateControlChannel', resource: '*', context: {} }) === 'allowed';
}

/** On the port asked for; when any will do, on the last one if it is free, so that machines that live on find it. */
async function listen(
  ports: { readonly port: number; readonly last: number },
  on: (port: number) => Promise<RunningServer>,
): Promise<RunningServer> {
  if (ports.port > 0 || ports.last === 0) return on(ports.port);
  return on(ports.last).catch(() => on(0));
}

function notYet(): never {
  throw new RawcloudError('E_LOCAL_CLOUD', 'the local cloud was asked to start a machine before its endpoint was up');
}

function toStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}
