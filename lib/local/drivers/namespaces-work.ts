import { mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { isRawcloudError } from '../../contract';
import { machineDirectory } from './machine-directory';
import { bootNamespace } from './namespace-boot';
import { namespaceEnvironment } from './namespace-environment';
import { layOutNamespace } from './namespace-layout';
import { removeTree } from './remove-tree';

let asked: Promise<string | undefined> | undefined;

/**
 * Why this machine cannot have namespace machines; undefined when it can. Found out once a process, by booting one that
 * has no user data: what a kernel, a container or a policy allows cannot be told from outside. Takes some 50 ms.
 * @param directory where machines will lie: not every file system can be written over
 */
export function findWhyNoNamespaces(directory: string): Promise<string | undefined> {
  asked ??= process.platform === 'linux' ? tryOne(directory) : Promise.resolve(`namespaces are Linux's, and this is ${process.platform}`);
  return asked;
}

async function tryOne(parent: string): Promise<string | undefined> {
  const root = await mkdtemp(path.join(parent, 'namespace-'));
  const directory = machineDirectory(root);
  const machine = { id: 'i-probe', root, userData: new Uint8Array(), imdsUrl: 'http://127.0.0.1', endpointUrl: 'http://127.0.0.1' };
  try {
    layOutNamespace(machine, directory, {});
    const probe = await bootNamespace(directory, namespaceEnvironment(machine, {}).env, async () => undefined);
    await probe.kill();
    return undefined;
  } catch (error) {
    return reasonOf(error);
  } finally {
    await removeTree(root);
  }
}

/** What the machine said last is the reason; the rest of the text is about our own directory. */
function reasonOf(error: unknown): string {
  const said = isRawcloudError(error) ? error.data['said'] : undefined;
  const last = typeof said === 'string' ? said.trim().split('\n').at(-1) : undefined;
  return last || (error instanceof Error ? error.message : String(error));
}
