import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { House } from './house';

let house: House;

beforeAll(async () => {
  house = await House.open();
});

afterAll(async () => {
  expect(house.alive()).toEqual([]);
  await house.close();
});

const TOKEN = 'token-that-nobody-may-see';

describe('forwarded logins and secret variables', () => {
  test('are where programs look for them, for the job alone, and in no record', async () => {
    const file = path.join(house.directory, 'home/.config/gcloud/application_default_credentials.json');
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, JSON.stringify({ type: 'authorized_user', refresh_token: TOKEN }));
    await writeFile(path.join(house.directory, 'secrets.env'), `TZ=${TOKEN}-tz\n`);
    // It prints hashes: the output is a record as well.
    const script = [
      'echo "$HF_TOKEN" | sha256sum | cut -c1-8',
      'stat -c %a ~/.config/gcloud/application_default_credentials.json',
      'grep -c refresh_token ~/.config/gcloud/application_default_credentials.json',
      'echo "$TZ" | sha256sum | cut -c1-8',
      'echo "$LANG" | sha256sum | cut -c1-8',
    ].join('; ');
    const args = ['run', '--forward', 'hf,gcp', '--secret-env', 'LANG', '--secret-env-file', '../secrets.env', '--', 'sh', '-c', script];
    const ended = await house.rawcloud(args, { env: { HF_TOKEN: `${TOKEN}-hf`, LANG: `${TOKEN}-lang` } });
    expect(ended.code).toBe(0);
    const hash = (text: string): string => createHash('sha256').update(`${text}\n`).digest('hex').slice(0, 8);
    expect(ended.stdout.toString().split('\n')).toEqual([hash(`${TOKEN}-hf`), '600', '1', hash(`${TOKEN}-tz`), hash(`${TOKEN}-lang`), '']);
    expect(ended.stderr).not.toContain(TOKEN);
    await house.allGone();
    const leaks = (await house.everything()).filter(
      ({ content }) => content.includes(TOKEN) || content.includes(Buffer.from(TOKEN).toString('base64').slice(0, -4)),
    );
    // The VM's own disk goes with it.
    expect(leaks.map(({ name }) => name).filter((name) => !name.startsWith('state/machines/'))).toEqual([]);
  });

  test('fail before anything is launched when one is not here', async () => {
    const ended = await house.rawcloud(['run', '--forward', 'kube', 'true']);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('--forward kube: there is no such login here');
    expect(house.alive()).toEqual([]);
  });

  test('fail for what never travels', async () => {
    const ended = await house.rawcloud(['run', '--forward', 'ssh-agent', 'true']);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(
      "--forward 'ssh-agent' is not known; allowed are git, huggingface, gcp, kube; SSH keys and agents never travel",
    );
  });
});
