#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# chancery export and apply: what is exported, edited, planned and applied is what is exported then; drift is seen, reported,
# and nothing that somebody else has changed is lost.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
sandbox_up

plan_exit() # file -> exit code of the plan, its lines in plan.out
{
    local code=0
    admin apply "$1" --plan >plan.out 2>plan.err || code=$?
    echo "$code"
}

[ "$(admin export | jq -r '.projects[0].keys | map(.label) | join(" ")')" = "ed25519 p256 p384 rsa2048 rsa3072 rsa4096" ] ||
    fail "an export lists the keys by their labels"
admin export first.json
[ "$(plan_exit first.json)" = 0 ] || fail "an export has no drift of its own: $(cat plan.out)"
admin export again.json
cmp first.json again.json || fail "two exports are the same text"
pass "an export is stable and fits the server it came from"

# ---- edit, plan, apply

admin user create anna >/dev/null
jq '.policy = {"quota": {"day": 100000}}
    | .projects[0].description = "Edited"
    | .projects[0].members += [{"principal": "anna", "role": "approver"}]
    | .projects[0].policy = {"networks": ["127.0.0.0/8"], "hashes": ["sha256", "sha384"]}
    | (.projects[0].keys[] | select(.label == "p384")) |= (.state = "disabled" | .policy = {"hashes": ["sha384"]})
    | .projects[0].keys |= sort_by(.label)
    | .projects += [{"name": "web", "description": "New", "members": [{"principal": "demo-signer", "role": "signer"}],
                     "policy": null, "keys": [{"label": "release", "type": "p256", "state": "active", "policy": null}]}]' \
    first.json >edited.json
[ "$(plan_exit edited.json)" = 3 ] || fail "a plan with changes exits 3"
cat plan.out
for line in '+ policy of the platform: +quota' '~ project demo: description "Edited", was "Keys of the sandbox"' \
    '+ approver anna of project demo' '+ policy of project demo: +networks, +hashes' \
    '+ policy of key demo:p384: +hashes' '~ key demo:p384: disabled, was active' \
    '+ project web' '+ signer demo-signer of project web' '+ key web:release, p256'; do
    grep -qxF "$line" plan.out || fail "the plan has the line: $line"
done
[ "$(wc -l <plan.out)" = 9 ] || fail "the plan has nine lines"
admin export still.json
cmp first.json still.json || fail "a plan changes nothing"

if admin apply edited.json </dev/null >apply.out 2>apply.err; then fail "without a terminal apply needs --yes"; fi
grep -q -- "--yes" apply.err || fail "apply says that it needs --yes"
admin apply edited.json --yes >apply.out
admin export applied.json
diff edited.json applied.json || fail "what was applied is what is exported"
[ "$(plan_exit edited.json)" = 0 ] || fail "a second apply has nothing to do: $(cat plan.out)"
pass "an edited text is planned, applied, and exported again as it was written"

expect_ok "a key that apply has made signs for whom apply has let" signer sign --key web-release --output edited.sig edited.json

# ---- taking away

jq '.policy = null | .projects[0].policy = null | .projects[1].members = []
    | (.projects[0].keys[] | select(.label == "p384")) |= (.state = "active" | .policy = null)' edited.json >less.json
[ "$(plan_exit less.json)" = 3 ] || fail "taking away is a change"
cat plan.out
for line in '- policy of the platform: -quota' '- policy of project demo: -networks, -hashes' \
    '- policy of key demo:p384: -hashes' '~ key demo:p384: active, was disabled' '- signer demo-signer of project web'; do
    grep -qxF -- "$line" plan.out || fail "the plan has the line: $line"
done
tail -n 1 plan.out | grep -q '^- signer' || fail "roles are taken away last"
admin apply less.json --yes >/dev/null
admin export applied.json
diff less.json applied.json || fail "what was taken away is gone"
pass "policies and roles are taken away"

# A key or a Project that the text leaves out stays.
jq '.projects |= map(select(.name == "web") | .keys = [])' less.json >fewer.json
[ "$(plan_exit fewer.json)" = 0 ] || fail "apply deletes no key and no Project: $(cat plan.out)"
pass "what the text does not name is left alone"

# ---- drift

admin project update demo --description "Changed by somebody" >/dev/null
[ "$(plan_exit less.json)" = 3 ] || fail "a change past the text is drift"
grep -qxF '~ project demo: description "Edited", was "Changed by somebody"' plan.out || fail "drift is told: $(cat plan.out)"
pass "drift is reported by the plan"

# The answer to the question is given only after somebody else has changed the Project.
jq '.projects[0].description = "Mine"' less.json >mine.json
script -qec "$chancery --config $admin_conf apply mine.json; echo code=\$?" /dev/null < <(
    for _ in $(seq 200); do
        sleep 0.1
        ! grep -qs 'Apply these' race.log || break
    done
    admin project update demo --description "Meanwhile" >/dev/null 2>&1
    echo y
    sleep 5
) >race.log 2>&1 || true
cat race.log
grep -q 'code=1' race.log || fail "apply fails when the server has changed since the plan"
grep -q 'drift' race.log || fail "apply says that it is drift"
[ "$(admin project show demo --json | jq -r .description)" = Meanwhile ] || fail "what somebody else wrote is not lost"
pass "a change made between plan and apply is reported, not overwritten"

# ---- bad texts

refused() # what-it-must-say filter
{
    jq "$2" less.json >bad.json
    if admin apply bad.json --yes >bad.out 2>bad.err; then fail "a bad text is refused: $2"; fi
    grep -qF -- "$1" bad.err || fail "the refusal of $2 says '$1': $(cat bad.err)"
}
before=$(admin export | sha256sum)
refused 'bad.json: nope' '.nope = 1'
refused 'bad.json: projects[0]: nope' '.projects[0].nope = 1'
refused 'bad.json: projects[0]: keys[2]: typ' '.projects[0].keys[2].typ = "p256"'
refused 'members[0]: role: one of owner, signer, approver' '.projects[0].members[0].role = "boss"'
refused 'type: there is no key type p255' '.projects[0].keys[0].type = "p255"'
refused 'cannot become rsa2048' '(.projects[0].keys[] | select(.label == "p256")).type = "rsa2048"'
refused 'apply does not make it destroyed' '.projects[0].keys[0].state = "destroyed"'
refused 'stands in the list twice' '.projects[0].keys += [.projects[0].keys[0]]'
refused 'chancery: 1 is the only format' '.chancery = 2'
echo '{' >bad.json
if admin apply bad.json --yes 2>bad.err; then fail "half a text is refused"; fi
grep -q '^chancery apply: bad.json: ' bad.err || fail "the file is named: $(cat bad.err)"
[ "$before" = "$(admin export | sha256sum)" ] || fail "a refused text changes nothing"
pass "a bad text is refused with its place, and nothing is changed"
