import { readFileSync } from 'node:fs';

/** Types of resources that moto's CloudFormation has passed over, by what its server said. */
export function passedOver(log) {
  const said = readFileSync(log, 'utf8').matchAll(/No Moto CloudFormation support for (\S+)/g);
  return [...new Set([...said].map(([, type]) => type))].sort();
}
