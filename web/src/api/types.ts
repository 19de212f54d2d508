// SPDX-License-Identifier: Apache-2.0
// The shapes of docs/openapi.yaml that the page uses, under the same names.

export interface Page<T> {
  items: T[];
  next: string | null;
}

export type PlatformRole = 'administrator' | 'auditor' | 'user';
export type MemberRole = 'owner' | 'signer' | 'approver';
export type PrincipalType = 'user' | 'service_account';
export type MemberType = PrincipalType | 'team';
export type State = 'active' | 'disabled';
export type KeyState = 'pending' | 'active' | 'disabled' | 'retired' | 'destroyed' | 'missing';
export type KeyType = 'rsa2048' | 'rsa3072' | 'rsa4096' | 'p256' | 'p384' | 'p521' | 'ed25519';
export type Mechanism = 'rsa_pkcs1' | 'rsa_pss' | 'ecdsa' | 'eddsa';
export type Hash =
  'sha1' | 'sha224' | 'sha256' | 'sha384' | 'sha512' | 'sha3-224' | 'sha3-256' | 'sha3-384' | 'sha3-512';
export type Scope = 'sign' | 'read' | 'admin';

export interface Session {
  id: string;
  user: string;
  role: PlatformRole;
  created: string;
  expires: string;
  csrf_token: string;
  opened_with: 'api_key' | 'password';
  /** Until when it may do what is sensitive; null: it was never confirmed. */
  confirmed_until: string | null;
  must_change_password: boolean;
}

export interface Ready {
  /** degraded: some HSM does not answer, another does. */
  status: 'ready' | 'degraded' | 'not_ready';
  checks: Record<string, string>;
}

export interface Project {
  id: string;
  name: string;
  description: string;
  created: string;
  revision: number;
}

export interface Member {
  principal: string;
  name: string;
  type: MemberType;
  role: MemberRole;
  since: string;
  not_before: string | null;
  not_after: string | null;
}

export interface EffectiveSigner {
  principal: string;
  name: string;
  type: PrincipalType;
  reasons: {
    by: 'direct' | 'team';
    team: string | null;
    time: 'in_time' | 'not_yet' | 'ended';
    not_before: string | null;
    not_after: string | null;
  }[];
  may_sign: boolean;
  obstacle: 'disabled' | 'expired' | 'not_in_time' | null;
}

export interface HsmAttributes {
  sensitive: boolean;
  always_sensitive: boolean;
  extractable: boolean;
  never_extractable: boolean;
  local: boolean;
}

export interface Key {
  id: string;
  project: string;
  label: string;
  state: KeyState;
  revision: number;
  version: number;
  type: KeyType;
  public_key: string | null;
  cka_id: string | null;
  mechanisms: Mechanism[];
  hashes: Hash[];
  /** DER in base64, leaf first. */
  certificates: string[];
  /** The id of the one that brings its certificates; null: the built-in CA. */
  connector: string | null;
  connector_name: string | null;
  /** The last one for its certificate. */
  job: string | null;
  certificate_expires: string | null;
  /** 0: it is not renewed by itself. */
  renew_before_days: number;
  hsm: HsmAttributes | null;
  hsm_name: string;
  findings: string | null;
  disabled_reason: string | null;
  created: string;
  retired: string | null;
  destruction: { asked_by: string; asked: string } | null;
}

export interface KeyVersion {
  version: number;
  state: 'current' | 'grace' | 'retired' | 'destroyed';
  type: KeyType;
  public_key: string;
  cka_id: string;
  certificate: string | null;
  /** The name of the one by which the certificate came; null: a CA here issued it. */
  connector: string | null;
  revoked: string | null;
  replaced_certificates: { certificate: string; replaced: string }[];
  hsm: HsmAttributes;
  hsm_name: string;
  findings: string | null;
  created: string;
  grace_until: string | null;
}

export interface Rate {
  count: number;
  seconds: number;
}

