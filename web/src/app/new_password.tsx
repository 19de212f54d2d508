// SPDX-License-Identifier: Apache-2.0
// A person sets their own password, with the one they have as proof.
import { api, path } from '../api/client';
import { session } from '../api/session';
import { Form, TextField, useForm } from '../ui/form';

export function NewPassword({ done, onCancel }: { done: () => void; onCancel?: () => void }) {
  const form = useForm({ current_password: '', password: '', again: '' });
  return (
    <Form
      form={form}
      submit="Set password"
      onCancel={onCancel}
      onSubmit={async (v) => {
        if (v.again !== v.password) return form.fail('again', 'The two are not the same');
        const body = { password: v.password, current_password: v.current_password };
        await api.put(path`/v1/users/${session.value!.user}/password`, body, { quiet: true });
        done();
      }}
    >
      <TextField
        form={form}
        name="current_password"
        label="Password you have now"
        type="password"
        required
        autocomplete="current-password"
        autofocus
      />
      <TextField
        form={form}
        name="password"
        label="New password"
        type="password"
        required
        autocomplete="new-password"
        help="Long is better than complicated: a few words that do not belong together."
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
}
