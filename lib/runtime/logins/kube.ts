import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { hasCode, RawcloudError } from '../../contract';
import type { Notice } from '../../contract';
import type { FindLogin, LoginPlace } from './place';
import { noLogin, pathOr, readFirst } from './place';

const PLACE = '.kube/config';

/** A cluster may be slow to name, but nobody asks it here: kubectl only reads files. */
const PATIENCE_MS = 20_000;

/**
 * The current context of kubectl, and no other: its cluster, user and certificates in one file. kubectl itself makes it;
 * without kubectl the configuration file travels whole.
 * Source: Kubernetes, "Organizing Cluster Access Using kubeconfig Files".
 */
export const findKube: FindLogin = async (place) => {
  const files = configFiles(place);
  const whole = await readFirst(files);
  if (!whole) throw noLogin('kube', files.join(', '), 'Set KUBECONFIG, or have the cluster write its configuration to ~/.kube/config.');
  const current = await currentContext(place);
  const content = current ?? whole.content;
  const notices = [...(current ? [] : wholeNotice(whole.file)), ...contentNotices(content.toString('utf8'), current !== undefined)];
  return { files: { [PLACE]: content }, variables: {}, notices };
};

function configFiles(place: LoginPlace): string[] {
  const named = (place.env['KUBECONFIG'] ?? '').split(path.delimiter).filter((file) => file !== '');
  return named.length > 0 ? named.map((file) => pathOr(file, place, '')) : [path.join(place.home, PLACE)];
}

/** Undefined without kubectl. @throws E_LOGIN when it is there and cannot read the configuration */
async function currentContext({ env, cwd, signal }: LoginPlace): Promise<Buffer | undefined> {
  const options = { env, cwd, encoding: 'buffer', timeout: PATIENCE_MS, maxBuffer: 2 ** 24, ...(signal ? { signal } : {}) } as const;
  try {
    return (await promisify(execFile)('kubectl', ['config', 'view', '--raw', '--flatten', '--minify'], options)).stdout;
  } catch (cause) {
    signal?.throwIfAborted();
    if (hasCode(cause, 'ENOENT')) return undefined;
    throw new RawcloudError('E_LOGIN', '--forward kube: kubectl cannot show the current context', {
      remedy: "'kubectl config view --minify' says what is wrong; 'kubectl config use-context NAME' chooses a context.",
      cause,
    });
  }
}

function wholeNotice(file: string): Notice[] {
  return [{ level: 'info', text: `there is no kubectl here to pick the current context: all of ${file} travels` }];
}

function contentNotices(text: string, isFlat: boolean): Notice[] {
  const program = /^\s*command:\s*["']?([^\s"']+)/m.exec(text)?.[1];
  const file = isFlat ? undefined : /^\s*(?:certificate-authority|client-certificate|client-key|tokenFile):\s*(\S+)/m.exec(text)?.[1];
  return [
    ...(program && /^\s*exec:/m.test(text)
      ? [{ level: 'warning' as const, text: `the kubeconfig gets its token from the program ${program}, which the VM needs as well` }]
      : []),
    ...(file
      ? [{ level: 'warning' as const, text: `the kubeconfig names ${file}, a file of this machine: kubectl would put its content in` }]
      : []),
  ];
}
