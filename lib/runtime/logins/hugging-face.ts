import path from 'node:path';
import type { FindLogin } from './place';
import { noLogin, pathOr, readFirst } from './place';

/**
 * The token of Hugging Face, as a variable. Source: huggingface_hub, "Environment variables" (HF_TOKEN, HF_TOKEN_PATH, HF_HOME).
 */
export const findHuggingFace: FindLogin = async (place) => {
  const { env } = place;
  const cache = pathOr(env['XDG_CACHE_HOME'], place, '.cache');
  const file = env['HF_TOKEN_PATH']
    ? pathOr(env['HF_TOKEN_PATH'], place, '')
    : path.join(env['HF_HOME'] ? pathOr(env['HF_HOME'], place, '') : path.join(cache, 'huggingface'), 'token');
  const token = (env['HF_TOKEN'] ?? env['HUGGING_FACE_HUB_TOKEN'])?.trim() || (await readFirst([file]))?.content.toString('utf8').trim();
  if (!token) throw noLogin('huggingface', `HF_TOKEN and ${file}`, "Log in with 'hf auth login', or set HF_TOKEN.");
  return { files: {}, variables: { HF_TOKEN: token }, notices: [] };
};
