import path from 'node:path';
import { anyVmOf, bucketStatements, vmExecStatements, vmRoleStatements } from '../contract';
import type { Scaffold } from '../contract';
import { openEc2State } from './ec2/state';
import type { Ec2State } from './ec2/state';
import { LocalEventBus } from './event-bus';
import type { CloudFacts } from './facts';
import { createIam } from './iam';
import { Policies } from './policy';
import { createPricing } from './pricing-service';
import { Principals } from './principals';
import { createQuotasService } from './quotas-service';
import { createS3 } from './s3';
import { Roles } from './roles';
import { imageParameters, layScaffolding } from './scaffolding';
import type { UserDataFacts } from './scaffolding';
import { createSecretsManager } from './secrets-manager';
import type { Service } from './service';
import type { Sessions } from './sessions/hub';
import { createSsm } from './ssm';
import { ParameterFile } from './ssm-parameters';
import { createSts } from './sts';

/** What an account holds between two processes of the local cloud: people, rules, data, and the scaffolding in it. */
export interface Account {
  readonly facts: CloudFacts;
  readonly principals: Principals;
  readonly roles: Roles;
  readonly policies: Policies;
  readonly ec2: Ec2State;
  /** All but EC2, whose machines live and die with more than this. */
  readonly services: readonly Service[];
  readonly bus: LocalEventBus;
  readonly scaffold: Scaffold;
  /** Session Manager, as soon as there are machines. */
  sessions?: Sessions;
}

export interface AccountOptions {
  readonly stateDir: string;
  readonly facts: CloudFacts;
  readonly userData: (facts: UserDataFacts) => string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Reads the account of a state directory, or makes it at the first start, and brings its scaffolding up to date. */
export async function openAccount({ stateDir, facts, userData, now }: AccountOptions): Promise<Account> {
  const { account, region, bucket, roleName, roleId } = facts;
  const bucketArn = `arn:aws:s3:::${bucket}`;
  const principals = new Principals({ ...facts, file: path.join(stateDir, 'principals.json'), now });
  const own = { name: roleName, id: roleId, statements: [...vmRoleStatements(bucketArn), ...vmExecStatements()], ofScaffold: true };
  const roles = new Roles({ file: path.join(stateDir, 'roles.json'), account, own });
  const policies: Policies = new Policies({
    // As an app does that has a key: the scaffolding's own role may use it.
    vmStatements: ({ role = roleName }) => [
      ...(roles.get(role)?.statements ?? []),
      ...(role === roleName ? policies.keyStatements(bucket) : []),
    ],
    bucketStatements: (name) => (name === bucket ? bucketStatements(bucketArn, { userIds: roles.idsOfScaffold.map(anyVmOf) }) : []),
  });
  const ec2 = await openEc2State({ directory: path.join(stateDir, 'ec2'), account, region, now });
  const s3 = createS3({ directory: path.join(stateDir, 's3'), account, policies, now });
  const file = path.join(stateDir, 'parameters.json');
  // Written before the service reads the file.
  const scaffold = await layScaffolding({ facts, ec2, s3, parameters: new ParameterFile(file), userData });
  const later: { opened?: Account } = {};
  const sessions = (): Sessions | undefined => later.opened?.sessions;
  const ssm = createSsm({ file, account, region, policies, publicParameters: imageParameters(ec2), now, sessions });
  const quotas = createQuotasService({ quotas: ec2.quotas, account, policies });
  const iam = createIam({ spotRole: ec2.spotRole, account, policies, now });
  const secrets = createSecretsManager({ file: path.join(stateDir, 'secrets.json'), account, policies, now });
  const bus = new LocalEventBus({ account, policies, now });
  const services = [s3, createSts({ principals, policies }), ssm, iam, quotas, createPricing({ policies }), secrets, bus.service];
  later.opened = { facts, principals, roles, policies, ec2, services, bus, scaffold };
  return later.opened;
}