export interface Policy {
  mechanisms?: Mechanism[];
  hashes?: Hash[];
  certificate?: { refuse_expired?: boolean; min_days_left?: number };
  quota?: { total?: number; day?: number; month?: number };
  rate?: { per_principal?: Rate; per_key?: Rate };
  networks?: string[];
  windows?: { days?: string[]; from?: string; to?: string; zone?: string }[];
  releases?: { from: string; to: string; name?: string }[];
  context?: string[];
  programs?: string[];
  digests?: 'any' | 'listed';
  approval?: { needed: number; max_count?: number; max_hours?: number };
}

export interface PolicyVersion {
  scope: 'platform' | 'project' | 'key';
  id: string | null;
  version: number;
  document: Policy | null;
  author: string | null;
  created: string | null;
}

export interface Freeze {
  frozen: boolean;
  reason: string | null;
  author: string | null;
  since: string | null;
}

export type ApprovalState = 'pending' | 'approved' | 'denied' | 'cancelled' | 'revoked' | 'expired' | 'used';

export interface Approval {
  id: string;
  key: string;
  key_id: string;
  project: string;
  requester: string;
  reason: string;
  state: ApprovalState;
  break_glass: boolean;
  count: number;
  by_digest: boolean;
  hours: number;
  needed: number;
  approvals: number;
  created: string;
  expires: string;
  remaining: number | null;
  valid_from: string | null;
  valid_until: string | null;
  revision: number;
  /** These two not in lists. */
  digests?: { hash: Hash; digest: string; remaining: number }[];
  decisions?: { approver: string; decision: 'approve' | 'deny'; comment: string; time: string }[];
}

export interface Explanation {
  allowed: boolean;
  code: string | null;
  steps: { rule: string; verdict: 'allows' | 'refuses' | 'notes'; code: string | null; reason: string | null }[];
}

export interface AuditRecord {
  v: number;
  seq: number;
  time: string;
  type: string;
  principal: string | null;
  principal_id: string | null;
  project: string | null;
  key: string | null;
  key_id: string | null;
  version?: number | null;
  mechanism?: string | null;
  hash?: string | null;
  digest?: string | null;
  signature_sha256?: string | null;
  target?: { type: string | null; id: string | null; name: string | null };
  detail?: Record<string, unknown>;
  outcome: string | null;
  reason: string | null;
  intent?: number | null;
  client: { address: string | null; program: string | null; host: string | null; user: string | null };
  request_id: string | null;
  previous: string;
  record_hash: string;
}

export interface AuditHead {
  seq: number;
  record_hash: string;
}

export interface Usage {
  /** The day in UTC, or the month; null: of all time. */
  day: string | null;
  /** These five: null unless they are counted apart. */
  project: string | null;
  label: string | null;
  key: string | null;
  signer: string | null;
  signer_id: string | null;
  success: number;
  refused: number;
  failed: number;
}

export interface UsageList extends Page<Usage> {
  /** Of rows, of which these are the first; null where there are pages. */
  total: number | null;
}

export interface DayUsage {
  day: string;
  success: number;
  refused: number;
  failed: number;
}

export interface EndingCertificate {
  /** project:label */
  key: string;
  key_id: string;
  version: number;
  expires: string;
}

/** Within what the caller may see. */
export interface Overview {
  keys: Record<KeyState, number>;
  certificates: {
    within_days: number;
    ending: number;
    /** Of these, those that have ended. */
    expired: number;
    /** The eight that end first. */
    first: EndingCertificate[];
  };
  approvals: {
    pending: number;
    /** Of these, those that wait for the caller. */
    to_decide: number;
    /** At most eight. */
    newest: Approval[];
  };
  /** null for who owns no project. by_day: only days that have any. */
  signatures: {
    days: number;
    from: string;
    by_day: DayUsage[];
    success: number;
    refused: number;
    failed: number;
  } | null;
  /** These three: null for who may not list them. */
  jobs: Record<JobState, number> | null;
  users: number | null;
  service_accounts: number | null;
  projects: number;
}

