// SPDX-License-Identifier: Apache-2.0
// How long a certificate is to be valid.
import { TextField, type FormState } from './form';

export function DaysField<V extends { days: string }>({
  form: given,
  most = 460,
  otherwise,
}: {
  form: FormState<V>;
  most?: number;
  /** What it is when nothing is given, as the beginning of a sentence. */
  otherwise?: string;
}) {
  return (
    <TextField
      form={given as unknown as FormState<{ days: string }>}
      name="days"
      label="Validity in days"
      type="number"
      min={1}
      max={most}
      help={otherwise ? `${otherwise}, unless given; at most ${most}.` : `At most ${most}.`}
    />
  );
}
