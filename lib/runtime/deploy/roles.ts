import { isDeepStrictEqual } from 'node:util';
import type { Template } from '../../contract';

/** A statement of a policy, as text: what the template puts together stands as `${Name}`. */
export interface StatementText {
  readonly effect: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions: readonly string[];
}

/** A role of a template and what it may do. */
export interface RoleText {
  readonly id: string;
  /** Who may be it: `ec2.amazonaws.com`. */
  readonly trusted: readonly string[];
  /** Managed policies, by ARN. */
  readonly managed: readonly string[];
  readonly statements: readonly StatementText[];
}

type Fields = Readonly<Record<string, unknown>>;

/** All roles of a template, with the policies in them and those that are attached to them. */
export function rolesOf({ Resources }: Pick<Template, 'Resources'>): RoleText[] {
  const all = Object.entries(Resources).map(([id, { Type, Properties = {} }]) => ({ id, Type, Properties }));
  const policies = all.filter(({ Type }) => Type === 'AWS::IAM::Policy');
  return all
    .filter(({ Type }) => Type === 'AWS::IAM::Role')
    .map(({ id, Properties }) => {
      const attached = policies.filter(({ Properties: { Roles } }) => list(Roles).some((role) => isDeepStrictEqual(role, { Ref: id })));
      const documents = [...list(Properties['Policies']), ...attached.map((policy) => policy.Properties)];
      return {
        id,
        trusted: statementsIn(Properties['AssumeRolePolicyDocument']).flatMap(({ Principal }) =>
          Object.values(fields(Principal)).flatMap(texts),
        ),
        managed: list(Properties['ManagedPolicyArns']).map(text),
        statements: documents.flatMap((policy) => statementsIn(fields(policy)['PolicyDocument'])).map(statementText),
      };
    });
}

/** What differs between the statements of two templates' roles. */
export interface RoleChange {
  readonly id: string;
  readonly added: readonly StatementText[];
  readonly removed: readonly StatementText[];
}

export function roleChanges(before: Pick<Template, 'Resources'>, after: Pick<Template, 'Resources'>): RoleChange[] {
  const [old, now] = [rolesOf(before), rolesOf(after)];
  const ids = [...new Set([...now, ...old].map(({ id }) => id))];
  return ids
    .map((id) => {
      const [was, is] = [old, now].map((roles) => roles.find((role) => role.id === id)?.statements ?? []) as [
        StatementText[],
        StatementText[],
      ];
      const missing = (from: StatementText[], all: StatementText[]): StatementText[] =>
        from.filter((one) => !all.some((other) => isDeepStrictEqual(one, other)));
      return { id, added: missing(is, was), removed: missing(was, is) };
    })
    .filter(({ added, removed }) => added.length + removed.length > 0);
}

function statementsIn(document: unknown): Fields[] {
  return list(fields(document)['Statement']).map(fields);
}

function statementText({ Effect, Action, Resource, Condition }: Fields): StatementText {
  const conditions = Object.entries(fields(Condition)).flatMap(([operator, keys]) =>
    Object.entries(fields(keys)).map(([key, value]) => `${operator} ${key}: ${texts(value).join(', ')}`),
  );
  return { effect: text(Effect), actions: texts(Action), resources: texts(Resource), conditions };
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}

function texts(value: unknown): string[] {
  return list(value).map(text);
}

/** A value of a template in one line: `{"Fn::Join": ["", ["arn:", {"Ref": "X"}]]}` is `arn:${X}`. */
function text(value: unknown): string {
  if (typeof value === 'string') return value;
  const { Ref, 'Fn::GetAtt': attribute, 'Fn::Join': join, 'Fn::Sub': sub } = fields(value);
  if (typeof Ref === 'string') return `\${${Ref}}`;
  if (Array.isArray(attribute)) return `\${${attribute.join('.')}}`;
  if (Array.isArray(join)) return texts(join[1]).join(text(join[0]));
  if (typeof sub === 'string') return sub;
  return JSON.stringify(value);
}
