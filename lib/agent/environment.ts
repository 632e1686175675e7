import path from 'node:path';
import { ENTRY_FILE } from '../contract';

/** Where things lie on the VM. All on disk: /tmp of Amazon Linux 2023 is memory. */
export interface Places {
  /** Prefix of every path on a machine of the local cloud; '' on a VM. */
  readonly root: string;
  /** rawcloud's own state, as the guard's deadline. */
  readonly state: string;
  readonly job: string;
  /** The synchronized tree. */
  readonly tree: string;
  readonly home: string;
  readonly tmp: string;
  readonly layers: string;
  /** Appears when EC2 takes the VM back. */
  readonly interruption: string;
  /** What the session document of `rawcloud exec` starts, while the command runs. */
  readonly entry: string;
}

export function placesIn(root: string, state: string): Places {
  const job = path.join(root, '/var/lib/rawcloud/job');
  return {
    root,
    state,
    job,
    tree: path.join(job, 'tree'),
    home: path.join(job, 'home'),
    tmp: path.join(job, 'tmp'),
    layers: path.join(job, 'layers'),
    interruption: path.join(job, 'interruption.json'),
    entry: path.join(root, ENTRY_FILE),
  };
}

/** What the way to the internet needs passes through: certificates and proxies, in either spelling. */
const PASSED_ON =
  /^(SSL_CERT_FILE|SSL_CERT_DIR|NODE_EXTRA_CA_CERTS|REQUESTS_CA_BUNDLE|PIP_CERT|CURL_CA_BUNDLE|https?_proxy|all_proxy|no_proxy)$/i;

type Variables = Readonly<Record<string, string | undefined>>;

/** Environment that builders start their programs with. */
export function buildEnvironment(places: Places, machine: Variables): Record<string, string> {
  return {
    PATH: machine['PATH'] ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: places.home,
    TMPDIR: places.tmp,
    LANG: 'C.UTF-8',
    ...passedOn(machine),
  };
}

export interface JobEnvironmentInput {
  readonly places: Places;
  readonly machine: Variables;
  readonly user: string;
  readonly job: string;
  /** 0, then one more for each VM that was lost. */
  readonly attempt: number;
  readonly task: number;
  readonly taskCount: number;
  readonly region: string;
  /** Directories that layers put before PATH, first wins. */
  readonly path: readonly string[];
  readonly layers: Readonly<Record<string, string>>;
  /** What the user asked for: harmless and secret ones. */
  readonly variables: Readonly<Record<string, string>>;
  /** Where the job finds its AWS credentials, when it has any. */
  readonly credentials?: { readonly url: string; readonly token: string };
}

/**
 * The command's environment: fresh, nothing of the agent's own. What the user set wins over everything but the
 * working directory, which is the VM's.
 */
export function jobEnvironment(input: JobEnvironmentInput): Record<string, string> {
  const base = buildEnvironment(input.places, input.machine);
  const endpoint = input.machine['AWS_ENDPOINT_URL'];
  return {
    ...base,
    PATH: [...input.path, base['PATH']].join(':'),
    USER: input.user,
    LOGNAME: input.user,
    SHELL: '/bin/bash',
    // Output that waits in a buffer is output that nobody sees.
    PYTHONUNBUFFERED: '1',
    AWS_REGION: input.region,
    AWS_DEFAULT_REGION: input.region,
    ...(endpoint ? { AWS_ENDPOINT_URL: endpoint } : {}),
    ...(input.credentials
      ? { AWS_CONTAINER_CREDENTIALS_FULL_URI: input.credentials.url, AWS_CONTAINER_AUTHORIZATION_TOKEN: input.credentials.token }
      : { AWS_EC2_METADATA_DISABLED: 'true' }),
    RAWCLOUD_JOB_ID: input.job,
    RAWCLOUD_ATTEMPT: String(input.attempt),
    RAWCLOUD_INTERRUPTION_FILE: input.places.interruption,
    RAWCLOUD_TASK_ID: String(input.task),
    RAWCLOUD_TASK_COUNT: String(input.taskCount),
    ...input.layers,
    ...input.variables,
  };
}

function passedOn(machine: Variables): Record<string, string> {
  return Object.fromEntries(
    Object.entries(machine).flatMap(([name, value]) => (value !== undefined && PASSED_ON.test(name) ? [[name, value]] : [])),
  );
}
