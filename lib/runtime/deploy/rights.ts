import { findRawcloudError } from '../../contract';
import type { DeploymentLook } from '../../contract';

/** Roles of the bootstrap that the CDK uploads and deploys as. */
const CDK_ROLES = ['file-publishing-role', 'deploy-role'];

/**
 * Whether the deployment will be allowed, as far as that can be tried without changing anything: who may take on the CDK's roles
 * needs nothing else. Without them the CDK works with the caller's own rights, of which nothing is known before they are used;
 * IAM's simulator is not asked, for the reasons that `rawcloud doctor` has.
 * @returns what the deployer has to know; undefined when it will be allowed
 */
export async function lookAtRights(
  look: Pick<DeploymentLook, 'region' | 'tryRole'>,
  { account, partition }: { readonly account: string; readonly partition: string },
  signal?: AbortSignal,
): Promise<string | undefined> {
  for (const role of CDK_ROLES) {
    const name = `cdk-hnb659fds-${role}-${account}-${look.region}`;
    try {
      await look.tryRole(`arn:${partition}:iam::${account}:role/${name}`, signal);
    } catch (error) {
      if (findRawcloudError(error)?.code !== 'E_PERMISSION') throw error;
      return `you may not take on the CDK's role ${name} (sts:AssumeRole): the deployment goes on with your own rights, which must be an administrator's. What they lack is seen, and named, when it is refused`;
    }
  }
  return undefined;
}
