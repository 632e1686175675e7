import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './root.mjs';

/**
 * The licences of the packages whose code the bundles carry, as those licences ask.
 * @param {readonly string[]} packages directories relative to the repository
 */
export function writeThirdPartyLicenses(packages, file) {
  const intro = 'The programs beside this file contain code of the packages below, each under its own licence.\n';
  writeFileSync(file, [intro, ...packages.map(licenseOf)].join('\n'));
}

function licenseOf(directory) {
  const absolute = path.join(ROOT, directory);
  const { name, version, license } = JSON.parse(readFileSync(path.join(absolute, 'package.json'), 'utf8'));
  const text = readdirSync(absolute).find((entry) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(entry));
  const body = text ? readFileSync(path.join(absolute, text), 'utf8') : `Licence: ${license}\n`;
  return `${'='.repeat(78)}\n${name} ${version} (${license})\n\n${body}`;
}
