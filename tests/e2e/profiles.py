# SPDX-License-Identifier: Apache-2.0
"""The mandatory cases of PKCS #11 Profiles 3.1 (BL-M-1, EXT-M-1, AUTH-M-1, CERT-M-1) over the module that is shipped, on
each token; then a session public key. usage: profiles.py MODULE PIN"""
import sys

import PyKCS11
from PyKCS11 import LowLevel as low

module, pin = sys.argv[1:]
CKO_PROFILE, CKA_PROFILE_ID = 9, 0x601
p11 = PyKCS11.PyKCS11Lib()
p11.load(module)


def number(value):
    """For attributes whose kind PyKCS11 does not know."""
    return value.to_bytes(8, sys.byteorder)


def expect(condition, what):
    if not condition:
        sys.exit(f"profiles.py: {what}")


def rv_of(call, *arguments):
    try:
        call(*arguments)
    except PyKCS11.PyKCS11Error as error:
        return error.value
    return low.CKR_OK


def bl_m_1(slot):
    info, token = p11.getSlotInfo(slot), p11.getTokenInfo(slot)
    expect(info.flags == low.CKF_TOKEN_PRESENT, "slot flags")
    wanted = low.CKF_RNG | low.CKF_LOGIN_REQUIRED | low.CKF_USER_PIN_INITIALIZED | low.CKF_TOKEN_INITIALIZED
    expect(token.flags & wanted == wanted, "token flags")
    session = p11.openSession(slot, low.CKF_SERIAL_SESSION)
    expect(session.findObjects([(low.CKA_TOKEN, True)]), "no object on the token")
    for profile in (1, 2, 3, 4):
        found = session.findObjects([(low.CKA_CLASS, CKO_PROFILE), (CKA_PROFILE_ID, number(profile))])
        expect(len(found) == 1, f"profile {profile} is not claimed")
    session.closeSession()


def ext_m_1(slot):
    for mechanism in p11.getMechanismList(slot):
        expect(p11.getMechanismInfo(slot, mechanism).flags, f"{mechanism} has no flags")
    session = p11.openSession(slot, low.CKF_SERIAL_SESSION | low.CKF_RW_SESSION)
    session.login(pin)
    expect(session.findObjects([(low.CKA_TOKEN, True)]), "no object after login")
    session.logout()
    session.closeSession()


def auth_m_1(slot):
    session = p11.openSession(slot, low.CKF_SERIAL_SESSION | low.CKF_RW_SESSION)
    session.login(pin)
    label = [(low.CKA_TOKEN, True), (low.CKA_LABEL, "demo-rsa2048")]
    public = session.findObjects([*label, (low.CKA_CLASS, low.CKO_PUBLIC_KEY)])[0]
    private = session.findObjects([*label, (low.CKA_CLASS, low.CKO_PRIVATE_KEY)])[0]
    numbers = session.getAttributeValue(public, [low.CKA_MODULUS, low.CKA_PUBLIC_EXPONENT])
    expect(len(numbers[0]) == 256 and bytes(numbers[1]) == b"\x01\x00\x01", "modulus and exponent")
    mechanism = PyKCS11.Mechanism(low.CKM_SHA256_RSA_PKCS)
    signature = session.sign(private, b"a request", mechanism)
    expect(session.verify(public, b"a request", signature, mechanism), "the signature")
    session_key(session, numbers, signature, mechanism)
    session.logout()
    session.closeSession()


def session_key(session, numbers, signature, mechanism):
    template = [(low.CKA_CLASS, low.CKO_PUBLIC_KEY), (low.CKA_KEY_TYPE, low.CKK_RSA), (low.CKA_TOKEN, False),
                (low.CKA_LABEL, "brought"), (low.CKA_MODULUS, numbers[0]), (low.CKA_PUBLIC_EXPONENT, numbers[1])]
    key = session.createObject(template)
    expect(session.verify(key, b"a request", signature, mechanism), "the session key does not verify")
    expect(not session.verify(key, b"another", signature, mechanism), "the session key verifies anything")
    expect(len(session.findObjects([(low.CKA_LABEL, "brought")])) == 1, "the session key is not found")
    session.destroyObject(key)
    expect(not session.findObjects([(low.CKA_LABEL, "brought")]), "the session key is still found")
    template[2] = (low.CKA_TOKEN, True)
    expect(rv_of(session.createObject, template) == low.CKR_TOKEN_WRITE_PROTECTED, "a token object is made")


def cert_m_1(slot):
    """Before any login: the label of the first object, the value of the second."""
    session = p11.openSession(slot, low.CKF_SERIAL_SESSION)
    objects = session.findObjects([(low.CKA_TOKEN, True)])
    expect(len(objects) >= 5, "fewer than five objects")
    expect(session.getAttributeValue(objects[0], [low.CKA_LABEL])[0], "no label")
    expect(session.getAttributeValue(objects[1], [low.CKA_VALUE])[0], "no value")
    leaves = session.findObjects([(low.CKA_CLASS, low.CKO_CERTIFICATE), (low.CKA_CERTIFICATE_CATEGORY, number(1))])
    expect(leaves, "no certificate before login")
    for leaf in leaves:
        own = (low.CKA_ID, session.getAttributeValue(leaf, [low.CKA_ID])[0])
        expect(len(session.findObjects([(low.CKA_CLASS, low.CKO_PUBLIC_KEY), own])) == 1, "no public key of this ID")
        expect(not session.findObjects([(low.CKA_CLASS, low.CKO_PRIVATE_KEY), own]), "a private key before login")
    session.closeSession()


slots = p11.getSlotList(tokenPresent=True)
expect(len(slots) == 2, "two tokens")
for slot in slots:
    cert_m_1(slot)
    bl_m_1(slot)
    ext_m_1(slot)
auth_m_1(slots[0])
p11.closeAllSessions(slots[0])
