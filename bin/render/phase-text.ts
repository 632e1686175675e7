import { formatDuration, formatSize } from '../../lib/contract';
import type { EventData, RawcloudEvent } from '../../lib/contract';
import type { TransferProgress } from '../../lib/runtime/api';
import { labelled } from './label';
import type { Rate } from './rate';
import type { Style } from './style';
import { addressText, count, offerText, perHour } from './words';

/** A phase in one line. */
export interface PhaseText {
  readonly text: string;
  /** 'always' stays on the screen; 'unless-live' moves on a terminal and stays elsewhere; 'never' only moves. */
  readonly keep: 'always' | 'unless-live' | 'never';
}

/** What people see of an event; undefined for what the summary says better. */
export function phaseText(event: RawcloudEvent, style: Style, rate: Rate): PhaseText | undefined {
  const always = (label: string, text: string): PhaseText => ({ text: labelled(label, text, style), keep: 'always' });
  const state = (text: string): PhaseText => ({
    text: labelled('vm', event.vm ? `${event.vm} ${text}` : text, style),
    keep: 'unless-live',
  });
  switch (event.type) {
    case 'plan.ready':
      return always('plan', planText(event.data));
    case 'sync.progress':
      return syncText(event.data, style, rate);
    case 'launch.intent':
      return { text: labelled('launch', intentText(event.job, event.data), style), keep: 'always' };
    case 'launch.attempt':
      return event.data.attempt > 1 ? always('launch', `trying again, attempt ${event.data.attempt}`) : undefined;
    case 'launch.outcome':
      return always('launch', launchText(event.data));
    case 'vm.requested':
      return state('requested');
    case 'vm.pending':
      return state('pending');
    case 'vm.booting':
      return state('booting');
    case 'vm.preparing':
      return state(`preparing${event.data.detail ? `: ${event.data.detail}` : ''}`);
    case 'environment.progress':
      return state(event.data.detail);
    case 'vm.busy':
      return always('command', `running${event.vm ? ` on ${event.vm}` : ''}`);
    case 'vm.ending':
      return state('powering off');
    case 'notice':
      return { text: noticeText(event.data, style), keep: 'always' };
    case 'vm.idle':
    case 'vm.gone':
    case 'task.started':
    case 'task.ended':
    case 'output':
    case 'job.outcome':
    case 'job.ended':
    case 'bill':
      return undefined;
  }
}

function planText({ offers, usdPerHour, diskGiB, lifetimeS, identity }: EventData['plan.ready']): string {
  const offer = offers[0] ? `${offerText(offers[0])} · ` : '';
  const cost = `${perHour(usdPerHour)} with ${diskGiB} GiB disk${addressText(offers[0])}${offers[0] ? ` (${offers[0].priceSource})` : ''}`;
  return `${offer}${cost} · AWS identity: ${identity} · VM ends itself in ${formatDuration(lifetimeS)} at the latest`;
}

/** The line that moves while files are brought home. */
export function downloadingText({ bytes, totalBytes }: TransferProgress, style: Style, rate: Rate): string {
  return labelled('files', `downloading · ${rate.text(bytes, totalBytes)}`, style);
}

function syncText({ phase, files, bytes, newBytes, totalNewBytes }: EventData['sync.progress'], style: Style, rate: Rate): PhaseText {
  const all = `${count(files, 'file')}, ${formatSize(bytes)}`;
  if (phase === 'done') return { text: labelled('files', `${all} · ${formatSize(newBytes)} of it new`, style), keep: 'always' };
  const words = { walk: 'looking', hash: 'comparing', pack: 'packing', upload: 'uploading' }[phase];
  // How long it takes has to fit on the line.
  if (phase === 'upload' && totalNewBytes !== undefined)
    return { text: labelled('files', `${words} · ${rate.text(newBytes, totalNewBytes)}`, style), keep: 'never' };
  const upload = phase === 'upload' ? ` · ${formatSize(newBytes)}` : '';
  return { text: labelled('files', `${words} · ${all}${upload}`, style), keep: 'never' };
}

function intentText(job: string, { n, offer, reason }: EventData['launch.intent']): string {
  return `job ${job} on ${offerText(offer)}${n > 0 && reason ? `: ${reason}` : ''}`;
}

function launchText({ state, instances, code, message }: EventData['launch.outcome']): string {
  if (state === 'launched') return `${instances.join(', ')} requested`;
  return `not granted: ${[code, message].filter((part) => part).join(': ') || 'no reason given'}`;
}

function noticeText({ level, text }: EventData['notice'], style: Style): string {
  return level === 'warning' ? `${style.yellow('warning:')} ${text}` : `${style.cyan('note:')} ${text}`;
}
