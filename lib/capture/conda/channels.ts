import { CONDA_SECRETS } from '../../contract';

/** A URL of conda, and what it tells that nobody may see. */
export interface PlainUrl {
  readonly url: string;
  /** By name, as a layer's secrets. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** A token stands as `/t/<token>/` at the beginning of the path. Source: conda's `split_anaconda_token`. */
const TOKEN = /^\/t\/([^/]+)\//;

/** Takes user, password and token out of a URL of a package or channel; undefined for what is no URL. */
export function plainUrl(text: string): PlainUrl | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const secrets: Record<string, string> = {};
  const token = TOKEN.exec(url.pathname)?.[1];
  if (token !== undefined) {
    url.pathname = url.pathname.replace(TOKEN, '/');
    // conda itself hides it so in what it writes.
    if (token !== '<TOKEN>' && token !== '%3CTOKEN%3E') secrets[CONDA_SECRETS.token + scopeOf(url)] = token;
  }
  if (url.username !== '' || url.password !== '') {
    secrets[CONDA_SECRETS.login + url.origin] = `${url.protocol}//${url.username}:${url.password}@${url.host}`;
    url.username = '';
    url.password = '';
  }
  return { url: url.href, secrets };
}

/** A token counts for a channel: what stands before the platform's directory. */
function scopeOf(url: URL): string {
  const parts = url.pathname.split('/').filter((part) => part !== '');
  const at = parts.findIndex((part) => SUBDIR.test(part));
  const channel = at === -1 ? parts : parts.slice(0, at);
  return `${url.origin}/${channel.join('/')}`;
}

const SUBDIR = /^(noarch|(linux|osx|win|emscripten|wasi|freebsd|zos)-[\w]+)$/;

/** The channel that a package's URL lies in: `https://host/channel/linux-64/x.conda` gives `https://host/channel`. */
export function channelOf(packageUrl: string): string {
  return scopeOf(new URL(packageUrl));
}
