// SPDX-License-Identifier: Apache-2.0
/** A program for a jar to be signed. */
public class Hello {
    public static void main(String[] args) {
        System.out.println("Sealed by the chancery.");
    }
}
