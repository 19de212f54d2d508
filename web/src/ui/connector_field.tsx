// SPDX-License-Identifier: Apache-2.0
// Where a key's certificates come from. Who may list connectors chooses among them, anybody else names one.
import { readsAll } from '../api/session';
import type { Connector, Page } from '../api/types';
import { connectorTypes, typeHelp } from '../lib/connectors';
import { SelectField, TextField, type FormState } from './form';
import { useQuery } from './query';

interface WithConnector {
  connector: string;
  other: string;
}
export const noConnector: WithConnector = { connector: 'builtin', other: '' };
const other = ':other';

/** The name that the form says. */
export const connectorOf = (v: WithConnector) => (v.connector === other ? v.other.trim() : v.connector);

export function ConnectorField<V extends WithConnector>({
  form: given,
  none,
}: {
  form: FormState<V>;
  /** Label of having no certificate; without it that is no choice. */
  none?: string;
}) {
  const form = given as unknown as FormState<WithConnector>;
  const list = useQuery<Page<Connector>>(readsAll.value ? '/v1/connectors?limit=1000' : null);
  const more = list.data?.items.filter((c) => c.name !== 'builtin' && c.name !== 'manual') ?? [];
  const chosen = more.find((c) => c.name === form.values.connector);
  const choices: [string, string][] = [
    ['builtin', 'From the built-in CA'],
    ['manual', 'Brought by a person'],
    ...more.map((c) => [c.name, `${c.name} (${connectorTypes[c.type]})`] as [string, string]),
    ...(readsAll.value ? [] : [[other, 'By another connector'] as [string, string]]),
    ...(none ? [['none', none] as [string, string]] : []),
  ];
  // Until the list is there, what was chosen before is a choice, too.
  if (!choices.some(([c]) => c === form.values.connector)) choices.push([form.values.connector, form.values.connector]);
  return (
    <>
      <SelectField
        form={form}
        name="connector"
        label="Certificate"
        required
        choices={choices}
        help={
          form.values.connector === 'manual'
            ? 'The key is made at once; its request is on its page, and its certificate is brought there.'
            : chosen && typeHelp[chosen.type]
        }
      />
      {form.values.connector === other && (
        <TextField form={form} name="other" label="Name of the connector" required machine maxLength={63} />
      )}
    </>
  );
}
