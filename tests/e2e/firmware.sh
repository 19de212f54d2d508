#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What boots: sbsign signs an EFI program, mkimage a FIT image, both through the engine; sbverify and osslsigncode check the
# one, openssl the other against what fdtget takes out of the image. Debian 12's sign-file asks OpenSSL for a provider that
# Debian 12 has not; it appends the signature that openssl cms made through the engine, as its -s option is meant for.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/lib-engine.sh
. "$(dirname "$0")/lib-engine.sh"
sandbox_up
sign_file=$(find /usr/lib/linux-kbuild-*/scripts -name sign-file | sort -V | tail -n 1)
head -c 20000 /dev/urandom >kernel.bin
echo 'int efi_main(void *image, void *table) { (void)image; (void)table; return 0; }' >boot.c
x86_64-w64-mingw32-gcc -O2 -s -nostdlib -shared -Wl,--subsystem,10 -e efi_main -o boot.efi boot.c

sign_efi()
{
    rm -f signed.efi
    engine_conf
    OPENSSL_CONF=$PWD/openssl.cnf timeout 60 sbsign --engine pkcs11 --key "$(uri)" --cert leaf.pem --addcert issuers.pem \
        --output signed.efi boot.efi
}

verify_efi()
{
    timeout 60 sbverify --cert "$P11_CA" signed.efi
}

verify_efi_again()
{
    verify_authenticode signed.efi
}

# An image's signature is over its data alone. mkimage makes the URI from the directory given and the key's name.
sign_fit()
{
    rm -f fit.img public.dtb
    cat >fit.its <<END
/dts-v1/;
/ {
    description = "A kernel";
    #address-cells = <1>;
    images {
        kernel {
            data = /incbin/("kernel.bin");
            type = "kernel";
            arch = "arm64";
            os = "linux";
            compression = "none";
            load = <0x80000>;
            entry = <0x80000>;
            signature { algo = "sha256,rsa3072"; key-name-hint = "$key"; };
        };
    };
    configurations { default = "conf"; conf { kernel = "kernel"; }; };
};
END
    printf '/dts-v1/;\n/ { };\n' | dtc -I dts -O dtb -o public.dtb
    engine_conf
    OPENSSL_CONF=$PWD/openssl.cnf timeout 60 mkimage -f fit.its -N pkcs11 -k "token=$P11_TOKEN" -K public.dtb -r fit.img
}

# fdt_bytes FILE NODE PROPERTY
fdt_bytes()
{
    local byte
    for byte in $(fdtget -t bx "$1" "$2" "$3"); do
        printf '%02x' "0x$byte"
    done | xxd -r -p
}

verify_fit()
{
    fdt_bytes fit.img /images/kernel/signature value >fit.sig
    fdt_bytes fit.img /images/kernel data | cmp - kernel.bin
    timeout 60 openssl dgst -sha256 -verify public.pem -signature fit.sig kernel.bin
}

sign_module()
{
    rm -f module.p7s module.ko
    with_engine cms -sign -engine pkcs11 -keyform engine -inkey "$(uri)" -signer leaf.pem -binary -noattr -nocerts -md sha256 \
        -outform DER -in kernel.bin -out module.p7s
    "$sign_file" -s module.p7s sha256 leaf.pem kernel.bin module.ko
}

# The end of a signed module: struct module_signature, the last four bytes of which before the magic are the signature's length.
verify_module()
{
    local size magic=28 len
    size=$(stat -c %s module.ko)
    [ "$(tail -c $magic module.ko)" = '~Module signature appended~' ] || { echo "no magic"; return 1; }
    len=$((16#$(tail -c $((magic + 4)) module.ko | head -c 4 | xxd -p)))
    [ $((size - magic - 12 - len)) -eq "$(stat -c %s kernel.bin)" ] || { echo "the length is wrong"; return 1; }
    tail -c $((magic + 12 + len)) module.ko | head -c "$len" >taken.p7s
    head -c "$(stat -c %s kernel.bin)" module.ko >taken.bin
    timeout 60 openssl cms -verify -purpose any -CAfile chain.pem -certfile leaf.pem -inform DER -in taken.p7s -content taken.bin -binary -out /dev/null
}

for key in "$P11_RSA" "$P11_EC"; do
    certificates
    cat leaf.pem issuers.pem >chain.pem
    signing_case "sbsign $key, sbverify" sign_efi verify_efi 'verification failed|failure'
    signing_case "sbsign $key, osslsigncode" sign_efi verify_efi_again 'Signature verification: failed|failure'
    signing_case "sign-file -s $key" sign_module verify_module 'Verification failure|verification failure'
done

key=$P11_RSA
certificates
signing_case "mkimage $key" sign_fit verify_fit 'Verification failure'
[ "$(fdt_bytes public.dtb "/signature/key-$key" rsa,modulus | xxd -p | tr -d '\n' | tr a-f A-F)" = \
    "$(openssl rsa -pubin -in public.pem -noout -modulus | cut -d= -f2)" ] || fail "mkimage writes the key's public half for the boot loader"
pass "mkimage writes the key's public half for the boot loader"
