// SPDX-License-Identifier: Apache-2.0
// A CA by the openssl program with an EST server in front of it, for keys whose certificates come from elsewhere.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const support = new URL('../support/ca/', import.meta.url).pathname;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks, for a minute, until what is asked for is there. */
export async function until(what, holds) {
  for (let i = 0; i < 600; i++) {
    const found = await holds();
    if (found) return found;
    await pause(100);
  }
  throw new Error(`${what} did not come`);
}

/** In the directory `dir`; `testCa` runs the CA's own commands. */
export async function startEst(dir) {
  const testCa = (command, ...args) => execFileSync(join(support, 'test-ca'), [command, dir, ...args]);
  mkdirSync(dir, { recursive: true });
  testCa('create');
  writeFileSync(join(dir, 'password'), 'secret\n', { mode: 0o600 });
  const est = spawn(join(support, 'est_server.py'), [dir], { stdio: 'ignore' });
  const port = await until(
    'the EST server',
    () => existsSync(join(dir, 'port')) && readFileSync(join(dir, 'port'), 'utf8').trim(),
  );
  return {
    testCa,
    stop: () => est.kill(),
    /** Of a connector. */
    settings: {
      url: `https://127.0.0.1:${port}/.well-known/est`,
      tls_trust_file: join(dir, 'root.pem'),
      username: 'est',
      password_file: join(dir, 'password'),
    },
  };
}
