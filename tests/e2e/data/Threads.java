// SPDX-License-Identifier: Apache-2.0
// Signs with many threads at once through SunPKCS11 and verifies each signature with Java's own software providers:
//   java Threads.java CONFIG PIN RSA-ALIAS EC-ALIAS RSA.pem EC.pem THREADS SIGNATURES DIRECTORY
// RSA.pem and EC.pem are the certificates, from elsewhere than the token. The first signature of each algorithm is written to
// DIRECTORY with what it signs. Exit 1 if a signature is bad or is missing.
import java.io.FileInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.PublicKey;
import java.security.Security;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.spec.AlgorithmParameterSpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

public class Threads {
    record Case(String name, String algorithm, AlgorithmParameterSpec parameters, PrivateKey key, PublicKey publicKey,
                String verifier) {}

    static byte[] sign(Case c, Provider token, byte[] data) throws GeneralSecurityException {
        Signature s = Signature.getInstance(c.algorithm, token);
        s.initSign(c.key);
        if (c.parameters != null)
            s.setParameter(c.parameters);
        s.update(data, 0, data.length / 2);
        s.update(data, data.length / 2, data.length - data.length / 2);
        return s.sign();
    }

    static boolean verify(Case c, byte[] data, byte[] made) {
        try {
            Signature s = Signature.getInstance(c.algorithm, c.verifier);
            s.initVerify(c.publicKey);
            if (c.parameters != null)
                s.setParameter(c.parameters);
            s.update(data);
            return s.verify(made);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    static PublicKey publicKey(String file) throws Exception {
        try (FileInputStream in = new FileInputStream(file)) {
            return CertificateFactory.getInstance("X.509").generateCertificate(in).getPublicKey();
        }
    }

    static PSSParameterSpec pss(String hash, int salt) {
        return new PSSParameterSpec(hash, "MGF1", new MGF1ParameterSpec(hash), salt, 1);
    }

    public static void main(String[] args) throws Exception {
        Provider token = Security.getProvider("SunPKCS11").configure(args[0]);
        KeyStore store = KeyStore.getInstance("PKCS11", token);
        store.load(null, args[1].toCharArray());
        PrivateKey rsa = (PrivateKey) store.getKey(args[2], null);
        PrivateKey ec = (PrivateKey) store.getKey(args[3], null);
        PublicKey rsaPublic = publicKey(args[4]);
        PublicKey ecPublic = publicKey(args[5]);
        List<Case> cases = List.of(
            new Case("rsa-sha256", "SHA256withRSA", null, rsa, rsaPublic, "SunRsaSign"),
            new Case("pss-sha256", "RSASSA-PSS", pss("SHA-256", 32), rsa, rsaPublic, "SunRsaSign"),
            new Case("ec-sha256", "SHA256withECDSA", null, ec, ecPublic, "SunEC"),
            new Case("rsa-sha512", "SHA512withRSA", null, rsa, rsaPublic, "SunRsaSign"),
            new Case("pss-sha384", "RSASSA-PSS", pss("SHA-384", 48), rsa, rsaPublic, "SunRsaSign"),
            new Case("ec-sha384", "SHA384withECDSA", null, ec, ecPublic, "SunEC"));

        int count = Integer.parseInt(args[7]);
        ExecutorService pool = Executors.newFixedThreadPool(Integer.parseInt(args[6]));
        List<Future<Boolean>> results = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Case c = cases.get(i % cases.size());
            byte[] data = ("message " + i + " " + "x".repeat(i * 37)).getBytes(StandardCharsets.UTF_8);
            boolean isFirst = i < cases.size();
            results.add(pool.submit(() -> {
                byte[] made = sign(c, token, data);
                if (isFirst) {
                    Files.write(Path.of(args[8], c.name + ".data"), data);
                    Files.write(Path.of(args[8], c.name + ".sig"), made);
                }
                return verify(c, data, made);
            }));
        }
        pool.shutdown();
        if (!pool.awaitTermination(100, TimeUnit.SECONDS)) {
            System.out.println("the threads do not end");
            System.exit(1);
        }
        int good = 0;
        for (Future<Boolean> result : results)
            good += result.get() ? 1 : 0;
        System.out.println(good + " of " + count + " signatures are good");
        System.exit(good == count ? 0 : 1);
    }
}
