// SPDX-License-Identifier: Apache-2.0
// Files signed by real tools through the module, for pages that tell what was signed.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('../..', import.meta.url).pathname;
const work = process.env.UI_WORK;
const env = process.env;

function run(command, args) {
  return execFileSync(command, args, { cwd: work, stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000 }).toString();
}

function chain(key) {
  const file = join(work, `${key}.chain.pem`);
  const chancery = join(env.CHANCERY_BUILD, 'cli/chancery');
  writeFileSync(file, run(chancery, ['--config', env.CHANCERY_CONF, 'certificate', key, '--chain']));
  return file;
}

/** A Windows executable, and the same signed by osslsigncode with a key such as "demo-p256". */
export function signedExecutable(key) {
  run('x86_64-w64-mingw32-gcc', ['-O2', '-s', '-o', 'hello.exe', join(root, 'tests/e2e/data/hello.c')]);
  run('osslsigncode', [
    'sign',
    ...['-pkcs11module', env.P11_MODULE, '-pass', env.P11_PIN, '-h', 'sha256', '-certs', chain(key)],
    ...['-key', `pkcs11:token=${env.P11_TOKEN};object=${key};type=private`],
    ...['-in', 'hello.exe', '-out', `hello-${key}.exe`],
  ]);
  return { plain: join(work, 'hello.exe'), signed: join(work, `hello-${key}.exe`) };
}

/** A Java archive signed by jarsigner. */
export function signedJar(key) {
  writeFileSync(join(work, 'readme.txt'), 'what is in the archive\n');
  writeFileSync(join(work, 'sunpkcs11.cfg'), `name = Chancery\nlibrary = ${env.P11_MODULE}\nslotListIndex = 0\n`);
  run('jar', ['--create', '--file', 'hello.jar', 'readme.txt']);
  run('jarsigner', [
    ...['-keystore', 'NONE', '-storetype', 'PKCS11', '-providerClass', 'sun.security.pkcs11.SunPKCS11'],
    ...['-providerArg', 'sunpkcs11.cfg', '-storepass', env.P11_PIN, '-signedjar', 'hello-signed.jar', 'hello.jar', key],
  ]);
  return join(work, 'hello-signed.jar');
}

/** Signs a file's own digest, as openssl dgst and others do. */
export function signFile(path, key) {
  const pkcs11 = ['--module', env.P11_MODULE, '--token-label', env.P11_TOKEN, '--login', '--pin', env.P11_PIN];
  const how = ['--sign', '--label', key, '--mechanism', 'ECDSA-SHA256', '--input-file', path];
  run('pkcs11-tool', [...pkcs11, ...how, '--output-file', `${path}.sig`]);
}
