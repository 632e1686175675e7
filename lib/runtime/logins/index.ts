import { MAX_HOME_FILES_BYTES, RawcloudError } from '../../contract';
import type { HomeFiles, Login, Notice } from '../../contract';
import { findGcp } from './gcp';
import { findGit } from './git';
import { findHuggingFace } from './hugging-face';
import { findKube } from './kube';
import type { FindLogin, LoginPlace } from './place';

const FINDERS: Readonly<Record<Login, FindLogin>> = { git: findGit, huggingface: findHuggingFace, gcp: findGcp, kube: findKube };

/** Logins as they travel. Files and variables are secret. */
export interface CarriedLogins {
  readonly files: HomeFiles;
  readonly variables: Readonly<Record<string, string>>;
  readonly notices: readonly Notice[];
}

/**
 * Reads the logins that a job was to have. Nothing is asked of anybody: what would take a prompt is not there.
 * @throws E_LOGIN naming the login that is not here, where it was looked for, and how to get it
 */
export async function findLogins(logins: readonly Login[], place: LoginPlace): Promise<CarriedLogins> {
  const files: Record<string, string> = {};
  const variables: Record<string, string> = {};
  const notices: Notice[] = [];
  let bytes = 0;
  for (const login of logins) {
    place.signal?.throwIfAborted();
    const found = await FINDERS[login](place);
    for (const [name, content] of Object.entries(found.files)) {
      bytes += content.byteLength;
      files[name] = Buffer.from(content).toString('base64');
    }
    Object.assign(variables, found.variables);
    notices.push(...found.notices);
  }
  if (bytes > MAX_HOME_FILES_BYTES) {
    throw new RawcloudError('E_LOGIN', `the forwarded logins are ${bytes} bytes; allowed are ${MAX_HOME_FILES_BYTES}`, {
      remedy: 'Forward fewer, or install kubectl here, so that only the current context travels.',
    });
  }
  return { files, variables, notices };
}
