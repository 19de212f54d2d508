/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of client and server as data: routes, limits, header names. docs/openapi.yaml is its written form. */
#pragma once

#define ROUTE_LIVEZ "/livez"
#define ROUTE_TOKEN "/v1/oauth/token"
#define ROUTE_SESSION "/v1/session"
#define ROUTE_SESSION_CONFIRM "/v1/session/confirm"
#define ROUTE_WHOAMI "/v1/whoami"
#define ROUTE_SIGNING_KEYS "/v1/signing/keys"
#define ROUTE_APPROVALS "/v1/approvals"
#define PAGE_APPROVALS "/ui/approvals"        /* of the administrator's page: what people are told to open */
#define ROUTE_SIGNATURES_SUFFIX "/signatures" /* behind ROUTE_SIGNING_KEYS "/{key}" */

#define HEADER_IDEMPOTENCY_KEY "Idempotency-Key"
#define HEADER_IDEMPOTENCY_REPLAYED "Idempotency-Replayed" /* of an answer that was made before */
#define HEADER_CSRF "X-CSRF-Token"
#define HEADER_REQUEST_ID "X-Request-Id"

#define GRANT_TYPE_JWT_BEARER "urn:ietf:params:oauth:grant-type:jwt-bearer"
#define API_KEY_PREFIX "chancery_"

enum limit {
    LIMIT_BODY = 256 * 1024,         /* bytes of a request body */
    LIMIT_SIGN_BODY = 128 * 1024,    /* bytes of a signature request's body */
    LIMIT_EDDSA_MESSAGE = 64 * 1024, /* bytes of a message signed with Ed25519 */
    LIMIT_JSON_DEPTH = 16,
    LIMIT_NAME = 63,  /* characters of a name or label: [a-z0-9][a-z0-9._-]* */
    LIMIT_TEXT = 255, /* bytes of a description, reason, subject or context field; UTF-8, no control characters */
    LIMIT_ID = 40,    /* characters of an id */
    LIMIT_IDEMPOTENCY_KEY = 64,    /* 16 to 64 characters of [A-Za-z0-9_-] */
    LIMIT_PAGE = 1000,             /* objects in one page of a list */
    LIMIT_ASSERTION_SECONDS = 300, /* exp - iat of a service account's assertion */
    LIMIT_CLOCK_SKEW_SECONDS = 60,
    LIMIT_TOKEN_SECONDS = 600,            /* life of an access token */
    LIMIT_SESSION_SECONDS = 12 * 60 * 60, /* life of a browser's session */
    LIMIT_SESSION_IDLE_SECONDS = 30 * 60, /* and without a request */
    LIMIT_CONFIRMATION_SECONDS = 10 * 60, /* for which one proof of who it is lasts */
    LIMIT_ONE_TIME_PASSWORD_SECONDS = 72 * 60 * 60,
};
