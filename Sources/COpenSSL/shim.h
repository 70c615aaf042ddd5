#ifndef TURNPIKE_COPENSSL_SHIM_H
#define TURNPIKE_COPENSSL_SHIM_H

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

/* Makes an HMAC-SHA-256 context that holds `key`; NULL on failure, with the reason in the error
   queue. The algorithm is fetched here, once: fetching costs five times what hashing a short message
   does. Written in C because OSSL_PARAM keeps pointers into the strings it is built from. */
static inline EVP_MAC_CTX *turnpike_hmac_sha256_new(const unsigned char *key, size_t key_length) {
    char digest[] = "SHA256";
    OSSL_PARAM parameters[2] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *algorithm = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (algorithm == NULL) return NULL;
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(algorithm);
    EVP_MAC_free(algorithm); /* the context holds its own reference */
    if (context != NULL && EVP_MAC_init(context, key, key_length, parameters) != 1) {
        EVP_MAC_CTX_free(context);
        return NULL;
    }
    return context;
}

#endif