export interface Hsm {
  name: string;
  state: 'available' | 'unavailable';
  reason: string | null;
  token: string;
  manufacturer: string;
  model: string;
  serial: string;
  library: string;
  library_version: string;
  firmware_version: string;
  hardware_version: string;
  notice: string | null;
  sessions: number;
  key_types: KeyType[];
  mechanisms: Mechanism[];
  /** Not told by every server. */
  mechanism_limits?: { mechanism: string; min_bits: number | null; max_bits: number | null }[];
}

export interface HsmFinding {
  key: string;
  project: string;
  label: string;
  version: number;
  cka_id: string;
  findings: string | null;
}

export interface HsmReport {
  hsm: string;
  time: string;
  counts: {
    hsm_keys: number;
    versions: number;
    orphan: number;
    missing: number;
    weakened: number;
    undestroyed: number;
    lost: number;
    recovered: number;
    withheld?: number;
  };
  orphan: { hsm_label: string; cka_id: string | null }[];
  missing: HsmFinding[];
  weakened: HsmFinding[];
  undestroyed: HsmFinding[];
}

export interface ServiceAccount {
  id: string;
  name: string;
  state: State;
  expires: string | null;
  description: string;
  team: string | null;
  created: string;
  revision: number;
  keys: AccountKey[];
}

export interface AccountKey {
  id: string;
  algorithm: string;
  expires: string | null;
  created: string;
  last_used: string | null;
}

/** What a user, service account or team has in a project. */
export interface HeldRole {
  project: string;
  role: MemberRole;
  /** The team it is held by; null: directly. */
  team: string | null;
  since: string;
  not_before: string | null;
  not_after: string | null;
}

export interface User {
  id: string;
  name: string;
  role: PlatformRole;
  state: State;
  created: string;
  revision: number;
}

export interface Team {
  id: string;
  name: string;
  description: string;
  created: string;
  revision: number;
}

export interface TeamMember {
  principal: string;
  name: string;
  type: PrincipalType;
  state: State;
  since: string;
}

export interface ApiKey {
  id: string;
  name: string;
  scopes: Scope[];
  expires: string | null;
  created: string;
  last_used: string | null;
}

export interface NewApiKey extends ApiKey {
  api_key: string;
}

export interface PasswordState {
  is_set: boolean;
  /** It must be changed at the first sign-in. */
  is_one_time: boolean;
  changed: string | null;
}

export interface TotpState {
  state: 'off' | 'begun' | 'on';
  since: string | null;
  /** How many are left. */
  recovery_codes: number;
}

export interface TotpSecret {
  /** "otpauth://totp/…" */
  uri: string;
  /** Base32. */
  secret: string;
}

export interface RecoveryCodes {
  recovery_codes: string[];
}

export interface ServerInfo {
  urls: string[];
  /** PEM: what clients must trust; null: what their system trusts. */
  root: string | null;
  version: string;
  /** Of this server's process. */
  started: string;
}

/** PEM. */
export interface Authority {
  issuing: string;
  root: string;
}

export interface UserSession {
  id: string;
  /** null: opened with a password. */
  api_key: string | null;
  address: string;
  created: string;
  last_used: string;
  expires: string;
}

export interface Ca {
  name: string;
  parent: string | null;
  purpose: 'root' | 'code_signing' | 'timestamping';
  state: 'active' | 'awaiting_certificate' | 'retired';
  /** PEM; null while it waits for one. */
  certificate: string | null;
  subject: string;
  serial: string | null;
  not_before: string | null;
  not_after: string | null;
  policy: string | null;
  leaf_days: number;
  crl_days: number;
  revocations: number;
  crl_number: number;
  crl_next_update: string | null;
  crl_url: string | null;
  certificate_url: string | null;
  ocsp_url: string | null;
  created: string | null;
  revision: number;
}

