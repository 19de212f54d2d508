// SPDX-License-Identifier: Apache-2.0
// What can go wrong with a request, typed, and told in plain words.

/** The server's answer was an error (RFC 9457). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly requestId: string,
    readonly retryAfter: number | null = null,
  ) {
    super(detail);
    this.name = 'ApiError';
  }

  /** "subject: a text is expected" names the field it is about. */
  get field(): { name: string; text: string } | null {
    const match = /^([a-z][a-z0-9_.[\]]*): (.+)$/s.exec(this.detail);
    return match ? { name: match[1]!, text: match[2]! } : null;
  }
}

/** No answer came. A change may or may not have happened; with its idempotency key it can be sent again. */
export class LostConnection extends Error {
  constructor() {
    super('The server does not answer.');
    this.name = 'LostConnection';
  }
}

/** The person closed the sign-in or the confirmation. */
export class Cancelled extends Error {
  constructor() {
    super('Cancelled.');
    this.name = 'Cancelled';
  }
}

export interface PlainWords {
  title: string;
  text: string;
  /** Doing the same once more can help. */
  canRetry: boolean;
  /** What is shown is old: it should be loaded again. */
  isStale: boolean;
  requestId: string | null;
}

const titles: Record<string, string> = {
  invalid: 'Something in the form is not right',
  not_authenticated: 'You are not signed in',
  forbidden: 'You may not do this',
  not_found: 'There is no such object, or you have no right to see it',
  conflict: 'This does not go with what is there',
  idempotency_conflict: 'This was already sent with other content',
  stale: 'Somebody else changed this meanwhile',
  precondition_required: 'This must be looked at again first',
  too_large: 'This is too large',
  rate_limited: 'Too many requests',
  quota_exceeded: 'The quota is used up',
  hsm_unavailable: 'The HSM does not answer',
  audit_unavailable: 'The audit log cannot be written',
  unavailable: 'The server is busy or stopping',
  timeout: 'The server did not finish in time',
  internal: 'The server made a mistake',
  frozen: 'Signing is frozen',
  method_not_allowed: 'This server does not do that',
};

function apiWords(e: ApiError): PlainWords {
  const isStale = e.status === 412 || e.status === 428;
  const canRetry = e.status === 429 || e.status >= 500;
  let text = e.detail;
  if (isStale) text = 'What you typed is still here and nothing was saved.';
  if (e.status === 429 || e.status === 503) {
    const wait = e.retryAfter ? ` Try again in ${e.retryAfter} ${e.retryAfter === 1 ? 'second' : 'seconds'}.` : '';
    text = `${e.detail.replace(/[.\s]*$/, '')}.${wait} Nothing you typed is lost.`;
  }
  return {
    title: titles[isStale ? 'stale' : e.code] ?? 'The server refused this',
    text,
    canRetry,
    isStale,
    requestId: e.requestId || null,
  };
}

export function plainWords(e: unknown): PlainWords {
  if (e instanceof ApiError) return apiWords(e);
  if (e instanceof LostConnection)
    return {
      title: 'No connection to the server',
      text: 'Nothing you typed is lost. It can be sent again when the server answers; it will not be done twice.',
      canRetry: true,
      isStale: false,
      requestId: null,
    };
  if (e instanceof Cancelled)
    return {
      title: 'This was not done',
      text: 'The question who you are was closed without an answer.',
      canRetry: true,
      isStale: false,
      requestId: null,
    };
  return {
    title: 'Something went wrong in this page',
    text: e instanceof Error ? e.message : String(e),
    canRetry: false,
    isStale: false,
    requestId: null,
  };
}
