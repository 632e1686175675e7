import path from 'node:path';
import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { PolicyDocument } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Architecture, Code, Function as LambdaFunction, Runtime, RuntimeFamily } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { RemovalPolicy } from 'aws-cdk-lib';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { builtFile } from './package-files';

export interface FunctionProps {
  /** Name of the scaffolding. */
  readonly scaffold: string;
  readonly policy: PolicyDocument;
  /** Gets events that failed again and again. */
  readonly deadLetters: IQueue;
  readonly logRetention: RetentionDays;
  /** What else the function's environment says. @default - nothing */
  readonly environment?: Readonly<Record<string, string>>;
  readonly removalPolicy: RemovalPolicy;
}

/** Where a launch or a pass may take as long as the throttling that it waits out. */
const TIMEOUT = Duration.minutes(5);
/** MiB. More memory is more CPU: a smaller function takes longer and costs the same. */
const MEMORY_MIB = 512;

/** Runs deployed jobs for the events of EventBridge. A failed event is delivered twice more, then kept. */
export function createLaunchFunction(scope: Construct, props: FunctionProps): LambdaFunction {
  return createFunction(scope, 'Launch', 'launch', 'rawcloud: runs deployed jobs when EventBridge says so', props);
}

/** Brings open jobs to their end, and proves that nothing is left on. */
export function createReaperFunction(scope: Construct, props: FunctionProps): LambdaFunction {
  return createFunction(scope, 'Reaper', 'reap', 'rawcloud: brings jobs to their end, and sees that nothing is left on', props);
}

/** Older versions of the CDK do not know it by name. */
const NODE_24 = new Runtime('nodejs24.x', RuntimeFamily.NODEJS, { supportsInlineCode: true });

function createFunction(scope: Construct, id: string, name: 'launch' | 'reap', description: string, props: FunctionProps): LambdaFunction {
  const { scaffold, deadLetters, logRetention, removalPolicy, environment } = props;
  const logGroup = new LogGroup(scope, `${id}Logs`, { retention: logRetention, removalPolicy });
  return new LambdaFunction(scope, id, {
    description,
    runtime: NODE_24,
    architecture: Architecture.ARM_64,
    handler: 'index.handler',
    code: Code.fromAsset(path.dirname(builtFile(`lambda/${name}/index.js`))),
    environment: { RAWCLOUD_SCAFFOLD: scaffold, ...environment },
    memorySize: MEMORY_MIB,
    timeout: TIMEOUT,
    retryAttempts: 2,
    deadLetterQueue: deadLetters,
    logGroup,
    role: createRole(scope, id, props, logGroup),
  });
}

/** Not with AWS's managed policy, which lets a function write to every log of the account. */
function createRole(scope: Construct, id: string, { policy }: FunctionProps, logGroup: LogGroup): Role {
  const role = new Role(scope, `${id}Role`, {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    inlinePolicies: { driver: policy },
  });
  logGroup.grantWrite(role);
  return role;
}

/** Time for a pass of the reaper, again and again. @param interval @default - five minutes */
export function tickReaper(scope: Construct, reaper: IFunction, deadLetterQueue: IQueue, interval = Duration.minutes(5)): void {
  new Rule(scope, 'ReaperTick', {
    description: 'rawcloud: time for a pass of the reaper',
    schedule: Schedule.rate(interval),
    targets: [new LambdaTarget(reaper, { deadLetterQueue, retryAttempts: 2 })],
  });
}
