import { fileURLToPath } from 'node:url';
import { ensurePythonTools } from '../house/python-tools.mjs';

/**
 * A virtual environment with moto's server, made when it is not there.
 * @returns {Promise<string>} its python
 * @throws {Unavailable} without python3, its module venv, or PyPI
 */
export function ensureMoto() {
  return ensurePythonTools({ name: 'moto', requirements: fileURLToPath(new URL('requirements.txt', import.meta.url)) });
}
