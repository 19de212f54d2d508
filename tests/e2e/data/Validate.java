// SPDX-License-Identifier: Apache-2.0
// Validate ROOT.pem LEAF-FIRST-CHAIN.pem ocsp|crl: Java's PKIX with revocation on, by OCSP or by CRLs alone, both fetched
// from where the certificates say. Exit 0 when the chain is valid; else the reason.
import java.io.FileInputStream;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.PKIXRevocationChecker.Option;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

public class Validate {
    public static void main(String[] arguments) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        X509Certificate root;
        try (FileInputStream in = new FileInputStream(arguments[0])) {
            root = (X509Certificate) factory.generateCertificate(in);
        }
        List<X509Certificate> chain = new ArrayList<>();
        try (FileInputStream in = new FileInputStream(arguments[1])) {
            for (Object certificate : factory.generateCertificates(in)) {
                if (!certificate.equals(root))
                    chain.add((X509Certificate) certificate);
            }
        }
        CertPath path = factory.generateCertPath(chain);
        CertPathValidator validator = CertPathValidator.getInstance("PKIX");
        PKIXRevocationChecker checker = (PKIXRevocationChecker) validator.getRevocationChecker();
        checker.setOptions(arguments[2].equals("crl") ? EnumSet.of(Option.PREFER_CRLS, Option.NO_FALLBACK)
                                                      : EnumSet.of(Option.NO_FALLBACK));
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
        parameters.addCertPathChecker(checker);
        try {
            validator.validate(path, parameters);
            System.out.println("valid");
        } catch (CertPathValidatorException e) {
            System.out.println("refused: " + e.getReason() + " at " + e.getIndex() + ": " + e.getMessage());
            System.exit(1);
        }
    }
}
