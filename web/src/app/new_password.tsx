// SPDX-License-Identifier: Apache-2.0
// A person sets their own password, with the one they have as proof; the first one in a session that was confirmed.
import { api, path } from '../api/client';
import { dataChanged } from '../api/changes';
import { ApiError } from '../api/problem';
import { session } from '../api/session';
import { Form, TextField, useForm } from '../ui/form';

export function NewPassword({
  done,
  onCancel,
  isFirst,
  hasFactor,
}: {
  done: () => void;
  onCancel?: () => void;
  /** There is none yet. */
  isFirst?: boolean;
  /** A code of the second factor belongs to the proof. */
  hasFactor?: boolean;
}) {
  const form = useForm({ current_password: '', totp: '', password: '', again: '' });
  return (
    <Form
      form={form}
      submit="Set password"
      onCancel={onCancel}
      onSubmit={async (v) => {
        if (v.again !== v.password) return form.fail('again', 'The two are not the same');
        const to = path`/v1/users/${session.value!.user}/password`;
        if (isFirst) await api.put(to, { password: v.password });
        else if (!(await isChanged(to, v))) return;
        done();
      }}
    >
      {!isFirst && (
        <TextField
          form={form}
          name="current_password"
          label="Password you have now"
          type="password"
          required
          autocomplete="current-password"
          autofocus
        />
      )}
      {!isFirst && hasFactor && (
        <TextField
          form={form}
          name="totp"
          label="One-time code"
          required
          autocomplete="one-time-code"
          help="Six digits from your authenticator, or a recovery code."
        />
      )}
      <TextField
        form={form}
        name="password"
        label="New password"
        type="password"
        required
        autocomplete="new-password"
        autofocus={isFirst}
        help="12 characters at least. Long is better than complicated: a few words that do not belong together."
      />
      <TextField
        form={form}
        name="again"
        label="New password, once more"
        type="password"
        required
        autocomplete="new-password"
      />
    </Form>
  );

  async function isChanged(to: string, v: typeof form.values): Promise<boolean> {
    const totp = v.totp.replace(/\s/g, '');
    const body = { password: v.password, current_password: v.current_password, ...(totp ? { totp } : {}) };
    try {
      await api.put(to, body, { quiet: true });
      dataChanged();
      return true;
    } catch (e) {
      if (!(e instanceof ApiError) || (e.status !== 401 && e.code !== 'confirmation_required')) throw e;
      form.fail('current_password', hasFactor ? 'This password or the code is wrong' : 'This is not your password');
      return false;
    }
  }
}
