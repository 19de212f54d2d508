// SPDX-License-Identifier: Apache-2.0
// The name of something new, by which it is known in addresses and on command lines.
import { TextField, type FormState, type Values } from './form';

export function NameField<V extends Values & { name: string }>({
  form,
  label = 'Name',
  help,
  autofocus = true,
}: {
  form: FormState<V>;
  label?: string;
  /** What is so of this kind of name, in sentences. */
  help?: string;
  autofocus?: boolean;
}) {
  return (
    <TextField
      form={form as unknown as FormState<{ name: string }>}
      name="name"
      label={label}
      required
      machine
      maxLength={63}
      autofocus={autofocus}
      help={`${help ? `${help} ` : ''}Lower-case letters, digits, dot, hyphen and underscore.`}
    />
  );
}
