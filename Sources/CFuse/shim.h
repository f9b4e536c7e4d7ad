// What Swift cannot import from libfuse3's low-level interface: macros with initialisers.
#ifndef FSHAREFS_CFUSE_SHIM_H
#define FSHAREFS_CFUSE_SHIM_H

#define FUSE_USE_VERSION 314
#include <stddef.h>
#include <fuse_lowlevel.h>
#include <linux/fuse.h>

/// `fuse_session_new` is a macro in later releases of libfuse3, so it is called through a function.
static inline struct fuse_session *cfuse_session_new(
    struct fuse_args *args, const struct fuse_lowlevel_ops *ops, size_t op_size, void *userdata) {
  return fuse_session_new(args, ops, op_size, userdata);
}

#endif
