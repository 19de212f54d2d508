# SPDX-License-Identifier: Apache-2.0
"""spy.py TRACE: reads a trace of opensc's pkcs11-spy and prints one line for each kind of call that did not return CKR_OK:
    FUNCTION CODE [CLASS of the object, ATTRIBUTES asked for]
and, last, `N calls`. Exit 1 when the trace is empty or breaks off in a call."""
import re
import sys


def calls(trace):
    """The lines of each call, its head first."""
    call = []
    for line in trace:
        if re.match(r"\d+: C_", line) and call:
            yield call
            call = []
        if call or re.match(r"\d+: C_", line):
            call.append(line.rstrip("\n"))
    if call:
        yield call


def attributes(call):
    """(name, value) of each attribute line of the template."""
    return re.findall(r"^    (CKA_\S+(?: \(0x[0-9a-f]+\))?) +(.*)$", "\n".join(call), re.M)


def main(path):
    classes, errors, count = {}, set(), 0
    with open(path, encoding="utf-8", errors="replace") as trace:
        for call in calls(trace):
            count += 1
            function = call[0].split(": ")[1]
            returned = [re.match(r"Returned:  \d+ (\S+)", line) for line in call]
            code = next((r.group(1) for r in returned if r), None)
            if code is None:
                sys.exit(f"{function} did not return")
            handle = next((line.split("= ")[1] for line in call if line.startswith("[in] hObject")), None)
            told = attributes(call)
            for name, value in told:
                if name == "CKA_CLASS" and value.startswith("CKO_") and handle:
                    classes[handle] = value.split()[0]
            if code != "CKR_OK":
                names = ",".join(sorted({name.replace(" ", "") for name, _ in told}))
                errors.add(" ".join(filter(None, [function, code, classes.get(handle, "an-object") if handle else "", names])))
    print("\n".join(sorted(errors) + [f"{count} calls"]))
    if count == 0:
        sys.exit(1)


main(sys.argv[1])
