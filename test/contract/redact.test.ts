import { hideWords, secretWords } from '../../lib/contract';

describe('words that must not be shown', () => {
  test('a text of one word is one, unless it is short', () => {
    expect(secretWords(['tok-0123456789', 'true', '8080'])).toEqual(['tok-0123456789']);
  });

  test('settings, netrc, JSON and URLs give their values, no plain address', () => {
    const texts = [
      '//npm.example.com/:_authToken=npm_secretsecret\nregistry=https://npm.example.com/\n',
      'machine pypi.example.com login maintainer password netrc-password\n',
      '{"auths": {"a": "json-password"}}',
      'https://someone%40x:p%40ssw0rd-long@pypi.example.com/simple',
    ];
    expect(secretWords(texts)).toEqual(
      expect.arrayContaining(['npm_secretsecret', 'netrc-password', 'maintainer', 'json-password', 'p%40ssw0rd-long', 'p@ssw0rd-long']),
    );
    expect(secretWords(texts).join(' ')).not.toContain('https://npm.example.com/');
  });

  test('the whole is hidden before a part of it', () => {
    const words = secretWords(['password-1', 'password-1-and-more']);
    expect(hideWords('a password-1-and-more b password-1 c', words)).toBe('a *** b *** c');
  });
});
