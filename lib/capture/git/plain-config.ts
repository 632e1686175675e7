import { existsSync, realpathSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Env } from './program';

/*
 * When git need not be asked for its settings: its files hold nothing but plain lines, and it is known which files there are.
 * Source: git-config(1), "Syntax". To start git takes as long as a walk over a thousand files, and more on a busy machine.
 */

/** Comments, `[section]`, `[section "more"]`, `name`, `name = value`. */
const PLAIN_LINE = /^[ \t]*(?:[#;].*|\[[a-z\d-]+(?: "[^"\\]*")?\][ \t]*|[a-z][a-z\d-]*[ \t]*(?:=.*)?)?$/i;

/** A value goes on in the next line; a byte that belongs to no plain text. */
const ODD_LINE = /\\[ \t]*$|\r/;

/** They bring in other files, or change what files there are. */
const ODD_SECTION = /^[ \t]*\[(?:include|includeif|extensions)\b/i;

/** Of the settings that we read, values that mean what they say. */
const OURS = /^[ \t]*(?:ignorecase|excludesfile)\b/i;
const PLAIN_VALUE =
  /^[ \t]*(?:ignorecase(?:[ \t]*=[ \t]*(?:true|false|yes|no|on|off|0|1))?|excludesfile[ \t]*=[ \t]*(?:~\/|\/|\w)[^"\\#;\t]*)[ \t]*$/i;

export function isPlainConfig(text: string): boolean {
  return text
    .split('\n')
    .every(
      (line) => PLAIN_LINE.test(line) && !ODD_LINE.test(line) && !ODD_SECTION.test(line) && (!OURS.test(line) || PLAIN_VALUE.test(line)),
    );
}

/** A distribution's git has its system-wide file in /etc; any other was built to have it somewhere else. */
export function isDistributionGit(env: Env): boolean {
  if (os.platform() !== 'linux') return false;
  const places = (env['PATH'] ?? '').split(path.delimiter).map((directory) => path.join(directory, 'git'));
  const found = places.find((place) => existsSync(place));
  return found !== undefined && realpathSync(found) === '/usr/bin/git';
}
