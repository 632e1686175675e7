import { Stack, Stage, Token } from 'aws-cdk-lib';
import type { Construct, IConstruct } from 'constructs';

interface Named extends Construct {
  readonly scaffoldName: string;
}

/** All that an app has made so far, by its root. */
const MADE = new WeakMap<IConstruct, Named[]>();

/** @throws when the app has another scaffolding of that name which would go to the same account and region */
export function checkOnlyOne(cloud: Named): void {
  const { root } = cloud.node;
  const others = MADE.get(root) ?? [];
  MADE.set(root, [...others, cloud]);
  const twin = others.find((other) => other.scaffoldName === cloud.scaffoldName && inOnePlace(other, cloud));
  if (!twin) return;
  throw new Error(
    `rawcloud: '${twin.node.path}' and '${cloud.node.path}' both make a scaffolding of the name '${cloud.scaffoldName}' in one account and region; give one of them another 'name', or their stacks an 'env' that differs`,
  );
}

/** Stacks that leave account and region to the deployment go to one place, unless they are of different stages. */
function inOnePlace(one: Construct, other: Construct): boolean {
  const known = [one, other].every((construct) => {
    const { account, region } = Stack.of(construct);
    return !Token.isUnresolved(account) && !Token.isUnresolved(region);
  });
  return Stack.of(one).environment === Stack.of(other).environment && (known || Stage.of(one) === Stage.of(other));
}
