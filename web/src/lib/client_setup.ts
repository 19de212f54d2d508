// SPDX-License-Identifier: Apache-2.0
// What a signing machine needs, as text to copy: the files of a client in one command, and each tool's way to a key. The forms
// are those of conf/ and docs/guide-signer.md, which the end-to-end tests run.
import type { KeyType } from '../api/types';

export const defaultModule = '/usr/lib/chancery/chancery-pkcs11.so';
export const keyFile = (account: string) => `${account}.key`;

export interface ClientFiles {
  url: string;
  account: string;
  /** Root of the server's certificate, PEM; empty: the system's trust store. */
  ca: string;
}

export function clientConf({ url, account, ca }: ClientFiles): string {
  return [
    '[server]',
    `url = ${url}`,
    ...(ca ? ['ca = server-ca.pem'] : []),
    '',
    '[credential]',
    'type = service_account',
    `account = ${account}`,
    `key = ${keyFile(account)}`,
    '',
    '[cache]',
    'public_data = public.json',
    '',
  ].join('\n');
}

/** One command for a shell: it makes the directory, writes client.conf and server-ca.pem, and takes the key file in. */
export function setUpCommand(files: ClientFiles): string {
  const file = (name: string, text: string) => `cat >${name} <<'END'\n${text.replace(/\n*$/, '\n')}END`;
  return [
    '(set -e; umask 077',
    'mkdir -p ~/.config/chancery; cd ~/.config/chancery',
    ...(files.ca ? [file('server-ca.pem', files.ca)] : []),
    file('client.conf', clientConf(files)),
    `[ -e ${keyFile(files.account)} ] || mv ~/Downloads/${keyFile(files.account)} .`,
    `chmod 600 ${keyFile(files.account)} client.conf; chancery login)`,
  ].join('\n');
}

export interface Example {
  tool: string;
  text: string;
  note?: string;
}

export interface SigningKeyName {
  /** "<project>-<label>", as on the token. */
  object: string;
  type: KeyType;
}

type Kind = 'rsa' | 'ec' | 'edwards';
const kindOf = (type: KeyType): Kind => (type === 'ed25519' ? 'edwards' : type.startsWith('rsa') ? 'rsa' : 'ec');

const mechanism: Record<Kind, string> = {
  rsa: 'SHA256-RSA-PKCS',
  ec: 'ECDSA-SHA256 --signature-format openssl',
  edwards: 'EDDSA',
};

/** The ways to sign with this key. Edwards keys stand on a token of their own, which most tools do not use. */
export function examples(key: SigningKeyName, module: string): Example[] {
  const kind = kindOf(key.type);
  const token = kind === 'edwards' ? 'eddsa-chancery' : 'chancery';
  const uri = `pkcs11:token=${token};object=${key.object};type=private`;
  const chain = `chancery certificate ${key.object} --chain >chain.pem`;
  const lines = (...l: string[]) => l.join('\n') + '\n';

  const own: Example = {
    tool: 'chancery',
    text: lines(
      'chancery doctor',
      `chancery sign --key ${key.object} --output file.sig file`,
      `chancery verify --key ${key.object} --signature file.sig file`,
    ),
    note: 'Needs no other tool. doctor checks everything from the configuration to a signature.',
  };
  const pkcs11Tool: Example = {
    tool: 'pkcs11-tool',
    text: lines(
      `pkcs11-tool --module ${module} --token-label ${token} --login -O`,
      `pkcs11-tool --module ${module} --token-label ${token} --login --sign --mechanism ${mechanism[kind]} \\`,
      `    --label ${key.object} --input-file file --output-file file.sig`,
    ),
  };
  if (kind === 'edwards') return [own, pkcs11Tool];

  return [
    own,
    {
      tool: 'osslsigncode',
      text: lines(
        chain,
        `osslsigncode sign -pkcs11module ${module} -pass "$PASSPHRASE" -h sha256 \\`,
        `    -key "${uri}" -certs chain.pem -in app.exe -out app-signed.exe`,
      ),
      note: 'Authenticode, as signtool makes it: exe, dll, msi, cab, cat. Leave -pkcs11engine out: it finds the engine by itself.',
    },
    {
      tool: 'jarsigner',
      text: lines(
        "cat >sunpkcs11.cfg <<'END'",
        'name = Chancery',
        `library = ${module}`,
        'slotListIndex = 0',
        'END',
        'jarsigner -keystore NONE -storetype PKCS11 -providerClass sun.security.pkcs11.SunPKCS11 -providerArg sunpkcs11.cfg \\',
        `    -signedjar app-signed.jar app.jar ${key.object}`,
      ),
      note: 'It asks for the passphrase. The key needs a certificate: Java sees no other.',
    },
    {
      tool: 'openssl (engine)',
      text: lines(
        "cat >openssl-engine.cnf <<'END'",
        'openssl_conf = init',
        '[init]',
        'engines = engines',
        '[engines]',
        'pkcs11 = pkcs11',
        '[pkcs11]',
        'engine_id = pkcs11',
        'dynamic_path = /usr/lib/x86_64-linux-gnu/engines-3/pkcs11.so',
        `MODULE_PATH = ${module}`,
        'init = 0',
        'END',
        'OPENSSL_CONF=openssl-engine.cnf openssl dgst -engine pkcs11 -keyform engine \\',
        `    -sign "${uri}" -sha256 -out file.sig file`,
      ),
      note: "libp11's engine, in Debian's package libengine-pkcs11-openssl.",
    },
    {
      tool: 'openssl (provider)',
      text: lines(
        "cat >openssl-provider.cnf <<'END'",
        'openssl_conf = init',
        '[init]',
        'providers = providers',
        '[providers]',
        'default = default_provider',
        'pkcs11 = pkcs11_provider',
        '[default_provider]',
        'activate = 1',
        '[pkcs11_provider]',
        'module = /usr/lib/x86_64-linux-gnu/ossl-modules/pkcs11.so',
        `pkcs11-module-path = ${module}`,
        'activate = 1',
        'END',
        'OPENSSL_CONF=openssl-provider.cnf openssl dgst \\',
        `    -sign "${uri}" -sha256 -out file.sig file`,
      ),
      note: "latchset's pkcs11-provider 0.5 or later.",
    },
    pkcs11Tool,
    {
      tool: 'ssh and git',
      text: lines(
        `M=${module}`,
        'ssh-keygen -D $M                                # the public keys',
        `ssh-keygen -D $M | grep ' ${key.object}$' >key.pub`,
        'eval "$(ssh-agent -s -P $M)"; ssh-add -s $M      # asks for the passphrase',
        'ssh-keygen -Y sign -f key.pub -n file file',
        'git -c gpg.format=ssh -c user.signingKey=key.pub commit -S',
      ),
    },
    ...(kind === 'rsa'
      ? [
          {
            tool: 'gpg',
            text: lines(
              "cat >~/.gnupg/gnupg-pkcs11-scd.conf <<'END'",
              'providers chancery',
              `provider-chancery-library ${module}`,
              'END',
              'echo scdaemon-program /usr/bin/gnupg-pkcs11-scd >>~/.gnupg/gpg-agent.conf',
              "gpg-connect-agent 'LEARN --sendinfo' /bye    # KEY-FRIEDNLY and 40 hex digits, the keygrip, for each key",
              'gpg --expert --full-generate-key             # 13 (existing key), the keygrip, E (no encryption), Q',
              'gpg --detach-sign --local-user signer@example.org file',
            ),
            note: 'It takes RSA keys that have a certificate.',
          },
        ]
      : []),
  ];
}
