// libarchive, which writes zip archives.
#ifndef FSHAREFS_CARCHIVE_SHIM_H
#define FSHAREFS_CARCHIVE_SHIM_H

#include <archive.h>
#include <archive_entry.h>

#endif
