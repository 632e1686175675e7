import { createHash } from 'node:crypto';
import {
  assetName,
  decodeJson,
  DefinitionSchema,
  deployedParameterName,
  deployedPath,
  jobRolePath,
  parseDeployed,
  parseJobRole,
  RawcloudError,
} from '../contract';
import type { Definition, Deployed, JobRole, Scaffold } from '../contract';
import type { AwsContext } from './clients';
import { toRawcloudError } from './errors';
import { readParameter, readParameters } from './parameters';

/** What apps have deployed beside the scaffolding: its parameters in SSM, the content of jobs among the app's assets. */
export function createDeployedJobs(context: AwsContext, scaffold: Pick<Scaffold, 'name' | 'bucket' | 'account'>) {
  const readRoles = async (signal?: AbortSignal): Promise<JobRole[]> =>
    (await readParameters(context, jobRolePath(scaffold.name), signal)).map(parseJobRole);
  return {
    async read(id: string): Promise<Deployed | undefined> {
      const text = await readParameter(context, deployedParameterName(scaffold.name, id));
      return text === undefined ? undefined : parseDeployed(text);
    },

    async templates(signal?: AbortSignal): Promise<string[]> {
      const jobs = readParameters(context, deployedPath(scaffold.name), signal).then((texts) => texts.map(parseDeployed));
      return (await Promise.all([jobs, readRoles(signal)])).flat().map(({ launchTemplateId }) => launchTemplateId);
    },

    roles: readRoles,

    async definition(deployed: Deployed): Promise<Definition> {
      const { GetObjectCommand } = await import('./sdk/s3.js');
      const { bucket: Bucket } = deployed.assets;
      try {
        const found = await (await context.s3()).send(new GetObjectCommand({ Bucket, Key: assetKey(deployed, deployed.definition) }));
        const body = (await found.Body?.transformToByteArray()) ?? new Uint8Array();
        checkHash(body, deployed);
        return decodeJson(DefinitionSchema, body, 'the definition of the deployed job');
      } catch (error) {
        throw toRawcloudError(error, `s3:GetObject of the definition of '${deployed.id}'`);
      }
    },

    async copy(deployed: Deployed, sha256: string, key: string): Promise<void> {
      const { CopyObjectCommand } = await import('./sdk/s3.js');
      const source = `${deployed.assets.bucket}/${assetKey(deployed, sha256)}`;
      const input = { Bucket: scaffold.bucket, Key: key, CopySource: encodeURIComponent(source), ExpectedBucketOwner: scaffold.account };
      try {
        await (await context.s3()).send(new CopyObjectCommand(input));
      } catch (error) {
        throw toRawcloudError(error, `s3:CopyObject of an asset of '${deployed.id}'`);
      }
    },
  };
}

function assetKey({ assets }: Deployed, sha256: string): string {
  return `${assets.keyPrefix}${assetName(sha256)}${assets.keySuffix}`;
}

function checkHash(body: Uint8Array, { definition, id }: Deployed): void {
  if (createHash('sha256').update(body).digest('hex') === definition) return;
  throw new RawcloudError('E_INTEGRITY', `the definition of '${id}' is not the one that was deployed`, {
    remedy: 'Deploy the stack again.',
  });
}
