/* SPDX-License-Identifier: Apache-2.0 */
/* Digests with the vectors of FIPS 180-4's and FIPS 202's examples, whole and in pieces (base §5.12). */
#include <stdlib.h>
#include <string.h>

#include "group.h"
#include "mechanism.h"

struct vector {
    CK_MECHANISM_TYPE type;
    const char *name;
    const char *message;
    const char *digest;
};
#define TWO_BLOCKS "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"

static const struct vector vectors[] = {
    {CKM_SHA_1, "SHA-1", "", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
    {CKM_SHA_1, "SHA-1", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {CKM_SHA_1, "SHA-1", TWO_BLOCKS, "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
    {CKM_SHA224, "SHA-224", "", "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f"},
    {CKM_SHA224, "SHA-224", "abc", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"},
    {CKM_SHA224, "SHA-224", TWO_BLOCKS, "75388b16512776cc5dba5da1fd890150b0c6455cb4f58b1952522525"},
    {CKM_SHA256, "SHA-256", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {CKM_SHA256, "SHA-256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {CKM_SHA256, "SHA-256", TWO_BLOCKS, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {CKM_SHA384, "SHA-384", "",
     "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b"},
    {CKM_SHA384, "SHA-384", "abc",
     "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"},
    {CKM_SHA384, "SHA-384", TWO_BLOCKS,
     "3391fdddfc8dc7393707a65b1b4709397cf8b1d162af05abfe8f450de5f36bc6b0455a8520bc4e6f5fe95b1fe3c8452b"},
    {CKM_SHA512, "SHA-512", "",
     "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a"
     "5"
     "38327af927da3e"},
    {CKM_SHA512, "SHA-512", "abc",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2"
     "a"
     "9ac94fa54ca49f"},
    {CKM_SHA512, "SHA-512", TWO_BLOCKS,
     "204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c33596fd15c13b1b07f9aa1d3bea57789ca031ad85c7a71dd7035"
     "4"
     "ec631238ca3445"},
    {CKM_SHA3_224, "SHA3-224", "", "6b4e03423667dbb73b6e15454f0eb1abd4597f9a1b078e3f5b5a6bc7"},
    {CKM_SHA3_224, "SHA3-224", "abc", "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf"},
    {CKM_SHA3_224, "SHA3-224", TWO_BLOCKS, "8a24108b154ada21c9fd5574494479ba5c7e7ab76ef264ead0fcce33"},
    {CKM_SHA3_256, "SHA3-256", "", "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"},
    {CKM_SHA3_256, "SHA3-256", "abc", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"},
    {CKM_SHA3_256, "SHA3-256", TWO_BLOCKS, "41c0dba2a9d6240849100376a8235e2c82e1b9998a999e21db32dd97496d3376"},
    {CKM_SHA3_384, "SHA3-384", "",
     "0c63a75b845e4f7d01107d852e4c2485c51a50aaaa94fc61995e71bbee983a2ac3713831264adb47fb6bd1e058d5f004"},
    {CKM_SHA3_384, "SHA3-384", "abc",
     "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25"},
    {CKM_SHA3_384, "SHA3-384", TWO_BLOCKS,
     "991c665755eb3a4b6bbdfb75c78a492e8c56a22c5c4d7e429bfdbc32b9d4ad5aa04a1f076e62fea19eef51acd0657c22"},
    {CKM_SHA3_512, "SHA3-512", "",
     "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a615b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e30"
     "1758586281dcd26"},
    {CKM_SHA3_512, "SHA3-512", "abc",
     "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56"
     "592f8274eec53f0"},
    {CKM_SHA3_512, "SHA3-512", TWO_BLOCKS,
     "04a371e84ecfb5b8b77cb48610fca8182dd457ce6f326a0fd3d7ec2f1e91636dee691fbe0c985302ba1b0d8dc78c086346b533b49c030d99a"
     "27daf1139d6e75e"},
};

static size_t unhex(const char *hex, CK_BYTE *out)
{
    size_t len = strlen(hex) / 2;
    for (size_t i = 0; i < len; i++) {
        const char two[] = {hex[2 * i], hex[2 * i + 1], '\0'};
        out[i] = (CK_BYTE)strtoul(two, NULL, 16);
    }
    return len;
}

static bool begins(struct rig *r, CK_MECHANISM_TYPE type)
{
    CK_MECHANISM m = {type, NULL, 0};
    return EXPECT("base §5.12.1", text("C_DigestInit with 0x%lx", type), r->f->C_DigestInit(r->session, &m), CKR_OK);
}

static void digest_whole(struct rig *r, const struct vector *v, const CK_BYTE *wanted, CK_ULONG wanted_len)
{
    CK_BYTE out[130];
    CK_ULONG len = 0;
    CK_BYTE *message = (CK_BYTE *)v->message;
    CK_ULONG message_len = strlen(v->message);
    if (!begins(r, v->type))
        return;
    EXPECT("base §5.2", "C_Digest size query", r->f->C_Digest(r->session, message, message_len, NULL, &len), CKR_OK);
    check_number("base §5.2", text("the size of %s", v->name), len, wanted_len);
    for (CK_ULONG room = 0; room < wanted_len; room += wanted_len - 1) {
        len = room;
        memset(out, 0xa5, sizeof out);
        EXPECT("base §5.2", text("C_Digest into %lu bytes", room),
               r->f->C_Digest(r->session, message, message_len, out, &len), CKR_BUFFER_TOO_SMALL);
        check_number("base §5.2", "the size told", len, wanted_len);
        check("base §5.2", "nothing is written", out[room] == 0xa5);
    }
    len = 100;
    EXPECT("base §5.12.2", "C_Digest", r->f->C_Digest(r->session, message, message_len, out + 1, &len), CKR_OK);
    check_bytes("FIPS 180-4, 202", text("%s of \"%.8s\"", v->name, v->message), out + 1, len, wanted, wanted_len);
    EXPECT("base §5.12.2", "C_Digest again", r->f->C_Digest(r->session, message, message_len, out, &len),
           CKR_OPERATION_NOT_INITIALIZED);
}

static void digest_pieces(struct rig *r, const struct vector *v, CK_ULONG piece, const CK_BYTE *wanted,
                          CK_ULONG wanted_len)
{
    CK_BYTE out[64];
    CK_ULONG len = 0, total = strlen(v->message);
    if (!begins(r, v->type))
        return;
    EXPECT("base §5.12.3", "C_DigestUpdate of nothing", r->f->C_DigestUpdate(r->session, out, 0), CKR_OK);
    for (CK_ULONG at = 0; at < total; at += piece)
        EXPECT("base §5.12.3", "C_DigestUpdate",
               r->f->C_DigestUpdate(r->session, (CK_BYTE *)v->message + at, total - at < piece ? total - at : piece),
               CKR_OK);
    EXPECT("base §5.2", "C_DigestFinal size query", r->f->C_DigestFinal(r->session, NULL, &len), CKR_OK);
    check_number("base §5.2", "the size", len, wanted_len);
    len = wanted_len - 1;
    EXPECT("base §5.2", "C_DigestFinal into too few bytes", r->f->C_DigestFinal(r->session, out, &len),
           CKR_BUFFER_TOO_SMALL);
    len = wanted_len;
    EXPECT("base §5.12.5", "C_DigestFinal", r->f->C_DigestFinal(r->session, out, &len), CKR_OK);
    check_bytes("FIPS 180-4, 202", text("%s of \"%.8s\" in pieces of %lu", v->name, v->message, piece), out, len,
                wanted, wanted_len);
    EXPECT("base §5.12.5", "C_DigestFinal again", r->f->C_DigestFinal(r->session, out, &len),
           CKR_OPERATION_NOT_INITIALIZED);
}

void digest_vectors_group(struct rig *r)
{
    struct mechanisms m;
    mechanisms_read(r, &m);
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        CK_BYTE wanted[64];
        size_t len = unhex(vectors[i].digest, wanted);
        if (!mechanisms_have(&m, vectors[i].type))
            continue;
        digest_whole(r, &vectors[i], wanted, len);
        const CK_ULONG pieces[] = {1, 3, 17, 55, 56};
        for (size_t j = 0; j < COUNT_OF(pieces); j++)
            digest_pieces(r, &vectors[i], pieces[j], wanted, len);
    }
}

/* A million times "a", in pieces of odd sizes. */
void digest_million_group(struct rig *r)
{
    static const char million[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    struct mechanisms m;
    mechanisms_read(r, &m);
    if (!mechanisms_have(&m, CKM_SHA256) || !begins(r, CKM_SHA256))
        return;
    CK_BYTE piece[997], wanted[32], out[32];
    CK_ULONG len = sizeof out;
    memset(piece, 'a', sizeof piece);
    bool all = true;
    for (CK_ULONG left = 1000000; left > 0;) {
        CK_ULONG now = (left * 31) % sizeof piece + 1;
        now = now < left ? now : left;
        all = all && r->f->C_DigestUpdate(r->session, piece, now) == CKR_OK;
        left -= now;
    }
    check("base §5.12.3", "C_DigestUpdate in pieces of odd sizes", all);
    EXPECT("base §5.12.5", "C_DigestFinal", r->f->C_DigestFinal(r->session, out, &len), CKR_OK);
    check_bytes("FIPS 180-4, 202", "SHA-256 of a million a", out, len, wanted, unhex(million, wanted));
}

void digest_rules_group(struct rig *r)
{
    struct mechanisms m;
    CK_BYTE out[64] = "abc";
    CK_ULONG len = sizeof out;
    mechanisms_read(r, &m);
    EXPECT("base §5.12.2", "C_Digest before C_DigestInit", r->f->C_Digest(r->session, out, 3, out, &len),
           CKR_OPERATION_NOT_INITIALIZED, CKR_FUNCTION_NOT_SUPPORTED);
    EXPECT("base §5.12.3", "C_DigestUpdate before C_DigestInit", r->f->C_DigestUpdate(r->session, out, 3),
           CKR_OPERATION_NOT_INITIALIZED, CKR_FUNCTION_NOT_SUPPORTED);
    EXPECT("base §5.12.5", "C_DigestFinal before C_DigestInit", r->f->C_DigestFinal(r->session, out, &len),
           CKR_OPERATION_NOT_INITIALIZED, CKR_FUNCTION_NOT_SUPPORTED);
    if (!mechanisms_have(&m, CKM_SHA256) || !begins(r, CKM_SHA256))
        return;
    CK_MECHANISM again = {CKM_SHA256, NULL, 0}, with = {CKM_SHA256, out, 4};
    EXPECT("base §5.12.1", "C_DigestInit while one is active", r->f->C_DigestInit(r->session, &again),
           CKR_OPERATION_ACTIVE);
    len = sizeof out;
    EXPECT("base §5.12.2", "C_Digest in place", r->f->C_Digest(r->session, out, 3, out, &len), CKR_OK);
    CK_BYTE wanted[32];
    (void)unhex(vectors[7].digest, wanted);
    check_bytes("base §5.12.2", "the digest in place of its data", out, len, wanted, 32);
    EXPECT_NOT_BEGUN("base §5.12.1", "C_DigestInit with a parameter", r->f->C_DigestInit(r->session, &with),
                     CKR_MECHANISM_PARAM_INVALID);

    begins(r, CKM_SHA256);
    EXPECT("base §5.12.3", "C_DigestUpdate", r->f->C_DigestUpdate(r->session, out, 3), CKR_OK);
    EXPECT("base §5.12.2", "C_Digest after C_DigestUpdate", r->f->C_Digest(r->session, out, 3, out, &len),
           CKR_OPERATION_ACTIVE, CKR_OPERATION_NOT_INITIALIZED, CKR_FUNCTION_FAILED);
    (void)r->f->C_DigestFinal(r->session, out, &len);

    begins(r, CKM_SHA256);
    EXPECT("base §5.12.4", "C_DigestKey of a private key", r->f->C_DigestKey(r->session, r->key.private_key),
           CKR_KEY_INDIGESTIBLE, CKR_KEY_HANDLE_INVALID, CKR_FUNCTION_NOT_SUPPORTED);
    EXPECT("base §5.12.4", "C_DigestKey of nothing", r->f->C_DigestKey(r->session, 0), CKR_KEY_HANDLE_INVALID,
           CKR_KEY_INDIGESTIBLE, CKR_FUNCTION_NOT_SUPPORTED, CKR_OPERATION_NOT_INITIALIZED);
    len = sizeof out;
    (void)r->f->C_DigestFinal(r->session, out, &len);
    EXPECT("base §5.12.4", "C_DigestKey without operation", r->f->C_DigestKey(r->session, r->key.private_key),
           CKR_OPERATION_NOT_INITIALIZED, CKR_FUNCTION_NOT_SUPPORTED);
}
