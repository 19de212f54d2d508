// SPDX-License-Identifier: Apache-2.0
// Revoking certificates: consequences, reason and time, confirmed by the end of the serial number.
import type { ComponentChildren } from 'preact';
import { fromInput } from '../lib/time';
import { Note } from './basic';
import { Dialog } from './dialog';
import { Form, SelectField, TextField, useForm } from './form';
import { toast } from './toast';

const reasons: [string, string][] = [
  ['key_compromise', 'The private key is in other hands'],
  ['superseded', 'Replaced by another certificate'],
  ['cessation_of_operation', 'No longer used'],
  ['affiliation_changed', 'The name in it is no longer right'],
  ['privilege_withdrawn', 'The right was withdrawn'],
  ['unspecified', 'Another reason'],
];

export interface Revocation {
  reason: string;
  at?: string;
  invalid_since?: string;
}

/** What a CA here does with it. */
export const OnCrl = ({ serial }: { serial: string }) => (
  <>
    Serial number <code>{serial}</code> stands on the CRL and in OCSP answers from then on.
  </>
);

export function RevokeDialog({
  title,
  serial,
  consequences,
  signing,
  run,
  reload,
  close,
}: {
  title: string;
  serial: string;
  /** What this one's CA does; what is so of every certificate is said behind them. */
  consequences: ComponentChildren[];
  /** What becomes of signing, a sentence. */
  signing: string;
  /** Its answer is said when it went well. */
  run: (body: Revocation) => Promise<string>;
  /** Reads anew what it is bound to, after a 412. */
  reload?: () => Promise<unknown>;
  close: () => void;
}) {
  const form = useForm({ reason: 'key_compromise', at: '', invalid_since: '', typed: '' });
  const word = serial.slice(-8);
  return (
    <Dialog title={title} onClose={close}>
      <ul class="consequences">
        {consequences.map((text, i) => (
          <li key={i}>{text}</li>
        ))}
        <li>
          Signatures without a timestamp are refused by whoever looks; those with one from before the moment of
          revocation stay valid.
        </li>
        <li>{signing}</li>
      </ul>
      <Note tone="warn" title="This cannot be undone." />
      <Form
        form={form}
        submit="Revoke the certificate"
        danger
        disabled={form.values.typed.toUpperCase() !== word}
        onCancel={close}
        onReload={reload}
        onSubmit={async (v) => {
          const done = await run({
            reason: v.reason,
            at: fromInput(v.at),
            invalid_since: v.reason === 'key_compromise' ? fromInput(v.invalid_since) : undefined,
          });
          close();
          toast(done);
        }}
      >
        <SelectField form={form} name="reason" label="Reason" required choices={reasons} />
        {form.values.reason === 'key_compromise' && (
          <TextField
            form={form}
            name="invalid_since"
            label="The key may have been lost since"
            type="datetime-local"
            help="In your local time. Signatures since then are in doubt."
          />
        )}
        <TextField
          form={form}
          name="at"
          label="Revoked from"
          type="datetime-local"
          help="In your local time. Empty: now."
        />
        <TextField
          form={form}
          name="typed"
          label={`Type ${word}, the end of the serial number, to confirm`}
          required
          machine
        />
      </Form>
    </Dialog>
  );
}
