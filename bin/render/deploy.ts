import type { Check, ResourceChange, StackStep } from '../../lib/contract';
import type { DeployEvent, DeploySurvey, Question } from '../../lib/runtime/deploy/deps';
import type { StatementText } from '../../lib/runtime/deploy/roles';
import type { Style } from './style';

/** An event of a deployment for people: one line, but for what is shown before it is asked. */
export function deployText(event: DeployEvent, style: Style): string {
  switch (event.type) {
    case 'notice':
      return style.yellow(event.text);
    case 'waiting':
      return `waiting    for ${event.stack}, which somebody is changing (${event.status})`;
    case 'installing':
      return `installing the CDK's packages into ${event.directory}`;
    case 'installed':
      return `installed  ${event.directory}`;
    case 'survey':
      return surveyText(event.survey, style);
    case 'bootstrapping':
      return `bootstrap  account ${event.account} in ${event.region}`;
    case 'bootstrapped':
      return style.green(`bootstrap  done`);
    case 'deploying':
      return `deploying  ${event.stack}`;
    case 'step':
      return stepText(event.step, style);
    case 'deployed':
      return event.changed ? style.green(`deployed   ${event.stack}`) : `Nothing to change: ${event.stack} is as it shall be.`;
    case 'verdict':
      return [...event.checks.map((check) => checkText(check, style)), verdictText(event.well), `Next: ${style.bold(event.next)}`].join(
        '\n',
      );
  }
}

/** What is asked, without the question mark's options. */
export function questionText(question: Question): string {
  switch (question.about) {
    case 'install': {
      const packages = Object.entries(question.packages).map(([name, version]) => `${name} ${version}`);
      return `Deploying takes packages that running jobs does not: ${packages.join(', ')}, with what they need (about 350 MB). npm installs them once into ${question.directory}.`;
    }
    case 'bootstrap':
      return [
        `Account ${question.account} is not bootstrapped in ${question.region}: CDK deployments need a bucket and roles there, once. An administrator does it by`,
        `  ${question.command}`,
        `CloudFormation may then do in the account what ${question.policies.length > 0 ? question.policies.join(', ') : 'AdministratorAccess'} allows (--execution-policy says otherwise). It is done now, when you agree, before the deployment.`,
      ].join('\n');
    case 'deploy':
      return question.survey.from === undefined ? 'This is made.' : 'This is changed.';
  }
}

const SIGNS: Readonly<Record<ResourceChange['action'], string>> = {
  create: '+',
  update: '~',
  replace: '! replaced',
  'may-replace': '! maybe replaced',
  remove: '-',
  leave: '- (stays in the account)',
};

function surveyText(survey: DeploySurvey, style: Style): string {
  const { name, account, region, stack, version, from, arn } = survey;
  const what = from === undefined ? `new, rawcloud ${version}` : from === version ? `rawcloud ${version}` : `rawcloud ${from} → ${version}`;
  return [
    style.bold(`Scaffolding '${name}' in ${region} of account ${account}: stack ${stack}, ${what}`),
    `  as         ${arn}`,
    ...(survey.bootstrap ? ['  first      the account is bootstrapped for the CDK'] : []),
    ...(survey.afterFailure ? ['  first      what is left of an attempt that failed is removed'] : []),
    ...survey.options.map((option) => `  chosen     ${option}`),
    ...survey.changed.map(
      ({ option, from: was = 'default', to = 'default' }) => `  ${style.yellow('changed')}    ${option}: ${was} → ${to}`,
    ),
    ...resourceLines(survey),
    ...survey.roles.flatMap(({ id, trusted, managed, statements }) => [
      `  role       ${id}, for ${trusted.join(', ')}${managed.length > 0 ? `, with ${managed.join(', ')}` : ''}`,
      ...servicesOf(statements).map((line) => `               ${line}`),
    ]),
    ...survey.roleChanges.flatMap(({ id, added, removed }) => [
      `  role       ${id}`,
      ...removed.map((statement) => style.red(`             - ${statementText(statement)}`)),
      ...added.map((statement) => style.green(`             + ${statementText(statement)}`)),
    ]),
    `  cost       ${costText(survey.standing)}`,
  ].join('\n');
}

function costText({ reaperUsd, metricsAtMostUsd }: DeploySurvey['standing']): string {
  const metrics = metricsAtMostUsd === 0 ? '' : `, at most $${metricsAtMostUsd.toFixed(2)} for metrics`;
  return `about $${reaperUsd.toFixed(2)} a month for the passes of the reaper${metrics}, and what lies in the bucket; nothing else while no job runs`;
}

/** A new scaffolding: counts by type. One that is there: each resource, with what differs. */
function resourceLines({ from, resources }: DeploySurvey): string[] {
  if (from !== undefined || resources.some(({ action }) => action !== 'create')) {
    return resources.map(({ id, type, action, properties }) => {
      const which = properties.length > 0 ? `: ${properties.join(', ')}` : '';
      return `  ${SIGNS[action]} ${id} (${type})${which}`;
    });
  }
  const types = [...new Set(resources.map(({ type }) => type))];
  return types.map((type) => {
    const n = resources.filter((resource) => resource.type === type).length;
    return `  + ${type}${n > 1 ? ` × ${n}` : ''}`;
  });
}

/** Actions by service, of all statements that allow something: `s3 GetObject, PutObject`. */
function servicesOf(statements: readonly StatementText[]): string[] {
  const actions = new Set(statements.filter(({ effect }) => effect === 'Allow').flatMap((statement) => statement.actions));
  const services = [...new Set([...actions].map((action) => action.split(':')[0]!))].sort();
  return services.map((service) => {
    const own = [...actions].filter((action) => action.startsWith(`${service}:`)).map((action) => action.slice(service.length + 1));
    return `${service.padEnd(14)} ${own.sort().join(', ')}`;
  });
}

function statementText({ effect, actions, resources, conditions }: StatementText): string {
  const when = conditions.length > 0 ? ` when ${conditions.join(' and ')}` : '';
  return `${effect} ${actions.join(', ')} on ${resources.join(', ')}${when}`;
}

function stepText({ id, type, status, reason, done, total }: StackStep, style: Style): string {
  const colour = /FAILED|ROLLBACK/.test(status) ? style.red : /_COMPLETE$/.test(status) ? style.green : style.dim;
  const progress = `${done}${total === undefined ? '' : `/${total}`}`.padStart(5);
  return `${progress}  ${colour(status.padEnd(18))} ${id} (${type})${reason === undefined ? '' : `: ${reason}`}`;
}

function checkText({ id, text, remedy, state }: Check, style: Style): string {
  const mark = state === 'failed' ? style.red('✗') : state === 'warning' ? style.yellow('!') : style.dim('–');
  return `${mark} ${id.padEnd(12)}${text}${remedy === undefined ? '' : `\n              → ${remedy}`}`;
}

function verdictText(well: boolean): string {
  return well ? 'Jobs will run.' : 'Jobs will not run before what is marked ✗ is done.';
}
