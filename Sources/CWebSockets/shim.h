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

/// Passes an open descriptor to `vhost`; `type` is a combination of LWS_ADOPT_ flags, `name` the
/// protocol that a plain file or socket is bound to. Closes it and returns NULL on failure.
static inline struct lws *cws_adopt(
    struct lws_vhost *vhost, unsigned int type, int descriptor, const char *name, void *opaque) {
  lws_adopt_desc_t info = {0};
  info.vh = vhost;
  info.type = (lws_adoption_type)type;
  info.fd.sockfd = descriptor;
  info.vh_prot_name = name;
  info.opaque = opaque;
  return lws_adopt_descriptor_vhost_via_info(&info);
}

#endif
