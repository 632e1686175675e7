#!/usr/bin/env node
import { bundleLoader } from './load-bundle';
import { main } from './main';
import { processIo } from './process-io';

/*
 * The only place that touches the process. This file and what it imports statically stay small, because they are
 * all that `--version` and `--help` load; the verbs (./commands) and the runtime with the AWS SDK (./backend) are
 * files of their own in the build and loaded when a verb runs.
 */
async function start(): Promise<void> {
  // What Node leaves with should nothing be left to wait for before the verb is done: that is never success.
  process.exitCode = 125;
  const load = bundleLoader(process);
  const code = await main(process.argv.slice(2), processIo(process, load), () => load('commands'));
  // A connection kept alive or an open stdin must not hold the shell up: leave, everything is written.
  process.exit(code);
}

void start();
