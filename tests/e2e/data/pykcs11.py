# SPDX-License-Identifier: Apache-2.0
"""PyKCS11 drives the module: pykcs11.py PART DIRECTORY. The parts are what the shell script tests one by one; each ends with an
exception, and so with exit 1, when an expectation does not hold.
 attributes  every attribute of every object that PyKCS11 knows the name of
 login       wrong PIN, second login, logout, and what each does to the private keys and to the session counts
 sign        every signing mechanism listed, with every key it is for; writes data and signatures to DIRECTORY, and one line a
             signature to standard output: key, mechanism, file. Verifies nothing.
 verify      the signatures in DIRECTORY by the module's C_Verify, and that it refuses other data"""
import hashlib
import os
import re
import sys

import PyKCS11
from PyKCS11 import CKA, CKM, CKO, PyKCS11Error

PIN = os.environ["P11_PIN"]
HASHES = {"SHA1": "sha1", "SHA224": "sha224", "SHA256": "sha256", "SHA384": "sha384", "SHA512": "sha512"}
# DigestInfo of SHA-256, RFC 8017 §9.2 note 1
DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def expect_error(code, function, *args):
    try:
        function(*args)
    except PyKCS11Error as e:
        assert e.value == code, f"expected {PyKCS11.CKR[code]}, got {e}"
        return
    raise AssertionError(f"expected {PyKCS11.CKR[code]}, got success")


LIB = PyKCS11.PyKCS11Lib()  # one: when a second is collected it finalises the module for both
LIB.load(os.environ["MODULE"])


def token(label):
    lib = LIB
    for slot in lib.getSlotList(tokenPresent=True):
        if lib.getTokenInfo(slot).label.strip() == label:
            return lib, slot
    raise AssertionError(f"there is no token {label}")


def logged_in(label):
    lib, slot = token(label)
    session = lib.openSession(slot)
    session.login(PIN)
    return lib, slot, session


def private_keys(session):
    return session.findObjects([(CKA["CKA_CLASS"], CKO["CKO_PRIVATE_KEY"])])


def value(session, obj, attribute):
    return session.getAttributeValue(obj, [CKA[attribute]])[0]


COMMON = ["CKA_CLASS", "CKA_TOKEN", "CKA_PRIVATE", "CKA_LABEL", "CKA_MODIFIABLE"]
KEY = ["CKA_KEY_TYPE", "CKA_ID", "CKA_DERIVE", "CKA_LOCAL", "CKA_KEY_GEN_MECHANISM"]
REQUIRED = {  # PKCS#11 3.0 §4.6.3, §4.7, §4.8, §4.9: what objects of the class have
    "CKO_CERTIFICATE": ["CKA_CERTIFICATE_TYPE", "CKA_TRUSTED", "CKA_CERTIFICATE_CATEGORY", "CKA_SUBJECT", "CKA_ID", "CKA_ISSUER",
                        "CKA_SERIAL_NUMBER", "CKA_VALUE"],
    "CKO_PUBLIC_KEY": KEY + ["CKA_ENCRYPT", "CKA_VERIFY", "CKA_VERIFY_RECOVER", "CKA_WRAP"],
    "CKO_PRIVATE_KEY": KEY + ["CKA_SENSITIVE", "CKA_DECRYPT", "CKA_SIGN", "CKA_SIGN_RECOVER", "CKA_UNWRAP", "CKA_EXTRACTABLE",
                              "CKA_ALWAYS_SENSITIVE", "CKA_NEVER_EXTRACTABLE", "CKA_ALWAYS_AUTHENTICATE"],
    "CKO_PROFILE": [],  # CKA_PROFILE_ID, which PyKCS11 does not know
}
SECRET = ["CKA_PRIVATE_EXPONENT", "CKA_PRIME_1", "CKA_PRIME_2", "CKA_EXPONENT_1", "CKA_EXPONENT_2", "CKA_COEFFICIENT", "CKA_VALUE"]


def attributes(_):
    total = 0
    names = [a for a in CKA if isinstance(a, str) and a.startswith("CKA_") and not a.startswith("CKA_VENDOR")]
    for label in (os.environ["P11_TOKEN"], os.environ["P11_ED_TOKEN"]):
        lib, slot, session = logged_in(label)
        for obj in session.findObjects():
            shown = {n: v for n, v in zip(names, session.getAttributeValue(obj, [CKA[n] for n in names])) if v is not None}
            kind = CKO[shown["CKA_CLASS"]]
            missing = [n for n in COMMON + REQUIRED[kind] if n not in shown]
            assert not missing, f"{kind} {shown.get('CKA_LABEL')}: no {missing}"
            if kind == "CKO_PRIVATE_KEY":
                told = [n for n in SECRET if n in shown]
                assert not told, f"{shown['CKA_LABEL']}: {told} was told"
                assert shown["CKA_SENSITIVE"] and shown["CKA_NEVER_EXTRACTABLE"] and not shown["CKA_EXTRACTABLE"]
            assert kind == "CKO_PROFILE" or len(bytes(shown["CKA_ID"])) == 20, "CKA_ID is not 20 bytes long"
            total += len(shown)
        session.logout()
        lib.closeAllSessions(slot)
    print(f"{total} attributes")
    assert total > 400, total


def counts(lib, slot):
    info = lib.getTokenInfo(slot)
    return info.ulSessionCount, info.ulRwSessionCount


