/* SPDX-License-Identifier: Apache-2.0 */
/* What goes wrong with POST /v1/oauth/token, met by the first look-up after C_Login. */
#include "case.h"

#define GIVEN "200 OK"
#define PROBLEM "Content-Type: application/problem+json\r\n"
#define DISMISSED                                                                                                      \
    "{\"code\":\"not_authenticated\",\"title\":\"who are you\",\"status\":401,\"request_id\":\"req_of_body\"}"

const struct fault_case token_cases[] = {
    {"a_token_lost_once_is_asked_for_again", "lost", 1, .requests = 2},
    {"a_token_request_dropped_once_is_sent_again", "drop", 1, .requests = 2},
    {"tokens_dropped_for_ever_are_an_error", "drop", ALWAYS, .expected = CKR_DEVICE_ERROR, .reason = "127.0.0.1"},
    {"i9_silence_about_the_token_ends_at_the_deadline", "stall", ALWAYS, .expected = CKR_DEVICE_ERROR,
     .reason = "timed out", .requests = 1, .min_ms = TIMEOUT_MS - 10},
    {"a_token_endpoint_busy_for_long_is_an_error", "answer", ALWAYS, "503 Busy",
     "Retry-After: 99999999999999999999\r\n", "", CKR_DEVICE_ERROR, "503", .requests = 1},
    {"a_token_endpoint_with_too_many_requests_is_a_rejection", "answer", ALWAYS, "429 Slow", "", "",
     CKR_FUNCTION_REJECTED, "429", .requests = 1},
    {"an_assertion_refused_for_ever_is_told_at_once", "answer", ALWAYS, "401 No", PROBLEM, DISMISSED,
     CKR_USER_NOT_LOGGED_IN, "who are you (request req_of_body, HTTP 401", .requests = 1},
    {"a_token_endpoint_that_moved_is_not_followed", "answer", ALWAYS, "308 Moved",
     "Location: https://127.0.0.1:TRAP/\r\n", "", CKR_DEVICE_ERROR, "redirect", .requests = 1},
    {"a_token_answer_that_is_no_json_is_refused", "body", ALWAYS, .payload = "nonsense", .expected = CKR_DEVICE_ERROR,
     .reason = "not understood", .requests = 1},
    {"a_token_answer_of_a_hundred_thousand_levels_is_refused", "answer", ALWAYS, GIVEN, "", deep_json, CKR_DEVICE_ERROR,
     "127.0.0.1", .requests = 1},
    {"a_token_answer_without_token_is_refused", "answer", ALWAYS, GIVEN, "X-Request-Id: req_of_header\r\n",
     "{\"expires_in\":600}", CKR_DEVICE_ERROR, "no access token (request req_of_header)", .requests = 1},
    {"a_token_that_is_a_list_is_refused", "body", ALWAYS, .payload = "{\"access_token\":[],\"expires_in\":600}",
     .expected = CKR_DEVICE_ERROR, .reason = "no access token", .requests = 1},
    {"a_token_that_would_add_a_header_is_refused", "body", ALWAYS,
     .payload = "{\"access_token\":\"a\\r\\nX-Other: b\",\"expires_in\":600}", .expected = CKR_DEVICE_ERROR,
     .reason = "no access token", .requests = 1},
    {"a_token_of_absurd_life_is_refused", "body", ALWAYS,
     .payload = "{\"access_token\":\"abc\",\"expires_in\":9223372036854775807}", .expected = CKR_DEVICE_ERROR,
     .reason = "no access token", .requests = 1},
    {"a_life_that_is_a_text_is_refused", "body", ALWAYS, .payload = "{\"access_token\":\"abc\",\"expires_in\":\"600\"}",
     .expected = CKR_DEVICE_ERROR, .reason = "no access token", .requests = 1},
    {"a_token_given_twice_is_refused", "edit", ALWAYS, .payload = "{\n{\"access_token\":\"abc\",",
     .expected = CKR_DEVICE_ERROR, .reason = "not understood", .requests = 1},
    {"a_token_answer_without_end_is_refused", "chunks", ALWAYS, .expected = CKR_DEVICE_ERROR, .reason = "larger than",
     .requests = 1},
    {"a_token_of_an_expired_server_is_not_asked_for", "cert_expired", ALWAYS, .expected = CKR_GENERAL_ERROR,
     .reason = "expired"},
    {0},
};
