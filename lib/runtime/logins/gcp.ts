import { RawcloudError } from '../../contract';
import type { Notice } from '../../contract';
import type { FindLogin } from './place';
import { noLogin, pathOr, readFirst } from './place';

const PLACE = '.config/gcloud/application_default_credentials.json';

/** What says which project is meant; set here, it is set there. */
const PROJECT_VARIABLES = ['GOOGLE_CLOUD_PROJECT', 'GCLOUD_PROJECT', 'GOOGLE_CLOUD_QUOTA_PROJECT'];

/**
 * Application-default credentials of Google Cloud, at the place where its libraries look by themselves.
 * Source: Google Cloud, "How Application Default Credentials works".
 */
export const findGcp: FindLogin = async (place) => {
  const { env } = place;
  const named = env['GOOGLE_APPLICATION_CREDENTIALS'];
  const file = named
    ? pathOr(named, place, '')
    : `${pathOr(env['CLOUDSDK_CONFIG'], place, '.config/gcloud')}/application_default_credentials.json`;
  const found = await readFirst([file]);
  if (!found) throw noLogin('gcp', file, "Log in with 'gcloud auth application-default login', or set GOOGLE_APPLICATION_CREDENTIALS.");
  const type = typeOf(found.content, file);
  const variables = Object.fromEntries(
    PROJECT_VARIABLES.flatMap((name): [string, string][] => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
  return { files: { [PLACE]: found.content }, variables, notices: noticesOf(type, file) };
};

function typeOf(content: Buffer, file: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(content.toString('utf8'));
  } catch {
    // The parser's own words would quote the file.
    parsed = undefined;
  }
  if (typeof parsed === 'object' && parsed !== null && 'type' in parsed && typeof parsed.type === 'string') return parsed.type;
  throw new RawcloudError('E_LOGIN', `--forward gcp: ${file} is no file of application-default credentials (JSON with a 'type')`, {
    remedy: "Make it anew with 'gcloud auth application-default login'.",
  });
}

function noticesOf(type: string, file: string): Notice[] {
  if (type !== 'external_account' && type !== 'external_account_authorized_user') return [];
  return [{ level: 'warning', text: `${file} gets its tokens from a source of this machine (${type}), which the VM may not have` }];
}
