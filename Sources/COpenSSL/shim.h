// What the transport needs of OpenSSL, in terms of bytes: no OpenSSL object but SSL and SSL_CTX
// reaches Swift. A function that fills a buffer answers how many bytes it wrote, -1 on failure.
#ifndef FSHAREFS_COPENSSL_SHIM_H
#define FSHAREFS_COPENSSL_SHIM_H

#include <openssl/evp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>

/// Bytes of the hash that names a public key.
static const int copenssl_fingerprint_length = 32;

/// Keeps OpenSSL from asking the terminal for a password.
static inline int copenssl_no_password(char *buffer, int size, int writing, void *user) {
  return -1;
}

static inline EVP_PKEY *copenssl_parse_key(const unsigned char *pem, int count) {
  BIO *source = BIO_new_mem_buf(pem, count);
  EVP_PKEY *key = source ? PEM_read_bio_PrivateKey(source, NULL, copenssl_no_password, NULL) : NULL;
  BIO_free(source);
  ERR_clear_error();
  return key;
}

static inline X509 *copenssl_parse_certificate(const unsigned char *pem, int count) {
  BIO *source = BIO_new_mem_buf(pem, count);
  X509 *certificate = source ? PEM_read_bio_X509(source, NULL, copenssl_no_password, NULL) : NULL;
  BIO_free(source);
  ERR_clear_error();
  return certificate;
}

/// SHA-256 of the DER of a certificate's SubjectPublicKeyInfo. 1 on success.
static inline int copenssl_key_hash(X509 *certificate, unsigned char *hash) {
  unsigned char *der = NULL;
  int count = certificate ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der) : -1;
  int done = count > 0 && EVP_Digest(der, (size_t)count, hash, NULL, EVP_sha256(), NULL) == 1;
  OPENSSL_free(der);
  return done;
}

/// A new P-256 private key in PEM (PKCS #8).
static inline int copenssl_make_key(unsigned char *pem, int capacity) {
  int count = -1;
  EVP_PKEY *key = EVP_EC_gen("P-256");
  BIO *sink = BIO_new(BIO_s_mem());
  if (key && sink && PEM_write_bio_PKCS8PrivateKey(sink, key, NULL, NULL, 0, NULL, NULL) == 1)
    count = BIO_read(sink, pem, capacity);
  BIO_free(sink);
  EVP_PKEY_free(key);
  return count > 0 && count < capacity ? count : -1;
}

/// A new self-signed certificate in PEM for a private key in PEM.
static inline int copenssl_make_certificate(
    const unsigned char *key_pem, int key_count, const char *name, int days, unsigned char *pem,
    int capacity) {
  int count = -1;
  unsigned char random[16];
  EVP_PKEY *key = copenssl_parse_key(key_pem, key_count);
  X509 *made = X509_new();
  BIO *sink = BIO_new(BIO_s_mem());
  BIGNUM *serial = NULL;
  if (!key || !made || !sink || RAND_bytes(random, sizeof random) != 1) goto end;
  random[0] = (unsigned char)((random[0] & 0x7f) | 0x40);  // positive, and never short
  serial = BN_bin2bn(random, sizeof random, NULL);
  if (!serial || !BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(made))) goto end;
  X509_NAME *subject = X509_get_subject_name(made);
  if (X509_set_version(made, 2) != 1 ||
      X509_NAME_add_entry_by_txt(
          subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0) != 1 ||
      X509_set_issuer_name(made, subject) != 1 ||
      !X509_time_adj_ex(X509_getm_notBefore(made), 0, 0, NULL) ||
      !X509_time_adj_ex(X509_getm_notAfter(made), days, 0, NULL) ||
      X509_set_pubkey(made, key) != 1 || X509_sign(made, key, EVP_sha256()) == 0)
    goto end;
  if (PEM_write_bio_X509(sink, made) == 1) count = BIO_read(sink, pem, capacity);
end:
  BN_free(serial);
  BIO_free(sink);
  X509_free(made);
  EVP_PKEY_free(key);
  return count > 0 && count < capacity ? count : -1;
}

/// Whether there is a private key in PEM.
static inline int copenssl_is_key(const unsigned char *pem, int count) {
  EVP_PKEY *key = copenssl_parse_key(pem, count);
  EVP_PKEY_free(key);
  return key != NULL;
}

/// The fingerprint of a pair in PEM. 1 on success; 0 when they cannot be read or do not match.
static inline int copenssl_check_pair(
    const unsigned char *key_pem, int key_count, const unsigned char *certificate_pem,
    int certificate_count, unsigned char *fingerprint) {
  EVP_PKEY *key = copenssl_parse_key(key_pem, key_count);
  X509 *certificate = copenssl_parse_certificate(certificate_pem, certificate_count);
  int fits = key && certificate && X509_check_private_key(certificate, key) == 1 &&
             copenssl_key_hash(certificate, fingerprint);
  X509_free(certificate);
  EVP_PKEY_free(key);
  ERR_clear_error();
  return fits;
}

