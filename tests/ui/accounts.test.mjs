// SPDX-License-Identifier: Apache-2.0
// Service accounts: a key pair made in the browser signs on a machine that was set up by the one command the page gives.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { axe, goTo, inspect, launch, open, rest, server, settled, signIn } from './browser.mjs';
import { fill } from './world.mjs';

const build = process.env.CHANCERY_BUILD;
const chancery = `${build}/cli/chancery`;
const module = `${build}/module/chancery-pkcs11.so`;
const work = mkdtempSync(join(process.env.UI_WORK, 'accounts-'));
const passphrase = 'a passphrase of some length';

let browser;
before(async () => {
  await fill(rest);
  browser = await launch();
});
after(async () => {
  await browser?.close();
});

const go = (page, address, heading) => goTo(page, address, { name: heading, exact: true });

/** A machine: a home directory, and the command `chancery` on its path. */
function machine(name) {
  const home = join(work, name);
  mkdirSync(join(home, 'Downloads'), { recursive: true });
  mkdirSync(join(home, 'bin'));
  symlinkSync(chancery, join(home, 'bin', 'chancery'));
  writeFileSync(join(home, 'file'), `what ${name} signs\n`);
  const env = { PATH: `${home}/bin:${process.env.PATH}`, HOME: home, LC_ALL: 'C.UTF-8' };
  return {
    home,
    run: (command) => execFileSync('sh', ['-ec', command], { cwd: home, env, timeout: 60_000 }).toString(),
    /** At a terminal, where the answer is typed when it is asked for. */
    type: (command, answer) =>
      new Promise((resolve, reject) => {
        const child = spawn('script', ['-qefc', command, '/dev/null'], {
          cwd: home,
          env: { ...env, SHELL: '/bin/sh' },
        });
        const timer = setTimeout(() => child.kill(), 60_000);
        let seen = '';
        let typed = false;
        child.stdout.on('data', (d) => {
          seen += d;
          if (!typed && /passphrase.*: ?$/is.test(seen)) child.stdin.write(`${answer}\r`);
          typed ||= /passphrase.*: ?$/is.test(seen);
        });
        child.on('close', (status) => {
          clearTimeout(timer);
          if (status === 0) resolve(seen);
          else reject(new Error(`${status}: ${seen}`));
        });
      }),
  };
}

async function save(page, button, to) {
  const waiting = page.waitForEvent('download');
  await button.click();
  const download = await waiting;
  await download.saveAs(join(to, download.suggestedFilename()));
  return join(to, download.suggestedFilename());
}

/** The page that follows the form, with the private key in hand. */
async function register(page, name, { kind, plain = false } = {}) {
  await go(page, '/new-service-account', 'New service account');
  await page.getByLabel('Name', { exact: true }).fill(name);
  if (kind) await page.getByLabel('Kind').selectOption(kind);
  if (plain) await page.getByLabel('No passphrase').check();
  else {
    await page.getByLabel('Passphrase of the key file').fill(passphrase);
    await page.getByLabel('Passphrase, once more').fill(passphrase);
  }
  await page.getByRole('button', { name: 'Register the account' }).click();
  await page.getByRole('heading', { name: `${name} is registered` }).waitFor();
  await settled(page);
}

const commandOf = async (page) => page.getByRole('region', { name: 'set-up command' }).innerText();

