# SPDX-License-Identifier: Apache-2.0
"""A program that signs without end: rotate.py LABEL DIRECTORY. In turns with the handle it found first, and with the one that a
search by label finds now. Each signature is DIRECTORY/N.sig over the text N in DIRECTORY/N, a line "N held|found" goes to standard
output. Ends when DIRECTORY/stop exists; any refusal ends it with exit 1, unless DIRECTORY/may-fail exists: then it is told, and the
program goes on without the held handle."""
import os
import sys
import time

import PyKCS11
from PyKCS11 import CKA, CKM, CKO, PyKCS11Error

label, where = sys.argv[1:3]
lib = PyKCS11.PyKCS11Lib()
lib.load(os.environ["MODULE"])
slot = next(s for s in lib.getSlotList(tokenPresent=True) if lib.getTokenInfo(s).label.strip() == os.environ["P11_TOKEN"])
session = lib.openSession(slot)
session.login(os.environ["P11_PIN"])
mechanism = PyKCS11.Mechanism(CKM["CKM_SHA256_RSA_PKCS"], None)


def find():
    keys = session.findObjects([(CKA["CKA_CLASS"], CKO["CKO_PRIVATE_KEY"]), (CKA["CKA_LABEL"], label)])
    assert len(keys) == 1, f"{len(keys)} private keys are named {label}"
    certificates = session.findObjects([(CKA["CKA_CLASS"], CKO["CKO_CERTIFICATE"]), (CKA["CKA_LABEL"], label)])
    assert len(certificates) == 1, f"{len(certificates)} certificates are named {label}"
    return keys[0]


def sign(key, number, how):
    text = str(number)
    made = bytes(session.sign(key, text.encode(), mechanism))
    with open(f"{where}/{text}", "w", encoding="ascii") as f:
        f.write(text)
    with open(f"{where}/{text}.sig", "wb") as f:
        f.write(made)
    print(text, how, flush=True)


def sign_or_tell(key, number, how):
    try:
        sign(key, number, how)
    except PyKCS11Error as e:
        if not os.path.exists(f"{where}/may-fail"):
            raise
        print(number, f"refused-{how}", e, flush=True)
        return False
    return True


held = find()
count = 0
while not os.path.exists(f"{where}/stop"):
    if held is not None and not sign_or_tell(held, count, "held"):
        held = None
    sign_or_tell(find(), count + 1, "found")
    count += 2
    time.sleep(0.02)
