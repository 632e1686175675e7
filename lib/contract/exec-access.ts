import { clientStatements } from './access';
import type { AccessFacts } from './access-facts';
import { execDocumentName } from './exec';
import type { LookFacts } from './look-access';
import type { PolicyStatement } from './scaffold';
import { TAGS } from './tags';

/** What `grantRun` gives: to drive jobs, and to enter their VMs where that is allowed. */
export function runStatements(facts: AccessFacts): PolicyStatement[] {
  return [...clientStatements(facts), ...(facts.exec ? execStatements(facts) : [])];
}

/**
 * What who runs jobs may do besides, where `rawcloud exec` is allowed: start sessions on our VMs, with our document and no other,
 * and go on with or end his own. A session is named after a user or a role's session, which says nothing of whose it is; its
 * tag does. A channel opens with the token of a session only. Sources: Systems Manager user guide, "Sample IAM policies for
 * Session Manager"; Service Authorization Reference, AWS Systems Manager.
 */
export function execStatements({ partition, account, region, scaffold }: LookFacts): PolicyStatement[] {
  const sessions = `${partition}:ssm:${region}:${account}:session/*`;
  const byDocument = { BoolIfExists: { 'ssm:SessionDocumentAccessCheck': 'true' } };
  return [
    {
      Sid: 'EnterOurVms',
      Effect: 'Allow',
      Action: 'ssm:StartSession',
      Resource: `${partition}:ec2:${region}:${account}:instance/*`,
      Condition: { StringEquals: { [`ssm:resourceTag/${TAGS.scaffold}`]: scaffold }, ...byDocument },
    },
    {
      Sid: 'EnterByOurDocument',
      Effect: 'Allow',
      Action: 'ssm:StartSession',
      Resource: `${partition}:ssm:${region}:${account}:document/${execDocumentName(scaffold)}`,
      Condition: byDocument,
    },
    {
      Sid: 'OwnSessions',
      Effect: 'Allow',
      Action: ['ssm:ResumeSession', 'ssm:TerminateSession'],
      Resource: sessions,
      Condition: { StringEquals: { 'ssm:resourceTag/aws:ssmmessages:session-id': '${aws:userid}' } },
    },
    { Sid: 'OpenChannels', Effect: 'Allow', Action: 'ssmmessages:OpenDataChannel', Resource: sessions },
  ];
}

/**
 * What a VM may do besides, where `rawcloud exec` is allowed: its SSM agent registers itself and opens channels. None of these
 * knows resources but the VM itself, which has no name before. Source: Systems Manager user guide, "Verify or create an IAM role with Session Manager permissions".
 */
export function vmExecStatements(): PolicyStatement[] {
  const channels = ['CreateControlChannel', 'CreateDataChannel', 'OpenControlChannel', 'OpenDataChannel'];
  return [
    {
      Sid: 'BeEntered',
      Effect: 'Allow',
      Action: ['ssm:UpdateInstanceInformation', ...channels.map((name) => `ssmmessages:${name}`)],
      Resource: '*',
    },
  ];
}
