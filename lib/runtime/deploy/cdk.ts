import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { IIoHost, Toolkit } from '@aws-cdk/toolkit-lib';
import { CHOICES_CONTEXT, RawcloudError, scaffoldStackName } from '../../contract';
import type { Assembly, CdkTools, Credentials, ResourceChange, ScaffoldChoices, StackStep, Template } from '../../contract';

type ToolkitLib = typeof import('@aws-cdk/toolkit-lib');
type DiffLib = typeof import('@aws-cdk/cloudformation-diff');

export interface CdkOptions {
  /** A node_modules that has the CDK's packages. */
  readonly modules: string;
  /** Our CDK app, as built. */
  readonly app: string;
  readonly region: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  credentials(): Promise<Credentials>;
}

/**
 * The CDK, loaded from where its packages are. Our app runs as a process of its own, with whose output the toolkit then works as it
 * does with any other app's; credentials are those of all other verbs.
 */
export async function openCdk(options: CdkOptions): Promise<CdkTools> {
  const require = createRequire(path.join(options.modules, 'rawcloud.js'));
  const lib = require('@aws-cdk/toolkit-lib') as ToolkitLib;
  const scratch = await mkdtemp(path.join(os.tmpdir(), 'rawcloud-deploy-'));
  const toolkit = (onStep: (step: StackStep) => Promise<void>): Toolkit => {
    const baseCredentials = lib.BaseCredentials.custom({
      region: options.region,
      provider: async () => identity(await options.credentials()),
    });
    return new lib.Toolkit({ ioHost: hostFor(onStep), color: false, emojis: false, sdkConfig: { baseCredentials } });
  };
  return {
    synthesize: (name, choices, signal) => synthesize(options, path.join(scratch, 'cdk.out'), name, choices, signal),
    changes: (before, after) => changes(require('@aws-cdk/cloudformation-diff') as DiffLib, before, after),
    async bootstrap(account, policies, onStep) {
      const environments = lib.BootstrapEnvironments.fromList([`aws://${account}/${options.region}`]);
      // There is none yet, so there are no parameters to keep.
      const cloudFormationExecutionPolicies = [...policies];
      const parameters = lib.BootstrapStackParameters.exactly({ cloudFormationExecutionPolicies });
      await toolkit(onStep).bootstrap(environments, { parameters });
    },
    async deploy({ directory, stackName }, onStep) {
      const cdk = toolkit(onStep);
      const source = await cdk.fromAssemblyDirectory(directory);
      await cdk.deploy(source, {
        stacks: { strategy: lib.StackSelectionStrategy.PATTERN_MUST_MATCH_SINGLE, patterns: [stackName] },
        // The differences were shown and agreed to: a change set would show them once more, and stay behind when it fails.
        deploymentMethod: { method: 'direct' },
        // The template has one, with its default: the version that the bootstrap must have.
        parameters: lib.StackParameters.exactly({}),
      });
    },
    close: () => rm(scratch, { recursive: true, force: true }),
  };
}

function identity({ accessKeyId, secretAccessKey, sessionToken, expiresAt }: Credentials): {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  expiration?: Date;
} {
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken ? { sessionToken } : {}),
    ...(expiresAt ? { expiration: new Date(expiresAt) } : {}),
  };
}

/** Message of the toolkit for each event of the stack. */
const STACK_ACTIVITY = 'CDK_TOOLKIT_I5502';

/** What the toolkit says, in our words: the steps of the stack. Questions were asked before. */
function hostFor(onStep: (step: StackStep) => Promise<void>): IIoHost {
  return {
    async notify({ code, data }) {
      if (code !== STACK_ACTIVITY) return;
      const { event, progress } = data as import('@aws-cdk/toolkit-lib').StackActivity;
      await onStep({
        id: event.LogicalResourceId ?? '',
        type: event.ResourceType ?? '',
        status: event.ResourceStatus ?? '',
        done: progress.completed,
        ...(progress.total === undefined ? {} : { total: progress.total }),
        ...(event.ResourceStatusReason === undefined ? {} : { reason: event.ResourceStatusReason }),
        ...(event.PhysicalResourceId === undefined ? {} : { physicalId: event.PhysicalResourceId }),
      });
    },
    requestResponse: ({ defaultResponse }) => Promise.resolve(defaultResponse),
  };
}

async function synthesize(
  { app, modules, env }: CdkOptions,
  directory: string,
  name: string,
  choices: ScaffoldChoices,
  signal?: AbortSignal,
): Promise<Assembly> {
  if (!existsSync(app)) {
    throw new RawcloudError('E_INTERNAL', `the CDK app is not there: ${app}`, {
      remedy: "In a checkout, run 'npm run build'; otherwise install the package anew.",
    });
  }
  const context = { name, ...(Object.keys(choices).length > 0 ? { [CHOICES_CONTEXT]: JSON.stringify(choices) } : {}) };
  // Packages beside the app come first, as they do for `cdk deploy`.
  const appEnv = { ...env, CDK_OUTDIR: directory, CDK_CONTEXT_JSON: JSON.stringify(context), NODE_PATH: modules };
  try {
    await promisify(execFile)(process.execPath, [app], { env: appEnv, ...(signal ? { signal } : {}) });
  } catch (cause) {
    signal?.throwIfAborted();
    const said = (cause as { readonly stderr?: string }).stderr ?? String(cause);
    const problem = /^\w*Error: (.*)$/m.exec(said)?.[1] ?? said.trim().split('\n').at(-1);
    throw new RawcloudError('E_USAGE', `this scaffolding cannot be made: ${problem}`, { cause });
  }
  const stackName = scaffoldStackName(name);
  const template = JSON.parse(await readFile(path.join(directory, `${stackName}.template.json`), 'utf8')) as Template;
  return { directory, stackName, template };
}

const ACTIONS = {
  WILL_CREATE: 'create',
  WILL_UPDATE: 'update',
  WILL_REPLACE: 'replace',
  MAY_REPLACE: 'may-replace',
  WILL_DESTROY: 'remove',
  WILL_ORPHAN: 'leave',
} as const satisfies Readonly<Record<string, ResourceChange['action']>>;

/** What the CDK knows of CloudFormation's types says which changes replace a resource. */
function changes({ fullDiff }: DiffLib, before: Template | undefined, after: Template): ResourceChange[] {
  const found = fullDiff(before ? { ...before } : {}, { ...after }).resources.changes;
  return Object.entries(found).flatMap(([id, change]) => {
    const action = Object.entries(ACTIONS).find(([impact]) => impact === String(change.changeImpact))?.[1];
    // Nothing but metadata differs.
    if (action === undefined) return [];
    const properties = change.isUpdate ? Object.keys(change.propertyUpdates) : [];
    return [{ id, type: change.newResourceType ?? change.oldResourceType ?? '', action, properties }];
  });
}