test('a P-256 key made here signs with a tool through the module, after one command, and never leaves as it is', async () => {
  const { page, done } = await open(browser);
  const sent = [];
  page.on('request', (r) => r.method() !== 'GET' && sent.push(r.postData() ?? ''));
  await signIn(page);
  const m = machine('build-7');
  await register(page, 'build-7');
  await inspect(page, 'account-registered');
  const file = await save(page, page.getByRole('button', { name: 'Save build-7.key' }), join(m.home, 'Downloads'));
  await page.getByText('build-7.key was saved').waitFor();
  const pem = readFileSync(file, 'latin1');
  assert.match(pem, /^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
  assert.ok(sent.every((body) => !/PRIVATE KEY|some length/.test(body)));
  assert.match(
    m.run(`openssl asn1parse -in Downloads/build-7.key -i`),
    /PBES2[\s\S]*PBKDF2[\s\S]*hmacWithSHA256[\s\S]*aes-256-cbc/,
  );

  await rest('POST', '/v1/projects/demo/members', { principal: 'build-7', role: 'signer' });
  writeFileSync(join(m.home, 'set-up.sh'), await commandOf(page));
  assert.match(await m.type('sh set-up.sh', passphrase), /as build-7; \d+ keys to sign with/);
  for (const name of ['client.conf', 'build-7.key', 'server-ca.pem'])
    assert.equal(statSync(join(m.home, '.config/chancery', name)).mode & 0o077, 0, name);

  m.run(
    `pkcs11-tool --module ${module} --token-label chancery --login --pin "${passphrase}" --sign --mechanism ECDSA-SHA256 \
       --signature-format openssl --label demo-p256 --input-file file --output-file file.sig`,
  );
  writeFileSync(join(m.home, 'pass'), passphrase, { mode: 0o600 });
  assert.match(m.run('chancery --passphrase-file pass verify --key demo-p256 --signature file.sig file'), /./);
  assert.throws(() =>
    m.run(
      `pkcs11-tool --module ${module} --token-label chancery --login --pin wrong --sign --mechanism ECDSA-SHA256 --label demo-p256 --input-file file`,
    ),
  );
  await go(page, '/service-accounts/build-7', 'build-7');
  assert.equal(await page.getByText('never', { exact: true }).count(), 2, 'expiry of account and key; it was used');
  await done();
});

test('an Ed25519 key without a passphrase signs on a build machine, and the examples of the page work there', async (t) => {
  const { page, done } = await open(browser);
  await signIn(page);
  await go(page, '/new-service-account', 'New service account');
  const kinds = await page.getByLabel('Kind').locator('option').allInnerTexts();
  if (!kinds.includes('Ed25519')) return t.skip('this Chromium makes no Ed25519 keys');
  const m = machine('build-8');
  await register(page, 'build-8', { kind: 'ed25519', plain: true });
  const file = await save(page, page.getByRole('button', { name: 'Save build-8.key' }), join(m.home, 'Downloads'));
  assert.match(readFileSync(file, 'latin1'), /^-----BEGIN PRIVATE KEY-----\n/);
  await rest('POST', '/v1/projects/demo/members', { principal: 'build-8', role: 'signer' });
  assert.match(m.run(await commandOf(page)), /as build-8/);

  await page.goto(`${server}/ui/service-accounts/build-8?tab=set-up&key=demo-p256`);
  await settled(page);
  await page.getByLabel('Module on the machine').fill(module);
  for (const [tool, wait] of [
    ['chancery', /./],
    ['openssl (engine)', null],
  ]) {
    await page.getByLabel('Tool', { exact: true }).selectOption(tool);
    const text = await page.getByRole('region', { name: `${tool} commands` }).innerText();
    const out = execFileSync('sh', ['-ec', tool === 'chancery' ? text : `${text}\n`], {
      cwd: m.home,
      env: { PATH: `${m.home}/bin:${process.env.PATH}`, HOME: m.home },
      input: 'any\n',
      timeout: 60_000,
    }).toString();
    if (wait) assert.match(out, wait);
    assert.ok(statSync(join(m.home, 'file.sig')).size > 60, tool);
    m.run('chancery verify --key demo-p256 --signature file.sig file; rm file.sig');
  }
  await done();
});

test('a pasted public key is taken; a private key dropped by mistake is refused and not sent', async () => {
  const { page, done } = await open(browser, { expected: [/status of 409/] });
  const sent = [];
  page.on('request', (r) => r.method() !== 'GET' && sent.push(r.postData() ?? ''));
  await signIn(page);
  execFileSync('openssl', ['genpkey', '-algorithm', 'ED25519', '-out', join(work, 'k.key')]);
  execFileSync('openssl', ['pkey', '-in', join(work, 'k.key'), '-pubout', '-out', join(work, 'k.pub')]);
  chmodSync(join(work, 'k.key'), 0o600);
  await go(page, '/new-service-account', 'New service account');
  await page.getByLabel('Name', { exact: true }).fill('demo-signer');
  await page.getByRole('button', { name: 'I have a public key' }).click();
  const chooser = page.locator('input[type=file]');
  await chooser.setInputFiles(join(work, 'k.key'));
  await page.getByText('k.key is a private key. It was not sent').waitFor();
  await inspect(page, 'account-private-key-refused');
  await chooser.setInputFiles(join(work, 'k.pub'));
  await page.waitForFunction(() => /BEGIN PUBLIC KEY/.test(document.querySelector('textarea').value));
  await page.getByRole('button', { name: 'Register the account' }).click();
  await page.locator('.field-error, .note.bad').waitFor();
  await page.getByLabel('Name', { exact: true }).fill('pasted');
  await page.getByRole('button', { name: 'Register the account' }).click();
  await page.getByRole('heading', { name: 'pasted is registered' }).waitFor();
  assert.equal(await page.getByRole('button', { name: /^Save/ }).count(), 0);
  assert.ok(sent.every((body) => !/PRIVATE KEY/.test(body)));
  await done();
});

test('a passphrase that is short or typed differently is told at its field, and nothing is registered', async () => {
  const { page, done } = await open(browser);
  await signIn(page);
  await go(page, '/new-service-account', 'New service account');
  await page.getByLabel('Name', { exact: true }).fill('not-yet');
  await page.getByLabel('Passphrase of the key file').fill('short');
  await page.getByLabel('Passphrase, once more').fill('short');
  await page.getByRole('button', { name: 'Register the account' }).click();
  await page.getByText('At least 12 characters', { exact: true }).waitFor();
  await page.getByLabel('Passphrase of the key file').fill(passphrase);
  await page.getByRole('button', { name: 'Register the account' }).click();
  await page.getByText('The two are not the same').waitFor();
  await page.waitForFunction(() => document.activeElement?.getAttribute('name') === 'passphrase_again');
  await axe(page, 'new account with errors');
  assert.equal((await rest('GET', '/v1/service-accounts?name=not-yet')).items.length, 0);
  await done();
});

test('keys overlap: one more is added, the old one is revoked, and the account is disabled and removed by name', async () => {
  const { page, done } = await open(browser);
  await signIn(page);
  await register(page, 'build-9', { plain: true });
  await go(page, '/service-accounts/build-9', 'build-9');
  await page.getByRole('button', { name: 'Add a key' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('No passphrase').check();
  await inspect(page, 'account-add-key');
  await dialog.getByRole('button', { name: 'Add the key' }).click();
  await save(page, page.getByRole('dialog').getByRole('button', { name: /^Save build-9-/ }), work);
  await inspect(page, 'account-key-added');
  await page.getByRole('dialog').getByRole('button', { name: 'Done' }).click();
  await settled(page);
  assert.equal(await page.locator('tbody tr').count(), 2);
  await page.getByRole('button', { name: 'Revoke' }).first().click();
  await inspect(page, 'account-revoke-key');
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke the key' }).click();
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);

  await page.getByRole('button', { name: 'Change' }).click();
  await page.getByRole('dialog').getByLabel('Description').fill('the ninth');
  await page.getByRole('dialog').getByLabel('Owning team').fill('release');
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await page.getByText('the ninth').waitFor();
  await page.getByRole('button', { name: 'Disable' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
  await page.getByRole('button', { name: 'Enable' }).waitFor();
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await page.getByRole('dialog').getByLabel('Type build-9 to confirm').fill('build-9');
  await page.getByRole('dialog').getByRole('button', { name: 'Remove the account' }).click();
  await page.getByRole('heading', { name: 'Service accounts', level: 1 }).waitFor();
  await assert.rejects(rest('GET', '/v1/service-accounts/build-9'), /404/);
  await done();
});
