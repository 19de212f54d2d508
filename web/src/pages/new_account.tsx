// SPDX-License-Identifier: Apache-2.0
// Making a service account, and then what its machine needs: the key file, when it was made here, and the client's set-up.
import { useRef, useState } from 'preact/hooks';
import { api } from '../api/client';
import { isAdministrator } from '../api/session';
import type { ServiceAccount } from '../api/types';
import { href } from '../app/router';
import { keyFile } from '../lib/client_setup';
import { fromInput } from '../lib/time';
import { Card, Empty, LinkButton, Note, PageHead } from '../ui/basic';
import { Form, TextField, useForm } from '../ui/form';
import { NameField } from '../ui/name_field';
import { KeySource, noKeySource, SaveKey, sourceKey, type MadePair, type SourcedKey } from '../ui/key_source';
import { toast } from '../ui/toast';
import { ClientSetUp } from './client_setup';

const crumbs: [string, string][] = [['Service accounts', href('/service-accounts')]];

interface Made {
  account: ServiceAccount;
  key: SourcedKey;
}

function Done({ account, key }: Made) {
  const [saved, setSaved] = useState(false);
  const isMadeHere = key.privateKey !== null;
  return (
    <>
      <PageHead
        title={`${account.name} is registered`}
        crumbs={crumbs}
        lead={
          isMadeHere
            ? 'Save its key, take the file to the signing machine, and run the command there.'
            : 'Run the command on the signing machine, where its private key is.'
        }
      >
        <LinkButton to={href('/service-accounts', account.name)}>Go to the account</LinkButton>
      </PageHead>
      {isMadeHere && (
        <SaveKey
          name={keyFile(account.name)}
          privateKey={key.privateKey!}
          saved={saved}
          onSaved={() => setSaved(true)}
        />
      )}
      <Note title="It may sign nothing yet">
        <p>
          Give it the role of signer in a <a href={href('/projects')}>project</a>: under Members there.
        </p>
      </Note>
      <ClientSetUp account={account} />
    </>
  );
}

function NewAccountForm({ onMade }: { onMade: (made: Made) => void }) {
  const form = useForm({ name: '', description: '', team: '', expires: '', ...noKeySource });
  const pair = useRef<MadePair | null>(null);
  return (
    <>
      <PageHead title="New service account" crumbs={crumbs} />
      <Card>
        <Form
          form={form}
          submit="Register the account"
          onSubmit={async (v) => {
            const key = await sourceKey(form, pair);
            if (!key) return;
            const body = {
              name: v.name.trim(),
              public_key: key.publicKey,
              ...(v.description ? { description: v.description } : {}),
              ...(v.team.trim() ? { team: v.team.trim() } : {}),
              ...(v.expires ? { expires: fromInput(v.expires) } : {}),
            };
            const account = await api.create<ServiceAccount>('/v1/service-accounts', body, form.once);
            toast(`Service account ${account.name} is registered`);
            onMade({ account, key });
          }}
        >
          <NameField form={form} help="Such as the machine's or the pipeline's." />
          <TextField form={form} name="description" label="Description" maxLength={255} />
          <TextField
            form={form}
            name="team"
            label="Owning team"
            machine
            maxLength={63}
            help="Members of this team may add and revoke its keys."
          />
          <TextField
            form={form}
            name="expires"
            label="Expires"
            type="datetime-local"
            help="In your local time. Empty: never. Afterwards it signs nothing."
          />
          <KeySource form={form} />
        </Form>
      </Card>
    </>
  );
}

export function NewAccount() {
  const [made, setMade] = useState<Made | null>(null);
  if (made) return <Done {...made} />;
  if (!isAdministrator.value)
    return (
      <>
        <PageHead title="New service account" crumbs={crumbs} />
        <Card>
          <Empty icon="account" title="Administrators register service accounts">
            Make a key pair with <code>chancery login</code> and send one of them its public half.
          </Empty>
        </Card>
      </>
    );
  return <NewAccountForm onMade={setMade} />;
}
