// SPDX-License-Identifier: Apache-2.0
// Where a key's certificates come from.
import type { ConnectorChoice, KeySources } from '../api/types';
import { connectorTypes, typeHelp } from '../lib/connectors';
import { SelectField, type FormState } from './form';

const always: Record<string, string> = { builtin: 'From the built-in CA', manual: 'Brought by a person' };

/** In a sentence, by the name of the connector; null is the built-in CA. */
export const sourceText = (connector: string | null) =>
  always[connector ?? 'builtin']?.toLowerCase().replace(/\bca$/, 'CA') ?? `by ${connector}`;

const choiceOf = (c: ConnectorChoice): [string, string] => [
  c.name,
  always[c.name] ?? `${c.name} (${connectorTypes[c.type]})`,
];

export function ConnectorField<V extends { connector: string }>({
  form: given,
  sources,
  before,
  none,
  isAtOnce,
  help,
}: {
  form: FormState<V>;
  sources: KeySources | undefined;
  /** Label of the empty choice, that nothing is changed. */
  before?: string;
  /** Label of having no certificate; without it that is no choice. */
  none?: string;
  /** Only those that work without a person. */
  isAtOnce?: boolean;
  /** Said of whatever is chosen. */
  help?: string;
}) {
  const form = given as unknown as FormState<{ connector: string }>;
  const { connector } = form.values;
  const list = sources?.connectors.filter((c) => !isAtOnce || c.capabilities.includes('enroll')) ?? [];
  const chosen = list.find((c) => c.name === connector);
  const choices = [
    ...list.filter((c) => c.name in always).map(choiceOf),
    ...list.filter((c) => !(c.name in always)).map(choiceOf),
    ...(none ? [['none', none] as [string, string]] : []),
  ];
  // Until the list is there, what was chosen before is a choice, too.
  if (connector && !choices.some(([c]) => c === connector)) choices.push([connector, always[connector] ?? connector]);
  const said =
    connector === 'manual'
      ? 'The request to take to a CA is on the page of the key, and the certificate is brought there.'
      : chosen && !(chosen.name in always) && typeHelp[chosen.type];
  return (
    <SelectField
      form={form}
      name="connector"
      label="Certificate"
      required={before === undefined}
      none={before}
      choices={choices}
      help={[said, help].filter(Boolean).join(' ') || undefined}
    />
  );
}
