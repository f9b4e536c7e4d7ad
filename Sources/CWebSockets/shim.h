// What Swift cannot import from libwebsockets.
#ifndef FSHAREFS_CWEBSOCKETS_SHIM_H
#define FSHAREFS_CWEBSOCKETS_SHIM_H

#include <libwebsockets.h>

/// Bytes of headroom that `lws_write` wants before a WebSocket payload.
static const size_t cws_pre = LWS_PRE;

/// A timer of libwebsockets together with whom it belongs to. The timer comes first, so that its
/// address is the structure's.
struct cws_timer {
  lws_sorted_usec_list_t sul;
  void *owner;
};

/// Passes an open descriptor to `vhost`: a listening one (`is_listener`, events go to protocol
/// `name`), or an accepted connection that will speak HTTP. Closes it and returns NULL on failure.
static inline struct lws *cws_adopt(
    struct lws_vhost *vhost, int descriptor, int is_listener, const char *name, void *opaque) {
  lws_adopt_desc_t info = {0};
  info.vh = vhost;
  info.opaque = opaque;
  if (is_listener) {
    info.type = LWS_ADOPT_RAW_FILE_DESC;
    info.fd.filefd = descriptor;
    info.vh_prot_name = name;
  } else {
    info.type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP;
    info.fd.sockfd = descriptor;
  }
  return lws_adopt_descriptor_vhost_via_info(&info);
}

#endif