def login(_):
    lib, slot = token(os.environ["P11_TOKEN"])
    assert counts(lib, slot) == (0, 0), counts(lib, slot)
    reader = lib.openSession(slot)
    writer = lib.openSession(slot, PyKCS11.CKF_SERIAL_SESSION | PyKCS11.CKF_RW_SESSION)
    assert counts(lib, slot) == (2, 1), counts(lib, slot)

    assert private_keys(reader) == []
    expect_error(PyKCS11.CKR_USER_NOT_LOGGED_IN, reader.logout)
    expect_error(PyKCS11.CKR_PIN_INCORRECT, reader.login, "not-the-passphrase")
    expect_error(PyKCS11.CKR_PIN_LEN_RANGE, reader.login, "x" * 300)
    assert private_keys(reader) == []
    reader.login(PIN)
    expect_error(PyKCS11.CKR_USER_ALREADY_LOGGED_IN, reader.login, PIN)
    expect_error(PyKCS11.CKR_USER_ALREADY_LOGGED_IN, writer.login, PIN)
    assert [s.getSessionInfo().state for s in (reader, writer)] == [PyKCS11.CKS_RO_USER_FUNCTIONS, PyKCS11.CKS_RW_USER_FUNCTIONS]

    keys = private_keys(writer)
    assert len(keys) == 7, len(keys)
    writer.logout()
    assert private_keys(reader) == []
    mechanism = PyKCS11.Mechanism(PyKCS11.CKM_ECDSA, None)
    expect_error(PyKCS11.CKR_KEY_HANDLE_INVALID, reader.sign, keys[0], b"x" * 32, mechanism)
    reader.login(PIN)
    assert len(private_keys(writer)) == 7

    writer.closeSession()
    assert counts(lib, slot) == (1, 0), counts(lib, slot)
    lib.closeAllSessions(slot)
    assert counts(lib, slot) == (0, 0), counts(lib, slot)
    expect_error(PyKCS11.CKR_SESSION_HANDLE_INVALID, reader.getSessionInfo)
    again = lib.openSession(slot)
    assert private_keys(again) == [], "the login outlived the last session"


def mechanism_of(name):
    """How to use it, and the hash of the data."""
    parts = re.fullmatch(r"CKM_(?:(SHA\d+)_)?(RSA_PKCS|RSA_PKCS_PSS)|CKM_ECDSA(?:_(SHA\d+))?|CKM_EDDSA", name)
    assert parts, f"the token lists {name}, and this test knows no way to check it"
    hash_name = parts.group(1) or parts.group(3) or "SHA256"
    if "PSS" in name:
        mgf = getattr(PyKCS11, f"CKG_MGF1_{hash_name}")
        hash_number = PyKCS11.CKM_SHA_1 if hash_name == "SHA1" else CKM[f"CKM_{hash_name}"]
        return PyKCS11.RSA_PSS_Mechanism(CKM[name], hash_number, mgf, hashlib.new(HASHES[hash_name]).digest_size), hash_name
    return PyKCS11.Mechanism(CKM[name], None), hash_name


def to_be_signed(name, data):
    digest = hashlib.sha256(data).digest()
    if name == "CKM_RSA_PKCS":
        return DIGEST_INFO + digest
    return digest if name in ("CKM_RSA_PKCS_PSS", "CKM_ECDSA") else data


def cases(lib, slot, session):
    """(label, mechanism's name, private key) for each of the token's keys that the mechanism is for."""
    keys = [(value(session, k, "CKA_LABEL"), value(session, k, "CKA_KEY_TYPE"), k) for k in private_keys(session)]
    for name in lib.getMechanismList(slot):
        if not lib.getMechanismInfo(slot, name).flags & PyKCS11.CKF_SIGN:
            continue
        kind = PyKCS11.CKK_RSA if "RSA" in name else PyKCS11.CKK_EC if "ECDSA" in name else PyKCS11.CKK_EC_EDWARDS
        for label, key_type, key in keys:
            if key_type == kind:
                yield label, name, key


def is_allowed(label, name):
    """SHA-1 and SHA-224 only with the keys that were made for them."""
    return label.startswith("demo-old-") or not any(h in name for h in ("SHA1", "SHA224"))


def sign(directory):
    with open(f"{directory}/data", "rb") as f:
        data = f.read()
    for label in (os.environ["P11_TOKEN"], os.environ["P11_ED_TOKEN"]):
        lib, slot, session = logged_in(label)
        for key_label, name, key in cases(lib, slot, session):
            mechanism, hash_name = mechanism_of(name)
            if not is_allowed(key_label, name):
                expect_error(PyKCS11.CKR_MECHANISM_INVALID, session.sign, key, to_be_signed(name, data), mechanism)
                continue
            made = bytes(session.sign(key, to_be_signed(name, data), mechanism))
            with open(f"{directory}/{key_label}.{name}", "wb") as f:
                f.write(made)
            print(key_label, name, HASHES[hash_name])
        session.logout()


def verify(directory):
    with open(f"{directory}/data", "rb") as f:
        data = f.read()
    count = 0
    for label in (os.environ["P11_TOKEN"], os.environ["P11_ED_TOKEN"]):
        lib, slot, session = logged_in(label)
        for key_label, name, _ in cases(lib, slot, session):
            if not is_allowed(key_label, name):
                continue
            public = session.findObjects([(CKA["CKA_CLASS"], CKO["CKO_PUBLIC_KEY"]), (CKA["CKA_LABEL"], key_label)])[0]
            with open(f"{directory}/{key_label}.{name}", "rb") as f:
                made = f.read()
            mechanism, _ = mechanism_of(name)
            assert session.verify(public, to_be_signed(name, data), made, mechanism), f"{key_label} {name}"
            assert not session.verify(public, to_be_signed(name, data + b"x"), made, mechanism), f"{key_label} {name}: other data"
            count += 1
    print(f"{count} verified")
    assert count >= 51, count


{"attributes": attributes, "login": login, "sign": sign, "verify": verify}[sys.argv[1]](sys.argv[2])
