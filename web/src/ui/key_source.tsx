// SPDX-License-Identifier: Apache-2.0
// Where the key pair of a service account comes from: a public half made elsewhere, or a pair made in this browser, whose
// private half is saved as a file and sent nowhere.
import { useEffect, useRef, useState } from 'preact/hooks';
import { hasEd25519, makeKeyPair, type KeyKind } from '../lib/key_pair';
import { download } from '../lib/text';
import { Button, Note } from './basic';
import { CheckField, SelectField, TextField, type FormState } from './form';

export interface KeySourceValues {
  source: 'generate' | 'paste';
  public_key: string;
  kind: string;
  passphrase: string;
  passphrase_again: string;
  plain: boolean;
}

export const noKeySource: KeySourceValues = {
  source: 'generate',
  public_key: '',
  kind: 'p256',
  passphrase: '',
  passphrase_again: '',
  plain: false,
};

export interface SourcedKey {
  publicKey: string;
  /** null: it was made elsewhere. */
  privateKey: string | null;
}

const shortest = 12;

/** A pair that was made, until the server has taken it: what is sent again after a lost answer is the same key. */
export interface MadePair {
  key: SourcedKey;
  kind: string;
  passphrase: string;
}

/** null when the form tells what is wrong. */
export async function sourceKey<V extends KeySourceValues>(
  form: FormState<V>,
  made: { current: MadePair | null },
): Promise<SourcedKey | null> {
  const v = form.values;
  if (v.source === 'paste') return { publicKey: v.public_key.trim() + '\n', privateKey: null };
  if (!v.plain && v.passphrase.length < shortest) {
    form.fail('passphrase', `At least ${shortest} characters`);
    return null;
  }
  if (!v.plain && v.passphrase !== v.passphrase_again) {
    form.fail('passphrase_again', 'The two are not the same');
    return null;
  }
  const wanted = { kind: v.kind, passphrase: v.plain ? '' : v.passphrase };
  if (made.current?.kind !== wanted.kind || made.current.passphrase !== wanted.passphrase)
    made.current = { ...wanted, key: await makeKeyPair(wanted.kind as KeyKind, wanted.passphrase) };
  return made.current.key;
}

const fileMost = 64 * 1024;

function PastedKey<V extends KeySourceValues>({ form: given }: { form: FormState<V> }) {
  const form = given as unknown as FormState<KeySourceValues>;
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const take = async (file: File | undefined) => {
    if (!file) return;
    if (file.size > fileMost) return form.fail('public_key', `${file.name} is too large for a public key`);
    const text = await file.text();
    if (/PRIVATE KEY-----/.test(text))
      return form.fail('public_key', `${file.name} is a private key. It was not sent; take the public half (.pub).`);
    if (!text.includes('-----BEGIN PUBLIC KEY-----'))
      return form.fail('public_key', `${file.name} holds no public key in PEM (-----BEGIN PUBLIC KEY-----)`);
    form.set('public_key', text);
  };
  return (
    <div
      class={over ? 'key-drop over' : 'key-drop'}
      onDragOver={(e) => {
        e.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(e) => {
        e.preventDefault();
        setOver(false);
        void take(e.dataTransfer?.files[0]);
      }}
    >
      <TextField
        form={form}
        name="public_key"
        label="Public key"
        required
        machine
        rows={5}
        placeholder="-----BEGIN PUBLIC KEY-----"
        help={
          <>
            PEM: paste it, drop the file here, or choose it. <code>chancery login</code> on the signing machine prints
            it and writes it beside the private key (.pub).
          </>
        }
      />
      <input
        ref={input}
        type="file"
        class="hidden"
        tabIndex={-1}
        aria-hidden="true"
        onChange={(e) => {
          void take(e.currentTarget.files?.[0]);
          e.currentTarget.value = '';
        }}
      />
      <Button icon="file" onClick={() => input.current?.click()}>
        Choose a file
      </Button>
    </div>
  );
}

function GeneratedKey<V extends KeySourceValues>({ form: given }: { form: FormState<V> }) {
  const form = given as unknown as FormState<KeySourceValues>;
  const [edwards, setEdwards] = useState(false);
  useEffect(() => {
    void hasEd25519().then(setEdwards);
  }, []);
  return (
    <>
      <SelectField
        form={form}
        name="kind"
        label="Kind"
        required
        choices={[['p256', 'ECDSA P-256'], ...(edwards ? ([['ed25519', 'Ed25519']] as [string, string][]) : [])]}
        help="It only proves who asks; what files are signed with stays in the HSM."
      />
      {!form.values.plain && (
        <>
          <TextField
            form={form}
            name="passphrase"
            label="Passphrase of the key file"
            type="password"
            required
            autocomplete="new-password"
            help={`At least ${shortest} characters. It is the PIN of the token on the signing machine. It is not sent, and nobody can recover it.`}
          />
          <TextField
            form={form}
            name="passphrase_again"
            label="Passphrase, once more"
            type="password"
            required
            autocomplete="new-password"
          />
        </>
      )}
      <CheckField
        form={form}
        name="plain"
        label="No passphrase, for an unattended build machine"
        help="Whoever can read the file can then sign as this account."
      />
    </>
  );
}

export function KeySource<V extends KeySourceValues>({ form: given }: { form: FormState<V> }) {
  const form = given as unknown as FormState<KeySourceValues>;
  const { source } = form.values;
  const choice = (value: KeySourceValues['source'], text: string) => (
    <button type="button" aria-pressed={source === value} onClick={() => form.set('source', value)}>
      {text}
    </button>
  );
  return (
    <fieldset class="part">
      <legend>Key pair</legend>
      <div class="segments" role="group" aria-label="Where the key pair is made">
        {choice('generate', 'Make it in this browser')}
        {choice('paste', 'I have a public key')}
      </div>
      {source === 'generate' ? <GeneratedKey form={form} /> : <PastedKey form={form} />}
    </fieldset>
  );
}

/** The private key of a pair that was made here: offered until it is saved, and gone with the page. */
export function SaveKey({
  name,
  privateKey,
  saved,
  onSaved,
}: {
  name: string;
  privateKey: string;
  saved: boolean;
  onSaved: () => void;
}) {
  useEffect(() => {
    if (saved) return;
    const ask = (e: BeforeUnloadEvent) => e.preventDefault();
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [saved]);
  const save = () => {
    download(name, privateKey, 'application/x-pem-file');
    onSaved();
  };
  return (
    <Note tone={saved ? 'good' : 'warn'} title={saved ? `${name} was saved` : `Save ${name} now`}>
      <p>
        {saved
          ? 'This page keeps the private key until you leave it, and the server never had it.'
          : 'The private key is in this page alone: it was not sent to the server, and is gone when you leave.'}
      </p>
      <p class="actions">
        <Button kind={saved ? 'plain' : 'primary'} icon="download" onClick={save}>
          {saved ? 'Save it again' : `Save ${name}`}
        </Button>
      </p>
    </Note>
  );
}