/// The DER of the first certificate of a PEM, at most `capacity` bytes. Their number, or -1.
static inline int copenssl_certificate_bytes(
    const unsigned char *pem, int count, unsigned char *der, int capacity) {
  X509 *certificate = copenssl_parse_certificate(pem, count);
  int length = certificate ? i2d_X509(certificate, NULL) : -1;
  if (length > capacity) length = -1;
  if (length > 0) i2d_X509(certificate, &der);
  X509_free(certificate);
  return length;
}

/// TLS 1.3 and no session is ever resumed: a ticket that a peer did not read resets the connection
/// when it leaves, and takes what was under way with it.
static inline int copenssl_restrict(SSL_CTX *context) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  return SSL_CTX_set_num_tickets(context, 0) == 1 &&
         SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1;
}

/// Gives a server's context the certificates behind the first: those that vouch for it. 1 on
/// success.
static inline int copenssl_use_chain(SSL_CTX *context, const unsigned char *pem, int count) {
  BIO *bio = BIO_new_mem_buf(pem, count);
  if (!bio) return 0;
  int done = SSL_CTX_clear_chain_certs(context) == 1;
  X509_free(PEM_read_bio_X509(bio, NULL, NULL, NULL));
  X509 *next;
  while (done && (next = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
    done = SSL_CTX_add0_chain_cert(context, next) == 1;
    if (!done) X509_free(next);
  }
  ERR_clear_error();
  BIO_free(bio);
  return done;
}

/// Makes a context that libwebsockets has made a server's. 1 on success.
static inline int copenssl_configure_server(
    void *raw, const unsigned char *key_pem, int key_count, const unsigned char *certificate_pem,
    int certificate_count) {
  SSL_CTX *context = (SSL_CTX *)raw;
  EVP_PKEY *key = copenssl_parse_key(key_pem, key_count);
  X509 *certificate = copenssl_parse_certificate(certificate_pem, certificate_count);
  int done = key && certificate && copenssl_restrict(context) &&
             SSL_CTX_use_certificate(context, certificate) == 1 &&
             SSL_CTX_use_PrivateKey(context, key) == 1 &&
             copenssl_use_chain(context, certificate_pem, certificate_count);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return done;
}

/// A client's context that asks `verify` about a server's certificate, instead of looking at its
/// chain. NULL on failure.
static inline SSL_CTX *copenssl_make_client(int (*verify)(X509_STORE_CTX *, void *), void *owner) {
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  if (!context) return NULL;
  if (!copenssl_restrict(context)) {
    SSL_CTX_free(context);
    return NULL;
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  if (verify) SSL_CTX_set_cert_verify_callback(context, verify, owner);
  return context;
}

/// The fingerprint of the certificate that is to be verified. 1 on success.
static inline int copenssl_seen(X509_STORE_CTX *store, unsigned char *fingerprint) {
  return copenssl_key_hash(X509_STORE_CTX_get0_cert(store), fingerprint);
}

/// Says in OpenSSL's terms what became of a verification. The answer is `verify`'s.
static inline int copenssl_verdict(X509_STORE_CTX *store, int accepted) {
  X509_STORE_CTX_set_error(store, accepted ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION);
  return accepted;
}

/// A connection that reads and writes memory, and is neither a client's nor a server's yet. NULL on
/// failure.
static inline SSL *copenssl_open_memory(SSL_CTX *context) {
  SSL *made = SSL_new(context);
  BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
  if (!made || !in || !out) {
    SSL_free(made);
    BIO_free(in);
    BIO_free(out);
    return NULL;
  }
  BIO_set_mem_eof_return(in, -1);
  SSL_set_bio(made, in, out);
  return made;
}

/// A client's connection that reads and writes memory; `offer` are application protocols (RFC
/// 7301).
static inline SSL *copenssl_open_pipe(
    SSL_CTX *context, const unsigned char *offer, unsigned int count) {
  SSL *made = copenssl_open_memory(context);
  if (made && SSL_set_alpn_protos(made, offer, count) != 0) {
    SSL_free(made);
    return NULL;
  }
  if (made) SSL_set_connect_state(made);
  return made;
}

/// What a result of OpenSSL means: 0 that it waits for the peer, -1 that the connection has ended.
static inline int copenssl_outcome(SSL *pipe, int result) {
  int waits = SSL_get_error(pipe, result) == SSL_ERROR_WANT_READ;
  ERR_clear_error();
  return waits ? 0 : -1;
}

/// Gives a pipe ciphertext. 1 on success.
static inline int copenssl_feed(SSL *pipe, const void *bytes, int count) {
  return BIO_write(SSL_get_rbio(pipe), bytes, count) == count;
}

/// Goes on with a handshake: 1 when it is complete, 0 when the peer has to say more, -1 on failure.
static inline int copenssl_shake(SSL *pipe) {
  ERR_clear_error();
  int result = SSL_do_handshake(pipe);
  return result == 1 ? 1 : copenssl_outcome(pipe, result);
}

/// Takes plain bytes out of a pipe: their count, 0 when there are none yet, -1 when none will come.
static inline int copenssl_read(SSL *pipe, void *bytes, int capacity) {
  ERR_clear_error();
  int result = SSL_read(pipe, bytes, capacity);
  return result > 0 ? result : copenssl_outcome(pipe, result);
}

/// Puts plain bytes into a pipe. 1 on success.
static inline int copenssl_write(SSL *pipe, const void *bytes, int count) {
  ERR_clear_error();
  return SSL_write(pipe, bytes, count) == count;
}

/// Bytes of ciphertext that a pipe has for the peer.
static inline long copenssl_pending(SSL *pipe) {
  return (long)BIO_ctrl_pending(SSL_get_wbio(pipe));
}

/// Takes ciphertext out of a pipe: its count.
static inline int copenssl_take(SSL *pipe, void *bytes, int capacity) {
  return BIO_read(SSL_get_wbio(pipe), bytes, capacity);
}

// MARK: Members among themselves

/// Bytes of an Ed25519 key, private or public.
static const int copenssl_device_key_length = 32;

/// The raw public key of a certificate that has an Ed25519 one. 1 on success.
static inline int copenssl_device_key(X509 *certificate, unsigned char *key) {
  EVP_PKEY *found = certificate ? X509_get0_pubkey(certificate) : NULL;
  size_t count = (size_t)copenssl_device_key_length;
  int done = found && EVP_PKEY_get_base_id(found) == EVP_PKEY_ED25519 &&
             EVP_PKEY_get_raw_public_key(found, key, &count) == 1 &&
             count == (size_t)copenssl_device_key_length;
  ERR_clear_error();
  return done;
}

/// The raw public key of the certificate that is to be verified. 1 on success.
static inline int copenssl_device_seen(X509_STORE_CTX *store, unsigned char *key) {
  return copenssl_device_key(X509_STORE_CTX_get0_cert(store), key);
}

/// A self-signed certificate that says nothing but its key: no name, no clock of this machine.
static inline X509 *copenssl_device_certificate(EVP_PKEY *key) {
  X509 *made = X509_new();
  if (made && X509_set_version(made, 2) == 1 &&
      ASN1_INTEGER_set(X509_get_serialNumber(made), 1) == 1 &&
      X509_NAME_add_entry_by_txt(
          X509_get_subject_name(made), "CN", MBSTRING_ASC, (const unsigned char *)"fsharefs", -1,
          -1, 0) == 1 &&
      X509_set_issuer_name(made, X509_get_subject_name(made)) == 1 &&
      ASN1_TIME_set_string_X509(X509_getm_notBefore(made), "19700101000000Z") == 1 &&
      ASN1_TIME_set_string_X509(X509_getm_notAfter(made), "99991231235959Z") == 1 &&
      X509_set_pubkey(made, key) == 1 && X509_sign(made, key, NULL) != 0)
    return made;
  X509_free(made);
  return NULL;
}

/// A context for both ends of connections between members, which both show the certificate of an
/// Ed25519 key, and ask `verify` about the other's. NULL on failure.
static inline SSL_CTX *copenssl_make_device(
    const unsigned char *secret, int (*verify)(X509_STORE_CTX *, void *), void *owner) {
  EVP_PKEY *key = EVP_PKEY_new_raw_private_key(
      EVP_PKEY_ED25519, NULL, secret, (size_t)copenssl_device_key_length);
  X509 *certificate = key ? copenssl_device_certificate(key) : NULL;
  SSL_CTX *context = certificate ? SSL_CTX_new(TLS_method()) : NULL;
  int done = context && copenssl_restrict(context) &&
             SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") == 1 &&
             SSL_CTX_use_certificate(context, certificate) == 1 &&
             SSL_CTX_use_PrivateKey(context, key) == 1;
  X509_free(certificate);
  EVP_PKEY_free(key);
  if (!done) {
    SSL_CTX_free(context);
    ERR_clear_error();
    return NULL;
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
  SSL_CTX_set_cert_verify_callback(context, verify, owner);
  return context;
}

/// A connection between members that reads and writes memory, and has nothing said yet.
static inline SSL *copenssl_open_device(SSL_CTX *context, int accepts) {
  SSL *made = copenssl_open_memory(context);
  if (made && accepts) SSL_set_accept_state(made);
  if (made && !accepts) SSL_set_connect_state(made);
  return made;
}

/// The raw public key of who is at the other end of a complete handshake. 1 on success.
static inline int copenssl_device_peer(SSL *pipe, unsigned char *key) {
  return copenssl_device_key(SSL_get0_peer_certificate(pipe), key);
}

/// Bytes that only the two ends of a complete handshake know (RFC 8446, 7.5). 1 on success.
static inline int copenssl_export(SSL *pipe, const char *label, unsigned char *out, int count) {
  return SSL_export_keying_material(
      pipe, out, (size_t)count, label, strlen(label), NULL, 0, 0) == 1;
}

/// Takes what came behind a handshake, which is not TLS's: its count.
static inline int copenssl_take_rest(SSL *pipe, void *bytes, int capacity) {
  return BIO_read(SSL_get_rbio(pipe), bytes, capacity);
}

/// Bytes of that.
static inline long copenssl_rest(SSL *pipe) { return (long)BIO_ctrl_pending(SSL_get_rbio(pipe)); }

#endif