export interface IssuedCertificate {
  ca: string;
  serial: string;
  profile: string;
  subject: string;
  /** Of the signing key; null for another use. */
  key: string | null;
  version: number | null;
  not_before: string;
  not_after: string;
  issued: string;
  revoked: string | null;
  reason: string | null;
  invalid_since: string | null;
  certificate: string;
}

export type ConnectorType = 'builtin' | 'cmp' | 'est' | 'manual';
export type ConnectorSettings = Record<string, string | number | boolean>;

export interface Connector {
  id: string;
  name: string;
  type: ConnectorType;
  settings: ConnectorSettings;
  capabilities: ('enroll' | 'renew' | 'revoke' | 'test')[];
  /** null: it is always there. */
  created: string | null;
  revision: number;
}

/** What of an HSM and a connector everybody may know who makes keys. */
export type HsmChoice = Pick<Hsm, 'name' | 'state' | 'model' | 'notice' | 'key_types'>;
export type ConnectorChoice = Pick<Connector, 'name' | 'type' | 'capabilities'>;
export interface KeySources {
  hsms: HsmChoice[];
  connectors: ConnectorChoice[];
}

export type JobKind = 'enroll' | 'renew' | 'revoke' | 'test';
export type JobState = 'queued' | 'running' | 'waiting' | 'done' | 'failed';

export interface Job {
  id: string;
  kind: JobKind;
  state: JobState;
  /** Its name. */
  connector: string;
  /** Its id; null: a test is of no key. */
  key: string | null;
  /** "demo:rsa" */
  key_name: string | null;
  version: number | null;
  attempts: number;
  next: string | null;
  /** Of the last attempt. */
  error: string | null;
  result: { findings?: string[]; certificates?: { subject: string; not_after: string | null }[] } | null;
  /** An id. */
  requested_by: string | null;
  created: string;
  finished: string | null;
}

export interface Csr {
  version: number;
  /** PEM. */
  csr: string;
}

export interface KeyCertificate {
  version: number;
  subject: string;
  issuer: string;
  serial: string;
  not_before: string;
  not_after: string;
  sha256: string;
  /** The CA here that issued it; null: none did. */
  ca: string | null;
  /** The name of the one by which it came otherwise. */
  connector: string | null;
  revoked: string | null;
  /** PEM. */
  chain: string;
  findings: { rule: string; severity: 'error' | 'warning'; text: string }[];
}

export interface RevokedList {
  items: IssuedCertificate[];
  connector: string | null;
  /** That asks the connector's CA; null: nobody asks it. */
  job: string | null;
}

export interface KeyCertificateTaken {
  version: number;
  findings: string[];
  key: Key;
}

export interface TsaKey {
  version: number;
  state: 'pending' | 'active' | 'retired';
  type: KeyType;
  subject: string;
  public_key: string;
  cka_id: string;
  /** DER in base64, as those of the chain. */
  certificate: string | null;
  chain: string[];
  created: string;
}

export interface TsaCount {
  granted: number;
  refused: number;
}

export interface Tsa {
  mode: 'authority' | 'relay';
  state: 'none' | 'pending' | 'active' | 'disabled';
  disabled_reason: string | null;
  ready: boolean;
  reason: string | null;
  policy: string;
  accuracy_ms: number;
  record: 'none' | 'all';
  clock: { checked: boolean; synchronised: boolean; maximum_error_ms: number; estimated_error_ms: number };
  active: TsaKey | null;
  pending: TsaKey | null;
  today: TsaCount;
  total: TsaCount;
  relay: { url: string; state: 'available' | 'failing' | 'paused'; failures: number; granted: number }[];
  created: string | null;
  revision: number | null;
}

export interface TsaCsr {
  version: number;
  state: string;
  subject: string;
  /** PEM. */
  request: string;
}
