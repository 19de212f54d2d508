#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The black-box checker (tests/conformance) over the module, in a sandbox, on both tokens: no check may fail. Then over the
# same module with one defect at a time: some check must.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up
checker=$CHANCERY_BUILD/tests/conformance/conformance
faulty=$CHANCERY_BUILD/tests/conformance/conformance-fault.so
# Keys of every hash there is, so that every mechanism listed is signed with.
mapfile -t hashes < <(sed -n 's/^HASH([^,]*, *"\([^"]*\)".*/--hash\n\1/p' "$root/include/chancery/algorithms.def")
admin key create demo any-rsa --type rsa2048 "${hashes[@]}" --subject "CN=Sandbox any-rsa,O=Sandbox" >/dev/null
admin key create demo any-ec --type p521 "${hashes[@]}" --subject "CN=Sandbox any-ec,O=Sandbox" >/dev/null

run() # MODULE [OPTION…] [GROUP…]
{
    local module=$1
    shift
    timeout 500 "$checker" -m "$module" -p "$P11_PIN" -t "$P11_TOKEN" \
        -k demo-rsa2048 -k demo-rsa3072 -k demo-rsa4096 -k demo-p256 -k demo-p384 -k demo-any-rsa -k demo-any-ec \
        -t "$P11_ED_TOKEN" -k demo-ed25519 "$@"
}

status=0
run "$P11_MODULE" >conformance.out || status=$?
grep -E '^(FAILED|note:)' conformance.out || true
tail -n 1 conformance.out
[ $status -eq 0 ] || fail "the module fails conformance checks"
[ "$(sed -n 's/^\([0-9]*\) passed.*/\1/p' conformance.out)" -gt 900 ] || fail "too few checks ran"
! grep -q 'is said to sign, but none' conformance.out || fail "a mechanism was not signed with"
pass "the module passes every conformance check"

# Size queries and short buffers ask the server for nothing (I6, I7: each request would be on record).
intents()
{
    audit_json | grep -c '"type":"signature.intent"' || true
}
before=$(intents)
[ "$before" -gt 100 ] || fail "the signatures of the checks are not on record ($before)"
expect_ok "size queries" run "$P11_MODULE" size_query
[ "$(intents)" -eq "$before" ] || fail "size queries are on record as signatures"
pass "a size query signs nothing"

# finds FAULT GROUP PATTERN [OPTION…]: the checker tells this defect, which the group looks for.
finds()
{
    status=0
    FAULT_MODULE=$P11_MODULE FAULT=$1 run "$faulty" "${@:4}" "$2" >"fault-$1.out" || status=$?
    [ $status -eq 1 ] || { tail -n 5 "fault-$1.out"; fail "the checker exits $status over the defect $1"; }
    grep -qE "^FAILED.*$3" "fault-$1.out" || { tail -n 5 "fault-$1.out"; fail "the defect $1 is not told ($3)"; }
    pass "the checker finds the defect $1"
}
finds logout_is_always_fine login_state 'C_Logout before C_Login'
finds sign_crashes_without_length null_sign 'Segmentation fault|exit'
finds sign_ends_at_size_query sign 'size query|C_Sign with'
finds sign_is_one_short sign 'bytes of the signature'
finds sign_spoils_a_bit sign 'OpenSSL verifies'
finds verify_believes verify 'of the signature changed'
finds attribute_hides_too_small object_attributes 'wanted CKR_BUFFER_TOO_SMALL'
finds attribute_loops null_object 'still running' -d 15
finds find_shows_private find_by_attribute 'another CKA_CLASS do not find it'
finds digest_forgets_a_byte digest_vectors 'in pieces of'
finds mechanisms_are_counted_short mechanism_list 'count'
finds info_ends_in_nul token_info 'model is padded'
finds destroy_says_fine write_object 'C_DestroyObject'
finds initialize_again initialize 'a second C_Initialize'
finds seed_exits random 'exit'
