// AES-128-GCM over a buffer in place: no copy, no object of OpenSSL's reaches Swift.
#ifndef FSHAREFS_COPENSSL_SEALING_H
#define FSHAREFS_COPENSSL_SEALING_H

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

static const int copenssl_nonce_length = 12;
static const int copenssl_tag_length = 16;

/// Draws a nonce to `nonce`, encrypts `bytes` in place and writes the tag. 1 on success.
static inline int copenssl_seal(
    const unsigned char *key, const unsigned char *head, int head_count, unsigned char *nonce,
    unsigned char *bytes, int count, unsigned char *tag) {
  int written = 0;
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  int done = context && RAND_bytes(nonce, copenssl_nonce_length) == 1 &&
             EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), NULL, key, nonce) == 1 &&
             EVP_EncryptUpdate(context, NULL, &written, head, head_count) == 1 &&
             EVP_EncryptUpdate(context, bytes, &written, bytes, count) == 1 && written == count &&
             EVP_EncryptFinal_ex(context, bytes + count, &written) == 1 &&
             EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, copenssl_tag_length, tag) == 1;
  EVP_CIPHER_CTX_free(context);
  return done;
}

/// Decrypts `count` bytes to `plain` and checks the tag. 1 where all of it is what was sealed; else `plain`
/// holds nothing that may be used.
static inline int copenssl_open(
    const unsigned char *key, const unsigned char *head, int head_count, const unsigned char *nonce,
    const unsigned char *bytes, int count, const unsigned char *tag, unsigned char *plain) {
  int written = 0;
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  int done = context && EVP_DecryptInit_ex(context, EVP_aes_128_gcm(), NULL, key, nonce) == 1 &&
             EVP_DecryptUpdate(context, NULL, &written, head, head_count) == 1 &&
             EVP_DecryptUpdate(context, plain, &written, bytes, count) == 1 && written == count &&
             EVP_CIPHER_CTX_ctrl(
                 context, EVP_CTRL_GCM_SET_TAG, copenssl_tag_length, (void *)tag) == 1 &&
             EVP_DecryptFinal_ex(context, plain + count, &written) == 1;
  // TLS on this thread would take an error that is left over for its own.
  if (!done) ERR_clear_error();
  EVP_CIPHER_CTX_free(context);
  return done;
}

#endif
